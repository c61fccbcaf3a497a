"""Tells the log, in plain words, what changed since the last cycle."""

from datetime import datetime
from logging import Logger

from battery_optimizer.host import Host
from battery_optimizer.model.decision import CommandResult
from battery_optimizer.model.found import Finding, as_block
from battery_optimizer.model.shown import Shown
from battery_optimizer.wiring.found import TIME_ZONE, findings_without
from battery_optimizer.wiring.house import RunningHouse


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

    def warn(self, *warnings: str | None) -> None:
        """What is wrong around the app."""
        for warning in warnings:
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


def about_time_zone(zone: str) -> str | None:
    """What to say of AppDaemon's time zone, if anything."""
    if zone == TIME_ZONE:
        return None
    return (
        f"AppDaemon's time_zone is {zone}: set it to {TIME_ZONE} in appdaemon.yaml, so that the "
        "times in its log are yours (the plan itself does not depend on it)"
    )


def _gist(found: tuple[Finding, ...]) -> list[tuple[object, ...]]:
    return [(each.about, each.presence, each.advice) for each in found]
