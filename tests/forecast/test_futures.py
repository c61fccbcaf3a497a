"""C28: the few ways that load and sun may turn out, from their bands."""

import numpy as np
import pytest

from battery_optimizer.forecast.futures import Band, make_bursts, make_futures
from battery_optimizer.model.settings import Attitude

LOAD = Band(
    mean_kwh=np.array([1.0, 0.5]), p10_kwh=np.array([0.5, 0.5]), p90_kwh=np.array([2.0, 0.5])
)
SUN = Band(
    mean_kwh=np.array([0.0, 2.0]), p10_kwh=np.array([0.0, 0.5]), p90_kwh=np.array([0.0, 3.0])
)
CERTAIN_LOAD = Band.certain(np.array([1.0, 0.5]))
NO_SUN = Band.certain(np.zeros(2))


def weights(attitude: Attitude) -> list[float]:
    return [future.weight for future in make_futures(LOAD, SUN, attitude)]


def test_short_is_more_load_by_a_share_of_its_band_and_the_sun_of_one_day_in_ten() -> None:
    short, _, _ = make_futures(LOAD, SUN, Attitude.BALANCED)
    # 0.3 of the way from 1 to 2 kWh: not every half hour of a day is dear at once.
    assert short.load_kwh == pytest.approx([1.3, 0.5])
    assert short.solar_kwh == pytest.approx([0, 0.5])


def test_usual_is_what_is_expected() -> None:
    _, usual, _ = make_futures(LOAD, SUN, Attitude.BALANCED)
    assert usual.load_kwh == pytest.approx(LOAD.mean_kwh)
    assert usual.solar_kwh == pytest.approx(SUN.mean_kwh)


def test_ample_is_less_load_and_more_sun() -> None:
    _, _, ample = make_futures(LOAD, SUN, Attitude.BALANCED)
    assert ample.load_kwh == pytest.approx([0.85, 0.5])
    assert ample.solar_kwh == pytest.approx([0, 3])


def test_a_thrifty_household_trusts_the_forecast() -> None:
    assert make_futures(LOAD, SUN, Attitude.THRIFTY) == ()


def test_balanced_weighs_short_and_ample_alike() -> None:
    assert weights(Attitude.BALANCED) == pytest.approx([0.3, 0.4, 0.3])


def test_cautious_weighs_the_short_future_more_and_the_ample_one_less() -> None:
    short, usual, ample = weights(Attitude.CAUTIOUS)
    assert short > 0.3 > ample
    assert short + usual + ample == pytest.approx(1)


def test_where_all_is_certain_there_are_no_futures() -> None:
    assert make_futures(CERTAIN_LOAD, NO_SUN, Attitude.BALANCED) == ()


@pytest.mark.parametrize(("load", "sun"), [(LOAD, NO_SUN), (CERTAIN_LOAD, SUN)])
def test_one_of_the_two_in_doubt_is_enough(load: Band, sun: Band) -> None:
    assert len(make_futures(load, sun, Attitude.BALANCED)) == 3


def test_a_mean_above_its_p90_moves_down_to_it_and_never_below_nothing() -> None:
    # A few wet half hours can hold the mean above nine values in ten.
    skewed = Band(mean_kwh=np.array([1.0]), p10_kwh=np.array([-3.0]), p90_kwh=np.array([0.8]))
    assert skewed.shifted(1.0) == pytest.approx([0.8])
    assert skewed.shifted(-1.0) == pytest.approx([0])


def test_bursts_are_what_the_levels_leave_of_the_spread() -> None:
    bursts = np.array([[-0.3, 0.0], [-0.1, 0.0], [0.2, 0.0], [1.6, 0.0]])
    load = Band(
        mean_kwh=LOAD.mean_kwh, p10_kwh=LOAD.p10_kwh, p90_kwh=LOAD.p90_kwh, bursts_kwh=bursts
    )
    given = make_bursts(load)
    assert given is not None
    # 0.3 of the spread is the whole day's: 0.3 squared and this squared make 1.
    assert given == pytest.approx(0.9539 * bursts, abs=1e-4)


def test_a_load_that_is_certain_has_no_bursts() -> None:
    assert make_bursts(CERTAIN_LOAD) is None
