"""Every error that this package raises on purpose, in one tree.

Raised where the fact is known, translated once at the adapter, caught once in `cycle`.
Anything that is not a `BatteryOptimizerError` is a bug.
"""


class BatteryOptimizerError(Exception):
    """Root of the tree; never raised itself."""


class ConfigError(BatteryOptimizerError):
    """A setting is wrong; the message names its key path, its value and what is allowed."""


class DataError(BatteryOptimizerError):
    """An input is missing, stale or malformed."""


class RatesUnavailable(DataError):
    """No rate is known for a time that needs one."""


class ForecastUnavailable(DataError):
    """No usable forecast could be had from a source."""


class ForecastAbsent(ForecastUnavailable):
    """This house does not have the source."""


class TelemetryUnavailable(DataError):
    """A sensor gives no usable value."""

    def __init__(self, entity_id: str, reason: str) -> None:
        super().__init__(f"{entity_id} {reason}")
        self.entity_id = entity_id
        self.reason = reason


class StoreUnavailable(DataError):
    """The database cannot be read or written."""


class BadRequest(DataError):
    """What was asked for over HTTP cannot be answered; the message says what to ask instead."""


class PlanningError(BatteryOptimizerError):
    """The optimizer gave no usable plan."""


class Infeasible(PlanningError):
    """The program has no solution; the message lists the bounds that cannot hold together."""


class SolverFailed(PlanningError):
    """The solver ended without a usable solution."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the solver ended with status {status!r} and no usable plan")
        self.status = status


class InverterError(BatteryOptimizerError):
    """A command was refused by the inverter, or not confirmed when it was read back."""


class InverterUnavailable(InverterError):
    """The inverter is not there to be asked: nothing was sent, so nothing was refused."""
