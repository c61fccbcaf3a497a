"""The slots after the first as `worth` meets them: load and sun by level and burst, and choices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Final, Self

import numpy as np

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import BURST_WEIGHTS, Outlook
from battery_optimizer.model.slots import SLOT, Bools, Floats, floor_to_slot
from battery_optimizer.model.wishes import Wishes
from battery_optimizer.optimize.inputs import ProgramInputs
from battery_optimizer.optimize.mapping import MATCH_KWH, PAUSE, can_be_told

MODES: Final = tuple(Mode)
"""The modes in the order of all tables here."""

_MOST_DROP: Final = 0.95
"""A lack of bursts takes no more of the load away than this: a house always draws something."""

_MOST_HOURS: Final = 32.0
"""No rates are published further ahead; what is stored then has the horizon's terminal value."""

_MOST_AT_ONCE: Final = 32
"""Stages prepared together: few calls, and arrays that a small processor's cache holds."""

_LATER_SHARES: Final = (1.0, 0.5)
"""Shares of full power that the forced modes are tried at in later slots,"""
_FIRST_SHARES: Final = (0.25, 0.5, 0.75)
"""and, beside full power, in the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """Slots after the first, shorter ones of a half hour as one; energies [kWh], rates [p/kWh].

    Shape (n_stages,) where not said otherwise.
    """

    hours: Floats
    import_rate: Floats
    export_rate: Floats
    load_kwh: Floats
    """Shape (n_stages, n_bursts, n_levels)."""
    solar_kwh: Floats
    """Shape (n_stages, n_levels)."""
    target_kwh: Floats
    """Wanted at the end (C22); missing it costs `target_price`."""
    target_price: Floats
    fuse_price: Floats
    orders: tuple[InverterCommand | None, ...]
    """What a person ordered (C25)."""

    @classmethod
    def of(cls, outlook: Outlook, inputs: ProgramInputs, wishes: Wishes) -> Self:
        """The stages of an outlook, as far ahead as they matter now."""
        horizon = outlook.horizon
        starts = horizon.starts
        before = (starts[0] - floor_to_slot(starts[0])) // horizon.step
        half_hour = (before + np.arange(1, len(starts))) // (SLOT // horizon.step)
        first = 1 + np.flatnonzero(np.diff(half_hour, prepend=-1))
        load_kwh, solar_kwh = levels(outlook)

        def summed(kwh: Floats) -> Floats:
            return np.add.reduceat(kwh, first, axis=-1) if len(first) else kwh[..., :0]

        def greatest(values: Floats) -> Floats:
            return np.maximum.reduceat(values, first) if len(first) else values[:0]

        every = cls(
            hours=summed(horizon.hours),
            import_rate=outlook.import_rate[first],
            export_rate=outlook.export_rate[first],
            load_kwh=summed(load_kwh).T,
            solar_kwh=summed(solar_kwh).T,
            target_kwh=greatest(inputs.target_kwh),
            target_price=greatest(inputs.target_price),
            fuse_price=inputs.fuse_price[first],
            orders=tuple(wishes.order_at(starts[t]) for t in first),
        )
        return every.part(slice(np.sum(np.cumsum(every.hours) <= _MOST_HOURS)))

    def alike(self) -> Iterator[slice]:
        """Stages of one length that follow each other, the last ones first."""
        changes = (1 + np.flatnonzero(np.diff(self.hours))).tolist()
        for first, last in pairwise(reversed((0, *changes, len(self.hours)))):
            for end in range(first, last, -_MOST_AT_ONCE):
                yield slice(max(last, end - _MOST_AT_ONCE), end)

    def part(self, some: slice) -> Self:
        """Some of the stages."""
        return replace(self, **{each.name: getattr(self, each.name)[some] for each in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Something to do in a later slot; `power_kw` is the battery's, discharge negative."""

    mode: Mode
    power_kw: float | None = None
    dark: bool = False
    """With the panels turned off."""

    @property
    def row(self) -> int:
        """Which of `MODES` it is."""
        return MODES.index(self.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Everything to choose from: what follows the load first, then what is forced."""

    every: tuple[Choice, ...]
    allowed: Bools
    """Shape (n_stages, n_choices)."""
    heads: slice
    """One choice of each mode, in the order of `MODES`; before and after them the others."""

    @classmethod
    def of(cls, house: House, stages: Stages, wishes: Wishes) -> Self:
        """All that the inverter can be told."""
        least = np.minimum(stages.import_rate, stages.export_rate)
        may_be_dark = house.inverter.can_curtail and bool((least < 0).any())
        ordered = {_ordered(order) for order in stages.orders if order is not None}
        usual = {
            Choice(mode=mode, power_kw=power_kw, dark=dark)
            for mode, power_kw in _doable(house, wishes, _LATER_SHARES)
            for dark in (False, True)[: 1 + may_be_dark]
        }
        if can_be_told(house, PAUSE):
            usual.add(Choice(mode=PAUSE.mode, power_kw=PAUSE.power_kw))
        by_mode = sorted(usual | ordered, key=lambda each: (each.row, each.dark, str(each)))
        heads = {each.row: each for each in reversed(by_mode)}
        others = [each for each in by_mode if each != heads[each.row]]
        n_before = sum(each.power_kw is None for each in others)
        every = (*others[:n_before], *reversed(heads.values()), *others[n_before:])
        allowed = np.array([_is_allowed(each, wishes, stages, least) for each in every]).T
        allowed &= [each in usual for each in every]
        for stage, order in enumerate(stages.orders):
            if order is not None:
                allowed[stage] = [each == _ordered(order) for each in every]
        return cls(every=every, allowed=allowed, heads=slice(n_before, n_before + len(heads)))

    @property
    def n_following(self) -> int:
        """How many of them follow the load."""
        return sum(each.power_kw is None for each in self.every)

    @property
    def modes(self) -> list[int]:
        """Which of `MODES` the heads are."""
        return [each.row for each in self.every[self.heads]]

    @property
    def rows(self) -> list[int]:
        """Which of the heads has the mode of each choice."""
        return [self.modes.index(each.row) for each in self.every]


def part_powers(house: House, wishes: Wishes, import_rate: float) -> tuple[InverterCommand, ...]:
    """The forced modes at parts of full power, as far as wished, for the first slot."""
    return tuple(
        InverterCommand(mode=mode, power_kw=abs(power_kw))
        for mode, power_kw in _doable(house, wishes, _FIRST_SHARES)
        if power_kw is not None and not wishes.forbid(mode, import_rate)
    )


def levels(outlook: Outlook) -> tuple[Floats, Floats]:
    """Load by level and burst, and sun by level [kWh].

    Shape (n_levels, n_bursts, n_slots) and (n_levels, n_slots).
    """
    loads = np.stack([future.load_kwh for future in outlook.futures])
    usual, bursts = outlook.load_kwh, outlook.bursts_kwh
    if bursts is None:
        bursts = np.zeros((len(BURST_WEIGHTS), len(usual)))
    load_kwh = np.maximum(loads[:, None, :] + bursts, (1 - _MOST_DROP) * usual)
    return load_kwh, np.stack([future.solar_kwh for future in outlook.futures])


def _doable(
    house: House, wishes: Wishes, shares: Sequence[float]
) -> list[tuple[Mode, float | None]]:
    """Modes, the forced ones with some powers [kW], that the inverter knows and nobody forbids."""
    battery = house.battery
    forced = [(Mode.FORCE_CHARGE, battery.max_charge_kw)]
    if wishes.battery_may_export:
        forced.append((Mode.FORCE_DISCHARGE, -battery.max_discharge_kw))
    every: list[tuple[Mode, float | None]] = [(mode, None) for mode in Mode if not mode.is_forced]
    parts = shares if house.sets_powers else [share for share in shares if share == 1.0]
    every += [(mode, share * power_kw) for mode, power_kw in forced for share in parts]
    return [each for each in every if each[0] in house.modes | {Mode.SELF_USE}]


def _is_allowed(choice: Choice, wishes: Wishes, stages: Stages, least_rate: Floats) -> Bools:
    """In which stages something may be done, shape (n_stages,)."""
    if choice.power_kw == PAUSE.power_kw:
        return np.asarray(stages.solar_kwh.max(axis=1) <= MATCH_KWH)
    allowed = (least_rate < 0) | np.full(len(least_rate), not choice.dark)
    if wishes.forbid(choice.mode, float(stages.import_rate.max())):
        forbidden = [wishes.forbid(choice.mode, rate) for rate in stages.import_rate.tolist()]
        allowed &= ~np.array(forbidden)
    return np.asarray(allowed)


def _ordered(order: InverterCommand) -> Choice:
    if order.power_kw is None:
        return Choice(mode=order.mode)
    sign = -1.0 if order.mode is Mode.FORCE_DISCHARGE else 1.0
    return Choice(mode=order.mode, power_kw=sign * order.power_kw)
