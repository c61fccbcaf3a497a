"""A house lives on while its solar forecast is wrong: its entities, feed, store and foresight."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from battery_optimizer.adapters.solar.feed import SolarFeed
from battery_optimizer.adapters.solar.open_meteo import OpenMeteoEntities
from battery_optimizer.adapters.solar.solcast import SolcastEntities
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.forecast.outlook import HistoryForecaster
from battery_optimizer.forecast.sky import Site, clear_sky_kw
from battery_optimizer.foresight import Foresight
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, Floats, SlotSeries
from battery_optimizer.model.solar import SolarArray, without_spread
from battery_optimizer.model.telemetry import Observations
from battery_optimizer.model.wishes import NO_WISHES
from battery_optimizer.ports import Ports
from builders import a_house
from fakes import FixedRates, daily

PLACE = (51.5, -0.1)
PANELS = SolarArray(peak_kw=4.0, tilt_deg=35, azimuth_deg=0)
DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
SEEDED = 30 * DAY
N_DAYS = 50
RNG = np.random.default_rng(6)
CLEAR = clear_sky_kw(
    [START + (t + 0.5) * SLOT for t in range(N_DAYS * 48)],
    Site(latitude=PLACE[0], longitude=PLACE[1], arrays=(PANELS,)),
)
TOLD = CLEAR * np.repeat(RNG.uniform(0.25, 0.95, N_DAYS), 48)
SUN = TOLD * RNG.uniform(0.75, 1.15, N_DAYS * 48)
LOAD = RNG.uniform(0.3, 0.7, N_DAYS * 48)

Telling = Callable[[Floats], Floats]


def as_it_is(kw: Floats) -> Floats:
    return kw


def times(factor: float) -> Telling:
    return lambda kw: factor * kw


def late(slots: int) -> Telling:
    return lambda kw: np.roll(kw, slots)


def without_noon(kw: Floats) -> Floats:
    return np.where(abs(np.arange(len(kw)) % 48 - 24) < 3, 0.0, kw)


class Home:
    """A month of sound history and of forecasts as told; then cycles, of which all is foreseen."""

    def __init__(self, folder: Path, told_before: Telling = as_it_is) -> None:
        self.now = START + SEEDED
        self.tells: Telling = as_it_is
        self.has_open_meteo = False
        self.store = Store(folder / "battery_optimizer.db")
        n = SEEDED // SLOT
        self.store.seed_observations(
            Observations(
                load_kw=SlotSeries(start=START, values=LOAD[:n]),
                solar_kw=SlotSeries(start=START, values=SUN[:n]),
            )
        )
        before = told_before(TOLD)
        for first in range(0, n, 12):
            kw = SlotSeries(start=START + first * SLOT, values=before[first : first + 144])
            self.store.save_solar_forecast(without_spread("Solcast", kw.start, kw))
        self.starts()

    def starts(self) -> None:
        """All that is remembered is in the store."""
        sources = (
            SolcastEntities(read_state=self.read_state, entities=("today", "tomorrow", "day 3")),
            OpenMeteoEntities(read_state=self.read_state, entities=("om today", "om tomorrow")),
        )
        self.feed = SolarFeed(sources=sources, store=self.store)
        rates = daily(START, START + N_DAYS * DAY, {"00:00": 10, "16:00": 30})
        unused: Any = None
        ports = Ports(
            meters=unused,
            rates=FixedRates(rates, rates),
            solar=self.feed,
            history=self.store,
            inverter=unused,
            journal=self.store,
            place=PLACE,
        )
        self.foresight = Foresight(ports, HistoryForecaster(), PlannerSettings())

    def read_state(self, entity_id: str) -> EntityState | None:
        day = {"today": 0, "tomorrow": 1, "day 3": 2}.get(entity_id.removeprefix("om "))
        if day is None or (entity_id.startswith("om ") and not self.has_open_meteo):
            return None
        midnight = self.now.replace(hour=0, minute=0) + day * DAY
        first = (midnight - START) // SLOT
        starts = [(midnight + t * SLOT).isoformat() for t in range(48)]
        if entity_id.startswith("om "):
            watts = dict(zip(starts, 1000 * TOLD[first : first + 48], strict=True))
            attributes: dict[str, Any] = {"watts": watts}
        else:
            kw = self.tells(TOLD)[first : first + 48]
            rows = [
                {"period_start": start, "pv_estimate": value}
                for start, value in zip(starts, kw, strict=True)
            ]
            attributes = {"detailedForecast": rows}
        return EntityState(
            state="1", attributes=attributes, last_changed=self.now, last_reported=self.now
        )

    def lives(self, hours: float) -> None:
        """A cycle every half hour, and what the panels gave in it."""
        end = self.now + timedelta(hours=hours)
        while self.now < end:
            self.foresees()
            slot = (self.now - START) // SLOT
            part = slice(slot, slot + 1)
            self.store.seed_observations(
                Observations(
                    load_kw=SlotSeries(start=self.now, values=LOAD[part]),
                    solar_kw=SlotSeries(start=self.now, values=SUN[part]),
                )
            )
            self.now += SLOT

    def foresees(self) -> tuple[float, tuple[str, ...]]:
        """The sun of the next day over what will come of it, and what is named."""
        outlook, problems = self.foresight.outlook(self.now, NO_WISHES, a_house().battery)
        first = (self.now - START) // SLOT
        comes = float(SUN[first : first + 48].sum()) / 2
        named = (*problems, *self.feed.problems())
        return float(outlook.solar_kwh[:48].sum()) / comes, named


def a_home(folder: Path, told_before: Telling = as_it_is) -> Iterator[Home]:
    home = Home(folder, told_before)
    yield home
    home.store.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    yield from a_home(tmp_path)


@pytest.fixture
def half_told(tmp_path: Path) -> Iterator[Home]:
    yield from a_home(tmp_path, times(0.5))


def test_a_sound_forecast_is_used_and_nothing_is_named(home: Home) -> None:
    share, named = home.foresees()
    assert named == ()
    assert share == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("tells", "words"),
    [
        (times(0), "it has next to nothing for a whole day"),
        (times(0.001), "it has next to nothing for a whole day"),
        (times(15), "it has more for a day than 3 times what the best hours"),
        (times(0.25), "the panels gave 3.8 times what was forecast over the last days"),
        (late(2), "over the last 5 days it was an hour late"),
        (late(-2), "over the last 5 days it was an hour early"),
        (late(6), "over the last 5 days it was 3 hours late"),
        (without_noon, "it has no power at all at 11:00 UTC and later"),
    ],
)
def test_one_that_becomes_wrong_is_named_and_not_used_from_the_first_cycle(
    home: Home, tells: Telling, words: str
) -> None:
    recent_days = TOLD[(SEEDED - 21 * DAY) // SLOT : SEEDED // SLOT].sum() / 2 / 21
    comes = TOLD[SEEDED // SLOT :][:48].sum() / 2
    home.lives(1)
    home.tells = tells
    share, [named] = home.foresees()
    assert named.startswith(f"the solar forecast of Solcast is not used: {words}")
    assert named.endswith("; the sun of recent days is taken instead")
    assert share == pytest.approx(recent_days / comes, rel=0.25)
    # And trusted again as soon as it is right.
    home.tells = as_it_is
    share, named_then = home.foresees()
    assert named_then == ()
    assert share == pytest.approx(1, abs=0.15)


def test_one_that_becomes_half_is_put_right_at_once_and_named(home: Home) -> None:
    home.lives(1)
    home.tells = times(0.5)
    share, [named] = home.foresees()
    assert named.startswith("the solar forecast of Solcast: the panels gave 1.9 times")
    assert named.endswith("It is scaled to what they give")
    assert share == pytest.approx(1, abs=0.15)
    # And it stays so, over midnight and over a restart.
    home.lives(30)
    home.starts()
    share, again = home.foresees()
    assert again == (named,)
    assert share == pytest.approx(1, abs=0.2)


def test_what_was_learned_of_half_does_not_double_what_was_put_right(half_told: Home) -> None:
    home = half_told
    home.tells = times(0.5)
    share, [named] = home.foresees()
    assert "the panels gave 1.9 times" in named
    assert share == pytest.approx(1, abs=0.15)
    home.tells = as_it_is
    share, named_then = home.foresees()
    assert named_then == ()
    assert share == pytest.approx(1, abs=0.15)
    home.lives(30)
    home.starts()
    share, named_then = home.foresees()
    assert named_then == ()
    assert share == pytest.approx(1, abs=0.2)


def test_where_one_is_refused_the_next_is_asked_and_that_is_named(home: Home) -> None:
    home.has_open_meteo = True
    home.lives(1)
    home.tells = times(0)
    share, [named] = home.foresees()
    assert "the solar forecast of Solcast is not used: it has next to nothing" in named
    assert named.endswith("; that of Open-Meteo Solar Forecast is used instead")
    assert share == pytest.approx(1, abs=0.15)
    assert home.feed.in_force is not None
    assert home.feed.in_force.source == "Open-Meteo Solar Forecast"
    # Both are kept, and each is held against its own past.
    kept = home.store.solar_forecasts(start=home.now - SLOT, end=home.now + SLOT)
    assert {forecast.source for forecast in kept} == {"Solcast", "Open-Meteo Solar Forecast"}


def test_one_that_is_refused_where_it_comes_from_is_named_from_the_start(home: Home) -> None:
    home.has_open_meteo = True
    home.tells = times(1000)
    share, [named] = home.foresees()
    assert named.startswith("Solcast: it has ")
    assert named.endswith("it looks like W given as kW")
    assert share == pytest.approx(1, abs=0.2)
