"""What was metered: samples as they come, half hours averaged as they fill, energies for money."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from sqlite3 import Connection
from typing import Any, Final

import numpy as np

from battery_optimizer.adapters.store.averages import mean, slots_touched, weighed
from battery_optimizer.adapters.store.schema import SLOT_SECONDS, epoch, moment_of
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.slots import (
    SLOT_HOURS,
    Floats,
    SlotSeries,
    count_slots,
    floor_to_slot,
)
from battery_optimizer.model.telemetry import (
    FEWEST_READINGS,
    BatteryReadings,
    EnergyKind,
    MeteredFlows,
    Observations,
    SlotEnergy,
    Telemetry,
)

LOOKED_BACK: Final = timedelta(days=180)
"""What forecasts learn from besides load and sun; each further year would cost 10 ms a sensor."""

_SAVE_SAMPLE: Final = """
INSERT OR REPLACE INTO samples
    (at, load_kw, solar_kw, battery_kw, grid_kw, soc_kwh, battery_temperature_c)
VALUES (:at, :load_kw, :solar_kw, :battery_kw, :grid_kw, :soc_kwh, :battery_temperature_c)"""

# A reading is taken before its cycle decides: it shows what the decision before it made of the
# battery. Of two in quick succession the second is too soon to show it.
_UNDER_FORCE: Final = f"""
SELECT after.at, (after.at - decisions.at) / 3600.0,
    CASE mode WHEN '{Mode.FORCE_CHARGE}' THEN -decisions.power_kw ELSE decisions.power_kw END,
    coalesce(after.battery_kw, after.load_kw - after.solar_kw - after.grid_kw),
    before.soc_kwh, after.soc_kwh, after.solar_kw, after.grid_kw, after.battery_temperature_c
FROM decisions
    JOIN samples AS before ON before.at = decisions.at
    JOIN samples AS after ON after.at =
        (SELECT min(samples.at) FROM samples WHERE samples.at > decisions.at)
WHERE decisions.at >= :start AND after.at < :end AND after.at - decisions.at >= :settled
    AND mode IN ('{Mode.FORCE_CHARGE}', '{Mode.FORCE_DISCHARGE}')
    AND command_result IN ('{CommandResult.APPLIED}', '{CommandResult.UNCHANGED}')
ORDER BY after.at"""  # noqa: S608 - our own words
_SETTLED_S: Final = 60

# A slot is averaged anew from its samples each time: a sample saved twice counts once. A seeded
# value stays where our own sensor gave nothing in the slot.
_AVERAGE_SLOT: Final = f"""{weighed("samples")}
INSERT INTO half_hours (start, load_kw, solar_kw)
SELECT :slot, {mean("load_kw")}, {mean("solar_kw")} FROM weighed WHERE true
ON CONFLICT (start) DO UPDATE
    SET load_kw = coalesce(excluded.load_kw, load_kw),
        solar_kw = coalesce(excluded.solar_kw, solar_kw)"""  # noqa: S608 - our own words

_WITHIN: Final = "at >= :slot AND at < :slot_end"


def _known_count(value: str) -> str:
    """SQL for how many readings within the half hour have this value; all where none has it."""
    return f"coalesce(nullif(sum({_WITHIN} AND {value} IS NOT NULL), 0), sum({_WITHIN}))"


# What is stored at the end is told by the reading next to it.
_METER_SLOT: Final = f"""{weighed("samples")}
INSERT OR REPLACE INTO slot_energy (kind, start, import_kwh, export_kwh, load_kwh, solar_kwh,
    charge_kwh, discharge_kwh, soc_kwh, n_samples)
SELECT :kind, :slot,
    :hours * {mean("max(grid_kw, 0)")}, :hours * {mean("max(-grid_kw, 0)")},
    :hours * {mean("load_kw")}, :hours * {mean("solar_kw")},
    :hours * {mean("max(-battery_kw, 0)")}, :hours * {mean("max(battery_kw, 0)")},
    (SELECT soc_kwh FROM weighed ORDER BY abs(at - :slot_end) LIMIT 1),
    min({", ".join(map(_known_count, ("load_kw", "solar_kw", "grid_kw")))})
FROM weighed"""  # noqa: S608 - our own words

_SEED_SLOT: Final = """
INSERT INTO half_hours (start, load_kw, solar_kw) VALUES (?, ?, ?)
ON CONFLICT (start) DO UPDATE
    SET load_kw = coalesce(load_kw, excluded.load_kw),
        solar_kw = coalesce(solar_kw, excluded.solar_kw)"""

_HALF_HOURS: Final = """
SELECT start, load_kw, solar_kw FROM half_hours WHERE start >= ? AND start < ?"""

_FLOWS: Final = f"""
SELECT start, (import_kwh - export_kwh) / {SLOT_HOURS}, (discharge_kwh - charge_kwh) / {SLOT_HOURS},
    soc_kwh
FROM slot_energy WHERE kind = '{EnergyKind.METERED}' AND start >= ? AND start < ?
    AND n_samples >= {FEWEST_READINGS}"""  # noqa: S608 - our own words

_SAVE_SLOT_ENERGY: Final = """
INSERT OR REPLACE INTO slot_energy (kind, start, import_kwh, export_kwh, load_kwh, solar_kwh,
    charge_kwh, discharge_kwh, soc_kwh, n_samples)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

