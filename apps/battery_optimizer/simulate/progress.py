"""How far a long run has come, on a terminal."""

import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

_WIDTH = 30


def with_progress(
    items: Iterator[T], n_items: int, words: Callable[[T], str], *, every: int = 1
) -> Iterator[T]:
    """The items as they come; where somebody looks on, a bar grows with every few of them."""
    shown = sys.stderr.isatty()
    for count, item in enumerate(items, start=1):
        if shown and (count % every == 0 or count == n_items):
            share = count / n_items
            bar = "#" * round(_WIDTH * share)
            print(f"\r[{bar:<{_WIDTH}}] {share:4.0%}  {words(item)}", end="", file=sys.stderr)
        yield item
    if shown:
        print(file=sys.stderr)
