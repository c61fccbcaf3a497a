"""What the place that the app runs in offers: AppDaemon, or what stands in for it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from battery_optimizer.adapters.ha_history import Rows
from battery_optimizer.model.entity import ListEntities, ReadState
from battery_optimizer.model.service import CallService
from battery_optimizer.model.slots import UK


@dataclass(frozen=True, kw_only=True)
class Host:
    """Callables and places.

    `get_history` is None where no Home Assistant is connected.
    """

    app: str
    folder: Path
    latitude: float
    longitude: float
    call_service: CallService
    read_state: ReadState
    list_entities: ListEntities
    get_history: Callable[[str, datetime, datetime], Sequence[Rows] | None] | None
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep
    list_services: Callable[[], Iterable[Mapping[str, str]]] = tuple
    """Their `domain` and `service`; none where that cannot be told."""
    time_zone: str = UK.key
    watches_files: bool = False
    """Whether AppDaemon reads its files again and again, to notice changes."""
