"""Past days looked back on out of the real store: caught up, kept, their gaps bridged or told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.errors import DataError, RatesUnavailable
from battery_optimizer.hindsight.loss import Hindsight
from battery_optimizer.hindsight.review import NOT_YET, PLANS_A_LOOK, Review
from battery_optimizer.hindsight.stored import lived_day
from battery_optimizer.model.decision import CycleInputs
from battery_optimizer.model.house import Abilities
from battery_optimizer.model.loss import Yesterday
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.tariff import KnownRates
from battery_optimizer.model.wishes import Event, Wishes
from battery_optimizer.ports import Rates
from battery_optimizer.simulate.house import as_played
from lived_days import DAY, HOUSE, PLAYED, SETTINGS, Kept, a_run, lived
from store_values import an_outcome

START = datetime(2026, 1, 15, tzinfo=UTC)
END = START + DAY
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FIRST_DAY = START.date()
SPLIT_LOOKS = 150


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    kept = Store(tmp_path_factory.mktemp("store") / "kept.db")
    yield kept
    kept.close()


@pytest.fixture(scope="module")
def kept(store: Store) -> Kept:
    return Kept(store, a_run(days=1.0625))


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Store]:
    """For tests that write to it."""
    kept = Store(tmp_path / "own.db")
    yield kept
    kept.close()


def a_review(store: Store, rates: Rates) -> Review:
    return Review(
        past=store, losses=store.money, rates=rates, house=lambda: PLAYED, settings=SETTINGS
    )


def test_the_store_tells_the_day_as_the_backtest_lived_it(store: Store, kept: Kept) -> None:
    known = kept.known_rates(START, END + 2 * DAY, END)
    day = lived_day(store, known, START, END, END + 2 * DAY)
    told = Hindsight(PLAYED, SETTINGS).split(day)
    played = lived(days=1.25)[0].splits[0]
    assert told.bill_p == pytest.approx(played.bill_p, abs=1e-6)
    assert told.inverter_p == pytest.approx(0, abs=0.01)
    for name, lost in told.parts.items():
        assert lost == pytest.approx(played.parts[name], abs=0.02), name


def test_a_day_with_a_session_says_so(own_store: Store) -> None:
    rates = Kept(own_store, a_run())
    on = Event(start=START + HOUR, end=START + 2 * HOUR, reward_p_per_kwh=200.0, usual_kwh=(1, 1))
    inputs = CycleInputs(house=HOUSE, settings=SETTINGS, wishes=Wishes(events=(on,)))
    for minutes in range(65, 120, 10):
        at = START + minutes * MINUTE
        own_store.record(replace(an_outcome(at), outlook=None, plan=None, inputs=inputs))
    known = rates.known_rates(START, END + 2 * DAY, END)
    assert lived_day(own_store, known, START, END, END + 2 * DAY).n_sessions == 2


def look(review: Review, now: datetime, times: int = SPLIT_LOOKS) -> None:
    """So often at about the same time; one day's split takes no more than `SPLIT_LOOKS`."""
    for _ in range(times):
        review.look(now)


def test_days_are_split_a_few_plans_a_look_yesterday_first_and_kept(own_store: Store) -> None:
    """Of the first of two days a half hour was not metered."""
    rates = Kept(own_store, a_run(days=2), unmetered=[START + 21 * SLOT])
    played = lived(days=2)[0].splits
    review, now = a_review(own_store, rates), END + 5 * MINUTE
    look(review, now, times=20)
    assert review.latest == NOT_YET
    # The next day comes, and the first one has to wait; the database is thinned as each hour.
    now += DAY
    own_store.prune(now)
    looks = 0
    while isinstance(review.latest, str):
        review.look(now + looks * MINUTE)
        looks += 1
    assert 60 < looks * PLANS_A_LOOK / 3 < SPLIT_LOOKS
    found = review.latest
    assert found.split.start == END
    assert found.split.bill_p == pytest.approx(played[1].bill_p, abs=1e-6)
    assert len(found.load.by_hour_kw) == 24
    assert found.load.next_hour_kw is not None
    assert found.load.next_hour_kw < 0.3
    assert None not in found.solar.by_lead_kw[:12]
    assert own_store.money.losses(FIRST_DAY, FIRST_DAY + DAY) == [found.split]
    look(review, now, times=SPLIT_LOOKS - 20)
    assert review.latest is found
    missed, last = own_store.money.losses(FIRST_DAY, FIRST_DAY + DAY)
    assert (missed.start, last, last.n_bridged) == (START, found.split, 0)
    assert missed.n_bridged == 1
    assert missed.bill_p == pytest.approx(played[0].bill_p, abs=10)
    assert missed.bill_p != pytest.approx(played[0].bill_p, abs=1e-3)
    # A restart: what was found is there at once, also where its plans are forgotten by then.
    again = a_review(own_store, rates)
    assert again.latest == NOT_YET
    again.look(now)
    assert again.latest == found
    own_store.prune(END + 50 * DAY)
    again = a_review(own_store, rates)
    again.look(now)
    assert isinstance(again.latest, Yesterday)
    assert again.latest.split == found.split
    assert again.latest.load.next_hour_kw is None


