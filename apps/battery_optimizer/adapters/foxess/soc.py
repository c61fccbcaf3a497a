"""Between which states of charge the inverter itself keeps the battery: its min and max SoC."""

from dataclasses import dataclass, field
from typing import Final

from battery_optimizer.adapters.foxess.models import ReadState
from battery_optimizer.model.entity import finite
from battery_optimizer.model.house import SocLimits

_LOWEST: Final = ("min_soc", "min_soc_on_grid")
_HIGHEST: Final = "max_soc"
_FULL: Final = 100.0


@dataclass
class SocNumbers:
    """The numbers that say so, as far as they exist.

    What was read last stands while one is unavailable: the register outlives the connection.
    """

    read_state: ReadState
    _known: dict[str, float] = field(default_factory=dict, init=False)

    def limits(self, stem: str) -> SocLimits:
        """As they show; `stem` is what stands before their names.

        The higher of the two floors holds, whether or not the grid is there. A ceiling that is not
        above it makes no sense, and is none.
        """
        low = max(self._percent(stem, each, 0.0) for each in _LOWEST)
        high = self._percent(stem, _HIGHEST, _FULL)
        return SocLimits(least=low / _FULL, most=high / _FULL if high > low else 1.0)

    def _percent(self, stem: str, ending: str, otherwise: float) -> float:
        entity_id = f"number.{stem}{ending}"
        state = self.read_state(entity_id)
        percent = None if state is None else finite(state.state)
        if percent is not None and 0 <= percent <= _FULL:
            self._known[entity_id] = percent
        return self._known.get(entity_id, otherwise)
