"""Why each slot does what it does, in a householder's words, from the solution itself."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import UK

_SOME_KWH = 0.02
"""Less than this is not worth a word;"""
_SOME_KW = 0.04
"""nor is less than this in a slot, however short it is."""
_DUST_KWH = 1e-6
_NO_P = 0.05
"""Less than this a kWh is told as nothing."""
_NEAR = 0.6
"""Slots paying at least this share of the best one belong to the same use."""


def pence(amount: float) -> str:
    """An amount of pence as people say it: `7 p`, `0.4 p`."""
    digits = 0 if abs(amount) >= 9.95 or abs(amount - round(amount)) < 0.05 else 1  # noqa: PLR2004
    return f"{amount:.{digits}f} p"


def price(rate: float) -> str:
    """A price to pay, or to be paid, for a kWh: `at 8 p`, `while you are paid 2 p`."""
    return f"at {pence(rate)}" if rate >= 0 else f"while you are paid {pence(-rate)} a kWh"


class Story:
    """What a whole schedule is about, so that each slot's reason can refer to the others."""

    def __init__(
        self,
        outlook: Outlook,
        schedule: Schedule,
        zone: ZoneInfo = UK,
        *,
        counted: Outlook | None = None,
    ) -> None:
        """`counted` has the rates with what sessions of the supplier make of them (C26)."""
        self._outlook, counted = outlook, counted or outlook
        self._schedule = schedule
        moments = (*outlook.horizon.starts, outlook.horizon.end)
        self._local = [moment.astimezone(zone) for moment in moments]
        net, charge, soc = outlook.net_kwh, schedule.charge_kwh, schedule.soc_kwh
        some = _SOME_KW * outlook.horizon.hours
        sells = schedule.discharge_kwh > np.maximum(net, 0.0) + some
        gives = schedule.discharge_kwh > some
        buys = (
            (charge > some) & (schedule.grid_import_kwh > outlook.load_kwh + some)
            | ((charge > -net + some) & (net < 0))
            | ((charge > some) & (net >= 0))
        )
        is_empty = soc <= soc.min() + _SOME_KWH
        # Lists, since what follows looks at single slots, where an array is slow.
        self._some_kwh: list[float] = some.tolist()
        self._rates: list[float] = counted.import_rate.tolist()
        self._pays: list[float] = np.where(sells, counted.export_rate, counted.import_rate).tolist()
        """What a kWh from the battery brings in each slot [p/kWh]."""
        self._extra: list[float] = (counted.import_rate - outlook.import_rate).tolist()
        """What of it is a session's."""
        self._sells: list[bool] = sells.tolist()
        self._gives: list[bool] = gives.tolist()
        self._buying: list[int] = np.flatnonzero(buys).tolist()
        self._giving: list[int] = np.flatnonzero(gives).tolist()
        self._emptying: list[int] = np.flatnonzero(gives & is_empty[1:]).tolist()
        self._empty_at: list[int] = np.flatnonzero(is_empty).tolist()

    def reason(self, slot: int) -> str:
        """Why the slot does what it does: one or two sentences."""
        some_kwh = self._some_kwh[slot]
        if self._schedule.curtailed_kwh[slot] > max(
            some_kwh, 0.5 * float(self._outlook.solar_kwh[slot])
        ):
            return self._words_for_curtailing(slot)
        if slot in self._buying:
            return self._words_for_buying(slot)
        if self._schedule.discharge_kwh[slot] > _DUST_KWH:  # however little: it is not kept
            return self._words_for_giving(slot)
        if self._schedule.charge_kwh[slot] > some_kwh:
            return self._words_for_storing_sun(slot)
        if self._outlook.net_kwh[slot] < -some_kwh:
            return self._words_for_selling_sun(slot)
        return self._words_for_waiting(slot)

    def _words_for_curtailing(self, slot: int) -> str:
        bought, sold = self._outlook.import_rate[slot], self._outlook.export_rate[slot]
        if self._schedule.grid_import_kwh[slot] > self._some_kwh[slot]:
            paid = pence(-float(bought))
            return (
                f"Panels off: the grid pays {paid} for each kWh taken, more than the sun is worth."
            )
        if sold < 0:
            return f"Part of the sun is left unused: selling it would cost {pence(-float(sold))}."
        lost = float(self._schedule.curtailed_kwh[slot])
        return (
            f"More sun than the house, the battery and the meter can take: {lost:.1f} kWh are lost."
        )

    def _words_for_buying(self, slot: int) -> str:
        rate = float(self._outlook.import_rate[slot])
        return f"Charging from the grid {price(rate)}{self._purpose(slot)}."

    def _words_for_giving(self, slot: int) -> str:
        outlook = self._outlook
        rate = float((outlook.export_rate if self._sells[slot] else outlook.import_rate)[slot])
        if self._sells[slot]:
            sold = f"Selling from the battery at {pence(rate)}: {self._worth(slot)}."
            return sold + self._filled_again(slot)
        if rate < 0:
            return "The battery serves the house, to make room for cheaper energy soon."
        return (
            f"The battery serves the house instead of the grid at {pence(rate)}: "
            f"{self._worth(slot)}.{self._filled_again(slot)}"
        )

    def _words_for_storing_sun(self, slot: int) -> str:
        sold = pence(float(self._outlook.export_rate[slot]))
        return f"Storing the sun instead of selling it at {sold}{self._purpose(slot)}."

    def _words_for_selling_sun(self, slot: int) -> str:
        sold = pence(float(self._outlook.export_rate[slot]))
        if self._schedule.soc_kwh[slot + 1] >= self._schedule.soc_kwh.max() - _SOME_KWH:
            return f"The battery is as full as it should be; the sun is sold at {sold}."
        return f"Selling the sun at {sold}: {self._worth(slot)}.{self._filled_again(slot)}"

    def _words_for_waiting(self, slot: int) -> str:
        rate = float(self._outlook.import_rate[slot])
        if waiting := self._waiting_for(slot):
            return f"The house runs on the grid {price(rate)}.{waiting}"
        if use := self._use(slot):
            return f"Keeping the battery for {use}; the house runs on the grid {price(rate)}."
        return f"Nothing to gain: the house runs on the grid {price(rate)}."

    def _waiting_for(self, slot: int) -> str:
        """Why not to charge now."""
        later = self._cheaper(slot)
        if later is None:
            return ""
        now = price(float(self._outlook.import_rate[slot]))
        return f" Not charging {now}: at {self._when(later)} {self._at(later)}."

    def _filled_again(self, slot: int) -> str:
        """When what is given now comes back, and at what price."""
        later = self._cheaper(slot)
        if later is None:
            return ""
        return f" The battery is filled at {self._when(later)}, when {self._at(later)}."

    def _cheaper(self, slot: int) -> int | None:
        """A later slot that charges for less than now, before all is used up."""
        rates, now = self._rates, self._rates[slot]
        later = next((t for t in self._buying if t > slot and rates[t] < now), None)
        used_up = next((t for t in self._emptying if t > slot and self._pays[t] > now), None)
        return None if later is None or (used_up is not None and used_up < later) else later

    def _when(self, slot: int) -> str:
        return self._clock(slot) + self._day(slot)

    def _at(self, slot: int) -> str:
        rate = self._rates[slot]
        if self._extra[slot] < 0:
            return f"a free session makes it cost {pence(rate)}"
        return f"you are paid {pence(-rate)}" if rate < 0 else f"it costs {pence(rate)}"

    def _purpose(self, slot: int) -> str:
        use = self._use(slot)
        return f", for {use}" if use else ""

    def _use(self, slot: int) -> str:
        """What energy held at the end of this slot is for: `16:30-19:00 at 34 p`."""
        reach, pays = self._reach(slot), self._pays
        uses = [t for t in self._giving if t in reach]
        if not uses:
            return ""
        best = max(uses, key=lambda t: pays[t])
        least = _NEAR * pays[best]
        first = last = best
        while first > reach.start and self._gives[first - 1] and pays[first - 1] >= least:
            first -= 1
        while last + 1 < reach.stop and self._gives[last + 1] and pays[last + 1] >= least:
            last += 1
        span = f"{self._clock(first)}-{self._clock(last + 1)}"
        verb = "sold " if self._sells[best] else ""
        paid = " with a saving session" if self._extra[best] > 0 else ""
        return f"{span}{self._day(first)}, {verb}at {pence(pays[best])}{paid}"

    def _reach(self, slot: int) -> range:
        """The later slots that energy held now can last to: until the battery is next empty."""
        ends = next((t for t in self._empty_at if t > slot + 1), len(self._rates))
        return range(slot + 1, ends)

    def _worth(self, slot: int) -> str:
        value = float(self._schedule.energy_value_p_per_kwh[slot])
        if value < -_NO_P:
            return "stored energy is in the way of energy that you are paid to take"
        if value < _NO_P:
            return "kept, it would save nothing more"
        return f"later a stored kWh would save {pence(value)}"

    def _clock(self, slot: int) -> str:
        return f"{self._local[slot].hour:02}:{self._local[slot].minute:02}"

    def _day(self, slot: int) -> str:
        ahead = self._local[slot].date() - self._local[0].date()
        if ahead <= timedelta(0):
            return ""
        return " tomorrow" if ahead == timedelta(days=1) else f" on {self._local[slot]:%A}"