def test_an_inverter_that_lacks_a_mode_and_keeps_to_no_power_is_looked_back_at_as_such(
    tmp_path: Path,
) -> None:
    modes = frozenset({Mode.SELF_USE, Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE})
    weak = as_played(replace(HOUSE, abilities=Abilities(modes=modes, sets_powers=False)))
    store = Store(tmp_path / "kept.db")
    kept = Kept(store, a_run(days=1.0625, house=weak))
    # As long as it is not there nobody knows what it can do.
    shown = PLAYED
    review = Review(
        past=store, losses=store.money, rates=kept, house=lambda: shown, settings=SETTINGS
    )
    review.look(START + timedelta(hours=1))
    shown = weak
    for minute in range(200):
        review.look(END + timedelta(minutes=5 + minute))
    store.close()
    assert isinstance(review.latest, Yesterday)
    assert review.latest.split.inverter_p == pytest.approx(0, abs=0.01)


def test_a_review_says_what_is_missing_and_goes_on_the_next_day(store: Store, kept: Kept) -> None:
    review = a_review(store, kept)
    review.look(START + timedelta(hours=1))
    assert isinstance(review.latest, str)
    assert "is not known" in review.latest
    review.look(END + 5 * MINUTE)
    assert review.latest == NOT_YET


def test_rates_that_come_late_are_asked_for_again_but_not_at_each_look(
    store: Store, kept: Kept
) -> None:
    rates = LateRates(kept)
    review, now = a_review(store, rates), END + 5 * MINUTE
    look(review, now, times=10)
    assert review.latest == "the rates are not there yet"
    assert rates.n_asked == 1
    rates.are_there = True
    look(review, now + timedelta(hours=1), times=2)
    assert review.latest == NOT_YET
    assert rates.n_asked == 2


class LateRates:
    """Rates that are not there at first."""

    def __init__(self, kept: Kept) -> None:
        self._kept, self.are_there, self.n_asked = kept, False, 0

    def known_rates(self, start: datetime, end: datetime, now: datetime) -> KnownRates:
        self.n_asked += 1
        if not self.are_there:
            raise RatesUnavailable("the rates are not there yet")
        return self._kept.known_rates(start, end, now)


def test_where_the_app_was_away_at_midnight_the_last_reading_before_counts(
    own_store: Store,
) -> None:
    rates = Kept(own_store, a_run(days=1.25), away=[END])
    known = rates.known_rates(START, END + 2 * DAY, END)
    day = lived_day(own_store, known, START, END, END + DAY)
    steps = {step.time: step for step in lived(days=1.25)[1]}
    assert day.end_soc_kwh == pytest.approx(steps[END - SLOT].soc_kwh)
    assert day.n_bridged == 0


def test_two_half_hours_in_a_row_are_not_made_up(own_store: Store) -> None:
    slots = [START + 21 * SLOT, START + 22 * SLOT]
    rates = Kept(own_store, a_run(days=1.0625), unmetered=slots)
    known = rates.known_rates(START, END + 2 * DAY, END)
    with pytest.raises(DataError, match="2 half hours the energy at the meter"):
        lived_day(own_store, known, START, END, END + DAY)


def test_a_day_of_which_nothing_was_expected_is_not_judged(store: Store, kept: Kept) -> None:
    known = kept.known_rates(START, END + 2 * DAY, END)
    with pytest.raises(DataError, match=r"expected|not known"):
        lived_day(store, known, END, END + DAY, END + DAY)
