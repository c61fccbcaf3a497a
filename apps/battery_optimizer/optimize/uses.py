"""What stored energy is for, by a schedule: energy goes out in the order in which it came in."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

SOME_KWH: Final = 0.02
"""Less than this is not worth a word."""
_NEARBY: Final = 2
"""Uses with a single slot between them are one."""
_MOST: Final = 0.6
"""A use that takes this share of what is held is told alone,"""
_NEARLY_ALL: Final = 0.9
"""and one that takes this share is all there is to tell."""
_LITTLE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Giving:
    """A slot in which the battery gives so much [kWh of stored energy], for so much [p/kWh]."""

    slot: int
    kwh: float
    pays: float
    sells: bool
    has_extra: bool = False
    """Whether a session of the supplier pays for it, too."""
    empties: bool = False
    """Whether nothing is left at its end."""


@dataclass(frozen=True, slots=True)
class Use:
    """Slots that follow each other in which the battery gives, until it is empty."""

    parts: tuple[Giving, ...]

    @property
    def first(self) -> int:
        """The slot in which it begins."""
        return self.parts[0].slot

    @property
    def last(self) -> int:
        """The last slot of it."""
        return self.parts[-1].slot

    @property
    def kwh(self) -> float:
        """Stored energy that it takes in all."""
        return sum(part.kwh for part in self.parts)

    @property
    def has_extra(self) -> bool:
        """Whether a session pays for some of it, too."""
        return any(part.has_extra for part in self.parts)

    def pays(self, *, sold: bool) -> tuple[float, float] | None:
        """Least and most of what a kWh brings that is sold, or that serves the house [p].

        None where that is little of it.
        """
        parts = [part for part in self.parts if part.sells is sold]
        if sum(part.kwh for part in parts) < _LITTLE * self.kwh:
            return None
        return min(part.pays for part in parts), max(part.pays for part in parts)

    def after(self, slot: int) -> tuple["Use", ...]:
        """What of it comes later than a slot."""
        if slot < self.first:
            return (self,)
        return (Use(tuple(each for each in self.parts if each.slot > slot)),) * (slot < self.last)


@dataclass(frozen=True, slots=True)
class Purpose:
    """What energy held at some time is for."""

    uses: tuple[Use, ...] = ()
    """Those worth telling, in time."""
    are_all: bool = True
    """Whether there is little else."""
    is_left: bool = False
    """Whether most of it is still there at the end of the plan."""


def uses(giving: Iterable[Giving]) -> Iterator[Use]:
    """The uses that slots in time make up."""
    parts: list[Giving] = []
    for each in giving:
        if parts and (each.slot - parts[-1].slot > _NEARBY or parts[-1].empties):
            yield Use(tuple(parts))
            parts = []
        parts.append(each)
    if parts:
        yield Use(tuple(parts))


def purpose(held_kwh: float, every: Sequence[Use], slot: int) -> Purpose:
    """What `held_kwh` stored at the end of a slot is for."""
    if held_kwh < SOME_KWH:
        return Purpose()
    taken: list[tuple[float, Use]] = []
    left_kwh = held_kwh
    for use in (later for each in every for later in each.after(slot)):
        if left_kwh < SOME_KWH:
            break
        taken.append((min(use.kwh, left_kwh), use))
        left_kwh -= taken[-1][0]
    used_kwh = held_kwh - left_kwh
    if left_kwh > used_kwh:
        return Purpose(is_left=True)
    taken.sort(key=lambda each: each[0], reverse=True)
    told = taken[: 1 if taken[0][0] >= _MOST * used_kwh else 2]
    return Purpose(
        uses=tuple(sorted((use for _, use in told), key=lambda use: use.first)),
        are_all=sum(kwh for kwh, _ in told) >= _NEARLY_ALL * used_kwh,
    )
