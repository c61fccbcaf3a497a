"""A battery that tapers, lived with for some nights: learned, planned with, told, replayed."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.cycle import Cycle
from battery_optimizer.errors import StoreUnavailable
from battery_optimizer.foresight import Foresight, LearnedLimits
from battery_optimizer.model.codec import decode, encode
from battery_optimizer.model.decision import CommandResult, CycleOutcome, CycleResult
from battery_optimizer.model.house import Battery, House
from battery_optimizer.model.learned import Learned
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.telemetry import BatteryReadings, Telemetry
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.ports import Ports
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.inverter import FORCE_CHARGE, SimulatedInverter
from battery_optimizer.simulate.home.surroundings import PlausibleHome
from battery_optimizer.simulate.replay import Recording, replayed
from battery_optimizer.wiring.house import SIMULATED_DATABASE
from battery_optimizer.wiring.running import RunningHouse
from battery_readings import readings
from builders import a_battery, a_house
from fakes import FakeInverter, FakeMeters, FixedRates, FlatForecaster, FlatSun, daily
from simulated_house import SimulatedHouse, connected

NIGHT = datetime(2026, 11, 22, 1, tzinfo=UTC)
FIVE = timedelta(minutes=5)
DAY = timedelta(days=1)
TAPER = ((0.8, 1.0), (1.0, 0.25))
BATTERY = {
    "capacity_kwh": 10.0,
    "reserve_kwh": 1.0,
    "max_charge_kw": 4.0,
    "max_discharge_kw": 4.0,
    "charge_efficiency": 0.95,
    "discharge_efficiency": 0.95,
}
AS_SET = Battery(**BATTERY)
REAL = replace(AS_SET, charge_taper=TAPER)
ALL = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=4.0)


def the_inverter(now: datetime, soc_kwh: float) -> SimulatedInverter:
    return SimulatedInverter(
        house=a_house(REAL), surroundings=PlausibleHome(), now=now, soc_kwh=soc_kwh
    )


def live_through(store: Store, nights: int, *, celsius: float = 18.0) -> None:
    """Nights before NIGHT in which the battery is filled from nearly empty, as cycles record it."""
    for night in range(nights, 0, -1):
        real = the_inverter(NIGHT - night * DAY, 2.0 + 0.07 * night)
        real.force_charge_kw = 4.0
        real.select(FORCE_CHARGE)
        for _ in range(36):
            shown = real.readings
            store.save_observation(
                Telemetry(
                    measured_at=real.now,
                    soc_kwh=round(real.soc_kwh, 1),
                    load_kw=shown.load_kw,
                    solar_kw=shown.solar_kw,
                    battery_kw=shown.discharge_kw - shown.charge_kw,
                    grid_kw=shown.grid_import_kw - shown.grid_export_kw,
                    battery_temperature_c=celsius,
                )
            )
            store.record(
                CycleOutcome(
                    at=real.now,
                    result=CycleResult.PLANNED,
                    command=ALL,
                    command_result=CommandResult.UNCHANGED,
                    reason="cheap",
                )
            )
            real.advance(real.now + FIVE)


@dataclass
class Home(SimulatedHouse):
    """A home with the real battery, of which an app sees what is set of it."""

    now: datetime = NIGHT
    nights: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        self.fox = SimulatedFoxEss(the_inverter(self.now, 8.3))
        store = Store(self.folder / SIMULATED_DATABASE)
        live_through(store, self.nights)
        store.close()

    def connected(self, **battery: object) -> AbstractContextManager[RunningHouse]:
        return connected(self, battery={**BATTERY, **battery})


def power(battery: Battery, share: float) -> float:
    return battery.most_charge_kwh(share * battery.capacity_kwh, 1e-6) / 1e-6


def test_a_house_learns_its_taper_and_tells(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.connected() as house:
        outcome = house.run(NIGHT).outcome
        learned = house.cycle.learned
        for share in (0.3, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98):
            assert power(learned.battery, share) == pytest.approx(power(REAL, share), abs=0.2)
        assert outcome.inputs is not None
        assert outcome.inputs.house.battery == learned.battery
        assert outcome.inputs.learned == {"charge_taper"}
        found = {each.about: each.words for each in house.survey.look(NIGHT)}
        assert found["Battery limits"].startswith("charging slows above 8")
        assert ": 4.0 kW falls to 1." in found["Battery limits"]


@contextmanager
def planning(folder: Path, nights: int = 5) -> Iterator[tuple[Cycle, FakeMeters]]:
    """A cycle on a real store, cheap from 02:00 to 03:00."""
    store = Store(folder / "store.db")
    live_through(store, nights)
    prices = {"00:00": 20.0, "02:00": 5.0, "03:00": 20.0, "16:00": 40.0, "19:00": 20.0}
    imports = daily(NIGHT - 10 * DAY, NIGHT + 3 * DAY, prices)
    meters = FakeMeters(soc_kwh=8.4, battery_temperature_c=18.0)
    ports = Ports(
        meters=meters,
        rates=FixedRates(
            imports=imports, exports=daily(NIGHT - DAY, NIGHT + 3 * DAY, {"00:00": 4})
        ),
        solar=FlatSun(),
        history=store,
        inverter=FakeInverter(),
        journal=store,
    )
    settings = PlannerSettings()
    house = a_house(AS_SET)
    foresight = Foresight(ports, FlatForecaster(), settings)
    planner = Planner(settings)
    yield Cycle(house=house, ports=ports, foresight=foresight, planner=planner), meters
    store.close()


CHEAP = NIGHT + timedelta(hours=1.5)
"""Half an hour, in which a nearly full battery does not become full."""


def test_the_plan_keeps_to_what_was_learned_and_the_inverter_is_told_all(tmp_path: Path) -> None:
    with planning(tmp_path) as (cycle, _):
        outcome = cycle.run(CHEAP)
        assert cycle.learned.curves == {"charge_taper"}
    assert outcome.plan is not None
    slot = outcome.plan.slots[0]
    most_kwh = REAL.most_charge_kwh(slot.soc_start_kwh, slot.hours)
    assert slot.charge_kwh == pytest.approx(most_kwh, rel=0.03)
    assert slot.charge_kwh < 0.7 * AS_SET.max_charge_kw * slot.hours
    # It takes what it can by itself: so its limit is seen, and one that is no more is noticed.
    assert slot.command.power_kw == pytest.approx(slot.charge_kwh / slot.hours, rel=0.01)
    assert outcome.command.power_kw == pytest.approx(4.0)


def test_far_from_the_taper_the_plan_is_told_as_it_is(tmp_path: Path) -> None:
    with planning(tmp_path) as (cycle, meters):
        meters.soc_kwh = 3.0
        outcome = cycle.run(CHEAP)
    assert outcome.plan is not None
    assert outcome.command == outcome.plan.slots[0].command


def test_with_the_learned_battery_each_decision_can_be_made_again(tmp_path: Path) -> None:
    with planning(tmp_path) as (cycle, meters):
        outcomes = []
        for minutes in (0, 5, 10):
            meters.soc_kwh += 0.1
            outcomes.append(cycle.run(CHEAP + timedelta(minutes=minutes)))
    kept = tuple(decode(CycleOutcome, encode(each)) for each in outcomes)
    assert kept[0].inputs is not None
    assert kept[0].inputs.learned == {"charge_taper"}
    assert kept[0].command.power_kw == pytest.approx(4.0)
    recording = Recording(cycles=kept, rates=None, versions={})
    assert [verdict.differs for verdict in replayed(recording)] == [()] * 3


def test_what_is_set_wins(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with home.connected(charge_taper=[[0.5, 1.0], [1.0, 0.5]]) as house:
        house.run(NIGHT)
        assert house.cycle.learned == Learned(battery=house.config.battery)
        assert "Battery limits" not in {each.about for each in house.survey.look(NIGHT)}


def test_of_two_nights_nothing_is_learned(tmp_path: Path) -> None:
    home = Home(tmp_path, nights=2)
    with home.connected() as house:
        house.run(NIGHT)
        assert house.cycle.learned.curves == frozenset()


def test_cold_nights_teach_no_taper(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.db")
    live_through(store, 5, celsius=9.0)
    limits = LearnedLimits(store)
    # It takes its full power at 9 degrees: that is no cold to it.
    assert limits.learned(a_house(AS_SET), NIGHT).curves == {"charge_taper"}
    slow = replace(AS_SET, cold_limit=((0, 0.2), (16, 1.0)))
    assert limits.learned(a_house(slow), NIGHT).curves == frozenset()
    store.close()


@dataclass
class CountingHistory:
    """Gives nights of a tapering battery, or fails."""

    fault: str | None = None
    n_asked: int = 0

    def battery_readings(self, start: datetime, end: datetime) -> BatteryReadings:
        assert end - start == 60 * DAY
        self.n_asked += 1
        if self.fault is not None:
            raise StoreUnavailable(self.fault)
        return readings(a_house(REAL))


def limits_of(history: CountingHistory) -> LearnedLimits:
    return LearnedLimits(history)  # type: ignore[arg-type] - the one method that it needs


class TestOnceADay:
    house: House = a_house(AS_SET)

    def test_is_often_enough(self) -> None:
        history = CountingHistory()
        limits = limits_of(history)
        first = limits.learned(self.house, NIGHT)
        assert limits.learned(self.house, NIGHT + timedelta(hours=20)) is first
        assert history.n_asked == 1
        limits.learned(self.house, NIGHT + timedelta(hours=23))  # a new day
        assert history.n_asked == 2

    def test_another_house_is_learned_anew(self) -> None:
        limits = limits_of(CountingHistory())
        assert limits.learned(self.house, NIGHT).curves
        given = a_house(a_battery(charge_taper=TAPER))
        assert limits.learned(given, NIGHT) == Learned(battery=given.battery)

    def test_a_store_that_fails_leaves_the_battery_as_set(self) -> None:
        history = CountingHistory(fault="locked")
        limits = limits_of(history)
        assert limits.learned(self.house, NIGHT) == Learned(battery=AS_SET)
        history.fault = None
        learned = limits.learned(self.house, NIGHT + FIVE)
        assert learned.curves == {"charge_taper"}
        # What is known is not forgotten by a lock at midnight.
        history.fault = "locked"
        assert limits.learned(self.house, NIGHT + DAY) is learned
