"""Values as a busy house gives them to the store: long plans with awkward floats."""

from datetime import UTC, datetime, timedelta

import numpy as np

from battery_optimizer.adapters.store.readings import insert_slot_energy
from battery_optimizer.adapters.store.sqlite import Store
from battery_optimizer.model.decision import CommandResult, CycleOutcome, CycleResult
from battery_optimizer.model.modes import InverterCommand, Mode
from battery_optimizer.model.outlook import Future, Outlook, TerminalValue
from battery_optimizer.model.plan import Alternative, Plan, SlotPlan, SolveReport
from battery_optimizer.model.slots import SLOT, Horizon, SlotSeries
from battery_optimizer.model.telemetry import EnergyKind, SlotEnergy, SolarForecast, Telemetry

NOW = datetime(2026, 1, 15, 12, 0, 7, 250_000, tzinfo=UTC)
CYCLE = timedelta(minutes=5)

HOLD = InverterCommand(mode=Mode.HOLD)
CHARGE = InverterCommand(mode=Mode.FORCE_CHARGE, power_kw=2.4, ceiling_kwh=9.1)

_REASONS = (
    "Charge from the grid at {:.1f} p: the same energy serves the house at {:.1f} p this evening.",
    "Self-use: the battery covers the house, which saves {:.1f} p a kWh against {:.1f} p later.",
    "Hold: what is stored is worth {:.1f} p a kWh, more than the {:.1f} p that the grid asks now.",
)


def put_energy(store: Store, kind: EnergyKind, energy: SlotEnergy) -> None:
    """A half hour's energies without the readings, or the plan, that they come from."""
    store._file.write(lambda connection: insert_slot_energy(connection, kind, energy))


def a_reading(
    at: datetime = NOW, *, load_kw: float | None = 0.437, grid_kw: float = 0.2
) -> Telemetry:
    return Telemetry(
        measured_at=at,
        soc_kwh=5.2,
        load_kw=load_kw,
        solar_kw=1.25,
        battery_kw=-0.813,
        grid_kw=grid_kw,
        battery_temperature_c=11.5,
    )


def a_plan(at: datetime = NOW, n_slots: int = 96) -> Plan:
    """A plan as a solver gives it: half of the flows are zero, the rest have all their digits."""
    random = np.random.default_rng(int(at.timestamp()))
    horizon = Horizon(start=at, n_slots=n_slots)
    net = random.normal(0.1, 0.5, (3, n_slots)).clip(0)
    soc = random.uniform(1, 10, n_slots + 1).tolist()
    # Rates and forecasts stay the same from one cycle to the next.
    share, load, sun = np.random.default_rng(at.day).uniform(0, 1, (3, n_slots)).tolist()
    slots = tuple(
        SlotPlan(
            start=start,
            hours=float(horizon.hours[t]),
            command=(HOLD, CHARGE, InverterCommand(mode=Mode.SELF_USE))[t // 7 % 3],
            import_rate=round(40 * share[t], 4),
            export_rate=15.0,
            rate_published=t < n_slots // 2,
            load_kwh=load[t],
            solar_kwh=max(0.0, sun[t] - 0.5),
            charge_kwh=float(net[0, t]),
            discharge_kwh=0.0 if net[0, t] else float(net[1, t]),
            grid_import_kwh=float(net[2, t]),
            grid_export_kwh=0.0,
            curtailed_kwh=0.0,
            soc_start_kwh=soc[t],
            soc_end_kwh=soc[t + 1],
            energy_value_p_per_kwh=round(30 * share[t // 12], 6) / 0.95,
            cost_p=round(40 * share[t], 4) * float(net[2, t]),
            reason=_REASONS[t // 7 % 3].format(40 * share[t], 30 * load[t // 7]),
        )
        for t, start in enumerate(horizon.starts)
    )
    return Plan(
        made_at=at,
        horizon=horizon,
        slots=slots,
        solve=SolveReport(status="optimal", gap_p=0.0, seconds=0.0061, n_doubtful=2),
        cost_p=123.4567891,
        objective_p=-0.1 + 0.2,
        alternatives=(Alternative(command=HOLD, extra_cost_p=1.5),),
        warnings=("The reserve cannot be kept until 18:00.",),
    )


def an_outlook(at: datetime = NOW, n_slots: int = 96, n_futures: int = 4) -> Outlook:
    random = np.random.default_rng(int(at.timestamp()))
    return Outlook(
        horizon=Horizon(start=at, n_slots=n_slots),
        import_rate=random.uniform(-5, 40, n_slots).round(4),
        export_rate=np.full(n_slots, 15.0),
        rate_published=np.arange(n_slots) < n_slots // 2,
        load_kwh=random.uniform(0, 1, n_slots),
        solar_kwh=random.normal(0, 1, n_slots).clip(0),
        terminal_value=TerminalValue(
            intercept_p=random.uniform(0, 9, 6), slope_p_per_kwh=random.uniform(0, 30, 6)
        ),
        futures=tuple(
            Future(
                weight=1 / n_futures,
                load_kwh=random.uniform(0, 1, n_slots),
                solar_kwh=random.normal(0, 1, n_slots).clip(0),
            )
            for _ in range(n_futures)
        ),
    )


def an_outcome(
    at: datetime = NOW, *, result: CycleResult = CycleResult.PLANNED, plan: Plan | None = None
) -> CycleOutcome:
    plan = plan or a_plan(at)
    return CycleOutcome(
        at=at,
        result=result,
        command=plan.slots[0].command,
        command_result=CommandResult.APPLIED,
        reason=plan.slots[0].reason,
        telemetry=a_reading(at),
        outlook=an_outlook(at),
        plan=plan,
        problems=("Octopus did not answer: stored rates are used.",),
    )


def a_forecast(at: datetime = NOW, source: str = "solcast", n_slots: int = 96) -> SolarForecast:
    random = np.random.default_rng(int(at.timestamp()))
    start = Horizon(start=at, n_slots=2).starts[1] - SLOT
    middle = random.normal(0, 1, n_slots).clip(0).round(4)
    return SolarForecast(
        source=source,
        issued_at=at,
        p10_kw=SlotSeries(start=start, values=middle * 0.6),
        p50_kw=SlotSeries(start=start, values=middle),
        p90_kw=SlotSeries(start=start, values=middle * 1.2),
    )
