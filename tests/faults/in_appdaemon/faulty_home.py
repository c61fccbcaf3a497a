"""The simulated home, with an inverter that outlives AppDaemon, and faults that a test writes down.

In FAULTS_FOLDER: `faults.json` is read at each tick and call; `inverter.json` is what the inverter
does, kept through any end of AppDaemon; `inverter.log` has a line for each change of mode.
"""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from battery_optimizer.adapters.overrides import CHOICE
from battery_optimizer.model.entity import EntityState
from battery_optimizer.simulate.home.app import SimulatedHome

FOLDER = Path(os.environ["FAULTS_FOLDER"])
REFUSED = {"success": False, "error": {"message": "Modbus error"}}
DONE = {"success": True, "result": {}, "ad_status": "OK"}


def faults() -> dict[str, Any]:
    """Those that hold now."""
    try:
        return dict(json.loads((FOLDER / "faults.json").read_text()))
    except (FileNotFoundError, ValueError):
        return {}


class FaultyHome(SimulatedHome):
    """Suffers what is written in the file."""

    _last: tuple[str, float] | None = None

    def _restore(self) -> None:
        inverter = self._fox.inverter
        try:
            kept = json.loads((FOLDER / "inverter.json").read_text())
        except FileNotFoundError:
            return
        inverter.select(kept["option"])
        inverter.soc_kwh = kept["soc_kwh"]
        inverter.force_charge_kw = kept["charge_kw"]
        inverter.force_discharge_kw = kept["discharge_kw"]

    def _show_all(self) -> None:
        now = faults()
        self._fox.inverter.misfires = dict(now.get("misfires", {}))
        self._keep()
        order = str(now.get("order", "Automatic"))
        if self.get_state(CHOICE) != order:
            self.set_state(CHOICE, state=order, check_existence=False)
        shown = now.get("shown", {})
        for entity_id, state in self._fox.entities().items():
            if entity_id.startswith("sensor.") and now.get("frozen"):
                continue
            told = shown.get(entity_id, state.state)
            if told is None:
                if self.entity_exists(entity_id):
                    self.remove_entity(entity_id)
                continue
            self._show(entity_id, EntityState(state=told, attributes=state.attributes))

    def _keep(self) -> None:
        inverter = self._fox.inverter
        kept = {
            "option": inverter.option,
            "soc_kwh": inverter.soc_kwh,
            "charge_kw": inverter.force_charge_kw,
            "discharge_kw": inverter.force_discharge_kw,
        }
        part = FOLDER / "inverter.part"
        part.write_text(json.dumps(kept))
        part.rename(FOLDER / "inverter.json")
        felt = inverter._felt_option
        power_kw = {
            "Force Charge": inverter.force_charge_kw,
            "Force Discharge": inverter.force_discharge_kw,
        }.get(felt, 0.0)
        if self._last != (felt, power_kw):
            self._last = (felt, power_kw)
            with (FOLDER / "inverter.log").open("a") as log:
                log.write(f"{time.monotonic()} {power_kw} {felt}\n")

    def _serve(self, namespace: str, domain: str, service: str, data: dict[str, Any]) -> Any:  # noqa: ANN401
        how = faults().get("calls") if domain != "input_select" else None
        match how:
            case "refuse":
                return REFUSED
            case "drop":
                return DONE
            case "garbage":
                return "OK"
            case "raise":
                raise RuntimeError("the integration has a bug")
            case "hang":
                end = datetime.now(UTC).timestamp() + 4
                while datetime.now(UTC).timestamp() < end:
                    time.sleep(0.1)
                return {"success": False, "ad_status": "TIMEOUT"}
        return super()._serve(namespace, domain, service, data)
