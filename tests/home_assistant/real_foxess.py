"""The real foxess_modbus in a real Home Assistant, with a simulated H1 behind it."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from home_assistant.core import PACKAGE, HomeAssistant
from home_assistant.h1 import H1
from home_assistant.modbus_tcp import ModbusServer

CHECKOUT: Final = os.environ.get("FOXESS_MODBUS") or None
"""A checkout of the integration, where these tests are wanted."""
ADAPTER: Final = "waveshare_rs485_to_eth_b"


@dataclass(frozen=True)
class RealHouse:
    """Home Assistant, the adapter, and the inverter."""

    core: HomeAssistant
    adapter: ModbusServer
    h1: H1


@contextmanager
def real_house(
    folder: Path, h1: H1, *, name: str = "FoxESS", hurried: Mapping[str, str] | None = None
) -> Iterator[RealHouse]:
    """With the integration set up as a householder does, and the inverter read once."""
    core = HomeAssistant(folder, has_stand_in=False)
    integration = Path(str(CHECKOUT)) / "custom_components" / "foxess_modbus"
    shutil.copytree(integration, folder / "custom_components" / "foxess_modbus")
    core.add_package(PACKAGE, hurried)
    adapter = ModbusServer(h1)
    try:
        core.start()
        set_up(core, adapter.port, name)
        yield RealHouse(core, adapter, h1)
    finally:
        core.stop()
        adapter.close()


def set_up(core: HomeAssistant, port: int, name: str) -> None:
    """Through the integration's own dialogue."""
    flows = "/api/config/config_entries/flow"
    answer: dict[str, Any] = core.post(flows, {"handler": "foxess_modbus"})
    steps: tuple[tuple[str, dict[str, object]], ...] = (
        ("select_adapter_type", {"adapter_type": "network"}),
        ("select_adapter_model", {"adapter_model": ADAPTER}),
        (
            "tcp_adapter",
            {
                "protocol": "tcp",
                "adapter_host": "127.0.0.1",
                "adapter_port": port,
                "modbus_slave": 247,
            },
        ),
        (
            "friendly_name",
            {"autogenerate_entity_id_prefix": True, **({"friendly_name": name} if name else {})},
        ),
        ("add_another_inverter", {"next_step_id": "energy"}),
        ("energy", {"energy_dashboard": False}),
    )
    for step, given in steps:
        assert answer.get("step_id") == step, answer
        answer = core.post(f"{flows}/{answer['flow_id']}", given)
    assert answer["type"] == "create_entry", answer
