"""What is wrong with what is metered, in words, and what of it is learned from."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from battery_optimizer.forecast.balance import (
    BATTERY,
    BLOCK,
    GRID,
    LOAD,
    SOLAR,
    Balance,
    Fault,
    Kind,
    Suspect,
)
from battery_optimizer.forecast.cleaning import believable_load, believable_solar
from battery_optimizer.forecast.no_sun import no_sun
from battery_optimizer.model.slots import (
    DAY,
    SLOT,
    SLOTS_PER_DAY,
    Bools,
    Floats,
    SlotSeries,
    floor_to_slot,
)
from battery_optimizer.model.telemetry import Observations, SolarForecast

_JUDGED_DAYS: Final = 28
"""History that shows what is usual, as `cleaning` needs it."""

_MANY_SLOTS: Final = 4
"""So many unbelievable half hours in a day are no passing fault."""

_LIMIT_SHARE: Final = 0.95
_MOST_AT_LIMIT: Final = 20
"""Ten hours: a sunny roof with a small inverter. One that was sound gave the same for three."""

_CALLED: Final = {
    LOAD: "load",
    SOLAR: "solar power",
    BATTERY: "battery's power",
    GRID: "grid's power",
}
_SIGN_SETTING: Final = {
    BATTERY: "entities.battery_positive",
    GRID: "entities.grid_positive",
}


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What was metered, as far as it can be believed."""

    observed: Observations
    """To learn from."""
    away: Observations
    """The same with the half hours in which nobody was in."""
    doubts: tuple[str, ...] = ()


def judge_meters(observed: Observations, latest: SolarForecast | None, now: datetime) -> Judged:
    """Hold the meters against each other, their past and the sun that was forecast."""
    believed, doubts = _balanced(observed, now)
    doubts += sensor_doubts(believed, now)
    dead, why = no_sun(believed, latest, now)
    if dead.any():
        believed = replace(believed, solar_kw=_without(believed.solar_kw, dead))
        doubts += why
    return Judged(observed=_at_home(believed), away=believed, doubts=doubts)


def sensor_doubts(observed: Observations, now: datetime) -> tuple[str, ...]:
    """What the meters of load and sun said in the last day that cannot be."""
    end = floor_to_slot(now)
    start = end - _JUDGED_DAYS * DAY
    load = observed.load_kw.between(start, end).values
    solar = observed.solar_kw.between(start, end).values
    lost = {
        "load": _lost(load, believable_load(load)),
        "solar power": _lost(solar, believable_solar(solar, np.inf)) & ~_at_its_limit(solar),
    }
    return tuple(
        f"the {name} metered in {where[-SLOTS_PER_DAY:].sum()} half hours of the last day cannot "
        "be (negative, far too much, next to nothing, or not changing) and is not learned from: "
        "check its sensor and its unit"
        for name, where in lost.items()
        if where[-SLOTS_PER_DAY:].sum() >= _MANY_SLOTS
    )


def _lost(metered: Floats, believed: Floats) -> Bools:
    return np.asarray(np.isfinite(metered) & ~np.isfinite(believed))


def _at_its_limit(solar: Floats) -> Bools:
    """Where an inverter gives all it can, for hours: no more than so many in a day, though."""
    most = float(np.nanmax(solar, initial=0.0))
    at_limit = solar >= _LIMIT_SHARE * most
    return np.asarray(at_limit & (at_limit[-SLOTS_PER_DAY:].sum() < _MOST_AT_LIMIT))


