"""One case of the benchmark: inputs taken as certain, planned once."""

import json
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import numpy as np

from battery_optimizer.model.entity import utc_moment
from battery_optimizer.model.house import Battery, GridConnection, House, Inverter
from battery_optimizer.model.outlook import Outlook, TerminalValue
from battery_optimizer.model.plan import Schedule
from battery_optimizer.model.settings import PlannerSettings
from battery_optimizer.model.slots import SLOT, Horizon
from battery_optimizer.optimize.planner import Planner
from battery_optimizer.simulate.files import reading_json
from battery_optimizer.simulate.home_file import Numbers

PATIENCE_S = 30.0
"""Time that a case may take: nobody's house waits for it [s]."""

_ROW = "{:<12}" + "{:>9}" * 9
_HEADS = (
    "UTC", "import p", "export p", "load", "solar", "charge", "dischg.", "bought", "sold", "stored",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Case:
    """A house, an outlook and the energy stored at its start [kWh]."""

    name: str
    house: House
    outlook: Outlook
    soc_kwh: float

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a case file; DataError names what is missing or wrong in it."""
        with reading_json(path):
            return cls._from_payload(json.loads(path.read_text()))

    @classmethod
    def _from_payload(cls, case: dict[str, Any]) -> Self:
        given = Numbers(case["battery"])
        battery = Battery(
            capacity_kwh=given["capacity_kwh"],
            reserve_kwh=given["soc_min_kwh"],
            max_charge_kw=given["charge_kw"],
            max_discharge_kw=given["discharge_kw"],
            charge_efficiency=given["eff_charge"],
            discharge_efficiency=given["eff_discharge"],
        )
        if (minutes := case.get("slot_minutes", 30)) != SLOT.seconds // 60:
            raise ValueError(f"slot_minutes must be 30, not {minutes}")
        import_rate = np.array(case["import_p"], float)
        terminal = case.get("terminal_value_p_per_kwh")
        return cls(
            name=case["name"],
            house=House(
                battery=battery,
                inverter=Inverter(can_curtail=True),
                grid=GridConnection(export_limit_kw=given["export_limit_kw"]),
            ),
            outlook=Outlook(
                horizon=Horizon(
                    start=utc_moment(case["start"], UTC),
                    n_slots=len(import_rate),
                ),
                import_rate=import_rate,
                export_rate=np.array(case["export_p"], float),
                rate_published=np.ones(len(import_rate), bool),
                load_kwh=np.array(case["load_kwh"], float),
                solar_kwh=np.array(case["pv_kwh"], float),
                terminal_value=TerminalValue.nothing()
                if terminal is None
                else TerminalValue.flat(terminal),
            ),
            soc_kwh=float(given["soc0_kwh"]),
        )


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """A planned case: its schedule, and how long the first and a warm solve took [s]."""

    case: Case
    schedule: Schedule
    gap_p: float
    first_solve_s: float
    warm_solve_s: float

    def verdict(self) -> dict[str, object]:
        """What the command prints."""
        return {
            "case": self.case.name,
            "cost_p": round(self.schedule.cost_p, 4),
            "end_soc_kwh": round(float(self.schedule.soc_kwh[-1]), 4),
            "first_solve_s": round(self.first_solve_s, 5),
            "warm_solve_s": round(self.warm_solve_s, 5),
            "gap_p": round(self.gap_p, 4),
        }

    def schedule_table(self) -> str:
        """The schedule, half hour by half hour; times in UTC, energies in kWh."""
        outlook, plan = self.case.outlook, self.schedule
        lines = [_ROW.format(*_HEADS)]
        lines += [
            _ROW.format(
                f"{outlook.horizon.start + t * SLOT:%d %b %H:%M}",
                *(
                    f"{values[t]:.2f}"
                    for values in (
                        outlook.import_rate, outlook.export_rate, outlook.load_kwh,
                        outlook.solar_kwh, plan.charge_kwh, plan.discharge_kwh,
                        plan.grid_import_kwh, plan.grid_export_kwh, plan.soc_kwh[1:],
                    )
                ),
            )
            for t in range(outlook.horizon.n_slots)
        ]  # fmt: skip
        return "\n".join(lines)

    def plan_payload(self) -> dict[str, list[float]]:
        """The plan as the benchmark reads it, energies [kWh] per slot."""
        return {
            "charge_kwh": self.schedule.charge_kwh.tolist(),
            "discharge_kwh": self.schedule.discharge_kwh.tolist(),
            "curtail_kwh": self.schedule.curtailed_kwh.tolist(),
        }


def plan_case(case: Case, planner: Planner | None = None) -> CaseResult:
    """Plan the case twice: the first solve compiles, the second is warm."""
    planner = planner or Planner(PlannerSettings(time_limit_s=PATIENCE_S))
    started = perf_counter()
    planner.optimum(case.house, case.outlook, case.soc_kwh)
    first = perf_counter()
    optimum = planner.optimum(case.house, case.outlook, case.soc_kwh)
    return CaseResult(
        case=case,
        schedule=optimum.schedule,
        gap_p=optimum.report.gap_p,
        first_solve_s=first - started,
        warm_solve_s=perf_counter() - first,
    )
