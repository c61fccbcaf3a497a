from dataclasses import replace

import numpy as np
import pytest

from battery_optimizer.forecast.battery_limits import learned_limits
from battery_optimizer.model.house import Battery
from battery_optimizer.model.learned import Learned
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.telemetry import BatteryReadings
from battery_readings import joined, readings
from builders import a_battery, a_house

AS_SET = a_battery(
    capacity_kwh=10.4, reserve_kwh=1.04, max_charge_kw=3.7, max_discharge_kw=3.7, efficiency=0.95
)
CHARGE = ((0.85, 1.0), (1.0, 0.3))
DISCHARGE = ((0.1, 0.4), (0.25, 1.0))
COLD = ((0.0, 0.2), (16.0, 1.0))
NOTHING = BatteryReadings.of_rows(())


def learned(seen: BatteryReadings, battery: Battery = AS_SET, **house: float) -> Learned:
    return learned_limits(a_house(battery, **house), seen)


def nights(
    mode: Mode = Mode.FORCE_CHARGE, *, battery: object = None, **sides: object
) -> BatteryReadings:
    real = replace(AS_SET, **(battery or {}))
    return readings(a_house(real), mode, **sides)


def power(battery: Battery, share: float, *, charging: bool = True) -> float:
    """What the battery is now thought to take, or to give, at this share of its capacity [kW]."""
    most = battery.most_charge_kwh if charging else battery.most_discharge_kwh
    return most(share * battery.capacity_kwh, 1e-6) / 1e-6


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_a_charge_taper_is_learned_within_a_few_percent(noise: float) -> None:
    found = learned(nights(battery={"charge_taper": CHARGE}, noise=noise))
    assert found.curves == {"charge_taper"}
    true = replace(AS_SET, charge_taper=CHARGE)
    for share in (0.2, 0.5, 0.8, 0.85, 0.88, 0.92, 0.96, 0.99):
        assert power(found.battery, share) == pytest.approx(power(true, share), abs=0.05 * 3.7)
    assert len(found.battery.charge_taper) <= 5
    (words,) = found.words
    assert words.startswith("charging slows above 8")
    assert ": 3.7 kW falls to 1." in words
    assert "readings)" in words


@pytest.mark.parametrize("noise", [0.0, 0.03])
def test_a_discharge_taper_is_learned_within_a_few_percent(noise: float) -> None:
    seen = nights(Mode.FORCE_DISCHARGE, battery={"discharge_taper": DISCHARGE}, noise=noise)
    found = learned(seen)
    assert found.curves == {"discharge_taper"}
    true = replace(AS_SET, discharge_taper=DISCHARGE)
    for share in (0.12, 0.15, 0.2, 0.25, 0.3, 0.9):
        there = power(found.battery, share, charging=False)
        assert there == pytest.approx(power(true, share, charging=False), abs=0.05 * 3.7)
    assert found.words[0].startswith("discharging slows below 2")


def test_a_battery_that_does_as_set_has_nothing_to_learn() -> None:
    seen = joined(nights(noise=0.02), nights(Mode.FORCE_DISCHARGE, noise=0.02))
    assert learned(seen) == Learned(battery=AS_SET)


def test_of_no_readings_nothing_is_learned() -> None:
    assert learned(NOTHING) == Learned(battery=AS_SET)
    assert learned(nights(), a_battery(capacity_kwh=0)).curves == frozenset()


def test_two_nights_are_not_enough_however_many_readings_they_have() -> None:
    tapers = {"charge_taper": CHARGE}
    assert learned(nights(battery=tapers, nights=2)).curves == frozenset()
    twice = joined(*(nights(battery=tapers, nights=2) for _ in range(5)))
    assert learned(twice).curves == frozenset()


def test_a_night_over_midnight_is_one() -> None:
    seen = nights(battery={"charge_taper": CHARGE}, nights=2)
    seen = joined(seen, replace(seen, at=seen.at - 4 * 3600))
    assert learned(seen).curves == frozenset()


