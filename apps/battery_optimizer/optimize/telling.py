"""What was chosen as a plan: slot by slot what its mode really gives, what that costs, and why."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from battery_optimizer.model.flows import stored_after
from battery_optimizer.model.plan import Schedule, SlotPlan
from battery_optimizer.optimize.choosing import Chosen
from battery_optimizer.optimize.events import credit_p
from battery_optimizer.optimize.explain import Story
from battery_optimizer.optimize.mapping import flows_under, following
from battery_optimizer.optimize.remarks import Remarks
from battery_optimizer.optimize.situation import Situation
from battery_optimizer.optimize.steady import Played, steadied


def slots_of(now: Situation, chosen: Chosen, *, with_reasons: bool) -> tuple[SlotPlan, ...]:
    """The slots of the plan, the first with the command chosen; reasons are else left empty."""
    played = _played(now, chosen)
    wishes = now.wishes
    if now.switching_price_p and not (wishes.targets or wishes.overrides or wishes.events):
        played = steadied(now.house, now.outlook, played, now.switching_price_p)
    reasons = _reasons(now, chosen, played) if with_reasons else [""] * len(played)
    starts_kwh = [now.soc_kwh, *(end_kwh for _, _, end_kwh in played)]
    return tuple(
        _slot_plan(now, slot, way, start_kwh, value_p, reason)
        for slot, (way, start_kwh, value_p, reason) in enumerate(
            zip(
                played,
                starts_kwh[:-1],
                chosen.schedule.energy_value_p_per_kwh.tolist(),
                reasons,
                strict=True,
            )
        )
    )


def _played(now: Situation, chosen: Chosen) -> list[Played]:
    """The schedule as modes, played forward."""
    house, outlook, soc_kwh = now.house, now.outlook, now.soc_kwh
    played: list[Played] = []
    command = chosen.command
    for slot in range(outlook.horizon.n_slots):
        if slot == 0:
            given = flows_under(house, command, outlook, slot, soc_kwh)
        else:
            command, given = following(now, chosen.schedule, slot, soc_kwh, before=command)
        hours = float(outlook.horizon.hours[slot])
        soc_kwh = stored_after(house.battery, soc_kwh, given, hours)
        played.append((command, given, soc_kwh))
    return played


def _reasons(now: Situation, chosen: Chosen, played: Sequence[Played]) -> list[str]:
    """Each slot's reason in words: of what is done, not of what the schedule meant."""
    done = _as_done(chosen.schedule, played)
    story = Story(
        now.house,
        now.published,
        done,
        chosen.command,
        is_kept=chosen.is_kept,
        counted=now.outlook,
    )
    remarks = Remarks(now.house, now.outlook, done, now.wishes)
    return [story.reason(slot) + remarks.on(slot) for slot in range(len(played))]


def _as_done(schedule: Schedule, played: Sequence[Played]) -> Schedule:
    """The schedule with the energies that its modes give."""
    flows = [given for _, given, _ in played]
    return replace(
        schedule,
        charge_kwh=np.array([given.charge_kwh for given in flows]),
        discharge_kwh=np.array([given.discharge_kwh for given in flows]),
        grid_import_kwh=np.array([given.grid_import_kwh for given in flows]),
        grid_export_kwh=np.array([given.grid_export_kwh for given in flows]),
        curtailed_kwh=np.array([given.lost_kwh for given in flows]),
        soc_kwh=np.array([schedule.soc_kwh[0], *(end_kwh for _, _, end_kwh in played)]),
    )


def _slot_plan(
    now: Situation, slot: int, played: Played, start_kwh: float, value_p: float, reason: str
) -> SlotPlan:
    """A slot by its published rates, from `start_kwh` stored on."""
    outlook, published = now.outlook, now.published
    command, given, end_kwh = played
    import_rate, export_rate = (
        float(published.import_rate[slot]),
        float(published.export_rate[slot]),
    )
    bill_p = given.bill_p(import_rate, export_rate)
    paid_p = credit_p(published, now.wishes, slot, given.grid_import_kwh, given.grid_export_kwh)
    return SlotPlan(
        start=outlook.horizon.starts[slot],
        hours=float(outlook.horizon.hours[slot]),
        command=command,
        import_rate=import_rate,
        export_rate=export_rate,
        rate_published=bool(outlook.rate_published[slot]),
        load_kwh=float(outlook.load_kwh[slot]),
        solar_kwh=float(outlook.solar_kwh[slot]),
        charge_kwh=given.charge_kwh,
        discharge_kwh=given.discharge_kwh,
        grid_import_kwh=given.grid_import_kwh,
        grid_export_kwh=given.grid_export_kwh,
        curtailed_kwh=given.lost_kwh,
        soc_start_kwh=start_kwh,
        soc_end_kwh=end_kwh,
        energy_value_p_per_kwh=value_p,
        cost_p=bill_p - paid_p,
        reason=reason,
    )
