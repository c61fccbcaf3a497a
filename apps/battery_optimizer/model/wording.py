"""Prices and modes as people say them: one rule for the page, the entities and the log.

A price has one decimal, or none where it is a whole number, or as many more as tell two prices
apart that stand beside each other.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from battery_optimizer.model.modes import InverterCommand, Mode

MODE_WORDS: Final[Mapping[Mode, str]] = {
    Mode.SELF_USE: "Self Use",
    Mode.HOLD: "Hold",
    Mode.FEED_IN: "Feed in",
    Mode.FORCE_CHARGE: "Charge",
    Mode.FORCE_DISCHARGE: "Discharge",
}
"""As on the page, where words.js has the same."""
_WHOLE_P: Final = 0.005
_SAME_P: Final = 0.01
_MOST_DIGITS: Final = 2


def command_words(command: InverterCommand) -> str:
    """What is done under a command: `Charge at 3.68 kW`, `Hold` where its power is none."""
    name = MODE_WORDS[command.acts_as]
    return f"{name} at {command.power_kw:.2f} kW" if command.acts_as.is_forced else name


def pence(amount: float) -> str:
    """An amount of pence: `8 p`, `8.4 p`."""
    return f"{_figures([amount])[0]} p"


def pence_apart(*amounts: float) -> tuple[str, ...]:
    """Amounts that are compared: those that differ look different."""
    return tuple(f"{figure} p" for figure in _figures(amounts, are_compared=True))


def pence_range(low: float, high: float) -> str:
    """From a price to another: `8.4-12.0 p`, `-3 to 2 p`."""
    first, last = _figures([low, high])
    if first == last:
        return f"{first} p"
    return f"{first}-{last} p" if low >= 0 else f"{first} to {last} p"


def price(rate: float, told: str = "") -> str:
    """A price to pay, or to be paid, for a kWh: `at 8 p`, `while you are paid 2 p a kWh`.

    `told` is the price where it is worded already.
    """
    told = told or pence(rate)
    return f"at {told}" if rate >= 0 else f"while you are paid {told.removeprefix('-')} a kWh"


def saved_later(what: str, told: str) -> str:
    """What comes of a kWh later, at a price worded already: it would save that, or cost it."""
    price_p = told.removeprefix("-")
    return f"{what} would {'save' if price_p == told else 'cost'} {price_p}"


def _figures(amounts: Sequence[float], *, are_compared: bool = False) -> list[str]:
    """All with as many decimals."""
    are_whole = all(abs(amount - round(amount)) < _WHOLE_P for amount in amounts)
    digits = 0 if are_whole else 1
    different = len({round(amount / _SAME_P) for amount in amounts})
    while True:
        told = [f"{round(amount, digits) + 0.0:.{digits}f}" for amount in amounts]
        if not are_compared or digits == _MOST_DIGITS or len(set(told)) >= different:
            return told
        digits += 1
