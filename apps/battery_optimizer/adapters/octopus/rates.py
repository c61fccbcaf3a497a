"""A house's Octopus tariffs, found by whatever of them is set, and their rates."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from logging import getLogger
from typing import Final

from battery_optimizer.adapters.octopus.api import KINDS, OctopusClient
from battery_optimizer.adapters.octopus.payloads import Agreement, Tariff, tariffs_at
from battery_optimizer.errors import ConfigError, RatesUnavailable
from battery_optimizer.model.slots import local_day
from battery_optimizer.model.tariff import Direction, UnitRate

_LOOKED_UP: Final = timedelta(days=1)

logger = getLogger(__name__)


class OctopusRates:
    """A house's import and export rates: products as set, or else as the account says."""

    is_demo: Final = False

    def __init__(  # noqa: PLR0913 - whatever of these is set
        self,
        client: OctopusClient,
        *,
        products: Mapping[Direction, str],
        region: str | None = None,
        postcode: str | None = None,
        account: str | None = None,
        api_key: str | None = None,
        told: Callable[[Direction], Tariff | None] = lambda _: None,
    ) -> None:
        """`products`: for each direction a product's code, or a kind (see KINDS), or nothing.

        What is not given is looked up: the region by the postcode or the account's own tariff,
        the product in the account; without an account, what somebody else has `told` of the
        house's tariff counts. ConfigError for what cannot be.
        """
        for direction, product in products.items():
            _require_possible(direction, product)
        if region is not None:
            Tariff(product="AGILE-24-10-01", region=region)  # raises if there is no such region
        self._client = client
        self._products = dict(products)
        self._region, self._postcode = region, postcode
        self._account, self._api_key = account, api_key
        self._told = told
        self._resolved: dict[Direction, tuple[Tariff, datetime]] = {}
        self._agreements: Sequence[Agreement] = ()
        self._agreements_at: datetime | None = None
        words = [*sorted(self._products.values()), *([region] if region else [])]
        self.tariff_name = " ".join(["octopus", *words])
        """As it is shown: it tells neither where nor who the household is."""
        self.name = " ".join([self.tariff_name, *_told_apart(postcode, account)])

    def fetch(
        self,
        direction: Direction,
        start: datetime,
        end: datetime,
        now: datetime,
        report: Callable[[str], None] = logger.warning,
    ) -> list[UnitRate]:
        """Published rates that hold somewhere in [start, end), oldest first.

        Where the account says which tariff the house has, each counts for its own time.
        """
        tariff = self.tariff(direction, now)
        if not self._is_agreed(direction):
            return self._client.unit_rates(tariff, start, end, report)
        found: list[UnitRate] = []
        for agreement in self._within(direction, start, end):
            since, until = max(agreement.start, start), min(agreement.end or end, end)
            try:
                its = Tariff.from_code(agreement.code)
                rates = self._client.unit_rates(its, since, until, report)
            except RatesUnavailable as error:
                if agreement.code == tariff.code:
                    raise
                report(f"the rates from {local_day(since):%d %b} on are not known: {error}")
                continue
            found += _cut(rates, agreement)
        return found

    def standing_charge(self, now: datetime) -> float:
        """What being connected costs [p/day, inc. VAT]."""
        return self._client.standing_charge(self.tariff(Direction.IMPORT, now), now)

    def tariff(self, direction: Direction, now: datetime) -> Tariff:
        """The house's tariff now; looked up once a day, since products and agreements change."""
        known = self._resolved.get(direction)
        is_known = known is not None and abs(now - known[1]) < _LOOKED_UP
        if known is not None and is_known and not self._is_agreed(direction):
            return known[0]
        tariff = self._look_up(direction, now)
        self._resolved[direction] = (tariff, now)
        return tariff

    def known_tariff(self, direction: Direction) -> Tariff | None:
        """The tariff as it was last looked up; None if it was not yet."""
        known = self._resolved.get(direction)
        return None if known is None else known[0]

    def _look_up(self, direction: Direction, now: datetime) -> Tariff:
        product = self._products.get(direction)
        if product is None:
            return self._agreed(direction, now)
        # First, so that what is missing in the settings is told while Octopus is away, too.
        region = self._find_region(now)
        if product in KINDS:
            product = self._client.discover_product(product, now)
        return Tariff(product=product, region=region)

    def _find_region(self, now: datetime) -> str:
        if self._region is None and self._postcode is not None:
            self._region = self._client.region_of_postcode(self._postcode)
        if not (self._region or self._account or self._told(Direction.IMPORT)):
            raise RatesUnavailable(
                "the product that is set has other rates in each region: set rates.region or "
                "rates.postcode"
            )
        return self._region or self._agreed(Direction.IMPORT, now).region

    def _agreed(self, direction: Direction, now: datetime) -> Tariff:
        if self._account is None or self._api_key is None:
            if (told := self._told(direction)) is not None:
                return told
            raise RatesUnavailable(
                f"no {direction} tariff: set its product and the region or postcode, "
                "or the account and API key, or a fixed rate"
            )
        if self._agreements_at is None or abs(now - self._agreements_at) >= _LOOKED_UP:
            self._agreements = self._client.agreements(self._account, self._api_key)
            self._agreements_at = now
        agreed = tariffs_at(self._agreements, now)
        if direction not in agreed:
            raise RatesUnavailable(
                f"the account has no {direction} tariff now: set its product or a fixed rate "
                "(0 if exports are not paid for)"
            )
        return agreed[direction]

    def _is_agreed(self, direction: Direction) -> bool:
        """Whether the account says which tariff the house has."""
        return direction not in self._products and self._account is not None

    def _within(self, direction: Direction, start: datetime, end: datetime) -> list[Agreement]:
        """The agreements that hold somewhere in [start, end), oldest first."""
        return sorted(
            (
                each
                for each in self._agreements
                if each.direction is direction and each.start < end and (each.end or end) > start
            ),
            key=lambda each: each.start,
        )


def _cut(rates: Sequence[UnitRate], agreement: Agreement) -> Iterator[UnitRate]:
    """The rates as long as they hold for this household."""
    for rate in rates:
        ends = [each for each in (rate.end, agreement.end) if each is not None]
        yield replace(rate, start=max(rate.start, agreement.start), end=min(ends, default=None))


def _told_apart(*private: str | None) -> list[str]:
    """A word that is another for another household, and does not tell which it is."""
    if not any(private):
        return []
    return [blake2b(repr(private).encode(), digest_size=6).hexdigest()]


def _require_possible(direction: Direction, product: str) -> None:
    of_this = [kind for kind, (its_direction, _) in KINDS.items() if its_direction is direction]
    if product in of_this:
        return
    try:
        Tariff(product=product, region="A")
    except ConfigError as error:
        raise ConfigError(
            f"rates.{direction}_product must be a code such as AGILE-24-10-01, or "
            f"{', '.join(of_this[:-1])} or {of_this[-1]}, not {product!r}"
        ) from error
