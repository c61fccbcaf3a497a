"""What compiling programs takes of a small machine's memory, and what is kept of them."""

import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from battery_optimizer.model.house import Battery
from battery_optimizer.optimize.inputs import program_inputs
from battery_optimizer.optimize.program import Feature, compile_program
from battery_optimizer.optimize.reading import CompiledProgram
from battery_optimizer.optimize.relaxation import ExactSolver
from builders import a_battery, a_house, an_outlook

MB = 1e6


@pytest.fixture(autouse=True)
def traced() -> Iterator[None]:
    compile_program(a_battery(), 2)  # imports and tables of CVXPY's own
    tracemalloc.start()
    yield
    tracemalloc.stop()


def taken(work: Callable[[], object]) -> tuple[float, float]:
    """What is kept of the work's result, and the most it took meanwhile [MB]."""
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    result = work()
    after, most = tracemalloc.get_traced_memory()
    assert result is not None
    return (after - before) / MB, (most - before) / MB


def compiled(battery: Battery, n_slots: int) -> CompiledProgram:
    return CompiledProgram.of(compile_program(battery, n_slots, frozenset(Feature)))


@pytest.mark.parametrize(("n_slots", "most_mb"), [(96, 6.0), (288, 18.0)])
def test_compiling_takes_memory_in_proportion_to_the_horizon(n_slots: int, most_mb: float) -> None:
    _, peak_mb = taken(lambda: compiled(a_battery(), n_slots))
    assert peak_mb < most_mb


def test_of_a_program_hardly_more_is_kept_than_its_matrix() -> None:
    compiled(a_battery(), 96)
    kept_mb, _ = taken(lambda: compiled(a_battery(), 96))
    assert kept_mb < 1.0


def test_a_battery_that_is_another_each_day_of_a_month_takes_no_more_from_day_to_day() -> None:
    outlook, solver = an_outlook([10, 40] * 48, load_kwh=0.3), ExactSolver()

    def plan_for(days: range) -> ExactSolver:
        for day in days:
            battery = replace(a_battery(), max_charge_kw=3 - 0.05 * day)
            inputs = program_inputs(a_house(battery), outlook, 3.0)
            assert solver.solve(battery, inputs).report.status == "optimal"
        return solver

    first_mb, _ = taken(lambda: plan_for(range(14)))
    later_mb, _ = taken(lambda: plan_for(range(14, 30)))
    assert first_mb < 5.0
    assert later_mb < 1.0
