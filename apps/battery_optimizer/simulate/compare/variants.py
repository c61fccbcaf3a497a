"""Variants of a house: another battery, tariff, roof or policy, as a person writes them down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import time
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from battery_optimizer.errors import DataError
from battery_optimizer.model.house import House
from battery_optimizer.model.slots import SLOT, SLOTS_PER_DAY, UK, Floats, SlotSeries
from battery_optimizer.money.bills import without_battery
from battery_optimizer.simulate.backtest import Forecast, Policy, Run
from battery_optimizer.simulate.days.recorded import RecordedDays, rates_of
from battery_optimizer.simulate.files import why

NO_BATTERY: Final = "no_battery"
POLICIES: Final = (NO_BATTERY, *(str(policy) for policy in Policy))

Rate = float | Mapping[str, float] | str
"""Always the same, {"HH:MM": from then on}, or a CSV file with times and rates."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """What is another than in the house as it is; None where it is the same."""

    name: str
    policy: str = "planner"
    """planner, self_use, reactive, prescient, or no_battery."""
    forecast: str = "history"
    """history, or perfect: the planner then knows load and sun to come."""
    capacity_kwh: float | None = None
    reserve_kwh: float | None = None
    charge_kw: float | None = None
    discharge_kw: float | None = None
    charge_efficiency: float | None = None
    discharge_efficiency: float | None = None
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    solar_scale: float | None = None
    """How many times the panels there are; 0 for none."""
    import_p: Rate | None = None
    """Import rate [p/kWh], rates by the clock, or a CSV file."""
    export_p: Rate | None = None
    """Likewise for what is sold."""
    standing_p: float | None = None
    """Standing charge [p/day]."""

    def run(self, base: Run, folder: Path) -> Run:
        """The run of this variant; DataError naming the variant and what cannot be.

        Files are found from `folder` on.
        """
        try:
            house, days = self._house(base.house), self._days(base.days, folder)
        except (ValueError, TypeError) as error:
            raise DataError(f"variant {self.name!r}: {error}") from error
        except DataError as error:
            raise DataError(f"variant {self.name!r}: {error}") from error
        battery = house.battery
        soc_kwh = min(max(base.start_soc_kwh, battery.reserve_kwh), battery.capacity_kwh)
        return replace(
            base,
            house=house,
            days=days,
            start_soc_kwh=soc_kwh,
            policy=Policy.SELF_USE if self.policy == NO_BATTERY else Policy(self.policy),
            forecast=Forecast(self.forecast),
        )

    def _house(self, house: House) -> House:
        if self.policy == NO_BATTERY:
            house = without_battery(house)
        battery = {
            name: getattr(self, key)
            for key, name in _BATTERY.items()
            if getattr(self, key) is not None and self.policy != NO_BATTERY
        }
        grid = {key: getattr(self, key) for key in _GRID if getattr(self, key) is not None}
        return replace(
            house, battery=replace(house.battery, **battery), grid=replace(house.grid, **grid)
        )

    def _days(self, days: RecordedDays, folder: Path) -> RecordedDays:
        changes: dict[str, Any] = {}
        for name, rate in (("imports", self.import_p), ("exports", self.export_p)):
            if rate is not None:
                column = f"{name.removesuffix('s')}_p"
                series = _rates(rate, column, days, folder)
                _require_all(series, days, column)
                changes[name] = series
        if self.solar_scale is not None:
            if self.solar_scale < 0:
                raise ValueError(f"solar_scale must be 0 or more, not {self.solar_scale:g}")
            for name in ("solar_kw", "solar_p10_kw", "solar_p50_kw", "solar_p90_kw"):
                series = getattr(days, name)
                changes[name] = replace(series, values=series.values * self.solar_scale)
        return replace(days, **changes) if changes else days


_BATTERY: Final = {
    "capacity_kwh": "capacity_kwh",
    "reserve_kwh": "reserve_kwh",
    "charge_kw": "max_charge_kw",
    "discharge_kw": "max_discharge_kw",
    "charge_efficiency": "charge_efficiency",
    "discharge_efficiency": "discharge_efficiency",
}
_GRID: Final = ("import_limit_kw", "export_limit_kw")
_WORDS: Final = {"policy": POLICIES, "forecast": tuple(str(each) for each in Forecast)}
_RATES: Final = ("import_p", "export_p")
KEYS: Final = tuple(each.name for each in fields(Variant) if each.name != "name")

AS_IT_IS: Final = Variant(name="as it is")
PRESENT: Final = (
    AS_IT_IS,
    Variant(name="as it is, Self Use alone", policy="self_use"),
    Variant(name="as it is, no battery", policy=NO_BATTERY),
)
"""What every comparison begins with."""


def read_variants(path: Path) -> list[Variant]:
    """Variants of a YAML file: names, and below each what is another."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path} cannot be read as YAML: {why(error)}") from error
    if not isinstance(found, dict) or not found:
        raise DataError(
            f"{path}: there must be variants in it, such as\n"
            "  larger battery: {capacity_kwh: 15, charge_kw: 5}"
        )
    return [variant_of(str(name), changes, f"{path}: ") for name, changes in found.items()]


