"""Recorded-like payloads of solar forecasts, and Home Assistant entities made of them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from battery_optimizer.model.entity import EntityState

FIXTURES = Path(__file__).parent / "fixtures"


def payload(name: str) -> Any:  # noqa: ANN401
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def home_of(*payloads: Mapping[str, Any]) -> Callable[[str], EntityState | None]:
    """A Home Assistant with just these entities."""
    states = {each["entity_id"]: EntityState.from_payload(each) for each in payloads}
    return states.get