def test_few_readings_are_not_enough_even_of_many_nights() -> None:
    seen = nights(battery={"charge_taper": CHARGE}, nights=5)
    few = seen.at % 1500 == 0
    thin = BatteryReadings(**{name: values[few] for name, values in vars(seen).items()})
    assert 0 < len(thin.at) < len(seen.at) / 4
    assert learned(thin).curves == frozenset()


def test_what_was_asked_for_less_tells_nothing() -> None:
    assert learned(nights(asked_kw=2.0)).curves == frozenset()


def test_a_battery_weaker_than_its_setting_gets_a_flat_curve() -> None:
    found = learned(nights(battery={"max_charge_kw": 2.6}, asked_kw=3.7, noise=0.02))
    assert found.curves == {"charge_taper"}
    for share in (0.2, 0.5, 0.8, 0.97):
        assert power(found.battery, share) == pytest.approx(2.6, abs=0.1)
    assert "charging reaches 2.6 of 3.7 kW" in found.words[0]


def test_a_stronger_one_stays_as_set() -> None:
    seen = nights(battery={"max_charge_kw": 5.0}, asked_kw=5.0)
    assert learned(seen) == Learned(battery=AS_SET)


def test_curves_of_the_settings_win() -> None:
    given = replace(AS_SET, charge_taper=((0.5, 1.0), (1.0, 0.5)), cold_limit=COLD)
    seen = nights(battery={"charge_taper": CHARGE, "cold_limit": COLD}, celsius=[20, 5] * 6)
    assert learned(seen, given) == Learned(battery=given)


class TestCold:
    def test_a_limit_is_learned_by_temperature(self) -> None:
        warmth = [2.0, 6.0, 10.0, 20.0] * 4
        seen = nights(battery={"cold_limit": COLD}, nights=16, celsius=warmth, noise=0.02)
        found = learned(seen)
        # What is seen in the cold is no taper.
        assert found.curves == {"cold_limit"}
        true = replace(AS_SET, cold_limit=COLD)
        for celsius in (2.0, 4.0, 6.0, 8.0, 10.0, 20.0):
            there = found.battery.at_temperature(celsius).max_charge_kw
            assert there == pytest.approx(true.at_temperature(celsius).max_charge_kw, abs=0.2)
        assert found.battery.at_temperature(-10).max_charge_kw > 0.3
        assert "cold slows charging: 1.1 of 3.7 kW at 2 °C" in found.words[0]

    def test_a_taper_is_learned_beside_it(self) -> None:
        slowed = {"cold_limit": COLD, "charge_taper": CHARGE}
        found = learned(nights(battery=slowed, nights=12, celsius=[4.0, 20.0] * 6))
        assert found.curves == {"cold_limit", "charge_taper"}
        assert power(found.battery, 0.95) == pytest.approx(3.7 * 0.533, abs=0.2)

    def test_days_that_are_all_cold_leave_the_warm_ones_alone(self) -> None:
        found = learned(nights(battery={"cold_limit": COLD}, celsius=4.0))
        assert found.curves == {"cold_limit"}
        assert found.battery.at_temperature(18.0) == found.battery

    def test_discharging_goes_on_as_set_unless_it_is_seen_to_be_slowed(self) -> None:
        seen = nights(battery={"cold_limit": COLD}, celsius=4.0)
        gives = nights(Mode.FORCE_DISCHARGE, celsius=4.0)
        for shown in (seen, joined(seen, gives)):
            cold = learned(shown).battery.at_temperature(4.0)
            assert cold.max_discharge_kw == 3.7
            assert cold.max_charge_kw < 2.0
        slow = nights(Mode.FORCE_DISCHARGE, battery={"cold_limit": COLD}, celsius=4.0)
        assert learned(joined(seen, slow)).battery.at_temperature(4.0).max_discharge_kw < 2.0

    def test_a_battery_that_minds_no_cold_teaches_its_taper_in_winter(self) -> None:
        found = learned(nights(battery={"charge_taper": CHARGE}, celsius=9.0))
        assert found.curves == {"charge_taper"}

    def test_one_that_takes_nothing_in_frost_is_believed(self) -> None:
        nothing = ((4.0, 0.0), (4.1, 1.0))
        seen = nights(battery={"cold_limit": nothing}, celsius=1.0, from_share=0.4)
        assert learned(seen).battery.at_temperature(1.0).max_charge_kw == pytest.approx(0.37)

    def test_without_a_sensor_the_cold_is_not_known(self) -> None:
        found = learned(nights(battery={"charge_taper": CHARGE}, celsius=float("nan")))
        assert found.curves == {"charge_taper"}


