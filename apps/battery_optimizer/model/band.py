"""How full the battery may be under a plan, if load and sun turn out otherwise than expected."""

from datetime import datetime

from battery_optimizer.model.flows import flows, stored_after
from battery_optimizer.model.house import House
from battery_optimizer.model.outlook import Future, Outlook
from battery_optimizer.model.plan import Plan

SocBand = dict[datetime, tuple[float, float]]
"""By a slot's start: least and most stored energy at its end [kWh]."""


def soc_band(house: House, plan: Plan, outlook: Outlook | None) -> SocBand:
    """The least and the most over the outlook's futures, the plan's commands as they stand.

    A plan is made anew every five minutes, so the further ahead, the wider than what will be.
    Empty where the outlook is taken as certain, or is not the plan's.
    """
    if outlook is None or not outlook.futures or outlook.horizon != plan.horizon:
        return {}
    ways = [_soc_kwh(house, plan, future) for future in outlook.futures]
    return {
        slot.start: (min(slot.soc_end_kwh, *ends), max(slot.soc_end_kwh, *ends))
        for slot, *ends in zip(plan.slots, *ways, strict=True)
    }


def _soc_kwh(house: House, plan: Plan, future: Future) -> list[float]:
    """Stored energy at each slot's end if this comes true [kWh]."""
    battery, soc_kwh, ends = house.battery, plan.slots[0].soc_start_kwh, []
    for slot, load_kwh, solar_kwh in zip(
        plan.slots, future.load_kwh.tolist(), future.solar_kwh.tolist(), strict=True
    ):
        given = flows(
            house,
            slot.command,
            soc_kwh=soc_kwh,
            load_kwh=load_kwh,
            solar_kwh=solar_kwh,
            hours=slot.hours,
        )
        after_kwh = stored_after(battery, soc_kwh, given, slot.hours)
        soc_kwh = min(max(after_kwh, 0.0), battery.capacity_kwh)
        ends.append(soc_kwh)
    return ends