_SLOT_ENERGY: Final = """
SELECT start, import_kwh, export_kwh, load_kwh, solar_kwh, charge_kwh, discharge_kwh, soc_kwh,
    n_samples
FROM slot_energy WHERE kind = ? AND start >= ? AND start < ? ORDER BY start"""


def insert_sample(connection: Connection, telemetry: Telemetry) -> None:
    """Put a reading in, and bring the half hours that it is a part of up to date."""
    sample = {
        "at": epoch(telemetry.measured_at),
        "load_kw": _known(telemetry.load_kw),
        "solar_kw": _known(telemetry.solar_kw),
        "battery_kw": _known(telemetry.battery_kw),
        "grid_kw": _known(telemetry.grid_kw),
        "soc_kwh": _known(telemetry.soc_kwh),
        "battery_temperature_c": _known(telemetry.battery_temperature_c),
    }
    connection.execute(_SAVE_SAMPLE, sample)
    for slot in slots_touched(connection, telemetry.measured_at):
        connection.execute(_AVERAGE_SLOT, slot)
        connection.execute(_METER_SLOT, {**slot, "kind": EnergyKind.METERED, "hours": SLOT_HOURS})


def seed_half_hours(connection: Connection, seen: Observations) -> None:
    """Put averages from elsewhere in, where nothing is known yet."""
    first = min(seen.load_kw.start, seen.solar_kw.start)
    last = max(seen.load_kw.end, seen.solar_kw.end)
    load = seen.load_kw.between(first, last).values
    solar = seen.solar_kw.between(first, last).values
    rows = [
        (epoch(first) + t * SLOT_SECONDS, _known(load_kw), _known(solar_kw))
        for t, (load_kw, solar_kw) in enumerate(zip(load.tolist(), solar.tolist(), strict=True))
    ]
    connection.executemany(_SEED_SLOT, [row for row in rows if row[1:] != (None, None)])


def on_grid(
    rows: Sequence[tuple[Any, ...]], start: datetime, end: datetime, n_columns: int
) -> Floats:
    """Rows of a start and some values, as half hours of [start, end); NaN where there is none.

    Shape (n_columns, n_slots).
    """
    values = np.full((n_columns, count_slots(start, end)), np.nan)
    if rows:
        # SQL's NULL arrives as None, which becomes NaN.
        starts, *columns = np.array(rows, dtype=np.float64).T
        values[:, ((starts - epoch(start)) // SLOT_SECONDS).astype(int)] = columns
    return values


def select_observations(connection: Connection, start: datetime, end: datetime) -> Observations:
    """Averages of [start, end), NaN where there is none; `start` is floored to its slot."""
    first = floor_to_slot(start)
    rows = connection.execute(_HALF_HOURS, (epoch(first), epoch(end))).fetchall()
    load, solar = on_grid(rows, first, end, 2)
    return Observations(
        load_kw=SlotSeries(start=first, values=load),
        solar_kw=SlotSeries(start=first, values=solar),
    )


def with_flows(connection: Connection, observed: Observations, end: datetime) -> Observations:
    """What was observed with what the meters of grid and battery said."""
    start = max(observed.load_kw.start, floor_to_slot(end) - LOOKED_BACK)
    rows = connection.execute(_FLOWS, (epoch(start), epoch(end))).fetchall()
    values = on_grid(rows, start, end, 3)
    if not np.isfinite(values).any():
        return observed
    grid, battery, soc = (SlotSeries(start=start, values=row) for row in values)
    flows = MeteredFlows(grid_kw=grid, battery_kw=battery, soc_kwh=soc)
    return replace(observed, flows=flows)


def select_battery_readings(
    connection: Connection, start: datetime, end: datetime
) -> BatteryReadings:
    """What the battery did under forced modes that were in force for a while."""
    within = {"start": epoch(start), "end": epoch(end), "settled": _SETTLED_S}
    return BatteryReadings.of_rows(connection.execute(_UNDER_FORCE, within).fetchall())


def insert_slot_energy(connection: Connection, kind: EnergyKind, energy: SlotEnergy) -> None:
    """Put the energies of one half hour in, replacing what was there."""
    row = (
        kind,
        epoch(floor_to_slot(energy.start)),
        energy.grid_import_kwh,
        energy.grid_export_kwh,
        energy.load_kwh,
        energy.solar_kwh,
        energy.charge_kwh,
        energy.discharge_kwh,
        energy.soc_kwh,
        energy.n_samples,
    )
    connection.execute(_SAVE_SLOT_ENERGY, row)


def select_slot_energy(
    connection: Connection, kind: EnergyKind, start: datetime, end: datetime
) -> list[SlotEnergy]:
    """The energies of each known half hour that starts in [start, end), oldest first."""
    rows = connection.execute(_SLOT_ENERGY, (kind, epoch(start), epoch(end)))
    return [
        SlotEnergy(
            start=moment_of(seconds),
            grid_import_kwh=bought,
            grid_export_kwh=sold,
            load_kwh=load,
            solar_kwh=solar,
            charge_kwh=charge,
            discharge_kwh=discharge,
            soc_kwh=soc,
            n_samples=n_samples,
        )
        for seconds, bought, sold, load, solar, charge, discharge, soc, n_samples in rows
    ]


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
