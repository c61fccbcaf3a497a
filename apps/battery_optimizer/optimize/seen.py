"""Words for now where the meters show the reverse of what was expected of the half hour.

A mode that follows the load does another thing with sun to spare than without, and a reason is of
what is done.
"""

from typing import Final

from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.plan import SlotPlan
from battery_optimizer.model.telemetry import Telemetry
from battery_optimizer.model.wording import pence, pence_apart, price, saved_later
from battery_optimizer.optimize.explain import SOME_KW

_CLEAR_KW: Final = 0.1
"""So much more sun than load, or load than sun, is no noise."""
_NEAR_KWH: Final = 0.15
"""A percent, as which batteries tell how full they are."""


def reason_seen(
    slot: SlotPlan, command: InverterCommand, telemetry: Telemetry, battery: Battery
) -> str | None:
    """Why the command for now does what it does; None where the slot's own reason tells that."""
    is_plain = command.floor_kwh is None and command.ceiling_kwh is None and not command.curtail
    if command.mode.is_forced or not is_plain:
        return None
    if telemetry.load_kw is None or telemetry.solar_kw is None:
        return _held(slot, command)
    expected_kw = (slot.load_kwh - slot.solar_kwh) / slot.hours
    seen_kw = telemetry.load_kw - telemetry.solar_kw
    if seen_kw < -_CLEAR_KW and expected_kw > -SOME_KW:
        return _of_spare_sun(slot, command.mode, telemetry, battery)
    if seen_kw > _CLEAR_KW and expected_kw < SOME_KW:
        return _of_need(slot, command.mode, telemetry, battery)
    return _held(slot, command)


def _held(slot: SlotPlan, command: InverterCommand) -> str | None:
    """Of a battery that was to give and, at its reserve, does not."""
    if command.mode is not Mode.HOLD or slot.discharge_kwh <= SOME_KW * slot.hours:
        return None
    return f"The battery is at its reserve. The house runs on the grid {price(slot.import_rate)}."


def _of_spare_sun(slot: SlotPlan, mode: Mode, telemetry: Telemetry, battery: Battery) -> str:
    sold, stored = slot.export_rate, slot.energy_value_p_per_kwh * battery.charge_efficiency
    begin = "More sun just now than the house needs"
    if mode is not Mode.FEED_IN and telemetry.soc_kwh < battery.ceiling_kwh - _NEAR_KWH:
        if stored < sold:
            return f"{begin}: it is stored instead of sold at {pence(sold)}."
        now, later = pence_apart(sold, stored)
        return f"{begin}: it is stored instead of sold at {now}, to save {later} later."
    if mode is not Mode.FEED_IN:
        return f"{begin}, and the battery is full: it is sold at {pence(sold)}."
    if sold < stored:
        return f"{begin}: it is sold at {pence(sold)}."
    now, then = pence_apart(sold, stored)
    return f"{begin}: it is sold at {now}; {saved_later('stored, it', then)} later."


def _of_need(slot: SlotPlan, mode: Mode, telemetry: Telemetry, battery: Battery) -> str:
    rate = slot.import_rate
    kept = slot.energy_value_p_per_kwh / battery.discharge_efficiency + battery.wear_p_per_kwh
    begin = "Less sun just now than the house needs"
    now, then = pence_apart(rate, kept)
    if telemetry.soc_kwh < battery.reserve_kwh + _NEAR_KWH:
        return f"{begin}, and the battery is at its reserve: the rest is bought {price(rate)}."
    if mode is Mode.HOLD:
        bought = f"{begin}: the rest is bought {price(rate, now)}"
        return f"{bought}; kept, a kWh saves {then} later." if kept > max(rate, 0) else f"{bought}."
    served = f"{begin}: the battery gives the rest instead of the grid {price(rate, now)}"
    return f"{served}; {saved_later('kept, a kWh', then)} later." if kept < rate else f"{served}."
