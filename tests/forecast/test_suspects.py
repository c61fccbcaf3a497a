"""What is metered and forecast, held against its history: named where it cannot be."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.meters import sensor_doubts
from battery_optimizer.forecast.suspects import forecast_doubt, forecast_remark
from battery_optimizer.model.slots import Floats, SlotSeries
from battery_optimizer.model.solar import without_spread
from battery_optimizer.model.telemetry import Observations, SolarForecast

N_DAYS = 30
START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=N_DAYS)
RNG = np.random.default_rng(5)
CLEAR = np.tile(np.maximum(0, 3 * np.sin((np.arange(48) - 13) / 22 * np.pi)), N_DAYS)
CLEAR *= np.tile(np.arange(48) >= 13, N_DAYS) * np.tile(np.arange(48) <= 35, N_DAYS)
CAME = CLEAR * np.repeat(RNG.uniform(0.3, 1, N_DAYS), 48) * RNG.uniform(0.6, 1, 48 * N_DAYS)
LOAD = RNG.uniform(0.2, 0.8, 48 * N_DAYS)


def observed(
    *, load: Floats = LOAD, solar: Floats = CAME, told: Floats | None = None
) -> Observations:
    return Observations(
        load_kw=SlotSeries(start=START, values=load),
        solar_kw=SlotSeries(start=START, values=solar),
        told=None if told is None else a_forecast(told),
    )


def a_forecast(kw: Floats) -> SolarForecast:
    return without_spread("solcast", NOW, SlotSeries(start=START, values=kw))


def forecast(times: float = 1.0, shifted: int = 0) -> Floats:
    """Right about the days, not about the clouds."""
    days = CAME.reshape(-1, 48).sum(axis=1) / CLEAR[:48].sum()
    return times * np.roll(CLEAR * np.repeat(days, 48), shifted)


class TestForecast:
    """By what it told before: of the days to come nothing is known here."""

    def doubt(self, kw: Floats) -> str | None:
        return forecast_doubt(a_forecast(kw), observed(), NOW)

    def test_a_sound_forecast_is_used(self) -> None:
        assert self.doubt(forecast()) is None

    @pytest.mark.parametrize("times", [0.6, 1.7])
    def test_one_that_is_only_off_is_used(self, times: float) -> None:
        assert self.doubt(forecast(times)) is None

    @pytest.mark.parametrize(("times", "words"), [(1000, "W given as kW"), (0.001, "kW taken for")])
    def test_one_in_the_wrong_unit_is_not(self, times: float, words: str) -> None:
        assert words in (self.doubt(forecast(times)) or "")

    @pytest.mark.parametrize(("times", "ratio"), [(0, "inf"), (0.25, "4"), (8, "0.13")])
    def test_one_that_is_far_off_is_not(self, times: float, ratio: str) -> None:
        assert f"the panels gave {ratio} times what" in (self.doubt(forecast(times)) or "")

    @pytest.mark.parametrize(("slots", "words"), [(6, "3 hours late"), (-3, "1.5 hours early")])
    def test_it_is_said_by_how_much_it_is_shifted(self, slots: int, words: str) -> None:
        assert words in (self.doubt(forecast(shifted=slots)) or "")

    @pytest.mark.parametrize(("slots", "word"), [(2, "late"), (-2, "early")])
    def test_one_that_is_shifted_by_an_hour_is_not(self, slots: int, word: str) -> None:
        doubt = self.doubt(forecast(shifted=slots)) or ""
        assert f"an hour {word}: check its time zone" in doubt

    def test_what_was_told_before_counts_not_what_is_said_now_of_the_past(self) -> None:
        seen = observed(told=forecast(1000))
        assert forecast_doubt(a_forecast(forecast()), seen, NOW) is not None

    def test_where_nothing_was_kept_of_what_was_told_the_latest_counts(self) -> None:
        seen = observed(told=np.full(48 * N_DAYS, np.nan))
        assert forecast_doubt(a_forecast(forecast(1000)), seen, NOW) is not None

    def test_with_too_little_history_nothing_is_said(self) -> None:
        few = np.where(np.arange(48 * N_DAYS) < 48 * (N_DAYS - 1), np.nan, CAME)
        assert forecast_doubt(a_forecast(forecast(1000)), observed(solar=few), NOW) is None

    def test_nor_without_any_sun(self) -> None:
        dark = observed(solar=0 * CAME)
        assert forecast_doubt(a_forecast(0 * CAME), dark, NOW) is None


class TestComingDay:
    """What is said of the coming day, where all that was told before was right."""

    PLACE = (51.5, 0.0)

    def doubt(self, ahead: Floats, came: Floats = CAME) -> str:
        """Of a clear day, but for what is `ahead` of it."""
        latest = without_spread("solcast", NOW, SlotSeries(start=NOW, values=ahead))
        seen = observed(solar=came, told=forecast())
        return forecast_doubt(latest, seen, NOW, self.PLACE) or ""

    def test_a_clear_one_and_a_very_dull_one_are_used(self) -> None:
        assert self.doubt(CLEAR[:96]) == ""
        assert self.doubt(0.06 * CLEAR[:96]) == ""

    @pytest.mark.parametrize(
        ("times", "words"),
        [
            (0, "it has next to nothing for a whole day, while the panels lately gave"),
            (0.001, "it looks like kW taken for W, or like no forecast"),
            (1000, "it looks like W given as kW"),
            (15, "check its unit, the size of the panels, and the sensor of their power"),
        ],
    )
    def test_one_that_no_weather_makes_is_named_at_once(self, times: float, words: str) -> None:
        assert words in self.doubt(times * CLEAR[:96])

    def test_tomorrow_is_judged_as_today_is(self) -> None:
        ahead = CLEAR[:96] * np.repeat([1, 0], 48)
        assert "next to nothing for a whole day" in self.doubt(ahead)

    def test_no_power_at_noon_is_a_hole(self) -> None:
        ahead = CLEAR[:96].copy()
        ahead[22:27] = 0
        assert self.doubt(ahead) == (
            "it has no power at all at 11:00 UTC and later, when the panels mostly give some"
        )

    def test_a_part_of_a_day_says_nothing(self) -> None:
        assert self.doubt(CLEAR[:20]) == ""
        assert self.doubt(0 * CLEAR[:20]) == ""

    def test_nor_does_one_of_panels_that_were_hardly_metered(self) -> None:
        few = np.where(np.arange(48 * N_DAYS) < 48 * (N_DAYS - 6), np.nan, CAME)
        assert self.doubt(15 * CLEAR[:96], few) == ""

    def test_afternoons_in_which_panels_were_turned_down_make_no_forecast_too_large(self) -> None:
        mornings = np.where(np.arange(48 * N_DAYS) % 48 > 22, np.nan, CAME)
        assert self.doubt(CLEAR[:96], mornings) == ""

    @pytest.mark.parametrize("slots", [4, -4])
    def test_sun_while_it_is_dark_shows_a_wrong_zone_on_the_first_day(self, slots: int) -> None:
        doubt = self.doubt(np.roll(CLEAR[:96], slots))
        assert doubt.startswith("it has sun at ")
        assert doubt.endswith("UTC, when it is dark: check its time zone")

    def test_dark_is_not_where_the_panels_gave_power(self) -> None:
        # The place is set wrong: half a day away from the panels.
        elsewhere = CAME.reshape(-1, 48)[:, np.arange(48) - 24].ravel()
        assert self.doubt(np.roll(CLEAR[:96], 24), elsewhere) == ""


class TestRemark:
    def remark(self, times: float) -> str | None:
        return forecast_remark(a_forecast(forecast(times)), observed(), NOW)

    def test_twice_what_came_is_named(self) -> None:
        assert "0.4 times" in (self.remark(2.5) or "")

    def test_half_of_what_came_looks_like_kwh(self) -> None:
        assert "2.0 times" in (self.remark(0.5) or "")
        assert "kWh per half hour given as kW" in (self.remark(0.5) or "")

    @pytest.mark.parametrize("times", [1.0, 0.75, 1.6])
    def test_nothing_else_does(self, times: float) -> None:
        assert self.remark(times) is None

    def test_a_few_days_say_nothing(self) -> None:
        few = np.where(np.arange(48 * N_DAYS) < 48 * (N_DAYS - 3), np.nan, CAME)
        assert forecast_remark(a_forecast(forecast(0.5)), observed(solar=few), NOW) is None


class TestSensors:
    def test_sound_meters_are_not_named(self) -> None:
        assert sensor_doubts(observed(), NOW) == ()

    @pytest.mark.parametrize(
        ("last", "what"),
        [
            (np.full(6, -1.0), "negative"),
            (np.full(6, 900.0), "absurd, as of a meter that was reset"),
            (np.zeros(8), "dead"),
            (np.full(30, 0.4321), "frozen"),
        ],
    )
    def test_a_load_that_cannot_be_is_named(self, last: Floats, what: str) -> None:
        load = LOAD.copy()
        load[-len(last) :] = last
        [doubt] = sensor_doubts(observed(load=load), NOW)
        assert doubt.startswith(f"the load metered in {len(last)} half hours"), what

    def test_a_passing_fault_is_not(self) -> None:
        load = LOAD.copy()
        load[-2:] = -1
        assert sensor_doubts(observed(load=load), NOW) == ()

    def test_nor_is_one_that_has_passed(self) -> None:
        load = LOAD.copy()
        load[-60:-50] = -1
        assert sensor_doubts(observed(load=load), NOW) == ()

    def test_sun_that_does_not_change_is_named(self) -> None:
        solar = CAME.copy()
        solar[-24:-12] = 1.234
        [doubt] = sensor_doubts(observed(solar=solar), NOW)
        assert doubt.startswith("the solar power metered in 12 half hours")

    def test_what_was_not_metered_is_no_fault_of_the_sensor(self) -> None:
        load = LOAD.copy()
        load[-20:] = np.nan
        assert sensor_doubts(observed(load=load), NOW) == ()
