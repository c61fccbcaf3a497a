"""The split of loss: a day's distance from the best possible in hindsight, cause by cause.

The measure. Let J(s) be the least that everything from the day's end on costs with s kWh stored,
by what is known of it since. A day that cost c and ended with s cost c + J(s); the best possible is
the optimum from the day's start over the same time. So energy left over counts as what it was
really worth, and the distance is what this day's decisions lost, never less than 0 but for
rounding. The end of that time is the horizon of the day's last plan, with that plan's own value of
stored energy there. Costs are the bill, and wear where it has a price.

The parts. The day is lived through again in closed loop from the same stored energy, by the same
planner, dispatch and physics, with more and more made certain:

* execution (inverter): what happened, less the loop with the forecasts as they were used;
* load, solar, rates: what making each certain saves. What one saves depends on what is certain
  already, so each part is the mean over two orders, load-solar-rates and rates-solar-load;
* execution (mode): the loop with all certain, less the same with the plan's energies followed to
  the letter, which no inverter of modes can do;
* optimizer: the rest: a horizon that ends, the value it puts on energy at its end, its gap.

They add up to the distance exactly. A part may be negative: an error may be lucky, and so may two
errors that cancel out.
"""

from collections.abc import Generator, Mapping
from datetime import datetime
from typing import Final

import numpy as np

from battery_optimizer.control.dispatch import dispatch, same
from battery_optimizer.errors import PlanningError
from battery_optimizer.hindsight.lived import Actual, Input, Known, LivedDay, Moment
from battery_optimizer.model.flows import Flows, flows, stored_after
from battery_optimizer.model.house import House
from battery_optimizer.model.loss import Split
from battery_optimizer.model.modes import InverterCommand
from battery_optimizer.model.outlook import Outlook
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.tariff import bill
from battery_optimizer.optimize.planner import Planner

ORDERS: Final = (
    (Input.LOAD, Input.SOLAR, Input.RATES),
    (Input.RATES, Input.SOLAR, Input.LOAD),
)
"""In which the inputs are made certain; parts are means over them."""

ALL: Final = frozenset(Input)


