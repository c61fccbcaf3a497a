"""Where a solve starts: the battery does nothing, and nothing of earlier programs counts."""

import numpy as np
import pytest

from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import Override, Target, Wishes
from battery_optimizer.optimize.inputs import ProgramInputs, program_inputs
from battery_optimizer.optimize.program import compile_program, features_of
from battery_optimizer.optimize.reading import CompiledProgram
from battery_optimizer.optimize.solver import Solution
from builders import MIDNIGHT, a_battery, a_house, an_outlook

HOUSE = a_house(a_battery(standby_kw=0.03))
RNG = np.random.default_rng(5)
OUTLOOK = an_outlook(
    RNG.uniform(5, 30, 96), RNG.uniform(2, 5, 96), RNG.uniform(0.1, 1, 96),
    np.clip(RNG.uniform(-2, 2, 96), 0, None), end_value=10,
)  # fmt: skip
WISHES = (
    Wishes(),
    Wishes(targets=(Target(by=MIDNIGHT + 20 * SLOT, soc_kwh=9.0),)),
    Wishes(battery_may_export=False, max_grid_charge_p_per_kwh=8.0),
    Wishes(
        overrides=(
            Override(
                start=MIDNIGHT,
                end=MIDNIGHT + 3 * SLOT,
                command=InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=2.0),
            ),
        )
    ),
)


def compiled_for(inputs: ProgramInputs) -> CompiledProgram:
    program = compile_program(HOUSE.battery, len(inputs.hours), features_of(inputs))
    return CompiledProgram.of(program)


def solved(compiled: CompiledProgram) -> tuple[Solution, int]:
    solution = compiled.problem.solve_lp()
    return solution, compiled.problem._highs.getInfo().simplex_iteration_count


@pytest.mark.parametrize("wishes", WISHES)
@pytest.mark.parametrize("soc_kwh", [0.0, 5.0, 10.0])
def test_a_solve_from_an_idle_battery_finds_the_same_in_fewer_pivots(
    wishes: Wishes, soc_kwh: float
) -> None:
    inputs = program_inputs(HOUSE, OUTLOOK, soc_kwh, wishes)
    compiled = compiled_for(inputs)
    compiled.problem.load(compiled.program.values(inputs))
    expected, pivots_from_nothing = solved(compiled)
    compiled.load(inputs)
    found, pivots = solved(compiled)
    assert found.objective == pytest.approx(expected.objective, abs=1e-6)
    assert pivots < 0.75 * pivots_from_nothing


def test_what_is_found_depends_on_nothing_solved_before() -> None:
    early, late = (program_inputs(HOUSE, OUTLOOK, soc_kwh) for soc_kwh in (2.0, 8.0))
    used, new = compiled_for(early), compiled_for(late)
    used.load(early)
    solved(used)
    for compiled in (used, new):
        compiled.load(late)
    after, fresh = solved(used)[0], solved(new)[0]
    assert np.array_equal(after.columns, fresh.columns)
    assert np.array_equal(after.row_duals, fresh.row_duals)
