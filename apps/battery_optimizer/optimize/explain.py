"""Why each slot does what it does, in a householder's words, from the solution itself."""

from datetime import timedelta

import numpy as np

from battery_optimizer.model.house import House
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.slots import UK
from battery_optimizer.model.wording import pence, pence_apart, pence_range, price, saved_later
from battery_optimizer.optimize.kept import kept_p
from battery_optimizer.optimize.reading import DUST_KWH
from battery_optimizer.optimize.uses import SOME_KWH, Giving, Use, purpose, uses

SOME_KW = 0.04
"""Less than this in a slot, however short it is, is not worth a word."""
_NO_P = 0.05
"""Less than this a kWh is told as nothing."""
_EVEN_P = 0.02
_SERVING = "The battery serves the house instead of the grid"
_ON_GRID = "The house runs on the grid"
_NO_CHANGE = "is not worth a change of mode"
_ABOUT_P, _ABOUT = 1.0, 0.1
"""Two prices so close, or this part of one, are about the same."""


class Story:
    """What a whole schedule is about, so that each slot's reason can refer to the others."""

    def __init__(
        self,
        house: House,
        outlook: Outlook,
        schedule: Schedule,
        first: InverterCommand,
        *,
        is_kept: bool = False,
        counted: Outlook | None = None,
    ) -> None:
        """`first` is the command of the first slot.

        `is_kept` says that it goes on though another would be cheaper, but for the change (C20);
        `counted` has the rates with what sessions of the supplier make of them (C26).
        """
        self._outlook, counted = outlook, counted or outlook
        self._schedule, self._battery = schedule, house.battery
        self._first, self._is_kept = first, is_kept
        moments = (*outlook.horizon.starts, outlook.horizon.end)
        self._local = [moment.astimezone(UK) for moment in moments]
        net, charge, soc = outlook.net_kwh, schedule.charge_kwh, schedule.soc_kwh
        some = SOME_KW * outlook.horizon.hours
        sells = schedule.discharge_kwh > np.maximum(net, 0.0) + some
        gives = schedule.discharge_kwh > some
        buys = (
            (charge > some) & (schedule.grid_import_kwh > outlook.load_kwh + some)
            | ((charge > -net + some) & (net < 0))
            | ((charge > some) & (net >= 0))
        )
        is_empty = soc <= soc.min() + SOME_KWH
        # Lists, since what follows looks at single slots, where an array is slow.
        self._some_kwh: list[float] = some.tolist()
        self._rates: list[float] = counted.import_rate.tolist()
        self._pays: list[float] = np.where(sells, counted.export_rate, counted.import_rate).tolist()
        """What a kWh from the battery brings in each slot [p/kWh]."""
        self._extra: list[float] = (counted.import_rate - outlook.import_rate).tolist()
        """What of it is a session's."""
        self._sells: list[bool] = sells.tolist()
        least = min(float(soc.min()), house.battery.reserve_kwh)
        self._held: list[float] = (soc[1:] - least).tolist()
        self._values = kept_p(house, counted, schedule)
        self._buying: list[int] = np.flatnonzero(buys).tolist()
        self._emptying: list[int] = np.flatnonzero(gives & is_empty[1:]).tolist()
        given = (schedule.discharge_kwh / house.battery.discharge_efficiency).tolist()
        self._uses = tuple(uses(self._giving(t, given[t]) for t in np.flatnonzero(gives).tolist()))

    def _giving(self, slot: int, kwh: float) -> Giving:
        return Giving(
            slot=slot,
            kwh=kwh,
            pays=self._pays[slot],
            sells=self._sells[slot],
            has_extra=self._extra[slot] > 0,
            empties=self._held[slot] <= SOME_KWH,
        )

    def reason(self, slot: int) -> str:
        """Why the slot does what it does: one or two sentences."""
        some_kwh = self._some_kwh[slot]
        if self._schedule.curtailed_kwh[slot] > max(
            some_kwh, 0.5 * float(self._outlook.solar_kwh[slot])
        ):
            return self._words_for_curtailing(slot)
        if slot in self._buying:
            return self._words_for_buying(slot)
        if self._schedule.discharge_kwh[slot] > DUST_KWH:  # however little: it is not kept
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
        lost_kwh = float(self._schedule.curtailed_kwh[slot])
        lost = f"{lost_kwh:.1f} kWh" if round(lost_kwh, 1) else f"{1000 * lost_kwh:.0f} Wh"
        if self._schedule.discharge_kwh[slot] > self._some_kwh[slot]:
            return f"The battery gives though {lost} of sun is lost: room in it is worth more."
        return f"More sun than the house, the battery and the meter can take: {lost} is lost."

    def _words_for_buying(self, slot: int) -> str:
        rate = float(self._outlook.import_rate[slot])
        if self._stays(slot, better=rate > self._stored_p(slot)):
            return f"Charging from the grid {price(rate)}: to end that {_NO_CHANGE}."
        if self._schedule.soc_kwh[slot] < self._battery.reserve_kwh - SOME_KWH:
            return f"Charging from the grid {price(rate)}, to fill the battery up to its reserve."
        return f"Charging from the grid {price(rate)}{self._purpose(slot)}."

    def _words_for_giving(self, slot: int) -> str:
        outlook, sells = self._outlook, self._sells[slot]
        rate = float((outlook.export_rate if sells else outlook.import_rate)[slot])
        if rate < 0 and not sells:
            return "The battery serves the house, to make room for cheaper energy soon."
        now, why = self._against_keeping(slot, rate)
        done = "Selling from the battery" if sells else _SERVING
        return f"{done} at {now}{why}.{self._filled_again(slot)}{self._spare_sun(slot)}"

    def _words_for_storing_sun(self, slot: int) -> str:
        rate = float(self._outlook.export_rate[slot])
        if self._stays(slot, better=rate > self._stored_p(slot)):
            return f"Storing the sun: to sell it at {pence(rate)} {_NO_CHANGE}."
        stored = f"Storing the sun instead of selling it at {pence(rate)}{self._purpose(slot)}."
        return stored + self._further_need(slot)

    def _words_for_selling_sun(self, slot: int) -> str:
        rate = float(self._outlook.export_rate[slot])
        if self._schedule.soc_kwh[slot + 1] >= self._battery.ceiling_kwh - SOME_KWH:
            return f"The battery is full; the sun is sold at {pence(rate)}."
        now, why = self._against(slot, rate, self._stored_p(slot), "store")
        return f"Selling the sun at {now}{why}.{self._filled_again(slot)}"

    def _words_for_waiting(self, slot: int) -> str:
        outlook, some_kwh = self._outlook, self._some_kwh[slot]
        rate, use = float(outlook.import_rate[slot]), self._use(slot, self._given_p(slot))
        has_sun = outlook.solar_kwh[slot] > max(some_kwh, float(outlook.load_kwh[slot]) / 2)
        if has_sun and self._schedule.grid_import_kwh[slot] <= some_kwh:
            return "The sun covers the house" + (f"; the battery is kept {use}." if use else ".")
        if self._stays(slot, better=bool(use) and rate > self._given_p(slot)):
            return f"{_ON_GRID} {price(rate)}: to serve it from the battery {_NO_CHANGE}."
        if self._held[slot] <= SOME_KWH:
            why, then_is = "The battery is at its reserve", ", and"
        else:
            why, then_is = f"Keeping the battery {use}" if use else "Nothing to gain", "; it is"
        if (later := self._cheaper(slot)) is None:
            return f"{why}. {_ON_GRID} {price(rate)}."
        now, then = pence_apart(rate, self._rates[later])
        charged = f"charged at {self._when(later, slot)}, when {self._at(later, then)}"
        return f"{why}{then_is} {charged}. {_ON_GRID} {price(rate, now)}."

    def _spare_sun(self, slot: int) -> str:
        """Why Feed in, where the battery serves the house, as it would in Self Use."""
        outlook = self._outlook
        is_meant = slot == 0 and self._first.mode is Mode.FEED_IN
        if not is_meant or outlook.solar_kwh[slot] <= self._some_kwh[slot]:
            return ""
        sold, stored = float(outlook.export_rate[slot]), self._stored_p(slot)
        if sold < stored:
            return f" Self Use, which would do the same, {_NO_CHANGE}." if self._is_kept else ""
        now, then = pence_apart(sold, stored)
        return f" Sun to spare would be sold at {now}: {saved_later('stored, it', then)}."

    def _further_need(self, slot: int) -> str:
        """Why Hold, where the sun is stored, as it would be in Self Use."""
        if slot or self._first.mode is not Mode.HOLD:
            return ""
        rate, kept = float(self._outlook.import_rate[slot]), self._given_p(slot)
        if kept < rate:
            return f" Self Use, which would do the same, {_NO_CHANGE}." if self._is_kept else ""
        now, then = pence_apart(rate, kept)
        return (
            f" What the house needs beyond the sun comes from the grid at {now}: kept in the "
            f"{saved_later('battery, a kWh', then)} later."
        )

    def _filled_again(self, slot: int) -> str:
        """When what is given now comes back, and at what price."""
        later = self._cheaper(slot)
        if later is None:
            return ""
        told = pence(abs(self._rates[later]))
        when = self._when(later, slot)
        return f" The battery is charged again at {when}, when {self._at(later, told)}."

    def _cheaper(self, slot: int) -> int | None:
        """A later slot that charges for less than now, before all is used up."""
        rates, now = self._rates, self._rates[slot]
        later = next((t for t in self._buying if t > slot and rates[t] < now), None)
        used_up = next((t for t in self._emptying if t > slot and self._pays[t] > now), None)
        return None if later is None or (used_up is not None and used_up < later) else later

    def _when(self, slot: int, seen_from: int) -> str:
        return self._clock(slot) + self._day(slot, seen_from)

    def _at(self, slot: int, told: str) -> str:
        if self._extra[slot] < 0:
            return f"a free session makes a kWh cost {told}"
        return (
            f"you are paid {told.removeprefix('-')}"
            if self._rates[slot] < 0
            else f"a kWh costs {told}"
        )

    def _purpose(self, slot: int) -> str:
        use = self._use(slot, self._stored_p(slot))
        return f", {use}" if use else ""

    def _use(self, slot: int, later_p: float) -> str:
        """What energy held at the end of this slot is for: `for 16:30-19:00, to sell at 9-14 p`.

        `later_p` is what a kWh of it saves after the end of the plan.
        """
        found = purpose(self._held[slot], self._uses, slot)
        if found.is_left:
            end = self._when(len(self._rates), slot)
            return f"for after {end}, when a kWh saves {pence(later_p)}"
        if not found.uses:
            return ""
        words = ", and for ".join(self._words_for_use(use, slot) for use in found.uses)
        return f"for {words}" if found.are_all else f"mostly for {words}"

    def _words_for_use(self, use: Use, slot: int) -> str:
        span = f"{self._clock(use.first)}-{self._clock(use.last + 1)}"
        paid = " with a saving session" if use.has_extra else ""
        served, sold = use.pays(sold=False), use.pays(sold=True)
        prices = f"when a kWh saves {pence_range(*served)}" if served else ""
        if sold:
            prices += f"{', the rest ' if served else ''}to sell at {pence_range(*sold)}"
        return f"{span}{self._day(use.first, slot)}, {prices}{paid}"

    def _given_p(self, slot: int) -> float:
        """What a kWh from the battery would save later, if it were kept [p]."""
        given = self._values[slot] / self._battery.discharge_efficiency
        return given + self._battery.wear_p_per_kwh

    def _stored_p(self, slot: int) -> float:
        """What a kWh put into the battery saves later [p]."""
        return self._values[slot] * self._battery.charge_efficiency

    def _stays(self, slot: int, *, better: bool) -> bool:
        """Whether only the change of mode speaks against what would be better."""
        return slot == 0 and self._is_kept and better

    def _against_keeping(self, slot: int, rate: float) -> tuple[str, str]:
        value = self._values[slot]
        if value < -_NO_P:
            why = ": stored energy is in the way of energy that you are paid to take"
            return pence(rate), why
        if value < _NO_P:
            return pence(rate), ": kept, it would save nothing more"
        return self._against(slot, rate, self._given_p(slot), "keep")

    def _against(self, slot: int, rate: float, later_p: float, verb: str) -> tuple[str, str]:
        """The price that a kWh has now, and what can be said of its price later."""
        counted_p = rate + max(self._extra[slot], 0.0)
        now, then = pence_apart(rate, later_p)
        if abs(later_p - counted_p) <= _EVEN_P:
            return pence(rate), ", as much as it would save later"
        if later_p < counted_p:
            what = "stored, it" if verb == "store" else "kept, a kWh"
            return now, f": {saved_later(what, then)} later"
        if self._stays(slot, better=True):
            return pence(rate), f": to {verb} it {_NO_CHANGE}"
        if later_p <= counted_p + max(_ABOUT_P, _ABOUT * counted_p):
            return pence(rate), ", about as much as it would save later"
        if slot == 0:
            return pence(rate), ": as use and sun may turn out, this pays best on average"
        return pence(rate), ""

    def _clock(self, slot: int) -> str:
        return f"{self._local[slot].hour:02}:{self._local[slot].minute:02}"

    def _day(self, slot: int, seen_from: int) -> str:
        """On which day, if not on that of the slot whose reason it is: `tomorrow` is said today."""
        day, seen, today = (self._local[each].date() for each in (slot, seen_from, 0))
        if day <= seen:
            return ""
        return " tomorrow" if day - today == timedelta(days=1) else f" on {self._local[slot]:%A}"