class Hindsight:
    """Splits days of one house; keeps compiled programs from day to day, nothing else."""

    def __init__(self, house: House, settings: PlannerSettings) -> None:
        self.house = house
        self._planner = Planner(settings)
        self._judge = Planner(settings)

    def split(self, day: LivedDay) -> Split:
        """The day's money in parts [p]. PlanningError where its best could not be proven."""
        work = self.splitting(day)
        while True:
            try:
                next(work)
            except StopIteration as end:
                split: Split = end.value
                return split

    def splitting(self, day: LivedDay) -> Generator[None, None, Split]:
        """The same a plan at a time, some three hundred, for whoever has other things to do."""
        loops: dict[Known, float] = {}
        happened_p = self._with_wear(day.bill_p, day.discharged_kwh)
        happened_p += self._cost_to_come(day, day.end_soc_kwh)
        if day.is_played:
            loops[frozenset()] = happened_p
        for order in ORDERS:
            for n_known in range(len(order) + 1):
                known = frozenset(order[:n_known])
                if known not in loops:
                    loops[known] = yield from self._replay(day, known)
        to_the_letter_p = yield from self._follow_to_the_letter(day)
        best_p = self._least_cost(day.in_hindsight(day.start), day.start_soc_kwh)
        saved = _saved(loops)
        return Split(
            start=day.start,
            bill_p=day.bill_p,
            load_p=saved[Input.LOAD],
            solar_p=saved[Input.SOLAR],
            rates_p=saved[Input.RATES],
            inverter_p=happened_p - loops[frozenset()],
            mode_p=loops[ALL] - to_the_letter_p,
            optimizer_p=to_the_letter_p - best_p,
        )

    def _replay(self, day: LivedDay, known: Known) -> Generator[None, None, float]:
        """Cost of the day and what comes [p], lived through again with so much known."""
        soc_kwh, in_force = day.start_soc_kwh, day.before
        meter = _Meter(day.actual)
        for moment in day.moments:
            yield
            wanted = self._wanted(day, moment, known, soc_kwh, in_force)
            if not same(wanted, in_force):
                in_force = wanted
            given = flows(
                self.house,
                in_force,
                soc_kwh=soc_kwh,
                load_kwh=day.actual.load_kw.at(moment.at) * moment.hours,
                solar_kwh=day.actual.solar_kw.at(moment.at) * moment.hours,
                hours=moment.hours,
            )
            meter.add(moment.at, given)
            soc_kwh = stored_after(self.house.battery, soc_kwh, given, moment.hours)
        cost_p = self._with_wear(meter.bill_p, meter.discharged_kwh)
        return cost_p + self._cost_to_come(day, soc_kwh)

    def _wanted(
        self,
        day: LivedDay,
        moment: Moment,
        known: Known,
        soc_kwh: float,
        in_force: InverterCommand,
    ) -> InverterCommand:
        if moment.outlook is None:
            return moment.command
        outlook = day.actual.in_place_of(moment.outlook, known)
        try:
            planned = self._planner.command(self.house, outlook, soc_kwh, in_force=in_force)
        except PlanningError:
            return moment.command
        return dispatch(planned, house=self.house, soc_kwh=soc_kwh)

    def _follow_to_the_letter(self, day: LivedDay) -> Generator[None, None, float]:
        """Cost with all known and the battery doing just the energies of each plan [p]."""
        soc_kwh = day.start_soc_kwh
        meter = _Meter(day.actual)
        for moment in day.moments:
            yield
            if moment.outlook is None:
                outlook = day.in_hindsight(moment.at)
            else:
                outlook = day.actual.in_place_of(moment.outlook, ALL)
            schedule = self._planner.optimum(self.house, outlook, soc_kwh).schedule
            share = moment.hours / float(outlook.horizon.hours[0])
            given = Flows(
                charge_kwh=share * float(schedule.charge_kwh[0]),
                discharge_kwh=share * float(schedule.discharge_kwh[0]),
                grid_import_kwh=share * float(schedule.grid_import_kwh[0]),
                grid_export_kwh=share * float(schedule.grid_export_kwh[0]),
                solar_kwh=share * float(outlook.solar_kwh[0] - schedule.curtailed_kwh[0]),
                lost_kwh=share * float(schedule.curtailed_kwh[0]),
            )
            meter.add(moment.at, given)
            soc_kwh = stored_after(self.house.battery, soc_kwh, given, moment.hours)
        cost_p = self._with_wear(meter.bill_p, meter.discharged_kwh)
        return cost_p + self._cost_to_come(day, soc_kwh)

    def _cost_to_come(self, day: LivedDay, soc_kwh: float) -> float:
        """J: the least that all after the day costs with this much stored at its end [p]."""
        return self._least_cost(day.in_hindsight(day.end), max(0.0, soc_kwh))

    def _least_cost(self, outlook: Outlook, soc_kwh: float) -> float:
        schedule = self._judge.optimum(self.house, outlook, soc_kwh).schedule
        cost_p = self._with_wear(schedule.cost_p, float(schedule.discharge_kwh.sum()))
        return cost_p - outlook.terminal_value.of(float(schedule.soc_kwh[-1]))

    def _with_wear(self, bill_p: float, discharged_kwh: float) -> float:
        return bill_p + self.house.battery.wear_p_per_kwh * discharged_kwh


class _Meter:
    """Adds up a day's bill [p] and what the battery gave [kWh]."""

    def __init__(self, actual: Actual) -> None:
        self._actual = actual
        self.bill_p = 0.0
        self.discharged_kwh = 0.0

    def add(self, at: datetime, given: Flows) -> None:
        bought, sold = self._actual.imports.at(at), self._actual.exports.at(at)
        imported, exported = np.array([given.grid_import_kwh]), np.array([given.grid_export_kwh])
        self.bill_p += float(bill(np.array([bought]), np.array([sold]), imported, exported))
        self.discharged_kwh += given.discharge_kwh


def _saved(loops: Mapping[Known, float]) -> Mapping[Input, float]:
    """What making each input certain saves [p]: the mean over the orders."""
    saved = dict.fromkeys(Input, 0.0)
    for order in ORDERS:
        for n_known, each in enumerate(order):
            before, after = frozenset(order[:n_known]), frozenset(order[: n_known + 1])
            saved[each] += (loops[before] - loops[after]) / len(ORDERS)
    return saved
