"""C28: what commands cost on average, against sums by hand, the program, and a house's flows."""

from dataclasses import replace

import numpy as np
import pytest

from battery_optimizer.model.flows import flows
from battery_optimizer.model.house import Abilities, House
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.outlook import BURST_WEIGHTS, Future, Outlook
from battery_optimizer.model.slots import SLOT
from battery_optimizer.model.wishes import NO_WISHES, Override, Target, Wishes
from battery_optimizer.optimize.inputs import program_inputs
from battery_optimizer.optimize.mapping import can_be_told
from battery_optimizer.optimize.stages import levels, part_powers
from battery_optimizer.optimize.worth import Worth
from builders import MIDNIGHT, a_battery, a_house, a_planner, an_outlook

GRID_P = 0.2
"""How far off a cost is for being known at some stored energies only [p]."""

HOLD = InverterCommand(mode=Mode.HOLD)
FEED_IN = InverterCommand(mode=Mode.FEED_IN)
RNG = np.random.default_rng(3)
BURSTS = np.array([-1.0, -0.3, 1.0, 3.4])
"""Mostly less than the mean, now and then far more; nothing on average."""


def force(power_kw: float) -> InverterCommand:
    mode = Mode.FORCE_CHARGE if power_kw > 0 else Mode.FORCE_DISCHARGE
    return InverterCommand(mode=mode, power_kw=abs(power_kw))


def in_doubt(outlook: Outlook, load: float = 0.0, sun: float = 0.0) -> Outlook:
    """The outlook with futures of so much more load, or less sun, and the other way round.

    Single slots' loads depart by three times as much, and more.
    """
    return replace(
        outlook,
        bursts_kwh=np.outer(BURSTS, 3 * load * outlook.load_kwh) if load else None,
        futures=tuple(
            Future(
                weight=weight,
                load_kwh=outlook.load_kwh * (1 + sign * load),
                solar_kwh=outlook.solar_kwh * (1 - sign * sun),
            )
            for weight, sign in ((0.3, 1), (0.4, 0), (0.3, -1))
        ),
    )


def costs(
    outlook: Outlook,
    soc_kwh: float,
    *commands: InverterCommand,
    house: House | None = None,
    wishes: Wishes = NO_WISHES,
    switching_price_p: float = 0.0,
) -> list[float]:
    house = house or a_house()
    inputs = program_inputs(house, outlook, soc_kwh, wishes)
    worth = Worth(house, outlook, inputs, switching_price_p, wishes)
    return [worth.expected_cost_p(each, soc_kwh) for each in commands]


class TestLevels:
    OUTLOOK = in_doubt(an_outlook([10, 10], 0, [1, 0.2], 0.5), load=0.1, sun=0.4)

    def test_each_future_is_a_level_with_its_sun(self) -> None:
        _, solar = levels(self.OUTLOOK)
        assert solar[:, 0] == pytest.approx([0.3, 0.5, 0.7])

    def test_bursts_widen_the_load_and_leave_its_mean(self) -> None:
        load, _ = levels(self.OUTLOOK)
        means = BURST_WEIGHTS @ load[:, :, 0].T
        assert means == pytest.approx([1.1, 1, 0.9])
        assert load[1, :, 0] == pytest.approx([1 - 0.3, 1 - 0.09, 1 + 0.3, 1 + 1.02])

    def test_no_burst_takes_all_of_the_load_away(self) -> None:
        load, _ = levels(in_doubt(an_outlook([10, 10], 0, 1), load=0.9))
        assert load.min() >= 0
        assert load[1].min() > 0

    def test_a_load_that_is_known_has_none(self) -> None:
        load, _ = levels(in_doubt(an_outlook([10, 10], 0, 1, 1), sun=0.5))
        assert load == pytest.approx(np.ones((3, 4, 2)))


