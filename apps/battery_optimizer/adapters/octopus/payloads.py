"""What the Octopus Energy API's answers mean: read once, here, into values of ours."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Final, Self

from battery_optimizer.errors import ConfigError, RatesUnavailable
from battery_optimizer.model.tariff import Direction, UnitRate

REGIONS: Final = "ABCDEFGHJKLMNP"
"""Letters of the grid supply points; there is no I or O."""

HIGHEST_P: Final = 1000.0
"""No tariff reaches this [p/kWh or p/day], up or down: such a number is in another unit."""

_TARIFF_CODE: Final = re.compile(rf"E-1R-(?P<product>[A-Z0-9-]+)-(?P<region>[{REGIONS}])")
_SENSELESS: Final = (KeyError, TypeError, ValueError, OverflowError)

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A product in a region, single rate: what yields unit rates and a standing charge."""

    product: str
    region: str

    def __post_init__(self) -> None:
        """Raise ConfigError for a product or region that cannot be."""
        if self.region not in set(REGIONS):
            raise ConfigError(f"region must be one of {' '.join(REGIONS)}, not {self.region!r}")
        if not _TARIFF_CODE.fullmatch(self.code):
            raise ConfigError(
                f"product must be a code such as AGILE-24-10-01, not {self.product!r}"
            )

    @property
    def code(self) -> str:
        """The tariff code, as E-1R-AGILE-24-10-01-C."""
        return f"E-1R-{self.product}-{self.region}"

    @classmethod
    def from_code(cls, code: str) -> Self:
        """From E-1R-{product}-{region}; tariffs with day and night registers are not served."""
        match = _TARIFF_CODE.fullmatch(code)
        if match is None:
            raise RatesUnavailable(
                f"tariff {code!r} is not a single-rate electricity tariff: set its rates as fixed"
            )
        return cls(product=match["product"], region=match["region"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A tariff by its code, as it holds for a household in [start, end); None: open-ended."""

    direction: Direction
    code: str
    start: datetime
    end: datetime | None


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn what goes wrong in reading an answer into RatesUnavailable."""
    try:
        yield
    except _SENSELESS as error:
        raise RatesUnavailable(
            f"Octopus answered something else than {what}: check its base URL, or try later"
        ) from error


def page_of(body: Row) -> tuple[list[Row], str | None]:
    """The rows of a page and the address of the next one."""
    results = body["results"]
    if not isinstance(results, list):
        raise TypeError(f"results are {results!r}")
    following = body.get("next")
    return [object_of(row) for row in results], None if following is None else text_of(following)


def rates_of(rows: Sequence[Row], what: str, report: Callable[[str], None]) -> list[UnitRate]:
    """Unit rates, or standing charges as such [p/day], oldest first, one for each start.

    Of rows by payment method those for direct debit count. A row that makes no sense is left out
    and told to `report`. Rows come newest first, so of two with one start the former holds.
    """
    by_direct_debit = any(_payment_method(row) == "DIRECT_DEBIT" for row in rows)
    rates: dict[datetime, UnitRate] = {}
    problems = []
    for row in rows:
        if by_direct_debit and _payment_method(row) not in ("DIRECT_DEBIT", None):
            continue
        try:
            rate = _rate_of(row)
        except _SENSELESS as error:
            problems.append(f"{what}: left out a row with {error!r}: {str(row)[:300]}")
            continue
        held = rates.setdefault(rate.start, rate)
        if held.p_per_kwh != rate.p_per_kwh:
            problems.append(
                f"{what}: two rates from {rate.start:%Y-%m-%d %H:%M} UTC, "
                f"{held.p_per_kwh} p (used) and {rate.p_per_kwh} p"
            )
    if rows and not rates:
        raise RatesUnavailable(f"Octopus gave no rate that makes sense; {problems[0]}")
    for problem in problems:
        report(problem)
    return [rates[start] for start in sorted(rates)]


def agreements_of(account: Row) -> tuple[Agreement, ...]:
    """All that an account has agreed on: past ones, those in force and those to come."""
    return tuple(
        Agreement(
            direction=direction,
            code=text_of(row["tariff_code"]),
            start=time_of(row["valid_from"]),
            end=end_of(row.get("valid_to")),
        )
        for direction, row in _agreements(account)
    )


def tariffs_at(agreements: Sequence[Agreement], at: datetime) -> dict[Direction, Tariff]:
    """The tariffs in force at this time; no key for a direction without one."""
    codes: dict[Direction, set[str]] = {}
    for agreement in agreements:
        if holds(agreement.start, agreement.end, at):
            codes.setdefault(agreement.direction, set()).add(agreement.code)
    for direction, several in codes.items():
        if len(several) > 1:
            raise RatesUnavailable(
                f"the account has several {direction} tariffs ({', '.join(sorted(several))}): "
                "set the product and the region"
            )
    return {direction: Tariff.from_code(*several) for direction, several in codes.items()}


def holds(start: datetime, end: datetime | None, at: datetime) -> bool:
    """Whether [start, end) holds a moment; None: open-ended."""
    return start <= at and (end is None or at < end)


def object_of(value: object) -> Row:
    """A JSON object; TypeError for anything else."""
    if not isinstance(value, dict):
        raise TypeError(f"no object but {str(value)[:100]!r}")
    return value


def text_of(value: object) -> str:
    """A JSON string; TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError(f"no text but {value!r}")
    return value


def time_of(value: object) -> datetime:
    """A moment with its zone, in UTC."""
    moment = datetime.fromisoformat(text_of(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment.astimezone(UTC)


def end_of(value: object) -> datetime | None:
    """The end of a period; None while it is open-ended."""
    return None if value is None else time_of(value)


def zulu(moment: datetime) -> str:
    """A moment as the API takes it: without the Z it would read UK wall-clock time."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def retry_after_s(headers: Mapping[str, str]) -> float:
    """How long a busy server asks to be left alone [s]; 0 where it does not say.

    A date is measured from the answer's own date, so that clocks need not agree.
    """
    value = headers.get("Retry-After", "")
    if value.isdecimal():
        return float(value)
    try:
        until, since = parsedate_to_datetime(value), parsedate_to_datetime(headers["Date"])
        return max(0.0, (until - since) / timedelta(seconds=1))
    except _SENSELESS:
        return 0.0


def _rate_of(row: Row) -> UnitRate:
    start, end = time_of(row["valid_from"]), end_of(row["valid_to"])
    if end is not None and end <= start:
        raise ValueError("valid_to not after valid_from")
    return UnitRate(start=start, end=end, p_per_kwh=_pence_of(row["value_inc_vat"]))


def _pence_of(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"no number but {value!r}")
    if not (isfinite(value) and abs(value) < HIGHEST_P):
        raise ValueError(f"{value!r} is no rate in pence")
    return float(value)


def _payment_method(row: Row) -> object:
    return row.get("payment_method")


def _agreements(account: Row) -> Iterator[tuple[Direction, Row]]:
    for home in _objects(account["properties"]):
        for meter_point in _objects(home["electricity_meter_points"]):
            is_export = meter_point.get("is_export", False)
            direction = Direction.EXPORT if is_export else Direction.IMPORT
            for agreement in _objects(meter_point["agreements"]):
                yield direction, agreement


def _objects(value: object) -> list[Row]:
    if not isinstance(value, list):
        raise TypeError(f"no list but {str(value)[:100]!r}")
    return [object_of(item) for item in value]
