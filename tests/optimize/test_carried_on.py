"""A forced mode that goes on at the power that the schedule now wants, or pauses."""

import numpy as np
import pytest

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.plan import Schedule
from battery_optimizer.optimize.mapping import carried_on
from builders import an_outlook


def one_slot(
    charge_kwh: float = 0.0, discharge_kwh: float = 0.0, soc_kwh: float = 5.0, value: float = 20.0
) -> Schedule:
    """A schedule of one slot that values stored energy at `value` [p/kWh]; its bill is unasked."""
    nothing = np.zeros(1)
    return Schedule(
        charge_kwh=np.array([charge_kwh]),
        discharge_kwh=np.array([discharge_kwh]),
        grid_import_kwh=nothing,
        grid_export_kwh=nothing,
        curtailed_kwh=nothing,
        soc_kwh=np.array([soc_kwh, soc_kwh + charge_kwh - discharge_kwh]),
        energy_value_p_per_kwh=np.array([value]),
        cost_p=0.0,
        objective_p=0.0,
        shortfall_kwh=0.0,
    )


class TestCarriedOn:
    def carried(
        self, mode: Mode, schedule: Schedule, load_kwh: float = 0.0, solar_kwh: float = 0.0
    ) -> InverterCommand | None:
        return carried_on(an_outlook([10], 5, load_kwh, solar_kwh), schedule, 0, mode)

    def test_charging_goes_on_at_the_power_now_wanted(self) -> None:
        command = self.carried(Mode.FORCE_CHARGE, one_slot(charge_kwh=1.5))
        assert command == InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=3.0)

    def test_so_does_selling(self) -> None:
        command = self.carried(Mode.FORCE_DISCHARGE, one_slot(discharge_kwh=1.5), load_kwh=1)
        assert command == InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)

    @pytest.mark.parametrize("mode", [Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE])
    def test_both_pause_at_no_power_at_night(self, mode: Mode) -> None:
        command = self.carried(mode, one_slot(), load_kwh=1)
        assert command == InverterCommand(mode=mode, power_kw=0.0)

    @pytest.mark.parametrize("mode", [Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE])
    def test_neither_pauses_while_there_is_sun(self, mode: Mode) -> None:
        assert self.carried(mode, one_slot(), load_kwh=1, solar_kwh=0.2) is None

    def test_covering_the_load_is_not_left_to_a_forced_power(self) -> None:
        assert self.carried(Mode.FORCE_DISCHARGE, one_slot(discharge_kwh=1), load_kwh=1) is None

    def test_nor_is_storing_the_sun(self) -> None:
        assert self.carried(Mode.FORCE_CHARGE, one_slot(charge_kwh=1), solar_kwh=1) is None

    def test_one_forced_mode_does_not_go_on_as_the_other(self) -> None:
        assert self.carried(Mode.FORCE_CHARGE, one_slot(discharge_kwh=2)) is None
        assert self.carried(Mode.FORCE_DISCHARGE, one_slot(charge_kwh=2)) is None

    def test_what_follows_the_load_is_not_carried_on_by_force(self) -> None:
        assert self.carried(Mode.HOLD, one_slot()) is None