class TestWhatIsNoneOfTheBatterysDoing:
    slow = {"max_charge_kw": 2.0}  # noqa: RUF012

    def weak(self, **sides: object) -> BatteryReadings:
        return nights(battery=self.slow, asked_kw=3.7, **sides)

    def test_sun_beside_it(self) -> None:
        assert learned(self.weak()).curves
        assert not learned(self.weak(solar_kw=1.5)).curves

    def test_the_fuse(self) -> None:
        assert not learned(self.weak(grid_kw=15.0), import_limit_kw=15.0).curves

    def test_the_export_limit(self) -> None:
        weak = nights(Mode.FORCE_DISCHARGE, battery={"max_discharge_kw": 2.0}, asked_kw=3.7)
        assert learned(weak).curves == {"discharge_taper"}
        assert not learned(weak, export_limit_kw=2.0).curves

    def test_the_rating_of_the_inverter(self) -> None:
        assert not learned(self.weak(), ac_limit_kw=2.0).curves


class TestWrongReadings:
    def test_an_order_that_was_not_carried_out(self) -> None:
        seen = nights()
        idle = replace(seen, battery_kw=seen.battery_kw * 0)
        other = replace(seen, battery_kw=-seen.battery_kw)
        assert learned(joined(idle, other)) == Learned(battery=AS_SET)

    def test_frozen_sensors(self) -> None:
        seen = nights()
        stuck_power = replace(seen, battery_kw=np.full_like(seen.battery_kw, -1.2))
        stuck_soc = replace(
            seen, soc_kwh=np.full_like(seen.soc_kwh, 5.0), battery_kw=seen.battery_kw / 2
        )
        stuck_soc = replace(stuck_soc, soc_before_kwh=stuck_soc.soc_kwh)
        for stuck in (stuck_power, stuck_soc):
            assert learned(stuck) == Learned(battery=AS_SET)

    @pytest.mark.parametrize("wrong", [float("nan"), 1e9, -1e9, float("inf")])
    @pytest.mark.parametrize("name", ["battery_kw", "soc_kwh", "soc_before_kwh", "hours"])
    def test_absurd_ones(self, name: str, wrong: float) -> None:
        seen = nights(battery={"charge_taper": CHARGE})
        absurd = replace(seen, **{name: np.full_like(seen.at, wrong)})
        assert learned(absurd) == Learned(battery=AS_SET)
        # Nor do a few among many spoil them.
        few = np.arange(len(seen.at)) % 5 == 0
        some = replace(seen, **{name: np.where(few, wrong, getattr(seen, name))})
        found = learned(some)
        assert power(found.battery, 0.95) == pytest.approx(3.7 * 0.533, abs=0.2)

    def test_random_ones_make_a_battery_all_the_same(self) -> None:
        random = np.random.default_rng(1)
        for _ in range(50):
            seen = nights(nights=5)
            noisy = replace(
                seen,
                battery_kw=seen.battery_kw * random.uniform(0, 1.4, len(seen.at)),
                temperature_c=random.uniform(-20, 40, len(seen.at)),
            )
            battery = learned(noisy).battery
            for share in (0.1, 0.5, 1.0):
                assert power(battery, share) >= 0.05 * 3.7 - 1e-3
            assert battery.at_temperature(-20).max_charge_kw > 0.3
