"""Small stories of a house, played on the real cycle: see `scenarios/*.yaml`.

A step names the faults that hold in it; those not named are mended. Of what is expected, `mode`,
`result` and `becomes` (what became of the command) are exact, `sent` are the modes sent in the
step, refused ones too, `reason` and each of `problems` are parts of what is said.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import numpy as np
import pytest
import yaml

from battery_optimizer.cycle import Cycle
from battery_optimizer.errors import InverterError
from battery_optimizer.foresight import Foresight
from battery_optimizer.model.codec import decode, encode
from battery_optimizer.model.decision import CommandResult, CycleOutcome, CycleResult, SentCommand
from battery_optimizer.model.house import Abilities, SocLimits
from battery_optimizer.model.modes import SELF_USE, InverterCommand, Mode
from battery_optimizer.model.plan import Plan
from battery_optimizer.model.settings import CommandSettings, Control, PlannerSettings
from battery_optimizer.model.slots import day_bounds
from battery_optimizer.model.wishes import NO_WISHES, Override, Wishes
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.ports import Ports
from builders import a_battery, a_house
from fakes import (
    FailingPlanner,
    FakeInverter,
    FakeMeters,
    FixedRates,
    FlatForecaster,
    FlatSun,
    MemoryHistory,
    MemoryJournal,
    daily,
    moved,
)

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
DAY = timedelta(days=1)
NIGHT = datetime(2026, 1, 15, 2, tzinfo=UTC)
RATES = {"00:00": 20.0, "02:00": 5.0, "03:00": 20.0, "16:00": 40.0, "19:00": 20.0}
BATTERY = a_battery(reserve_kwh=1.0)


@dataclass
class World:
    """A house and all that a cycle touches of it."""

    start: datetime
    rates: FixedRates
    meters: FakeMeters = field(default_factory=FakeMeters)
    sun: FlatSun = field(default_factory=FlatSun)
    history: MemoryHistory = field(default_factory=MemoryHistory)
    inverter: FakeInverter = field(default_factory=FakeInverter)
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    control: Control = Control.ACTIVE
    settings: PlannerSettings = field(default_factory=PlannerSettings)
    commands: CommandSettings = field(default_factory=CommandSettings)
    wishes: Wishes = NO_WISHES

    def __post_init__(self) -> None:
        ports = Ports(
            meters=self.meters,
            rates=self.rates,
            solar=self.sun,
            history=self.history,
            inverter=self.inverter,
            journal=self.journal,
        )
        planner = Planner(self.settings)
        self.cycle = Cycle(
            house=a_house(BATTERY, import_limit_kw=20),
            ports=ports,
            foresight=Foresight(ports, FlatForecaster(), planner.settings),
            planner=planner,
            control=self.control,
            commands=self.commands,
        )
        self._planner = self.cycle._planner

    @classmethod
    def at(cls, start: datetime, **parts: object) -> Self:
        """With the same rates every day, known from a day before until three days after."""
        first, last = start - DAY, start + 3 * DAY
        return cls(
            start=start,
            rates=FixedRates(
                imports=daily(first, last, RATES),
                exports=daily(first, last, {"00:00": 1.0}),
            ),
            **parts,
        )

    @classmethod
    def of(cls, story: dict[str, Any]) -> Self:
        """As a scenario tells it."""
        start = story["start"]
        first, last = (
            story.get("rates_from", start - DAY),
            story.get("rates_until", start + 3 * DAY),
        )
        doing = story.get("doing", "self_use")
        return cls(
            start=start,
            rates=FixedRates(
                imports=daily(first, last, story["import_p"]),
                exports=daily(first, last, story.get("export_p", {"00:00": 1.0})),
            ),
            settings=PlannerSettings(**story.get("planner", {})),
            meters=FakeMeters(soc_kwh=story.get("soc_kwh", 5.0)),
            inverter=FakeInverter(doing=doing and InverterCommand(mode=Mode(doing))),
            control=Control(story.get("control", "active")),
            commands=CommandSettings(**story.get("commands", {})),
            wishes=Wishes(overrides=tuple(_order(start, each) for each in story.get("orders", ()))),
        )

    def suffer(self, faults: dict[str, Any]) -> None:
        """Break what is named, mend the rest."""
        for name in ("meters", "rates", "sun", "history", "inverter", "journal"):
            getattr(self, name).fault = faults.pop(name, None)
        self.inverter.unreadable = faults.pop("inverter_reading", None)
        self.cycle._planner = FailingPlanner() if faults.pop("planner", False) else self._planner
        if faults.pop("lost_its_mode", False):
            self.inverter.doing = InverterCommand(mode=Mode.HOLD)
        if (set_by_hand := faults.pop("set_by_hand", None)) is not None:
            mode = None if set_by_hand == "peak_shaving" else Mode(set_by_hand)
            self.inverter.doing = mode and InverterCommand(mode=mode)
        self.meters.battery_kw = faults.pop("battery_kw", None)
        self.meters.grid_kw = faults.pop("grid_kw", None)
        assert not faults, f"unknown faults {faults}"

    def run(self, after_minutes: float = 0.0) -> CycleOutcome:
        """One cycle."""
        return self.cycle.run(self.start + timedelta(minutes=after_minutes), self.wishes)


def _order(start: datetime, told: dict[str, Any]) -> Override:
    first, last = told["minutes"]
    return Override(
        start=start + timedelta(minutes=first),
        end=start + timedelta(minutes=last),
        command=InverterCommand(mode=Mode(told["mode"]), power_kw=told.get("power_kw")),
    )


def test_there_are_stories() -> None:
    assert len(SCENARIOS) > 10


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_story(path: Path) -> None:
    story = yaml.safe_load(path.read_text())
    world = World.of(story)
    for step in story["steps"]:
        minutes = step["after_minutes"]
        world.suffer(dict(step.get("faults", {})))
        world.meters.soc_kwh = step.get("soc_kwh", world.meters.soc_kwh)
        world.inverter.tried.clear()
        outcome = world.run(minutes)
        check(world, outcome, dict(step["expect"]), f"{story['story']} (+{minutes} min)")


def check(world: World, outcome: CycleOutcome, expected: dict[str, Any], when: str) -> None:
    """Each thing that a step expects, and nothing expected that is not checked."""
    outlook = outcome.outlook
    exact = {
        "result": outcome.result,
        "mode": outcome.command.mode,
        "power_kw": outcome.command.power_kw,
        "becomes": outcome.command_result,
        "sent": [command.mode for command in world.inverter.tried],
        "doing": world.inverter.doing and world.inverter.doing.mode,
        "other_way": world.inverter.other_way,
        "writes_today": outcome.writes_today,
        "look_again": outcome.look_again,
        "published_slots": None if outlook is None else outlook.rate_published.sum(),
    }
    assert expected.pop("reason", "") in outcome.reason, when
    problems = expected.pop("problems", None)
    if problems is not None:
        assert bool(problems) == bool(outcome.problems), (when, outcome.problems)
        for words in problems:
            assert any(words in problem for problem in outcome.problems), (when, outcome.problems)
    for name, value in expected.items():
        assert exact[name] == value, f"{when}: {name}: {outcome.reason} {outcome.problems}"


def test_what_the_settings_forbid_is_not_sent_in_a_whole_day() -> None:
    sells = {"00:00": 1.0, "16:00": 60.0, "19:00": 1.0}
    limits = PlannerSettings(battery_may_export=False, max_grid_charge_p_per_kwh=4.0)
    sent: list[set[Mode]] = []
    for settings in (PlannerSettings(), limits):
        world = World.at(NIGHT, settings=settings)
        world.rates.exports = daily(NIGHT - DAY, NIGHT + 3 * DAY, sells)
        for minutes in range(0, 24 * 60, 30):
            assert world.run(minutes).result is CycleResult.PLANNED
        sent.append({command.mode for command in world.inverter.tried})
    assert {Mode.FORCE_CHARGE, Mode.FORCE_DISCHARGE} <= sent[0]
    assert not any(mode.is_forced for mode in sent[1])


def test_a_plan_from_before_a_setting_is_not_followed_against_it() -> None:
    plan = World.at(NIGHT, meters=FakeMeters(soc_kwh=2.0)).run().plan
    assert plan is not None
    assert plan.slots[0].mode is Mode.FORCE_CHARGE
    limits = PlannerSettings(max_grid_charge_p_per_kwh=4.0)
    world = World.at(NIGHT, journal=MemoryJournal(remembered=plan), settings=limits)
    world.suffer({"planner": True})
    outcome = world.run(5)
    assert (outcome.result, outcome.command.mode) == (CycleResult.FELL_BACK, Mode.HOLD)


def test_what_was_decided_is_written_down() -> None:
    world = World.at(NIGHT)
    outcome = world.run()
    assert world.journal.outcomes == [outcome]
    assert [reading.measured_at for reading in world.history.saved] == [NIGHT]


def test_after_a_restart_the_recorded_plan_is_followed_while_young() -> None:
    plan = World.at(NIGHT).run().plan
    assert plan is not None
    world = World.at(NIGHT, journal=MemoryJournal(remembered=plan))
    world.suffer({"meters": "is unavailable"})
    assert world.run(30).result is CycleResult.KEPT_LAST_PLAN
    assert world.run(130).result is CycleResult.SAFE_MODE


def test_after_a_restart_a_plan_made_for_an_order_that_is_gone_is_not_followed() -> None:
    end = NIGHT + timedelta(hours=4)
    ordered = Override(
        start=NIGHT, end=end, command=InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=2)
    )
    wishes = Wishes(overrides=(ordered,))
    plan = World.at(NIGHT, wishes=wishes).run().plan
    assert plan is not None
    results = []
    for now_wished in (wishes, NO_WISHES):
        journal = MemoryJournal(remembered=decode(Plan, encode(plan)))
        world = World.at(NIGHT, journal=journal, wishes=now_wished)
        world.suffer({"planner": True})
        results.append(world.run(30).result)
    assert results == [CycleResult.KEPT_LAST_PLAN, CycleResult.FELL_BACK]


def test_the_plan_that_is_followed_is_named_by_the_clock_on_the_wall() -> None:
    world = World.at(datetime(2026, 7, 15, 12, tzinfo=UTC))
    world.run()
    world.suffer({"planner": True})
    outcome = world.run(5)
    assert outcome.result is CycleResult.KEPT_LAST_PLAN
    assert outcome.reason.startswith("By the plan of 13:00: ")


def test_a_recorded_plan_from_the_future_is_not_followed() -> None:
    """The clock may have been set back."""
    plan = World.at(NIGHT).run().plan
    assert plan is not None
    later = moved(plan, timedelta(hours=1))
    world = World.at(NIGHT, journal=MemoryJournal(remembered=later))
    world.suffer({"meters": "is unavailable"})
    assert world.run().result is CycleResult.SAFE_MODE


def test_made_safe_is_self_use() -> None:
    world = World.at(NIGHT, meters=FakeMeters(soc_kwh=2.0))
    assert world.run().command.mode is Mode.FORCE_CHARGE
    world.cycle.make_safe()
    assert world.inverter.doing == SELF_USE


def test_making_safe_says_when_it_cannot() -> None:
    world = World.at(NIGHT)
    world.suffer({"inverter": "refused"})
    with pytest.raises(InverterError, match="refused"):
        world.cycle.make_safe()


def test_read_only_leaves_the_inverter_alone_at_the_end_too() -> None:
    world = World.at(NIGHT, control=Control.READ_ONLY)
    world.cycle.make_safe()
    assert world.inverter.tried == []


def test_an_inverter_that_keeps_no_limits_is_sent_none() -> None:
    world = World.at(NIGHT, meters=FakeMeters(soc_kwh=2.0))
    for minutes in range(0, 24 * 60, 30):
        world.run(minutes)
    assert world.inverter.tried
    assert all(
        command.floor_kwh is None and command.ceiling_kwh is None
        for command in world.inverter.tried
    )


def test_a_cold_battery_is_planned_with_less_power() -> None:
    battery = a_battery(reserve_kwh=1.0, cold_limit=((0, 0.25), (10, 1.0)))
    world = World.at(NIGHT, meters=FakeMeters(soc_kwh=2.0, battery_temperature_c=-5))
    world.cycle._house = a_house(battery)
    assert world.run().command.power_kw == pytest.approx(1.0)


def test_a_floor_of_the_inverter_above_our_reserve_is_planned_with_and_told() -> None:
    can = Abilities(soc_limits=SocLimits(least=0.4, most=1.0))
    world = World.at(NIGHT, meters=FakeMeters(soc_kwh=4.0), inverter=FakeInverter(abilities=can))
    outcome = world.run(120)
    assert outcome.plan is not None
    assert min(slot.soc_end_kwh for slot in outcome.plan.slots) > 3.99
    assert any("min SoC, 40%, is above battery.reserve_kwh" in each for each in outcome.problems)
    # In self-use it gives nothing: that is its floor, no disobedience.
    world.inverter.tried.clear()
    for minutes in range(125, 165, 5):
        world.suffer({"battery_kw": 0.0})
        problems = world.run(minutes).problems
        assert not any("but it" in each for each in problems), problems


def test_without_a_forced_discharge_the_plan_does_not_count_on_it() -> None:
    few = frozenset(Mode) - {Mode.FORCE_DISCHARGE}
    sells = {"00:00": 1.0, "16:00": 60.0, "19:00": 1.0}
    costs, modes = [], []
    for inverter in (FakeInverter(), FakeInverter(abilities=Abilities(modes=few))):
        world = World.at(NIGHT, inverter=inverter)
        world.rates.exports = daily(NIGHT - DAY, NIGHT + 3 * DAY, sells)
        plan = world.run().plan
        assert plan is not None
        costs.append(plan.cost_p)
        modes.append({slot.mode for slot in plan.slots})
    assert Mode.FORCE_DISCHARGE in modes[0]
    assert Mode.FORCE_DISCHARGE not in modes[1]
    assert costs[1] > costs[0] + 50


def test_what_a_decision_was_made_from_is_kept() -> None:
    can = Abilities(modes=frozenset({Mode.SELF_USE, Mode.HOLD}))
    world = World.at(NIGHT, inverter=FakeInverter(abilities=can))
    inputs = world.run().inputs
    assert inputs is not None
    assert (inputs.in_force, inputs.house.modes) == (SELF_USE, {Mode.SELF_USE, Mode.HOLD})


def test_a_person_has_the_last_word() -> None:
    world = World.at(NIGHT, meters=FakeMeters(soc_kwh=2.0))
    hold = InverterCommand(mode=Mode.HOLD)
    order = Override(start=NIGHT, end=NIGHT + timedelta(hours=1), command=hold)
    assert world.cycle.run(NIGHT, Wishes(overrides=(order,))).command.mode is Mode.HOLD


@pytest.mark.parametrize("minutes", [0, 15 * 60], ids=["charges", "is in Self Use"])
def test_an_order_of_a_mode_that_the_inverter_lacks_is_answered(minutes: int) -> None:
    """Whatever is planned without it."""
    can = Abilities(modes=frozenset(Mode) - {Mode.HOLD})
    world = World.at(NIGHT, meters=FakeMeters(soc_kwh=5.0), inverter=FakeInverter(abilities=can))
    now = NIGHT + timedelta(minutes=minutes)
    hold = InverterCommand(mode=Mode.HOLD)
    order = Override(start=now, end=now + timedelta(hours=1), command=hold)
    outcome = world.cycle.run(now, Wishes(overrides=(order,)))
    assert outcome.command.mode is Mode.SELF_USE
    assert outcome.reason == (
        "Self Use instead of Hold, which was ordered: the inverter has no such mode."
    )


@pytest.mark.parametrize(("day", "n_slots"), [(date(2026, 3, 29), 46), (date(2026, 10, 25), 50)])
def test_days_on_which_the_clocks_change_are_planned_half_hour_by_half_hour(
    day: date, n_slots: int
) -> None:
    start, end = day_bounds(day)
    world = World.at(start, settings=PlannerSettings(horizon_hours=n_slots / 2))
    outcome = world.run()
    assert outcome.plan is not None
    assert outcome.plan.horizon.end == end
    assert len(outcome.plan.slots) == n_slots
    dear = [slot for slot in outcome.plan.slots if slot.import_rate == 40]
    assert [slot.start.hour for slot in dear] == [16, 16, 17, 17, 18, 18]
    assert np.allclose([slot.discharge_kwh for slot in dear], 0.25)


@pytest.mark.parametrize("minutes", [0, 7, 25])
def test_a_cycle_within_a_slot_plans_what_is_left_of_it(minutes: float) -> None:
    world = World.at(NIGHT, meters=FakeMeters(soc_kwh=2.0))
    outcome = world.run(minutes)
    assert outcome.command_result is CommandResult.APPLIED
    assert outcome.plan is not None
    assert outcome.plan.slots[0].hours == pytest.approx((30 - minutes) / 60)


def test_writes_from_before_a_restart_count() -> None:
    hold, feed_in = InverterCommand(mode=Mode.HOLD), InverterCommand(mode=Mode.FEED_IN)
    sent = [
        SentCommand(at=NIGHT - timedelta(hours=hours), command=command, result=result)
        for hours, command, result in (
            (3, hold, CommandResult.APPLIED),  # yesterday
            (1, hold, CommandResult.APPLIED),
            (1, feed_in, CommandResult.FAILED),
            (1, feed_in, CommandResult.APPLIED),
        )
    ]
    stay = Override(start=NIGHT, end=NIGHT + DAY, command=SELF_USE)
    wishes = Wishes(overrides=(stay,))
    world = World.at(NIGHT, journal=MemoryJournal(sent=sent), wishes=wishes)
    assert world.run().writes_today == 2
    broken = World.at(NIGHT, journal=MemoryJournal(sent=sent, fault="locked"), wishes=wishes)
    assert broken.run().writes_today == 0
