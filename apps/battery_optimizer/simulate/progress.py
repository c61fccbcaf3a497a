"""How far a long run has come, on a terminal."""

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

_WIDTH = 30
_TELLING = 0.02
"""Share of the work from which on the rest can be guessed."""
_TWO_MINUTES_S = 120


def with_progress(
    items: Iterator[T], n_items: int, words: Callable[[T], str], *, every: int = 1
) -> Iterator[T]:
    """The items as they come; where somebody looks on, a bar grows with every few of them."""
    shown = sys.stderr.isatty()
    for count, item in enumerate(items, start=1):
        if shown and (count % every == 0 or count == n_items):
            share = count / n_items
            print(f"\r{_bar(share)}  {words(item)}", end="", file=sys.stderr)
        yield item
    if shown:
        print(file=sys.stderr)


@dataclass
class Progress:
    """Of work that several do: a bar on a terminal; elsewhere a line for each part that is done."""

    started: float = field(default_factory=monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _share: float = 0.0

    def tell(self, words: str, share: float) -> None:
        """So far has it come."""
        with self._lock:
            self._share = max(self._share, min(1.0, share))
            is_terminal = sys.stderr.isatty()
            if words:
                start = "\r\033[K" if is_terminal else ""
                print(f"{start}{words}", file=sys.stderr)
            if is_terminal:
                line = f"\r\033[K{_bar(self._share)}  {self._left()}"
                print(line, end="", file=sys.stderr, flush=True)

    def _left(self) -> str:
        """How long it will take yet, as soon as that can be told."""
        took = monotonic() - self.started
        if self._share < _TELLING or self._share == 1.0:
            return f"{took:.0f} s"
        left = took * (1 - self._share) / self._share
        return f"{left / 60:.0f} min left" if left >= _TWO_MINUTES_S else f"{left:.0f} s left"

    def end(self) -> None:
        """All is done."""
        if sys.stderr.isatty():
            print(file=sys.stderr)


def _bar(share: float) -> str:
    return f"[{'#' * round(_WIDTH * share):<{_WIDTH}}] {share:4.0%}"
