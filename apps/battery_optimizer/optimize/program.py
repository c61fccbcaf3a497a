"""The program: one house, one battery, one horizon, as CVXPY sees it.

Written once, compiled once; a plan only sets the parameters. The numbers C1 ... C28 are those of
the design; the ones not here stand where they belong: C17 and C18 in `slot_costs`, C20, C27 and C28
in `choosing` and `worth`, C26 in `events`.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum, auto

from battery_optimizer.model.house import Battery
from battery_optimizer.model.slots import Floats
from battery_optimizer.model.tariff import bill
from battery_optimizer.optimize.cvxpy_light import Expression, Problem, cp
from battery_optimizer.optimize.inputs import N_TERMINAL_LINES, ProgramInputs


class Feature(Enum):
    """What a program has only where it is needed, so that a plain plan stays small."""

    SHORT_RESERVE = auto()
    """C4 where the battery starts, or by its own draw ends, below its reserve."""
    SHORT_FUSE = auto()
    """C12 where the house alone passes the fuse."""
    RATING = auto()
    """C11 where sun and discharge together could pass the rating."""
    TARGETS = auto()
    """C22."""
    OVERRIDES = auto()
    """C25."""


def features_of(inputs: ProgramInputs) -> frozenset[Feature]:
    """What a program must have for these inputs."""
    most_passed = inputs.solar_kwh + inputs.discharge_limit_kwh
    needed = {
        Feature.SHORT_RESERVE: inputs.reserve_excess_kwh > 0,
        Feature.SHORT_FUSE: inputs.fuse_excess_kwh > 0,
        Feature.RATING: most_passed > inputs.ac_limit_kwh,
        Feature.TARGETS: inputs.target_kwh > 0,
        Feature.OVERRIDES: (inputs.charge_wanted_kwh > 0) | (inputs.discharge_wanted_kwh > 0),
    }
    return frozenset(feature for feature, where in needed.items() if where.any())


class Flow:
    """The decision variables [kWh per slot, AC side, >= 0], shape (n_slots,) each."""

    def __init__(self, n_slots: int) -> None:
        self.charge: Expression = cp.Variable(n_slots, name="charge", nonneg=True)
        self.discharge: Expression = cp.Variable(n_slots, name="discharge", nonneg=True)
        self.grid_import: Expression = cp.Variable(n_slots, name="grid_import", nonneg=True)
        self.grid_export: Expression = cp.Variable(n_slots, name="grid_export", nonneg=True)
        self.curtailed: Expression = cp.Variable(n_slots, name="curtailed", nonneg=True)
        self.soc: Expression = cp.Variable(n_slots + 1, name="soc")


class Slack:
    """What is soft: how far each wish is missed [kWh], shape (n_slots,) each, priced."""

    def __init__(self, n_slots: int, features: frozenset[Feature]) -> None:
        def slack(feature: Feature, name: str) -> Expression | None:
            has_it = feature in features
            return cp.Variable(n_slots, name=name, nonneg=True) if has_it else None

        self.reserve = slack(Feature.SHORT_RESERVE, "below_reserve")
        self.fuse = slack(Feature.SHORT_FUSE, "over_fuse")
        self.target = slack(Feature.TARGETS, "below_target")
        self.override = slack(Feature.OVERRIDES, "override_missed")

    def used(self) -> list[Expression]:
        """The slacks that this program has."""
        every = (self.reserve, self.fuse, self.target, self.override)
        return [slack for slack in every if slack is not None]

    def cost(self, given: dict[str, Expression]) -> Expression:
        """What is missed, priced [p]."""
        every = (
            (given["reserve_price"], self.reserve),  # C4
            (given["fuse_price"], self.fuse),  # C12
            (given["target_price"], self.target),  # C22
            (given["override_price"], self.override),  # C25
        )
        return sum(price @ slack for price, slack in every if slack is not None)


@dataclass(frozen=True, kw_only=True)
class Program:
    """A compiled program with the handles that a solution is read by."""

    problem: Problem
    """Its first rows are C2, whose duals are the value of stored energy. None once compiled."""
    parameters: dict[str, Expression]
    flow: Flow
    slack: Slack

    def values(self, inputs: ProgramInputs) -> dict[int, Floats]:
        """The parameters' values by their CVXPY ids."""
        return {parameter.id: getattr(inputs, name) for name, parameter in self.parameters.items()}


Bounds = Callable[[Flow, dict[str, Expression]], tuple[Expression, ...]]
"""What bounds the flows of a program, given its parameters."""


def each_bound(flow: Flow, given: dict[str, Expression]) -> tuple[Expression, ...]:
    """Each flow's own bounds, C17 and C18 left to whoever looks at the solution."""
    return (
        flow.charge <= given["charge_limit_kwh"],  # C6, C10, C24
        flow.discharge <= given["discharge_limit_kwh"],  # C7, C10
        flow.curtailed <= given["curtail_limit_kwh"],  # C14
        flow.grid_export <= given["export_limit_kwh"],  # C13, C23
        # C15, and by C1 it is C16: what is exported or lost comes from the sun or the battery.
        flow.grid_import <= given["load_kwh"] + flow.charge,
    )


