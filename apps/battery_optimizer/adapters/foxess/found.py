"""What a Fox ESS inverter tells of itself, in the place of settings that were not given."""

from battery_optimizer.adapters.foxess.models import ReadState
from battery_optimizer.model.entity import EntityState, finite

_SENSIBLE_KW = (0.5, 50.0)
"""Before the integration has read the inverter it says 100 or infinity."""


def inverter_says(stem: str, read_state: ReadState, *, capacity_kwh: float) -> dict[str, float]:
    """Settings by key path, as far as its entities show them.

    The AC rating is the greatest force power. What the battery takes and gives is also limited by
    its greatest currents times its voltage; a current of 0 is our own way to hold, and no limit.
    """
    said: dict[str, float] = {}
    charge_kw = _greatest(read_state(f"number.{stem}force_charge_power"))
    discharge_kw = _greatest(read_state(f"number.{stem}force_discharge_power"))
    if discharge_kw is not None:
        said["inverter.ac_limit_kw"] = discharge_kw
    volts = _number(read_state(f"sensor.{stem}batvolt"))
    for name, ac_kw in (("charge", charge_kw), ("discharge", discharge_kw)):
        amperes = _number(read_state(f"number.{stem}max_{name}_current"))
        dc_kw = None if not amperes or not volts else amperes * volts / 1000
        limits = [kw for kw in (ac_kw, dc_kw) if kw is not None]
        if ac_kw is not None and limits:
            said[f"battery.max_{name}_kw"] = round(min(limits), 2)
    lowest = [
        percent
        for ending in ("min_soc", "min_soc_on_grid")
        if (percent := _percent(read_state(f"number.{stem}{ending}"))) is not None
    ]
    if lowest:
        said["battery.reserve_kwh"] = round(max(lowest) / 100 * capacity_kwh, 3)
    highest = _percent(read_state(f"number.{stem}max_soc"))
    if highest is not None and highest > max([0.0, *lowest]):
        said["battery.maximum_kwh"] = round(highest / 100 * capacity_kwh, 3)
    return said


def _greatest(state: EntityState | None) -> float | None:
    kw = None if state is None else finite(state.attributes.get("max"))
    low, high = _SENSIBLE_KW
    return kw if kw is not None and low <= kw <= high else None


def _percent(state: EntityState | None) -> float | None:
    percent = _number(state)
    return percent if percent is not None and 0 <= percent <= 100 else None  # noqa: PLR2004


def _number(state: EntityState | None) -> float | None:
    return None if state is None else finite(state.state)
