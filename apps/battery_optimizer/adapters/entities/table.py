"""The entities that Home Assistant shows: one table, published after each cycle."""

from typing import Final, Protocol

from battery_optimizer.adapters.entities.facts import (
    Attributes,
    alternatives,
    command_facts,
    error_facts,
    forecast_error,
    load_series,
    loss_facts,
    lost_yesterday,
    of_slot,
    schedule,
    series,
    short_time,
    shortened,
    soc_series,
    solver_facts,
    window_facts,
    window_start,
)
from battery_optimizer.adapters.entities.money import MONEY, plan_money
from battery_optimizer.adapters.entities.row import Entity
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.tariff import RateClass
from battery_optimizer.model.wording import command_words


class SetState(Protocol):
    """Sets an entity's state and attributes."""

    def __call__(self, entity_id: str, /, *, state: str | float, attributes: Attributes) -> object:
        """Make the entity, or change it."""


def publish(shown: Shown, set_state: SetState) -> None:
    """Set every entity of the table."""
    for entity in ENTITIES:
        set_state(entity.id, state=entity.state(shown), attributes=entity.all_attributes(shown))


def publish_waiting(problem: str, set_state: SetState) -> None:
    """Say why there is nothing to publish yet: at once after a restart of Home Assistant."""
    facts = {"friendly_name": "Battery Optimizer Health", "problems": [shortened(problem)]}
    set_state("sensor.battery_optimizer_health", state="waiting", attributes=facts)
    trouble = {"friendly_name": "Battery Optimizer Problem", "device_class": "problem"}
    set_state("binary_sensor.battery_optimizer_problem", state="on", attributes=trouble)


ENTITIES: Final = (
    Entity(
        name="Mode",
        value=lambda shown: shown.outcome.command.mode.value,
        device_class="enum",
        icon="mdi:home-battery",
        attributes=command_facts,
    ),
    Entity(
        name="Next mode",
        value=lambda shown: slot.command.acts_as.value if (slot := shown.next_mode) else None,
        icon="mdi:skip-next",
        attributes=lambda shown: (
            {
                "words": command_words(slot.command),
                "start": short_time(slot.start),
                "reason": shortened(slot.reason),
            }
            if (slot := shown.next_mode)
            else {}
        ),
    ),
    Entity(
        name="Reason",
        value=lambda shown: shown.outcome.reason,
        icon="mdi:comment-question-outline",
        attributes=alternatives,
        shows_rates=True,
    ),
    Entity(
        name="Expected SoC",
        value=lambda shown: shown.percent(shown.now.soc_end_kwh) if shown.now else None,
        unit="%",
        device_class="battery",
        state_class="measurement",
        icon="mdi:battery-clock",
        attributes=soc_series,
    ),
    Entity(
        name="Plan",
        value=lambda shown: len(shown.coming),
        unit="slots",
        icon="mdi:calendar-clock",
        attributes=schedule,
        shows_rates=True,
    ),
    Entity(
        name="Import rate",
        value=of_slot(lambda slot: slot.import_rate),
        unit="p/kWh",
        state_class="measurement",
        icon="mdi:transmission-tower-export",
        attributes=series(lambda slot: slot.import_rate),
        shows_rates=True,
    ),
    Entity(
        name="Export rate",
        value=of_slot(lambda slot: slot.export_rate),
        unit="p/kWh",
        state_class="measurement",
        icon="mdi:transmission-tower-import",
        attributes=series(lambda slot: slot.export_rate),
        shows_rates=True,
    ),
    Entity(
        name="Rate class",
        value=lambda shown: shown.rate_class,
        device_class="enum",
        icon="mdi:tag-outline",
        attributes=lambda _: {"options": [each.value for each in RateClass]},
        shows_rates=True,
    ),
    Entity(
        name="Rates known until",
        value=lambda shown: shown.rates_until,
        device_class="timestamp",
        icon="mdi:calendar-end",
        shows_rates=True,
    ),
    Entity(
        name="Cheapest window",
        value=window_start(cheap=True),
        device_class="timestamp",
        icon="mdi:arrow-down-bold",
        attributes=window_facts(cheap=True),
        shows_rates=True,
    ),
    Entity(
        name="Dearest window",
        value=window_start(cheap=False),
        device_class="timestamp",
        icon="mdi:arrow-up-bold",
        attributes=window_facts(cheap=False),
        shows_rates=True,
    ),
    Entity(
        name="Solar forecast",
        value=of_slot(lambda slot: slot.solar_kwh / slot.hours),
        unit="kW",
        device_class="power",
        state_class="measurement",
        icon="mdi:solar-power",
        attributes=series(lambda slot: slot.solar_kwh / slot.hours),
    ),
    Entity(
        name="Load forecast",
        value=of_slot(lambda slot: slot.load_kwh / slot.hours),
        unit="kW",
        device_class="power",
        state_class="measurement",
        icon="mdi:home-lightning-bolt-outline",
        attributes=load_series,
    ),
    Entity(
        name="Energy value",
        value=of_slot(lambda slot: slot.energy_value_p_per_kwh),
        unit="p/kWh",
        state_class="measurement",
        icon="mdi:cash-clock",
        shows_rates=True,
    ),
    Entity(
        name="Planned cost",
        value=lambda shown: None if shown.cost_p is None else round(shown.cost_p / 100, 4),
        unit="GBP",
        device_class="monetary",
        icon="mdi:cash",
        attributes=plan_money,
        shows_rates=True,
    ),
    *MONEY,
    Entity(
        name="Lost yesterday",
        value=lost_yesterday,
        unit="p",
        state_class="measurement",
        icon="mdi:cash-minus",
        attributes=loss_facts,
        shows_rates=True,
    ),
    Entity(
        name="Load forecast error",
        value=forecast_error(lambda yesterday: yesterday.load),
        unit="kW",
        device_class="power",
        state_class="measurement",
        icon="mdi:chart-bell-curve",
        attributes=error_facts(lambda yesterday: yesterday.load),
    ),
    Entity(
        name="Solar forecast error",
        value=forecast_error(lambda yesterday: yesterday.solar),
        unit="kW",
        device_class="power",
        state_class="measurement",
        icon="mdi:chart-bell-curve",
        attributes=error_facts(lambda yesterday: yesterday.solar),
    ),
    Entity(
        name="Solver",
        value=lambda shown: shown.plan.solve.status if shown.plan else None,
        icon="mdi:function-variant",
        attributes=solver_facts,
    ),
    Entity(
        name="Solve time",
        value=lambda shown: round(shown.plan.solve.seconds * 1000, 1) if shown.plan else None,
        unit="ms",
        device_class="duration",
        state_class="measurement",
        icon="mdi:timer-outline",
    ),
    Entity(
        name="Writes today",
        value=lambda shown: shown.outcome.writes_today,
        state_class="total_increasing",
        icon="mdi:pencil-outline",
    ),
    Entity(
        name="Health",
        value=lambda shown: shown.health,
        icon="mdi:heart-pulse",
        attributes=lambda shown: {"problems": [shortened(each) for each in shown.problems[:20]]},
    ),
    Entity(
        name="Problem",
        domain="binary_sensor",
        value=lambda shown: "off" if shown.health == "ok" else "on",
        device_class="problem",
        icon="mdi:alert-circle-outline",
    ),
    Entity(
        name="Heartbeat",
        value=lambda shown: shown.outcome.at,
        attributes=lambda shown: {"instance": shown.instance, "inverter": shown.inverter},
        device_class="timestamp",
        icon="mdi:heart-pulse",
    ),
)