def test_with_next_to_nothing_in_doubt_it_finds_what_the_program_finds() -> None:
    hours = np.arange(48)
    world = an_outlook(
        20 + 10 * np.sin(hours / 7) + RNG.normal(0, 2, 48),
        10 + 4 * np.sin(hours / 7),
        RNG.uniform(0.1, 0.6, 48),
        np.maximum(0, 1.2 * np.sin((hours - 14) / 20 * np.pi)),
        end_value=12,
    )
    house = a_house(a_battery(efficiency=0.95))
    best = a_planner().optimum(house, world, 5).schedule
    commands = (SELF_USE, HOLD, FEED_IN, force(4), force(-4), *part_powers(house, NO_WISHES, 20))
    found = min(costs(in_doubt(world, sun=1e-6), 5, *commands, house=house))
    assert found == pytest.approx(best.objective_p, abs=4)
    assert found > best.objective_p - 0.1


@pytest.mark.parametrize("seed", range(12))
def test_a_later_slot_costs_what_flows_through_the_house_say(seed: int) -> None:
    """Two slots: in the first nothing moves, in the second the best mode is found by trying."""
    rng = np.random.default_rng(seed)
    house = a_house(
        a_battery(efficiency=0.9, wear_p_per_kwh=0.7, charge_taper=((0.5, 1.0), (1.0, 0.2))),
        ac_limit_kw=rng.choice([2.0, 1000.0]),
        export_limit_kw=rng.choice([1.5, 1000.0]),
    )
    world = an_outlook(
        [10, rng.uniform(2, 40)], [0, rng.uniform(2, 40)], 0.8, [0, rng.uniform(0, 3)]
    )
    world = in_doubt(world, load=0.15, sun=0.5)
    soc_kwh = 10 * int(rng.integers(0, 40)) / 39  # where costs are known exactly
    load, solar = levels(world)
    stays = np.exp(-0.5 / 4)
    chances = stays * np.eye(3) + (1 - stays) * np.array([0.3, 0.4, 0.3])

    def second_p(command: InverterCommand, level: int) -> float:
        total = 0.0
        for after in range(3):
            for burst, weight in enumerate(BURST_WEIGHTS):
                given = flows(
                    house,
                    command,
                    soc_kwh=soc_kwh,
                    load_kwh=float(load[after, burst, 1]),
                    solar_kwh=float(solar[after, 1]),
                    hours=0.5,
                )
                bill = world.import_rate[1] * given.grid_import_kwh
                bill += 0.7 * given.discharge_kwh - world.export_rate[1] * given.grid_export_kwh
                total += chances[level, after] * weight * bill
        return float(total)

    powers = (4.0, 2.0, -4.0, -2.0)
    options = [SELF_USE, HOLD, FEED_IN, *(force(power_kw) for power_kw in powers)]
    expected = 10 * 0.8
    for level in range(3):
        expected += chances[1, level] * min(second_p(each, level) for each in options)
    [found] = costs(world, soc_kwh, HOLD, house=house)
    assert found == pytest.approx(expected, abs=0.05)


def test_what_the_export_limit_holds_back_stays_in_the_battery() -> None:
    # 2 kWh, which the meter passes in four half hours, 15 p each: at whatever power is told.
    world = in_doubt(an_outlook([30] * 5, [0, 30, 30, 30, 30]), sun=0.5)
    house = a_house(a_battery(efficiency=1.0), export_limit_kw=1.0)
    assert costs(world, 2, HOLD, house=house) == pytest.approx([-4 * 15], abs=2)


def test_a_level_that_has_come_is_likely_to_stay() -> None:
    # 1 kWh is stored. Whether the sun comes decides what it is worth in the third slot; the
    # second slot shows which sun it is, and only then is it decided.
    world = an_outlook([0, 10, 24], [0, 10, 0], [0, 0, 1], [0, 0.5, 0.5])
    known = in_doubt(world, sun=1.0)
    apart = replace(known, solar_kwh=np.array([0, 0.4, 0.6]))  # no future is the usual one
    [lasting] = costs(known, 1, HOLD)
    [unsure] = costs(apart, 1, HOLD)
    assert lasting < 0
    assert unsure < 0


