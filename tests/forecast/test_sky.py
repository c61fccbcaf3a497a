from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from battery_optimizer.forecast.sky import Site, clear_sky_kw, sun_position
from battery_optimizer.model.solar import SolarArray

SOUTH = SolarArray(peak_kw=4.0, tilt_deg=35, azimuth_deg=0)


def a_day(day: datetime) -> list[datetime]:
    return [day + timedelta(minutes=30 * n + 15) for n in range(48)]


def at(*arrays: SolarArray) -> Site:
    return Site(latitude=50.7, longitude=-3.5, arrays=arrays or (SOUTH,))


@pytest.mark.parametrize(
    ("day", "height_deg"),
    [(datetime(2026, 6, 21, tzinfo=UTC), 62.7), (datetime(2026, 12, 21, tzinfo=UTC), 15.9)],
)
def test_the_sun_is_highest_in_the_south(day: datetime, height_deg: float) -> None:
    moments = [day + timedelta(minutes=n) for n in range(1440)]
    height, azimuth = sun_position(moments, 50.7, -3.5)
    noon = int(np.argmax(height))
    assert np.degrees(height[noon]) == pytest.approx(height_deg, abs=0.3)
    assert np.degrees(azimuth[noon]) == pytest.approx(0, abs=1)
    assert noon == pytest.approx(12 * 60 + 14, abs=5)  # 3.5 degrees west, equation of time


def test_mornings_are_in_the_east() -> None:
    _, azimuth = sun_position([datetime(2026, 6, 21, 7, tzinfo=UTC)], 50.7, -3.5)
    assert azimuth[0] < 0


def test_a_clear_day_gives_what_such_panels_give() -> None:
    summer = clear_sky_kw(a_day(datetime(2026, 6, 21, tzinfo=UTC)), at())
    winter = clear_sky_kw(a_day(datetime(2026, 12, 21, tzinfo=UTC)), at())
    assert summer.sum() / 2 == pytest.approx(4 * 7.2, rel=0.15)
    assert winter.sum() / 2 == pytest.approx(4 * 3.0, rel=0.35)
    assert summer.max() < 4.0
    assert (summer[:6] == 0).all()


def test_east_and_west_give_by_morning_and_evening() -> None:
    moments = a_day(datetime(2026, 6, 21, tzinfo=UTC))
    east = clear_sky_kw(moments, at(SolarArray(peak_kw=2, tilt_deg=35, azimuth_deg=-90)))
    west = clear_sky_kw(moments, at(SolarArray(peak_kw=2, tilt_deg=35, azimuth_deg=90)))
    assert east[:24].sum() > 1.5 * east[24:].sum()
    assert west[24:].sum() > 1.5 * west[:24].sum()
    both = clear_sky_kw(
        moments,
        at(
            SolarArray(peak_kw=2, tilt_deg=35, azimuth_deg=-90),
            SolarArray(peak_kw=2, tilt_deg=35, azimuth_deg=90),
        ),
    )
    assert both == pytest.approx(east + west)
