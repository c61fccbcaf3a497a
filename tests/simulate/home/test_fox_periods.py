"""The charge periods of the simulated inverter: physics, entities and the service's refusals."""

from datetime import UTC, datetime, time, timedelta

import pytest

from battery_optimizer.model.modes import Mode
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.fox_periods import NO_PERIODS, UPDATE, ChargePeriod
from battery_optimizer.simulate.home.inverter import SimulatedInverter
from builders import a_battery, a_house
from fox_polled import Link, Polled
from fox_story import Steady

SUMMER_NIGHT = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)
"""01:30 by the inverter's clock."""
ASKED = {
    "inverter": "foxess",
    "charge_period": 2,
    "enable_force_charge": True,
    "enable_charge_from_grid": True,
    "start": "02:00",
    "end": "03:00",
}
SWITCH = "binary_sensor.foxess_time_period_2_enable_force_charge"


def an_inverter(**more: object) -> SimulatedInverter:
    battery = a_battery(capacity_kwh=10.0, max_charge_kw=3.0)
    given = {"soc_kwh": 2.0, "periods": NO_PERIODS, "now": SUMMER_NIGHT, **more}
    return SimulatedInverter(house=a_house(battery), surroundings=Steady(0.5, 0.0), **given)  # type: ignore[arg-type]


def test_it_charges_in_its_period_by_its_own_clock_and_not_before_or_after() -> None:
    fox = an_inverter(periods=(ChargePeriod(start=time(2), end=time(3), from_grid=True),))
    fox.advance(SUMMER_NIGHT + timedelta(minutes=30))
    assert fox.counters.charge_kwh == 0
    fox.advance(SUMMER_NIGHT + timedelta(minutes=90))
    assert fox.counters.charge_kwh == pytest.approx(3.0, abs=0.06)
    fox.advance(SUMMER_NIGHT + timedelta(minutes=120))
    assert fox.counters.charge_kwh == pytest.approx(3.0, abs=0.06)
    fox.advance(SUMMER_NIGHT + timedelta(hours=25, minutes=30))
    assert fox.counters.charge_kwh > 5  # it comes back every day


def test_a_period_without_the_grid_holds_the_battery() -> None:
    fox = an_inverter(periods=(ChargePeriod(start=time(1), end=time(3)),))
    assert fox.command(0.0).mode is Mode.HOLD
    fox.option = "Force Discharge"
    assert fox.command(0.0).mode is Mode.FORCE_DISCHARGE


def test_a_clock_that_is_off_is_off_for_its_periods() -> None:
    period = ChargePeriod(start=time(1), end=time(2), from_grid=True)
    assert an_inverter(periods=(period,)).period_in_force == period
    slow = an_inverter(periods=(period,), clock_off=timedelta(hours=-1))
    assert slow.period_in_force is None


def test_the_entities_show_a_period_and_its_last_times_after_it() -> None:
    fox = SimulatedFoxEss(an_inverter(), has_force_modes=False)
    assert fox.entities()[SWITCH].state == "off"
    assert "Force Charge" not in str(fox.entities()[fox.select_id].attributes["options"])
    assert fox.charge_power_id not in fox.entities()
    assert fox.call(UPDATE, ASKED)["success"]
    shown = {entity_id: state.state for entity_id, state in fox.entities().items()}
    assert shown[SWITCH] == "on"
    assert shown["sensor.foxess_time_period_2_start"] == "02:00:00"
    assert fox.periods.periods_of(shown) == fox.inverter.periods
    assert fox.call(UPDATE, {**ASKED, "enable_force_charge": False})["success"]
    assert fox.inverter.periods == NO_PERIODS
    assert fox.entities()["sensor.foxess_time_period_2_start"].state == "02:00:00"
    assert fox.entities()[SWITCH].state == "off"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inverter": "fox"}, "Valid friendly names: 'foxess'"),
        ({"end": "02:00"}, "at least 1 minute after"),
        ({"charge_period": 1, "start": "02:30", "end": "04:00"}, "overlaps existing"),
    ],
)
def test_the_service_refuses_as_the_real_one_does(changes: dict[str, object], words: str) -> None:
    fox = SimulatedFoxEss(an_inverter())
    fox.call(UPDATE, ASKED)
    answer = fox.call(UPDATE, {**ASKED, **changes})
    assert not answer["success"]
    assert words in answer["error"]["message"]
    assert fox.inverter.periods[0] == ChargePeriod()


def test_a_model_without_periods_says_so() -> None:
    fox = SimulatedFoxEss(an_inverter(periods=()))
    assert "does not support" in fox.call(UPDATE, ASKED)["error"]["message"]
    assert SWITCH not in fox.entities()


def polled() -> tuple[Polled, SimulatedFoxEss]:
    inverter = an_inverter()
    link = Polled(inverter)
    return link, SimulatedFoxEss(inverter, integration=link, has_force_modes=False)


def test_what_the_inverter_drops_is_shown_until_the_next_poll() -> None:
    link, fox = polled()
    link.drops_writes = True
    assert fox.call(UPDATE, ASKED)["success"]
    assert fox.entities()[SWITCH].state == "on"
    link.advance(SUMMER_NIGHT + timedelta(seconds=10))
    assert fox.entities()[SWITCH].state == "off"


def test_no_period_is_set_without_a_link_and_one_that_waited_comes_late() -> None:
    link, fox = polled()
    link.link = Link.REFUSED
    assert not fox.call(UPDATE, ASKED)["success"]
    link.advance(SUMMER_NIGHT + timedelta(seconds=60))
    assert fox.entities()[SWITCH].state == "unavailable"
    assert not fox.call(UPDATE, ASKED)["success"], "it is no entity's service, and not dropped"
    link.link = Link.HANGING
    assert fox.call(UPDATE, ASKED)["ad_status"] == "TIMEOUT"
    link.link = Link.UP
    link.advance(SUMMER_NIGHT + timedelta(seconds=70))
    assert fox.entities()[SWITCH].state == "on"
    link.link = Link.STOPPED
    assert not fox.call(UPDATE, ASKED)["success"]
    link.link = Link.UP
    assert "not available" in fox.call(UPDATE, ASKED)["error"]["message"]