class TestPriceOfAChange:
    """1 kWh stored, to be kept for the second slot, where it serves the load."""

    WORLD = in_doubt(an_outlook([10, 30], 0, [0.5, 1.0]), sun=0.5)

    def test_a_later_change_is_counted(self) -> None:
        [free] = costs(self.WORLD, 1, HOLD)
        [priced] = costs(self.WORLD, 1, HOLD, switching_price_p=2.0)
        assert priced - free == pytest.approx(2.0, abs=0.01)

    def test_a_mode_that_goes_on_costs_no_change(self) -> None:
        [free] = costs(self.WORLD, 5, SELF_USE)
        [priced] = costs(self.WORLD, 5, SELF_USE, switching_price_p=2.0)
        assert priced == pytest.approx(free)


class TestWishes:
    CHEAP_THEN_DEAR = in_doubt(an_outlook([50, 5, 50], [0, 0, 30], [0, 0, 1]), sun=0.5)

    def test_c23_what_the_battery_may_not_sell_is_worth_less(self) -> None:
        [free] = costs(self.CHEAP_THEN_DEAR, 2, HOLD)
        [kept] = costs(self.CHEAP_THEN_DEAR, 2, HOLD, wishes=Wishes(battery_may_export=False))
        assert kept == pytest.approx(free + 30, abs=1.5)

    def test_c24_too_dear_to_charge(self) -> None:
        dear = Wishes(max_grid_charge_p_per_kwh=4.0)
        [free] = costs(self.CHEAP_THEN_DEAR, 0, HOLD)
        [never] = costs(self.CHEAP_THEN_DEAR, 0, HOLD, wishes=dear)
        assert never == pytest.approx(50, abs=GRID_P)
        # 2 kWh at 5 p: 1 kWh serves the house, 1 kWh is sold at 30 p.
        assert free == pytest.approx(10 - 30, abs=1.5)

    def test_c25_an_order_for_later_leaves_no_choice(self) -> None:
        def ordered(command: InverterCommand) -> Wishes:
            start = MIDNIGHT + 2 * SLOT
            return Wishes(overrides=(Override(start=start, end=start + SLOT, command=command),))

        [held] = costs(self.CHEAP_THEN_DEAR, 2, HOLD, wishes=ordered(HOLD))
        [sold] = costs(self.CHEAP_THEN_DEAR, 2, HOLD, wishes=ordered(force(-3)))
        assert held == pytest.approx(50, abs=GRID_P)
        assert sold == pytest.approx(-15, abs=0.5)

    def test_c22_a_target_is_kept_where_missing_it_costs_more(self) -> None:
        target = Target(by=MIDNIGHT + 2 * SLOT, soc_kwh=1.0, price_p_per_kwh=100)
        world = in_doubt(an_outlook([50, 40, 0]), sun=0.5)
        [free] = costs(world, 0, HOLD)
        [kept] = costs(world, 0, HOLD, wishes=Wishes(targets=(target,)))
        assert free == pytest.approx(0, abs=0.01)
        assert kept == pytest.approx(40, abs=0.5)

    def test_c22_a_target_at_the_end_of_the_first_slot(self) -> None:
        wishes = Wishes(targets=(Target(by=MIDNIGHT + SLOT, soc_kwh=1, price_p_per_kwh=100),))
        world = in_doubt(an_outlook([50, 0]), sun=0.5)
        held, charged = costs(world, 0, HOLD, force(2), wishes=wishes)
        assert held - charged == pytest.approx(100 - 50, abs=0.01)


def test_what_the_inverter_does_not_know_is_not_counted_on() -> None:
    world = in_doubt(an_outlook([50, 5, 50], 0, [0, 0, 1]), sun=0.5)
    house = replace(a_house(), abilities=Abilities(modes=frozenset(Mode) - {Mode.FORCE_CHARGE}))
    assert costs(world, 0, HOLD, house=house) == pytest.approx([50], abs=GRID_P)
    assert {each.mode for each in part_powers(house, NO_WISHES, 20)} == {Mode.FORCE_DISCHARGE}


