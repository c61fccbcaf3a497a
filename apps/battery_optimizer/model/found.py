"""What was found in the house at the start, and what is missing with how to get it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Presence(StrEnum):
    """Whether something is there."""

    FOUND = "found"
    MISSING = "missing"
    OPTIONAL = "optional"
    """Not there, and not needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked for: what there is, and if it is missing what to do."""

    about: str
    words: str
    presence: Presence = Presence.FOUND
    advice: str = ""


_MARKS = {Presence.FOUND: " ", Presence.MISSING: "!", Presence.OPTIONAL: "-"}


def as_block(findings: Iterable[Finding]) -> str:
    """All of it as one text for the log."""
    findings = tuple(findings)
    width = max((len(each.about) for each in findings), default=0)
    lines = ["What I found in Home Assistant and in the settings (! is missing, - is optional):"]
    for each in findings:
        lines.append(f"  {_MARKS[each.presence]} {each.about:<{width}}  {each.words}")
        if each.advice:
            lines.append(f"    {'':<{width}}  -> {each.advice}")
    return "\n".join(lines)