def parsed_variant(text: str) -> Variant:
    """A variant from the command line: `NAME: key=value key=value`, or without a name."""
    name, colon, rest = text.partition(": ")
    if not colon or "=" in name:
        name, rest = text, text
    changes = {}
    for word in rest.split():
        key, equals, value = word.partition("=")
        if not equals:
            raise DataError(
                f"--variant {text!r}: {word!r} is not key=value; write for example "
                "'larger battery: capacity_kwh=15 charge_kw=5'"
            )
        changes[key] = yaml.safe_load(value)
    return variant_of(name.strip(), changes, "")


def variant_of(name: str, changes: object, where: str) -> Variant:
    """A checked variant; DataError naming what is wrong with it."""
    about = f"{where}variant {name!r}"
    if not isinstance(changes, dict):
        raise DataError(f"{about} must have key: value pairs below it, not {changes!r}")
    for key, value in changes.items():
        if key not in KEYS:
            near = get_close_matches(str(key), KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(KEYS)}"
            raise DataError(f"{about}: {key} is not a key; {hint}")
        _require_sense(about, key, value)
    return Variant(name=name, **changes)


def _require_sense(about: str, key: str, value: object) -> None:
    if key in _WORDS:
        if value not in _WORDS[key]:
            raise DataError(f"{about}: {key} must be {', '.join(_WORDS[key])}, not {value!r}")
    elif not _is_number(value) and not (key in _RATES and _is_rate(value)):
        kinds = ', a file, or rates by the clock: {"00:30": 8.5, "05:30": 29}'
        raise DataError(
            f"{about}: {key} must be a number{kinds if key in _RATES else ''}, not {value!r}"
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)


def _is_rate(value: object) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(_is_number(rate) for rate in value.values())
    return isinstance(value, str) and bool(value)


def _rates(rate: Rate, column: str, days: RecordedDays, folder: Path) -> SlotSeries:
    start, n_slots = days.imports.start, len(days.imports.values)
    if isinstance(rate, Mapping):
        return SlotSeries(start=start, values=_by_the_clock(rate, days))
    if isinstance(rate, str):
        return rates_of(folder / rate, column).between(start, days.imports.end)
    return SlotSeries(start=start, values=np.full(n_slots, float(rate)))


def _by_the_clock(rate: Mapping[str, float], days: RecordedDays) -> Floats:
    """Each rate from its time on the wall clock until the next."""
    changes = sorted((_half_hour(clock), float(value)) for clock, value in rate.items())
    day = np.full(SLOTS_PER_DAY, changes[-1][1])
    for first, value in changes:
        day[first:] = value
    start = days.imports.start
    moments = ((start + t * SLOT).astimezone(UK) for t in range(len(days.imports.values)))
    return np.array([day[moment.hour * 2 + moment.minute // 30] for moment in moments])


def _half_hour(clock: object) -> int:
    if isinstance(clock, int):  # as YAML reads 16:00 without quotes
        clock = f"{clock // 60:02}:{clock % 60:02}"
    try:
        parsed = time.fromisoformat(str(clock))
    except ValueError as error:
        raise ValueError(f'{clock!r} is no time of day; write "00:30", with the quotes') from error
    if parsed.minute % 30 or parsed.second:
        raise ValueError(f"rates change on the half hour, not at {clock}")
    return parsed.hour * 2 + parsed.minute // 30


def _require_all(series: SlotSeries, days: RecordedDays, column: str) -> None:
    played = series.between(days.run_start, days.run_end).values
    if not np.isfinite(played).all():
        first = days.run_start + int(np.isnan(played).argmax()) * SLOT
        raise DataError(f"no {column} is known for {first:%Y-%m-%d %H:%M} UTC, which is played")


def with_names_apart(variants: Iterable[Variant]) -> list[Variant]:
    """The variants; DataError where two have one name."""
    found: dict[str, Variant] = {}
    for variant in variants:
        if variant.name in found:
            raise DataError(f"two variants are called {variant.name!r}: give each its own name")
        found[variant.name] = variant
    return list(found.values())
