"""Tells the log, in plain words, what changed since the last cycle."""

from datetime import datetime
from logging import Logger

from battery_optimizer.adapters.foxess.models import maker_words
from battery_optimizer.host import Host
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.found import Finding, as_block
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.wording import command_words
from battery_optimizer.wiring.found import findings_without
from battery_optimizer.wiring.running import RunningHouse


class LogBook:
    """Remembers what it said last."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._said: tuple[object, ...] = ()
        self._waits = ""
        self.found: tuple[Finding, ...] = ()
        """What is there, and what is missing."""

    def say(self, shown: Shown) -> None:
        """What is new."""
        outcome = shown.outcome
        done = maker_words(outcome.command)
        news = (outcome.command.mode, outcome.reason, shown.problems)
        if outcome.command_result is CommandResult.APPLIED:
            self._logger.info("Inverter set to %s and read back", done)
        if news == self._said:
            return
        self._said = news
        if outcome.command_result is CommandResult.UNCHANGED:
            self._logger.info("Inverter is in %s already, as read back", done)
        self._logger.info("%s: %s", command_words(outcome.command), outcome.reason)
        self._logger.info("%s", f"Plan {shown.summary}" if shown.coming else "No plan")
        for problem in shown.problems:
            self._logger.warning("Problem: %s", problem)

    def warn(self, warning: str | None) -> None:
        """What is wrong around the app, if anything."""
        if warning is not None:
            self._logger.warning("%s", warning)

    def wait(self, why: str, host: Host) -> None:
        """Why the app waits, when it is another reason."""
        if why != self._waits:
            self._waits = why
            self._logger.warning("Not started yet: %s", why)
            self.tell_found(findings_without(why, host))

    def survey(self, house: RunningHouse, now: datetime) -> None:
        """What is there and what is missing: at the start, and when it is another."""
        if house.survey.is_due(now):
            self.tell_found(house.survey.look(now))

    def tell_found(self, found: tuple[Finding, ...]) -> None:
        """What is there and what is missing, when it is another."""
        before, self.found = self.found, found
        if _gist(before) != _gist(found):
            self._logger.info("%s", as_block(found))


def _gist(found: tuple[Finding, ...]) -> list[tuple[object, ...]]:
    return [(each.about, each.presence, each.advice) for each in found]
