"""The simulated inverter by itself: what each option does, what the sun and the house are."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest

from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.slots import UK
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.inverter import SimulatedInverter
from battery_optimizer.simulate.home.surroundings import Place, PlausibleHome

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Steady:
    load: float = 0.0
    sun: float = 0.0

    def load_kw(self, _moment: datetime) -> float:
        return self.load

    def solar_kw(self, _moment: datetime) -> float:
        return self.sun


def a_house(**battery: object) -> House:
    values = {
        "capacity_kwh": 10.0,
        "reserve_kwh": 1.0,
        "max_charge_kw": 4.0,
        "max_discharge_kw": 4.0,
        "charge_efficiency": 1.0,
        "discharge_efficiency": 1.0,
        **battery,
    }
    return House(
        battery=Battery(**values),  # type: ignore[arg-type]
        inverter=Inverter(ac_limit_kw=5.0),
        grid=GridConnection(),
    )


def an_inverter(load: float = 0.0, sun: float = 0.0, **given: object) -> SimulatedInverter:
    values = {"house": a_house(), "now": NOON, "soc_kwh": 5.0, **given}
    return SimulatedInverter(surroundings=Steady(load, sun), **values)  # type: ignore[arg-type]


def after_an_hour(fox: SimulatedInverter) -> SimulatedInverter:
    fox.advance(fox.now + HOUR)
    return fox


def test_self_use_covers_the_load_from_the_battery() -> None:
    fox = after_an_hour(an_inverter(load=1.5, option="Self Use"))
    assert fox.soc_kwh == pytest.approx(3.5)
    assert fox.readings.discharge_kw == pytest.approx(1.5)
    assert fox.readings.grid_import_kw == pytest.approx(0)


def test_back_up_leaves_the_battery_alone_and_buys() -> None:
    fox = after_an_hour(an_inverter(load=1.5, option="Back-up"))
    assert fox.soc_kwh == pytest.approx(5.0)
    assert fox.counters.grid_import_kwh == pytest.approx(1.5)


def test_feed_in_first_sells_the_surplus() -> None:
    fox = after_an_hour(an_inverter(load=1.0, sun=3.0, option="Feed-in First"))
    assert fox.soc_kwh == pytest.approx(5.0)
    assert fox.readings.grid_export_kw == pytest.approx(2.0)


def test_force_charge_1_kw_with_2_kw_of_sun_puts_3_kw_into_the_battery() -> None:
    fox = after_an_hour(an_inverter(sun=2.0, option="Force Charge", force_charge_kw=1.0))
    assert fox.readings.charge_kw == pytest.approx(3.0)
    assert fox.readings.grid_import_kw == pytest.approx(1.0)


def test_force_discharge_3_kw_with_2_kw_of_sun_takes_1_kw_from_the_battery() -> None:
    fox = after_an_hour(an_inverter(sun=2.0, option="Force Discharge", force_discharge_kw=3.0))
    assert fox.readings.discharge_kw == pytest.approx(1.0)
    assert fox.readings.grid_export_kw == pytest.approx(3.0)


def test_sun_above_the_forced_discharge_goes_into_the_battery() -> None:
    fox = after_an_hour(an_inverter(sun=3.0, option="Force Discharge", force_discharge_kw=1.0))
    assert fox.readings.charge_kw == pytest.approx(2.0)
    assert fox.readings.grid_export_kw == pytest.approx(1.0)


def test_force_charge_at_full_acts_as_back_up() -> None:
    fox = an_inverter(load=1.0, soc_kwh=10.0, option="Force Charge", force_charge_kw=3.0)
    after_an_hour(fox)
    assert fox.soc_kwh == pytest.approx(10.0)
    assert fox.readings.grid_import_kw == pytest.approx(1.0)


def test_force_discharge_stops_at_the_reserve() -> None:
    fox = an_inverter(soc_kwh=2.0, option="Force Discharge", force_discharge_kw=3.0)
    after_an_hour(fox)
    assert fox.soc_kwh == pytest.approx(1.0)


def test_a_cold_battery_takes_less() -> None:
    house = a_house(cold_limit=((0, 0.0), (16, 1.0)))
    fox = an_inverter(house=house, temperature_c=8.0, room_c=8.0)
    fox.select("Force Charge")
    fox.force_charge_kw = 4.0
    fox.advance(NOON + timedelta(minutes=1))
    assert fox.readings.charge_kw == pytest.approx(2.0)


def test_every_kwh_goes_somewhere_over_a_day() -> None:
    fox = SimulatedInverter(house=a_house(), surroundings=PlausibleHome(), now=NOON, soc_kwh=5.0)
    fox.advance(NOON + timedelta(days=1))
    count = fox.counters
    given = count.solar_kwh + count.discharge_kwh + count.grid_import_kwh
    assert given == pytest.approx(
        count.load_kwh + count.charge_kwh + count.grid_export_kwh, abs=1e-6
    )
    assert fox.soc_kwh == pytest.approx(5.0 + count.charge_kwh - count.discharge_kwh, abs=1e-6)


def test_steps_are_the_same_however_time_is_cut() -> None:
    at_once, in_parts = an_inverter(load=1.0), an_inverter(load=1.0)
    at_once.advance(NOON + HOUR)
    for seconds in range(0, 3601, 7):
        in_parts.advance(NOON + timedelta(seconds=seconds))
    in_parts.advance(NOON + HOUR)
    assert in_parts.soc_kwh == pytest.approx(at_once.soc_kwh, abs=1e-9)


def test_time_gone_by_changes_nothing() -> None:
    fox = an_inverter(load=1.0)
    fox.advance(NOON - HOUR)
    assert (fox.now, fox.soc_kwh) == (NOON, 5.0)


def test_speed_moves_the_battery_faster_but_not_the_powers() -> None:
    fox = an_inverter(load=1.0, speed=60)
    fox.advance(NOON + timedelta(minutes=1))
    assert fox.soc_kwh == pytest.approx(4.0)
    assert fox.readings.discharge_kw == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [{"option": "Nonsense"}, {"soc_kwh": 11.0}, {"speed": 0}])
def test_what_no_inverter_can_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"Nonsense|soc_kwh|speed"):
        an_inverter(**wrong)


def test_entities_show_whole_percent_and_kw() -> None:
    home = SimulatedFoxEss(after_an_hour(an_inverter(load=1.234)), prefix="fox")
    entities = home.entities()
    assert entities["sensor.fox_battery_soc"].state == "38"
    assert entities["sensor.fox_battery_soc"].unit == "%"
    assert entities["sensor.fox_load_power"].number == pytest.approx(1.234)
    assert entities["sensor.fox_load_power"].unit == "kW"
    assert entities["sensor.fox_invbatpower"].number == pytest.approx(1.234)
    assert entities["select.fox_work_mode"].attributes["options"] == [
        "Self Use",
        "Feed-in First",
        "Back-up",
        "Force Charge",
        "Force Discharge",
    ]


def test_without_a_prefix_ids_are_bare() -> None:
    entities = SimulatedFoxEss(an_inverter(), prefix="").entities()
    assert {"select.work_mode", "number.force_charge_power", "sensor.battery_soc"} <= set(entities)


def test_services_set_refuse_and_ignore_as_home_assistant_does() -> None:
    home = SimulatedFoxEss(an_inverter())
    select, number = home.select_id, home.discharge_power_id
    set_mode = {"entity_id": select, "option": "Back-up"}
    assert home.call("select/select_option", set_mode)["success"] is True
    assert home.inverter.option == "Back-up"
    for service, data in (
        ("select/select_option", {"entity_id": select, "option": "Nonsense"}),
        ("number/set_value", {"entity_id": number, "value": 99}),
        ("number/set_value", {"entity_id": number, "value": "much"}),
    ):
        answer = home.call(service, data)
        assert answer["success"] is False
        assert answer["error"]["code"] == "service_validation_error"
    nobody = {"entity_id": "select.nobody", "option": "Nonsense"}
    assert home.call("select/select_option", nobody)["success"] is True
    assert (home.inverter.option, home.inverter.force_discharge_kw) == ("Back-up", 0.0)


def daily_kwh(power_kw: object, day: date) -> float:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    moments = (midnight + timedelta(minutes=minute) for minute in range(1440))
    return sum(power_kw(moment) for moment in moments) / 60  # type: ignore[operator]


def test_the_house_draws_a_plausible_day_and_the_same_one_again() -> None:
    drawn = [daily_kwh(PlausibleHome(seed=3).load_kw, date(2026, 3, day)) for day in range(1, 15)]
    again = daily_kwh(PlausibleHome(seed=3).load_kw, date(2026, 3, 1))
    assert 6 < sum(drawn) / len(drawn) < 11
    assert drawn[0] == again
    assert drawn[0] != daily_kwh(PlausibleHome(seed=4).load_kw, date(2026, 3, 1))


def test_the_sun_is_down_at_night_highest_at_noon_and_stronger_in_summer() -> None:
    home = PlausibleHome()
    noon_kw = home.clear_sky_kw(NOON)
    assert home.solar_kw(NOON - 12 * HOUR) == 0
    assert noon_kw > home.clear_sky_kw(NOON - 4 * HOUR) > 0
    assert daily_kwh(home.clear_sky_kw, NOON.date()) > 2 * daily_kwh(
        home.clear_sky_kw, date(2026, 12, 21)
    )


def test_clouds_only_take_away() -> None:
    home = PlausibleHome()
    moments = [NOON + timedelta(hours=hour) for hour in range(24 * 14)]
    assert all(home.solar_kw(moment) <= home.clear_sky_kw(moment) for moment in moments)
    assert any(home.solar_kw(moment) < 0.5 * home.clear_sky_kw(moment) for moment in moments)


@pytest.mark.parametrize(
    ("day", "slots"), [(date(2026, 3, 29), 46), (date(2026, 6, 1), 48), (date(2026, 10, 25), 50)]
)
def test_the_forecast_covers_the_local_day_with_its_estimates_in_order(
    day: date, slots: int
) -> None:
    rows = PlausibleHome(place=Place(zone=UK)).forecast(day, 1)
    assert len(rows) == slots
    assert datetime.fromisoformat(str(rows[0]["period_start"])).astimezone(UK).date() == day
    for row in rows:
        low, middle, high = (
            float(row[key]) for key in ("pv_estimate10", "pv_estimate", "pv_estimate90")
        )
        assert low <= middle <= high


def test_the_forecast_is_near_the_truth_but_not_the_truth() -> None:
    home = PlausibleHome()
    days = [date(2026, 6, day) for day in range(1, 29)]
    truth = [daily_kwh(home.solar_kw, day) for day in days]
    told = [sum(float(row["pv_estimate"]) for row in home.forecast(day, 1)) / 2 for day in days]
    errors = [abs(one - other) for one, other in zip(told, truth, strict=True)]
    assert sum(told) == pytest.approx(sum(truth), rel=0.15)
    assert 0.03 < sum(errors) / sum(truth) < 0.3
