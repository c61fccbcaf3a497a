"""The program as a mixed-integer solver gets it, to compare with: no plan is made this way.

Our own way to C17 and C18 is `exact`, which takes a tenth of the time. The benchmark measures the
two beside each other, and tests hold one against the other.
"""

from dataclasses import dataclass
from time import perf_counter

import highspy
import numpy as np

from battery_optimizer.model.house import Battery
from battery_optimizer.model.tariff import doubtful
from battery_optimizer.optimize.cvxpy_light import Expression, cp
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.parametric import ParametricLp
from battery_optimizer.optimize.program import (
    Flow,
    compile_program,
    each_bound,
    features_of,
)

_OPTIONS = {"output_flag": False, "time_limit": 30.0, "mip_rel_gap": 0.0}


class Directions:
    """C17 and C18: which way the meter and the battery run, as the hull of the cases of a slot.

    It is exact where the sun can be turned down at will.

    A slot imports (charging or not) or exports (charging or not). Each case has its own charge and
    discharge with its own bounds, so that the relaxation of a slot is the convex hull of what its
    meter can do. (The disjunctive formulation of Balas, "Disjunctive programming", 1979.)
    """

    def __init__(self, inputs: ProgramInputs) -> None:
        n_slots = len(inputs.hours)
        self._inputs = inputs
        self.importing, self.charging_import, self.charging_export = (
            cp.Variable(n_slots, name=name, bounds=[0, 1])
            for name in ("importing", "charging_import", "charging_export")
        )
        self._parts: tuple[Expression, ...] = tuple(
            cp.Variable(n_slots, nonneg=True) for _ in range(6)
        )

    def bounds(self, flow: Flow, _given: dict[str, Expression]) -> tuple[Expression, ...]:
        """What ties the cases to the flows, and implies `each_bound`."""
        inputs = self._inputs
        charge_in, charge_out, discharge_in, discharge_out, curtailed_in, curtailed_out = (
            self._parts
        )
        importing, exporting = self.importing, 1 - self.importing
        net = inputs.load_kwh - inputs.solar_kwh
        surplus_charge = np.minimum(inputs.charge_limit_kwh, np.maximum(-net, 0.0))
        load_discharge = np.minimum(
            inputs.discharge_limit_kwh, np.maximum(net + inputs.curtail_limit_kwh, 0.0)
        )
        clipped = np.maximum(inputs.solar_kwh - inputs.ac_limit_kwh, 0.0)
        # While the meter runs forward no more is lost than must be: the house would buy it instead.
        curtailed_import = np.maximum(inputs.lost_at_will_kwh, clipped)
        import_most = inputs.load_kwh + inputs.charge_limit_kwh
        return (
            self.charging_import <= importing,
            self.charging_export <= exporting,
            flow.charge == charge_in + charge_out,
            flow.discharge == discharge_in + discharge_out,
            flow.curtailed == curtailed_in + curtailed_out,
            charge_in <= cp.multiply(inputs.charge_limit_kwh, self.charging_import),
            charge_out <= cp.multiply(surplus_charge, self.charging_export),
            discharge_in <= cp.multiply(load_discharge, importing - self.charging_import),
            discharge_out
            <= cp.multiply(inputs.discharge_limit_kwh, exporting - self.charging_export),
            flow.grid_import
            == cp.multiply(net, importing) + charge_in - discharge_in + curtailed_in,
            flow.grid_export
            == discharge_out - charge_out - curtailed_out - cp.multiply(net, exporting),
            curtailed_in <= cp.multiply(curtailed_import, importing),
            curtailed_out <= cp.multiply(inputs.curtail_limit_kwh, exporting),
            flow.grid_import <= cp.multiply(import_most, importing),
            flow.grid_export <= cp.multiply(inputs.export_limit_kwh, exporting),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BareSolution:
    """What HiGHS by itself found, and how long it took."""

    objective_p: float
    seconds: float


class BareProgram:
    """The program for some inputs, for a HiGHS that is started from nothing and left as it comes.

    `exclusive`: with C17 and C18, by binaries in the slots where the relaxation may break them.
    """

    def __init__(self, battery: Battery, inputs: ProgramInputs, *, exclusive: bool) -> None:
        directions = Directions(inputs)
        bounds = directions.bounds if exclusive else each_bound
        program = compile_program(battery, len(inputs.hours), features_of(inputs), bounds)
        parametric = ParametricLp(program.problem)
        self._lp = parametric.at(program.values(inputs))
        cases = (
            (directions.importing, doubtful(inputs.import_rate, inputs.export_rate)),
            (directions.charging_import, inputs.import_rate < 0),
            (directions.charging_export, inputs.export_rate < 0),
        )
        self._integers = np.array(
            [
                parametric.columns_of[variable.id] + t
                for variable, slots in (cases if exclusive else ())
                for t in np.flatnonzero(slots)
            ],
            np.int32,
        )

    def solve(self, gap_p: float = 0.0) -> BareSolution:
        """Proven to within `gap_p`, in half a minute at most."""
        highs = highspy.Highs()
        for name, value in (_OPTIONS | {"mip_abs_gap": gap_p}).items():
            highs.setOptionValue(name, value)
        started = perf_counter()
        self._lp.hand_to(highs)
        kinds = np.full(len(self._integers), highspy.HighsVarType.kInteger)
        highs.changeColsIntegrality(len(self._integers), self._integers, kinds)
        highs.run()
        seconds = perf_counter() - started
        return BareSolution(objective_p=highs.getObjectiveValue(), seconds=seconds)
