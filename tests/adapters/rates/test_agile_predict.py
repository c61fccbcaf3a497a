"""AgilePredict against a local server that answers in its shape, and in the rates feed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from battery_optimizer.adapters.json_api import JsonApi
from battery_optimizer.adapters.rates.agile_predict import AgilePredict
from battery_optimizer.adapters.rates.demo import DemoRates
from battery_optimizer.adapters.rates.feed import RatesFeed
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.config_sections import RatesSettings
from battery_optimizer.errors import ForecastUnavailable
from battery_optimizer.forecast.rates import forecast_rates
from battery_optimizer.model.slots import SLOT, Horizon, SlotSeries
from battery_optimizer.model.tariff import Direction, KnownRates
from battery_optimizer.wiring.sources import rates_ahead
from json_server import Answer, JsonServer

NOW = datetime(2026, 6, 1, 12, 10, tzinfo=UTC)
FIRST = datetime(2026, 6, 1, 22, 0, tzinfo=UTC)


def an_answer(*values: object, **changes: object) -> list[dict[str, Any]]:
    """In British Summer Time, as it gives its times."""
    prices = [
        {
            "date_time": (FIRST + n * SLOT + timedelta(hours=1)).strftime(
                "%Y-%m-%dT%H:%M:%S+01:00"
            ),
            "agile_pred": value,
            "agile_low": 1.0,
            "agile_high": 90.0,
        }
        for n, value in enumerate(values)
    ]
    newest = {"name": "today", "created_at": "2026-06-01T10:15:00Z", "prices": prices}
    return [newest | changes, {"created_at": "2026-05-31T10:15:00Z", "prices": []}]


def asked(server: JsonServer) -> AgilePredict:
    return AgilePredict(get_json=JsonApi(base_url=server.url).get, region="G")


def test_its_rates_are_on_the_utc_grid() -> None:
    with JsonServer(Answer.of(an_answer(12.5, 30, -4))) as server:
        rates = asked(server).expected(NOW)
    assert server.requests[0].path == "/api/G/"
    assert rates.start == FIRST
    assert rates.values.tolist() == [12.5, 30, -4]


def test_a_single_forecast_not_in_a_list_serves_as_well() -> None:
    with JsonServer(Answer.of(an_answer(12.5)[0])) as server:
        assert asked(server).expected(NOW).values.tolist() == [12.5]


def test_it_is_asked_every_three_hours() -> None:
    with JsonServer(Answer.of(an_answer(1)), Answer.of(an_answer(2))) as server:
        source = asked(server)
        found = [source.expected(NOW + timedelta(hours=h)).values[0] for h in (0, 2.9, 3)]
    assert found == [1, 1, 2]
    assert len(server.requests) == 2


def test_after_the_clock_was_set_back_it_is_asked_again() -> None:
    answers = Answer.of(an_answer(*range(90))), Answer.of(an_answer(2))
    with JsonServer(*answers) as server:
        source = asked(server)
        source.expected(NOW + timedelta(days=1))
        assert source.expected(NOW).values.tolist() == [2]


def test_what_it_said_last_serves_while_it_is_down_and_there_is_some_to_come() -> None:
    with JsonServer(Answer.of(an_answer(*range(20))), Answer(status=500)) as server:
        source = asked(server)
        source.expected(NOW)
        assert source.expected(NOW + timedelta(hours=4)).values[0] == 0
        with pytest.raises(ForecastUnavailable, match="error 500"):
            source.expected(NOW + timedelta(hours=40))


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ([], "does not have prices"),
        ({"prices": [{"date_time": "2026-06-01T22:00:00"}]}, "does not have prices"),
        ("down for repairs", "does not have prices"),
        (an_answer("dear"), "it has 'dear' p/kWh"),
        (an_answer(None), "it has None p/kWh"),
        (an_answer(20000), "it has 20000 p/kWh"),
        (an_answer(), "no rates to come"),
        (an_answer(5, created_at="2026-05-20T10:15:00Z"), "too long ago"),
    ],
)
def test_what_is_no_forecast_is_said(payload: object, words: str) -> None:
    with (
        JsonServer(Answer.of(payload)) as server,
        pytest.raises(ForecastUnavailable, match=words),
    ):
        asked(server).expected(NOW)


def test_it_counts_only_where_nothing_is_published() -> None:
    start = FIRST - 14 * timedelta(days=1)
    past = np.full(14 * 48 + 2, 20.0)
    published = SlotSeries(start=start, values=past)
    known = KnownRates(
        imports=published,
        exports=published,
        expected_imports=SlotSeries(start=FIRST, values=np.array([1.0, 2.0, 3.0])),
    )
    rates = forecast_rates(known, Horizon(start=FIRST, n_slots=5))
    assert rates.import_rate.tolist() == pytest.approx([20, 20, 3, 20, 20])
    assert rates.export_rate.tolist() == pytest.approx([20] * 5)
    assert rates.published.tolist() == [True, True, False, False, False]


class Answers:
    """Somebody who forecasts rates, or says why not."""

    name = "AgilePredict"

    def __init__(self, rates: SlotSeries | None) -> None:
        self._rates = rates

    def expected(self, now: datetime) -> SlotSeries:  # noqa: ARG002
        """The rates given."""
        if self._rates is None:
            raise ForecastUnavailable("answered with error 500")
        return self._rates


class DearRates(DemoRates):
    """Made-up rates that pass for published ones."""

    is_demo = False


class TestInTheFeed:
    def feed(
        self, store: Store, ahead: Answers, fixed: dict[Direction, float] | None = None
    ) -> RatesFeed:
        feed = RatesFeed(DearRates(), store, fixed=fixed, ahead=ahead)
        feed.refresh(NOW)
        return feed

    def known(self, feed: RatesFeed) -> KnownRates:
        return feed.known_rates(FIRST - SLOT, FIRST + SLOT, NOW)

    def test_what_is_expected_is_told_beside_what_is_published(self, store: Store) -> None:
        rates = SlotSeries(start=FIRST, values=np.ones(3))
        assert self.known(self.feed(store, Answers(rates))).expected_imports is rates

    def test_a_failure_is_a_problem_and_no_more(self, store: Store) -> None:
        feed = self.feed(store, Answers(None))
        assert self.known(feed).expected_imports is None
        assert feed.problems == (
            "AgilePredict: answered with error 500; rates of recent days serve instead",
        )

    def test_nobody_is_asked_for_a_rate_that_is_always_the_same(self, store: Store) -> None:
        feed = self.feed(store, Answers(None), fixed={Direction.IMPORT: 25.0})
        assert self.known(feed).expected_imports is None
        assert feed.problems == ()


def test_the_settings_ask_for_it_with_the_region() -> None:
    assert rates_ahead(RatesSettings()) is None
    wanted = RatesSettings(agile_predict=True, region="G", import_product="AGILE-24-10-01")
    assert isinstance(rates_ahead(wanted), AgilePredict)
    with pytest.raises(ValidationError, match="region must be given"):
        RatesSettings(agile_predict=True)
