"""Orders of the household, through Home Assistant's input helpers."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from appdaemon.exceptions import DomainException, ServiceException

from battery_optimizer.adapters.overrides import (
    CHOICE,
    POWER,
    TARGET,
    TARGET_BY,
    UNTIL,
    HouseholdOrders,
)
from battery_optimizer.errors import InverterError, StoreUnavailable
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.house import Battery
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.wishes import NO_WISHES

NOON = datetime(2026, 6, 15, 11, tzinfo=UTC)  # 12:00 in London
HOUR = timedelta(hours=1)
BATTERY = Battery(capacity_kwh=10.0, maximum_kwh=9.0, max_charge_kw=4.0, max_discharge_kw=3.0)
HOLD = InverterCommand(mode=Mode.HOLD)


@dataclass
class Home:
    """Home Assistant's helpers, and a store."""

    states: dict[str, str] = field(
        default_factory=lambda: {
            CHOICE: "Automatic",
            UNTIL: "2026-06-01 08:00:00",
            POWER: "0.0",
            TARGET: "0.0",
            TARGET_BY: "06:00:00",
        }
    )
    kept: dict[str, str] = field(default_factory=dict)
    is_broken: bool = False
    answer: object = None
    """What a service call raises, or comes back with, instead of being done."""

    def __post_init__(self) -> None:
        self.orders = self.started()

    def started(self) -> HouseholdOrders:
        return HouseholdOrders(
            read_state=self.state, call_service=self.call, memory=self, battery=BATTERY
        )

    def state(self, entity_id: str) -> EntityState | None:
        state = self.states.get(entity_id)
        return None if state is None else EntityState(state=state)

    def call(self, service: str, /, **data: Any) -> object:  # noqa: ANN401
        if self.is_broken:
            raise InverterError("the app is being stopped")
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        assert service == "input_select/select_option"
        self.states[data["entity_id"]] = data["option"]
        return {"success": True}

    def get_state(self, key: str) -> str | None:
        if self.is_broken:
            raise StoreUnavailable("locked")
        return self.kept.get(key)

    def put_state(self, key: str, value: str) -> None:
        if self.is_broken:
            raise StoreUnavailable("locked")
        self.kept[key] = value

    def order(self, now: datetime = NOON) -> InverterCommand | None:
        return self.orders.wishes(now).order_at(now)


def test_automatic_is_no_order() -> None:
    assert Home().orders.wishes(NOON) == NO_WISHES


def test_without_helpers_there_are_no_orders() -> None:
    home = Home(states={})
    assert home.orders.wishes(NOON) == NO_WISHES
    assert home.orders.problems() == ()


@pytest.mark.parametrize(
    ("choice", "power", "command"),
    [
        ("Pause", "0", InverterCommand(mode=Mode.SELF_USE)),
        ("Self use", "0", InverterCommand(mode=Mode.SELF_USE)),
        ("Hold", "0", HOLD),
        ("Feed in", "0", InverterCommand(mode=Mode.FEED_IN)),
        ("Charge", "0.0", InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=4.0)),
        ("Charge", "2.5", InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=2.5)),
        ("Discharge", "9", InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)),
        ("Discharge", "unknown", InverterCommand(mode=Mode.FORCE_DISCHARGE, power_kw=3.0)),
    ],
)
def test_each_choice_is_a_command_until_the_time_set(
    choice: str, power: str, command: InverterCommand
) -> None:
    home = Home()
    home.states |= {CHOICE: choice, UNTIL: "2026-06-15 14:30:00", POWER: power}
    wishes = home.orders.wishes(NOON)
    (order,) = wishes.overrides
    assert order.command == command
    assert order.end == NOON + 2.5 * HOUR
    assert wishes.is_paused is (choice == "Pause")
    assert home.order(NOON + 2.5 * HOUR) is None
    assert home.states[CHOICE] == "Automatic"


def test_away_is_no_mode_but_an_expectation() -> None:
    home = Home()
    home.states |= {CHOICE: "Away", UNTIL: "2026-06-20 18:00:00"}
    wishes = home.orders.wishes(NOON)
    assert wishes.overrides == ()
    assert wishes.away_until == datetime(2026, 6, 20, 17, tzinfo=UTC)


def test_with_a_time_gone_by_an_order_is_open() -> None:
    home = Home()
    home.states[CHOICE] = "Hold"
    for days in range(30):
        assert home.order(NOON + timedelta(days=days)) == HOLD
    assert home.states[CHOICE] == "Hold"


def test_a_forced_mode_is_never_open() -> None:
    home = Home()
    home.states[CHOICE] = "Discharge"
    assert home.order(NOON) is not None
    assert home.order(NOON + timedelta(minutes=59)) is not None
    assert home.order(NOON + HOUR) is None
    assert home.order(NOON + HOUR) is None