def test_an_inverter_that_sets_no_powers_is_tried_at_full_power_only() -> None:
    house = replace(a_house(), abilities=Abilities(sets_powers=False))
    assert part_powers(house, NO_WISHES, 20) == ()


def test_the_fuse_is_not_to_be_overloaded() -> None:
    # 1 kWh is wanted in the dear slot; the fuse lets 0.25 kWh pass in each of the cheap ones.
    world = in_doubt(an_outlook([5, 5, 50], 0, [0, 0, 1]), sun=0.5)
    house = a_house(import_limit_kw=2.0)
    full, within = costs(world, 0, force(4), force(2), house=house)
    assert full > within + 50
    assert within == pytest.approx(5, abs=0.6)


def test_panels_are_turned_off_where_the_grid_pays_for_taking() -> None:
    # In the second slot each kWh taken brings 20 p: 2 kWh for the battery and 1 for the house.
    world = in_doubt(an_outlook([0, -20], [0, -5], 1, [0, 1]), load=0.01)
    [lit] = costs(world, 0, HOLD, house=a_house())
    [dark] = costs(world, 0, HOLD, house=a_house(can_curtail=True))
    assert lit == pytest.approx(-40, abs=1)
    assert dark == pytest.approx(-60, abs=1)


def test_shorter_slots_of_a_half_hour_count_as_one() -> None:
    coarse = an_outlook([90, 30, 20], [0, 5, 5], [0, 0.6, 0.6], [0, 0.3, 0.9], end_value=8)
    fine_horizon = replace(coarse.horizon, n_slots=18, step=SLOT / 6)
    fine = replace(
        coarse,
        horizon=fine_horizon,
        **{
            name: np.repeat(getattr(coarse, name), 6)
            for name in ("import_rate", "export_rate", "rate_published")
        },
        **{name: np.repeat(getattr(coarse, name) / 6, 6) for name in ("load_kwh", "solar_kwh")},
    )
    by_half_hours, by_steps = (
        costs(in_doubt(world, sun=0.3), 4, HOLD)[0] for world in (coarse, fine)
    )
    assert by_steps == pytest.approx(by_half_hours, abs=0.7)


def test_the_last_slot_alone_has_no_later() -> None:
    world = in_doubt(an_outlook([10], 5, 1, end_value=3), sun=0.5)
    used, held = costs(world, 2, SELF_USE, HOLD)
    assert used == pytest.approx(-3, abs=0.01)
    assert held == pytest.approx(10 - 6, abs=0.01)


@pytest.mark.parametrize("seed", range(16))
def test_whatever_the_house_a_command_it_knows_is_chosen_and_every_cost_is_a_number(
    seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    battery = a_battery(
        efficiency=rng.uniform(0.8, 1),
        reserve_kwh=rng.choice([0.0, 2.0, 10.0]),
        standby_kw=rng.choice([0.0, 0.05]),
        discharge_taper=((0.0, 0.2), (0.3, 1.0)) if seed % 2 else (),
    )
    some = frozenset(mode for mode in Mode if rng.random() < 0.6)
    house = replace(
        a_house(battery, can_curtail=bool(seed % 3), import_limit_kw=rng.choice([3.0, 100.0])),
        abilities=Abilities(modes=some | {Mode.SELF_USE}, sets_powers=bool(seed % 5)),
    )
    world = an_outlook(
        rng.uniform(-10, 40, 12),
        rng.uniform(-5, 30, 12),
        rng.uniform(0, 2, 12),
        rng.uniform(0, 3, 12),
        end_value=10,
    )
    soc_kwh = rng.uniform(0, 10)  # also below the reserve
    plan = a_planner().plan(house, in_doubt(world, load=0.2, sun=0.6), soc_kwh, in_force=SELF_USE)
    assert all(can_be_told(house, each.command) for each in plan.alternatives)
    assert plan.slots[0].command in {each.command for each in plan.alternatives}
    assert np.isfinite([each.extra_cost_p for each in plan.alternatives]).all()
    (done,) = (each for each in plan.alternatives if each.command == plan.slots[0].command)
    assert done.extra_cost_p == 0
