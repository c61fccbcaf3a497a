"""Loaded by Home Assistant: the second charge period as foxess_modbus shows and sets it.

The register is a file, since the inverter's outlives Home Assistant.
"""

import json
from pathlib import Path
from typing import Any

import voluptuous as vol
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv

DOMAIN = "foxess_modbus"
STEM = "foxess_time_period_2_"
NAME = "foxess"
NONE: dict[str, Any] = {"is_on": False, "start": "00:00:00", "end": "00:00:00"}
CALL = vol.Schema(
    {
        vol.Required("inverter"): cv.string,
        vol.Required("charge_period"): vol.All(vol.Coerce(int), vol.Range(min=1, max=2)),
        vol.Required("enable_force_charge"): cv.boolean,
        vol.Required("enable_charge_from_grid"): cv.boolean,
        vol.Required("start"): cv.time,
        vol.Required("end"): cv.time,
    }
)


async def async_setup(hass: HomeAssistant, _config: dict[str, Any]) -> bool:
    register = Path(hass.config.path("register.json"))

    def read() -> dict[str, Any]:
        return json.loads(register.read_text()) if register.exists() else NONE

    def show(period: dict[str, Any]) -> None:
        switch = "on" if period["is_on"] else "off"
        hass.states.async_set(f"binary_sensor.{STEM}enable_force_charge", switch)
        hass.states.async_set(f"binary_sensor.{STEM}enable_charge_from_grid", switch)
        for which in ("start", "end"):
            hass.states.async_set(f"sensor.{STEM}{which}", period[which])

    async def update(call: ServiceCall) -> None:
        if hass.states.is_state("input_boolean.foxess_refuses", "on"):
            raise HomeAssistantError("Connection refused")
        if call.data["inverter"] != NAME:
            raise HomeAssistantError(f"Unable to find an inverter. Valid friendly names: '{NAME}'")
        if call.data["end"] <= call.data["start"]:
            raise HomeAssistantError("'end' must be at least 1 minute after 'start'")
        is_on = call.data["enable_force_charge"]
        times = {which: call.data[which].isoformat() for which in ("start", "end")}
        # What was taken away goes on showing its last times.
        period = {**await hass.async_add_executor_job(read), **(times if is_on else {})}
        period["is_on"] = is_on
        await hass.async_add_executor_job(register.write_text, json.dumps(period))
        show(period)

    hass.services.async_register(DOMAIN, "update_charge_period", update, CALL)
    show(await hass.async_add_executor_job(read))
    return True