def test_a_new_time_makes_the_order_longer() -> None:
    home = Home()
    home.states |= {CHOICE: "Hold", UNTIL: "2026-06-15 13:00:00"}
    assert home.order(NOON) == HOLD
    home.states[UNTIL] = "2026-06-15 15:00:00"
    assert home.order(NOON + 2 * HOUR) == HOLD
    assert home.order(NOON + 3 * HOUR) is None


def test_the_timestamp_goes_before_the_local_words() -> None:
    home = Home()
    home.states[CHOICE] = "Hold"
    end = NOON + 3 * HOUR
    home.orders._read_state = lambda entity_id: (
        EntityState(state="2026-06-15 03:00:00", attributes={"timestamp": end.timestamp()})
        if entity_id == UNTIL
        else home.state(entity_id)
    )
    assert home.orders.wishes(NOON).overrides[0].end == end


def test_orders_survive_restarts_of_the_app_and_of_home_assistant() -> None:
    home = Home()
    home.states[CHOICE] = "Charge"
    home.order(NOON)
    home.orders = home.started()
    home.states = dict.fromkeys(home.states, "unavailable")
    half_past = NOON + HOUR / 2
    assert home.order(half_past) == InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=4.0)
    # What is over is not begun anew by a helper that still shows it.
    home.orders = home.started()
    home.states = {CHOICE: "Charge", UNTIL: "2026-06-01 08:00:00"}
    assert home.order(NOON + HOUR) is None
    assert home.order(NOON + 2 * HOUR) is None


def test_helpers_that_are_taken_away_leave_no_open_order() -> None:
    home = Home()
    home.states[CHOICE] = "Pause"
    assert home.order(NOON) is not None
    home.states = {}
    assert home.order(NOON) is None


@pytest.mark.parametrize(
    "answer",
    [
        # What AppDaemon raises for an integration that is not loaded.
        DomainException("default", "input_select"),
        ServiceException("default", "input_select", "select_option", []),
        {"success": False, "error": "no such option"},
    ],
)
def test_an_order_that_is_over_is_over_though_its_helper_cannot_be_set_back(
    answer: object,
) -> None:
    home = Home(answer=answer)
    home.states[CHOICE] = "Charge"
    assert home.order(NOON) is not None
    for minutes in (60, 65, 600):
        assert home.order(NOON + timedelta(minutes=minutes)) is None
        (problem,) = home.orders.problems()
        assert "the household's order is over, but is still shown: input_select/" in problem
    home.answer = None
    assert home.order(NOON + 11 * HOUR) is None
    assert home.states[CHOICE] == "Automatic"
    assert home.order(NOON + 12 * HOUR) is None
    assert home.orders.problems() == ()


def test_an_order_goes_on_to_its_end_without_its_helper_and_nothing_is_called_then() -> None:
    home = Home(answer=DomainException("default", "input_select"))
    home.states[CHOICE] = "Charge"
    home.order(NOON)
    home.states = {}  # the package was removed, or could not be loaded
    home.orders = home.started()
    assert home.order(NOON + HOUR / 2) is not None
    assert home.order(NOON + HOUR) is None
    assert home.orders.problems() == ()


def test_without_its_store_orders_hold_all_the_same() -> None:
    home = Home(is_broken=True)
    home.states[CHOICE] = "Discharge"
    assert home.order(NOON) is not None
    assert home.order(NOON + HOUR) is None


def test_what_was_kept_by_another_version_is_passed_over() -> None:
    home = Home(kept={"the household's orders": '{"mode": "hold"}'})
    assert home.orders.wishes(NOON) == NO_WISHES


def test_an_unknown_choice_is_named() -> None:
    home = Home()
    home.states[CHOICE] = "Sell everything"
    assert home.orders.wishes(NOON) == NO_WISHES
    (problem,) = home.orders.problems()
    assert "'Sell everything', which is none of Automatic, Pause" in problem


def test_a_target_is_for_each_day_by_the_households_clock() -> None:
    home = Home()
    home.states[TARGET] = "80.0"
    targets = home.orders.wishes(NOON).targets
    assert [each.by for each in targets] == [
        datetime(2026, 6, 16, 5, tzinfo=UTC),
        datetime(2026, 6, 17, 5, tzinfo=UTC),
    ]
    assert {each.soc_kwh for each in targets} == {8.0}
    home.states |= {TARGET: "100.0", TARGET_BY: "2026-06-15 18:00:00"}
    assert home.orders.wishes(NOON).targets[0].by == datetime(2026, 6, 15, 17, tzinfo=UTC)
    assert home.orders.wishes(NOON).targets[0].soc_kwh == 9.0  # no fuller than it is charged
    home.states[TARGET_BY] = "soon"
    assert home.orders.wishes(NOON).targets == ()
    assert home.orders.problems() == (f"{TARGET_BY} is no time of day",)
