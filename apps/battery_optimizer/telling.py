"""Tells the log, in plain words, what changed since the last cycle."""

from logging import Logger

from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.shown import Shown


class Teller:
    """Remembers what it said last."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._said: tuple[object, ...] = ()

    def say(self, shown: Shown) -> None:
        """What is new."""
        outcome = shown.outcome
        news = (outcome.command.mode, outcome.reason, shown.problems)
        if outcome.command_result is CommandResult.APPLIED:
            self._logger.info("Inverter set to %s and read back", outcome.command.mode)
        if news == self._said:
            return
        self._said = news
        if outcome.command_result is CommandResult.UNCHANGED:
            self._logger.info("Inverter is in %s already, as read back", outcome.command.mode)
        self._logger.info("%s: %s", outcome.command.mode, outcome.reason)
        self._logger.info("Plan %s", shown.summary)
        for problem in shown.problems:
            self._logger.warning("Problem: %s", problem)