def compile_program(
    battery: Battery,
    n_slots: int,
    features: frozenset[Feature] = frozenset(),
    bounds: Bounds = each_bound,
) -> Program:
    """The program for `n_slots` slots.

    minimize  bill + wear + priced slack - value of the energy left at the end
    """
    given = _parameters(n_slots)
    flow, slack = Flow(n_slots), Slack(n_slots, features)
    terminal_value = cp.Variable(name="terminal_value")
    dynamics = flow.soc[1:] == battery.soc_after(
        flow.soc[:-1] - given["standby_kwh"], flow.charge, flow.discharge
    )  # C2
    constraints = [
        dynamics,
        flow.soc[:1] == given["start_soc_kwh"],  # C3
        _energy_balance(flow, given),
        *_meter_limits(flow, slack, given),
        *_battery_limits(battery, flow, slack, given),
        *(_rating(flow, given) if Feature.RATING in features else ()),
        *_wishes(flow, slack, given),
        *bounds(flow, given),
        terminal_value
        <= given["terminal_intercept_p"] + given["terminal_slope_p_per_kwh"] * flow.soc[-1],  # C21
    ]
    cost = (
        bill(given["import_rate"], given["export_rate"], flow.grid_import, flow.grid_export)
        + given["charge_cost"] @ flow.charge
        + given["discharge_cost"] @ flow.discharge  # C19, and the order of equal prices
        + slack.cost(given)
        - terminal_value
    )
    return Program(
        problem=cp.Problem(cp.Minimize(cost), constraints),
        parameters=given,
        flow=flow,
        slack=slack,
    )


def _energy_balance(flow: Flow, given: dict[str, Expression]) -> Expression:
    return (
        given["load_kwh"] + flow.charge + flow.grid_export
        == given["solar_kwh"] - flow.curtailed + flow.discharge + flow.grid_import
    )  # C1


def _meter_limits(flow: Flow, slack: Slack, given: dict[str, Expression]) -> tuple[Expression, ...]:
    if slack.fuse is None:
        return (flow.grid_import <= given["import_limit_kwh"],)  # C12
    return (
        flow.grid_import <= given["import_limit_kwh"] + slack.fuse,  # C12
        slack.fuse <= given["fuse_excess_kwh"],  # C12: the house may pass the fuse, no charge may
    )


def _rating(flow: Flow, given: dict[str, Expression]) -> tuple[Expression, ...]:
    passed = given["solar_kwh"] - flow.curtailed + flow.discharge - flow.charge
    return (passed <= given["ac_limit_kwh"],)  # C11


def _battery_limits(
    battery: Battery, flow: Flow, slack: Slack, given: dict[str, Expression]
) -> tuple[Expression, ...]:
    middle = (flow.soc[:-1] + flow.soc[1:]) / 2
    hours = given["hours"]
    return (
        *_reserve(flow, slack, given),
        flow.soc[1:] <= given["ceiling_kwh"],  # C5
        *(
            flow.charge
            <= cp.multiply(hours, line.at_empty_kw + line.slope_per_hour * middle)  # C8
            + given["charge_relief_kwh"]
            for line in battery.charge_lines()
        ),
        *(
            flow.discharge
            <= cp.multiply(hours, line.at_empty_kw + line.slope_per_hour * middle)  # C9
            + given["discharge_relief_kwh"]
            for line in battery.discharge_lines()
        ),
    )


def _reserve(flow: Flow, slack: Slack, given: dict[str, Expression]) -> tuple[Expression, ...]:
    if slack.reserve is None:
        return (flow.soc[1:] >= given["reserve_kwh"],)  # C4
    return (
        flow.soc[1:] >= given["reserve_kwh"] - slack.reserve,  # C4
        slack.reserve <= given["reserve_excess_kwh"],  # C4: nothing is taken from the reserve
    )


def _wishes(flow: Flow, slack: Slack, given: dict[str, Expression]) -> tuple[Expression, ...]:
    constraints: tuple[Expression, ...] = ()
    if slack.target is not None:
        constraints += (flow.soc[1:] >= given["target_kwh"] - slack.target,)  # C22
    if slack.override is not None:
        constraints += (
            flow.charge >= given["charge_wanted_kwh"] - slack.override,  # C25
            flow.discharge >= given["discharge_wanted_kwh"] - slack.override,  # C25
        )
    return constraints


def _parameters(n_slots: int) -> dict[str, Expression]:
    sizes = dict.fromkeys((each.name for each in fields(ProgramInputs)), n_slots) | {
        "start_soc_kwh": 1,
        "terminal_intercept_p": N_TERMINAL_LINES,
        "terminal_slope_p_per_kwh": N_TERMINAL_LINES,
    }
    return {name: cp.Parameter(size, name=name) for name, size in sizes.items()}
