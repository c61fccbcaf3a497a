"""When a car is going to be charged, as Octopus Intelligent plans it: an entity's attribute.

The Octopus Energy integration has it as `planned_dispatches` of its intelligent_dispatching entity,
a list of {start, end, charge_in_kwh}; energies are below zero there, as seen from the grid.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.model.entity import EntityState, ReadState, finite, utc_moment
from battery_optimizer.model.telemetry import PlannedRun

ATTRIBUTE: Final = "planned_dispatches"
_ENERGIES: Final = ("charge_in_kwh", "energy_added_kwh")
_LONGEST: Final = timedelta(days=1)
_FURTHEST: Final = timedelta(days=3)
_MOST_KW: Final = 25.0


class PlannedDispatches:
    """The schedules of large loads by their names; fulfils `ports.Schedules`."""

    def __init__(self, *, read_state: ReadState, entities: Mapping[str, str]) -> None:
        self._read_state = read_state
        self._entities = entities
        self._problems: tuple[str, ...] = ()

    def problems(self) -> tuple[str, ...]:
        """Why a schedule could not be read the last time."""
        return self._problems

    def planned(self, now: datetime) -> Mapping[str, Sequence[PlannedRun]]:
        """Runs that are not over, of those loads that have any."""
        found, problems = {}, []
        for name, entity_id in self._entities.items():
            try:
                runs = tuple(_runs(self._read_state(entity_id), now))
            except ValueError as error:
                problems.append(f"{entity_id} {error}; when {name} runs is guessed")
                continue
            if runs:
                found[name] = runs
        self._problems = tuple(problems)
        return found


def _runs(state: EntityState | None, now: datetime) -> Iterator[PlannedRun]:
    if state is None:
        raise ValueError("does not exist in Home Assistant: check the name in the settings")
    rows = state.attributes.get(ATTRIBUTE)
    if not isinstance(rows, list | tuple):
        raise ValueError(f"has no attribute {ATTRIBUTE}")  # noqa: TRY004 - not a bug
    for row in rows:
        run = _run(row)
        if run is None:
            raise ValueError(f"has a row in {ATTRIBUTE} without a start before its end")
        if now < run.end <= now + _FURTHEST:
            yield run


def _run(row: object) -> PlannedRun | None:
    if not isinstance(row, Mapping):
        return None
    try:
        start, end = utc_moment(row.get("start")), utc_moment(row.get("end"))
    except ValueError:
        return None
    if not timedelta(0) < end - start <= _LONGEST:
        return None
    energies = [finite(row.get(key)) for key in _ENERGIES]
    kwh = next((abs(each) for each in energies if each), None)
    if kwh is not None and kwh / ((end - start) / timedelta(hours=1)) > _MOST_KW:
        kwh = None  # no charger at home gives so much: some other number
    return PlannedRun(start=start, end=end, kwh=kwh)
