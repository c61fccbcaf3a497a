from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from battery_optimizer.model.flows import Flows, flows
from battery_optimizer.model.house import House
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from builders import a_battery, a_house

NEAR = 1e-9

HOLD = InverterCommand(mode=Mode.HOLD)
FEED_IN = InverterCommand(mode=Mode.FEED_IN)


def charge_at(power_kw: float) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=power_kw)


def discharge_at(power_kw: float) -> InverterCommand:
    return InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=power_kw)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A step to be lived through."""

    house: House
    command: InverterCommand
    soc_kwh: float
    load_kwh: float
    solar_kwh: float
    hours: float

    def flows(self) -> Flows:
        return flows(
            self.house,
            self.command,
            soc_kwh=self.soc_kwh,
            load_kwh=self.load_kwh,
            solar_kwh=self.solar_kwh,
            hours=self.hours,
        )


def half_hour(
    command: InverterCommand,
    *,
    load_kwh: float = 0.0,
    solar_kwh: float = 0.0,
    soc_kwh: float = 5.0,
    house: House | None = None,
) -> Flows:
    return Moment(
        house=house or a_house(),
        command=command,
        soc_kwh=soc_kwh,
        load_kwh=load_kwh,
        solar_kwh=solar_kwh,
        hours=0.5,
    ).flows()


powers = st.floats(0, 12)
fractions = st.floats(0, 1)
limits = st.one_of(st.just(1000.0), st.floats(0.5, 8))


@st.composite
def houses(draw: st.DrawFn, *, limited: bool = True) -> House:
    capacity_kwh = draw(st.floats(0.5, 20))
    reserve_kwh = draw(fractions) * capacity_kwh
    tapers = draw(st.booleans())
    battery = a_battery(
        capacity_kwh=capacity_kwh,
        reserve_kwh=reserve_kwh,
        maximum_kwh=reserve_kwh + draw(fractions) * (capacity_kwh - reserve_kwh),
        max_charge_kw=draw(st.floats(0, 8)),
        max_discharge_kw=draw(st.floats(0, 8)),
        charge_efficiency=draw(st.floats(0.7, 1)),
        discharge_efficiency=draw(st.floats(0.7, 1)),
        charge_taper=((0.8, 1.0), (1.0, 0.2)) if limited and tapers else (),
        discharge_taper=((0.1, 0.4), (0.3, 1.0)) if limited and tapers else (),
    )
    return a_house(
        battery,
        ac_limit_kw=draw(limits) if limited else 1000.0,
        export_limit_kw=draw(limits),
    )


@st.composite
def moments(draw: st.DrawFn, *, limited: bool = True) -> Moment:
    house = draw(houses(limited=limited))
    capacity_kwh = house.battery.capacity_kwh
    mode = draw(st.sampled_from(Mode))
    maybe_soc = st.one_of(st.none(), fractions.map(lambda share: share * capacity_kwh))
    command = InverterCommand(
        mode=mode,
        power_kw=draw(st.floats(0, 9)) if mode.is_forced else None,
        floor_kwh=draw(maybe_soc),
        ceiling_kwh=draw(maybe_soc),
        curtail=draw(st.booleans()),
    )
    hours = draw(st.sampled_from([0.5, 5 / 60, 1 / 3600]))
    return Moment(
        house=house,
        command=command,
        soc_kwh=draw(fractions) * capacity_kwh,
        load_kwh=draw(powers) * hours,
        solar_kwh=draw(powers) * hours,
        hours=hours,
    )


def restated(moment: Moment, solar_kwh: float) -> tuple[float, float]:
    """Charge and discharge in other words, as an independent judge would have them."""
    battery, command = moment.house.battery, moment.command
    lowest = max(battery.reserve_kwh, 0.0 if command.floor_kwh is None else command.floor_kwh)
    highest = battery.maximum_kwh or 0.0
    if command.ceiling_kwh is not None:
        highest = min(highest, command.ceiling_kwh)
    can_take = max(0.0, highest - moment.soc_kwh) / battery.charge_efficiency
    can_give = max(0.0, moment.soc_kwh - lowest) * battery.discharge_efficiency
    can_take = min(can_take, battery.max_charge_kw * moment.hours)
    can_give = min(can_give, battery.max_discharge_kw * moment.hours)
    missing, surplus = moment.load_kwh - solar_kwh, solar_kwh - moment.load_kwh
    asked = (command.power_kw or 0.0) * moment.hours
    wanted_by_mode = {
        Mode.SELF_USE: (surplus, missing),
        Mode.HOLD: (surplus, 0.0),
        Mode.FEED_IN: (0.0, missing),
        Mode.FORCE_CHARGE: (asked, 0.0),
        Mode.FORCE_DISCHARGE: (0.0, asked),
    }
    take, give = wanted_by_mode[command.mode]
    return min(max(take, 0.0), can_take), min(max(give, 0.0), can_give)


@given(moments(limited=False))
def test_every_mode_does_what_an_independent_statement_of_it_does(moment: Moment) -> None:
    given_flows = moment.flows()
    charge, discharge = restated(moment, given_flows.solar_kwh)
    limit = moment.house.grid.export_limit_kw * moment.hours
    assert given_flows.charge_kwh == pytest.approx(charge, abs=NEAR)
    if moment.command.mode is Mode.FORCE_DISCHARGE:
        # More than the meter may pass is not given at all.
        discharge = min(discharge, moment.load_kwh + limit)
    assert given_flows.discharge_kwh == pytest.approx(discharge, abs=NEAR)
    at_meter = moment.load_kwh - given_flows.solar_kwh + charge - discharge
    assert given_flows.grid_import_kwh == pytest.approx(max(at_meter, 0), abs=NEAR)
    assert given_flows.grid_export_kwh == pytest.approx(min(max(-at_meter, 0), limit), abs=NEAR)


@given(moments())
def test_every_kwh_goes_somewhere(moment: Moment) -> None:
    given_flows = moment.flows()
    came = given_flows.solar_kwh + given_flows.discharge_kwh + given_flows.grid_import_kwh
    went = moment.load_kwh + given_flows.charge_kwh + given_flows.grid_export_kwh
    assert came == pytest.approx(went, abs=NEAR)
    assert given_flows.solar_kwh + given_flows.lost_kwh == pytest.approx(moment.solar_kwh, abs=NEAR)


@given(moments())
def test_no_flow_is_negative_and_none_has_two_directions(moment: Moment) -> None:
    given_flows = moment.flows()
    for name in ("charge", "discharge", "grid_import", "grid_export", "solar", "lost"):
        assert getattr(given_flows, f"{name}_kwh") >= -NEAR, name
    assert min(given_flows.charge_kwh, given_flows.discharge_kwh) <= NEAR
    assert min(given_flows.grid_import_kwh, given_flows.grid_export_kwh) <= NEAR


@given(moments())
def test_limits_of_power_are_kept(moment: Moment) -> None:
    given_flows, house = moment.flows(), moment.house
    battery, hours = house.battery, moment.hours
    assert given_flows.charge_kwh <= battery.max_charge_kw * hours + NEAR
    assert given_flows.discharge_kwh <= battery.max_discharge_kw * hours + NEAR
    assert given_flows.grid_export_kwh <= house.grid.export_limit_kw * hours + NEAR
    passed = given_flows.solar_kwh + given_flows.discharge_kwh - given_flows.charge_kwh
    assert passed <= house.inverter.ac_limit_kw * hours + NEAR


@given(moments())
def test_a_taper_is_kept_at_the_middle_of_the_step(moment: Moment) -> None:
    given_flows, battery = moment.flows(), moment.house.battery
    after_kwh = battery.soc_after(moment.soc_kwh, given_flows.charge_kwh, given_flows.discharge_kwh)
    middle_kwh = (moment.soc_kwh + after_kwh) / 2
    for line in battery.charge_lines() if given_flows.charge_kwh > NEAR else ():
        most_kw = line.at_empty_kw + line.slope_per_hour * middle_kwh
        assert given_flows.charge_kwh <= most_kw * moment.hours + NEAR
    for line in battery.discharge_lines() if given_flows.discharge_kwh > NEAR else ():
        most_kw = line.at_empty_kw + line.slope_per_hour * middle_kwh
        assert given_flows.discharge_kwh <= most_kw * moment.hours + NEAR


@given(moments())
def test_floor_and_ceiling_are_never_crossed(moment: Moment) -> None:
    given_flows, battery, command = moment.flows(), moment.house.battery, moment.command
    after_kwh = battery.soc_after(moment.soc_kwh, given_flows.charge_kwh, given_flows.discharge_kwh)
    floor_kwh = max(battery.reserve_kwh, command.floor_kwh or 0.0)
    ceiling_kwh = battery.ceiling_kwh
    if command.ceiling_kwh is not None:
        ceiling_kwh = min(ceiling_kwh, command.ceiling_kwh)
    assert after_kwh >= min(floor_kwh, moment.soc_kwh) - NEAR
    assert after_kwh <= max(ceiling_kwh, moment.soc_kwh) + NEAR


@given(moments())
def test_the_sun_is_lost_only_where_nothing_could_take_it(moment: Moment) -> None:
    given_flows, house = moment.flows(), moment.house
    if moment.command.curtail or given_flows.lost_kwh <= NEAR:
        return
    passed = given_flows.solar_kwh + given_flows.discharge_kwh - given_flows.charge_kwh
    at_rating = passed >= house.inverter.ac_limit_kw * moment.hours - NEAR
    at_export_limit = (
        given_flows.grid_export_kwh >= house.grid.export_limit_kw * moment.hours - NEAR
    )
    assert at_rating or at_export_limit


def test_self_use_serves_the_load_from_the_battery() -> None:
    assert half_hour(SELF_USE, load_kwh=1).discharge_kwh == 1


def test_self_use_stores_the_sun_that_is_left() -> None:
    given_flows = half_hour(SELF_USE, load_kwh=0.5, solar_kwh=2)
    assert (given_flows.charge_kwh, given_flows.grid_export_kwh) == (1.5, 0)


def test_hold_buys_what_the_sun_does_not_give() -> None:
    given_flows = half_hour(HOLD, load_kwh=1, solar_kwh=0.4)
    assert (given_flows.discharge_kwh, given_flows.grid_import_kwh) == (0, 0.6)


def test_feed_in_sells_the_sun_that_is_left() -> None:
    given_flows = half_hour(FEED_IN, load_kwh=0.5, solar_kwh=2)
    assert (given_flows.charge_kwh, given_flows.grid_export_kwh) == (0, 1.5)


def test_feed_in_still_serves_the_load() -> None:
    assert half_hour(FEED_IN, load_kwh=1).discharge_kwh == 1


def test_force_charge_takes_the_sun_first_then_the_grid() -> None:
    given_flows = half_hour(charge_at(4), load_kwh=0.2, solar_kwh=1.2)
    assert given_flows.charge_kwh == 2
    assert given_flows.grid_import_kwh == pytest.approx(1)


def test_force_discharge_sells_what_the_house_does_not_need() -> None:
    given_flows = half_hour(discharge_at(4), load_kwh=0.5)
    assert (given_flows.discharge_kwh, given_flows.grid_export_kwh) == (2, 1.5)


def test_a_floor_keeps_energy_back() -> None:
    given_flows = half_hour(replace(SELF_USE, floor_kwh=4.4), load_kwh=1)
    assert given_flows.discharge_kwh == pytest.approx(0.6)
    assert given_flows.grid_import_kwh == pytest.approx(0.4)


def test_a_ceiling_leaves_room_even_at_nothing() -> None:
    assert half_hour(replace(charge_at(4), ceiling_kwh=0.0)).charge_kwh == 0


def test_curtailing_turns_the_sun_off() -> None:
    given_flows = half_hour(replace(HOLD, curtail=True), load_kwh=1, solar_kwh=2)
    assert (given_flows.solar_kwh, given_flows.lost_kwh, given_flows.grid_import_kwh) == (0, 2, 1)


def test_at_the_export_limit_the_sun_is_turned_down_before_the_battery() -> None:
    house = a_house(export_limit_kw=3)
    given_flows = half_hour(discharge_at(4), solar_kwh=1, house=house)
    assert (given_flows.grid_export_kwh, given_flows.discharge_kwh) == (1.5, 1.5)
    assert given_flows.lost_kwh == 1


def test_following_the_load_the_sun_has_the_rating_before_the_battery() -> None:
    """Else stored energy would be spent while as much sun is thrown away."""
    house = a_house(ac_limit_kw=4)
    given_flows = half_hour(SELF_USE, load_kwh=2.5, solar_kwh=1.5, house=house)
    assert (given_flows.solar_kwh, given_flows.discharge_kwh) == (1.5, 0.5)
    assert given_flows.grid_import_kwh == 0.5


def test_sun_above_the_rating_can_still_charge() -> None:
    house = a_house(ac_limit_kw=2)
    given_flows = half_hour(SELF_USE, solar_kwh=3, house=house)
    assert (given_flows.charge_kwh, given_flows.grid_export_kwh, given_flows.lost_kwh) == (2, 1, 0)


def test_no_energy_is_a_plain_zero() -> None:
    """-0.0 would be shown as such."""
    assert str(half_hour(SELF_USE, load_kwh=1).grid_export_kwh) == "0.0"


@pytest.mark.parametrize(
    ("mode", "power_kw", "words"),
    [
        (Mode.FORCE_CHARGE, None, "force_charge with power None"),
        (Mode.SELF_USE, 2.0, "self_use with power 2.0"),
        (Mode.FORCE_DISCHARGE, -1.0, "power must not be negative, as -1.0 is"),
    ],
)
def test_a_command_that_cannot_be_meant_is_refused(
    mode: Mode, power_kw: float | None, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        InverterCommand(mode=mode, power_kw=power_kw)