def _balanced(observed: Observations, now: datetime) -> tuple[Observations, tuple[str, ...]]:
    """Load and sun without what the other meters contradict, and why."""
    balance, start = _side_by_side(observed)
    if balance is None:
        return observed, ()
    load, solar = (balance.flows_kw[sensor].copy() for sensor in (LOAD, SOLAR))
    jumps = balance.jumps.copy()
    for first, fault in balance.faults():
        if _is_unmetered_sun(observed, fault):
            continue
        day = slice(first, first + SLOTS_PER_DAY)
        jumps[day] = False  # explained
        if fault.sensors == {LOAD} and fault.lasts:
            known = np.isfinite(balance.missing_kw[day])
            load[day][known] = balance.load_kw[day][known]
        elif LOAD in fault.sensors or not fault.sensors:
            load[day][fault.where] = np.nan
        elif fault.sensors == {SOLAR}:
            solar[day][fault.where] = np.nan
    load[jumps] = np.nan
    believed = replace(
        observed,
        load_kw=_changed(observed.load_kw, balance.flows_kw[LOAD], load, start),
        solar_kw=_changed(observed.solar_kw, balance.flows_kw[SOLAR], solar, start),
    )
    # The last day, to the end of the block that runs.
    upto = -(-((floor_to_slot(now) - start) // SLOT) // BLOCK) * BLOCK
    last = balance.fault(max(0, upto - SLOTS_PER_DAY), upto)
    if last is None or _is_unmetered_sun(observed, last):
        return believed, ()
    return believed, (_balance_doubt(last),)


def _side_by_side(observed: Observations) -> tuple[Balance | None, datetime]:
    """The four meters from a midnight on, if they are all there."""
    flows = observed.flows
    if flows is None:
        return None, observed.load_kw.start
    first = flows.grid_kw.start
    start = first - timedelta(hours=first.hour, minutes=first.minute)
    days = -((start - flows.grid_kw.end) // DAY)
    every = (observed.load_kw, observed.solar_kw, flows.battery_kw, flows.grid_kw, flows.soc_kwh)
    *rows, soc = (series.between(start, start + days * DAY).values for series in every)
    if not np.isfinite(rows[SOLAR]).any():
        rows[SOLAR] = np.zeros(len(soc))
    return Balance(np.array(rows), soc), start


def _is_unmetered_sun(observed: Observations, fault: Fault) -> bool:
    """Whether panels without a sensor may be all that is missing."""
    has_sensor = np.isfinite(observed.solar_kw.values).any()
    return not has_sensor and (not fault.sensors or SOLAR in fault.sensors)


def _balance_doubt(fault: Fault) -> str:
    if not fault.suspects:
        return (
            f"load, sun, battery and grid do not add up, by about {_about(fault.missing_kw)} kW in "
            "a part of the last day: check the units and signs of their sensors, and whether the "
            "load sensor counts all; the load of then is not learned from"
        )
    what = ", or ".join(_suspicion(suspect) for suspect in fault.suspects)
    done = ""
    if fault.sensors == {LOAD} and fault.lasts:
        done = "; the load is worked out from the others meanwhile"
    elif LOAD in fault.sensors:
        done = "; the load of then is not learned from"
    return f"the meters do not add up: {what}{done}"


def _suspicion(suspect: Suspect) -> str:
    name, number = _CALLED[suspect.sensor], suspect.number
    match suspect.kind:
        case Kind.UNIT:
            return (
                f"the {name} is about a thousandth of what the others say: check the unit of its "
                "sensor (kW given as W?)"
            )
        case Kind.SIGN:
            return (
                f"the {name} has the wrong sign: turn {_SIGN_SETTING[suspect.sensor]} round, or "
                "exchange its two sensors"
            )
        case Kind.FROZEN:
            return f"the {name} stays at {number:.2g} kW while the others change: check its sensor"
        case Kind.DEAD:
            return f"the {name} is nothing while the others say that it is not: check its sensor"
        case Kind.JUMPS:
            return (
                f"the {name} jumps to {_about(number)} kW, unseen by the others: check its sensor"
            )
        case Kind.FACTOR:
            return (
                f"the {name} is {_about(1 / number)} times what the others say: check its sensor "
                "and what it counts"
            )


def _about(number: float) -> str:
    """To one digit: what is said of a fault must not change with each reading."""
    return f"{float(f'{number:.1g}'):g}"


def _at_home(observed: Observations) -> Observations:
    """Without the load of half hours in which nobody was in."""
    load, away = observed.load_kw, observed.away
    if away is None:
        return observed
    return replace(observed, load_kw=_without(load, away.between(load.start, load.end).values == 1))


def _without(series: SlotSeries, where: Bools) -> SlotSeries:
    return SlotSeries(start=series.start, values=np.where(where, np.nan, series.values))


def _changed(series: SlotSeries, before: Floats, after: Floats, start: datetime) -> SlotSeries:
    """The series with what was changed of a part of it that begins at `start`."""
    if not ((before != after) & ~(np.isnan(before) & np.isnan(after))).any():
        return series
    end = start + len(after) * SLOT
    first, upto = max(start, series.start), min(end, series.end)
    values = series.values.copy()
    part = slice((first - series.start) // SLOT, (upto - series.start) // SLOT)
    values[part] = after[(first - start) // SLOT : (upto - start) // SLOT]
    return SlotSeries(start=series.start, values=values)
