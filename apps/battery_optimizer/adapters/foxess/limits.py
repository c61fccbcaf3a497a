"""The other way to Hold and to Feed-in: self-use with a current limit of 0, and its undoing.

The limits are registers that outlive this app, Home Assistant and a power cut. So what they were is
remembered before they are touched, for as long as they are, and put back with the next command.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from battery_optimizer.adapters.foxess.calls import Caller
from battery_optimizer.errors import DataError, InverterError
from battery_optimizer.model.memory import Memory
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.wording import MODE_WORDS

CURRENT_UNIT: Final = "A"
_NOTHING: Final = ""


@dataclass
class ForgetfulMemory:
    """Keeps words until the process ends: for tests and trials."""

    kept: dict[str, str] = field(default_factory=dict)

    def get_state(self, key: str) -> str | None:
        """What was kept."""
        return self.kept.get(key)

    def put_state(self, key: str, value: str) -> None:
        """Keep this."""
        self.kept[key] = value


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentLimits:
    """The limits that stand in for modes; `entities` says which does for which."""

    caller: Caller
    memory: Memory
    entities: Mapping[Mode, str]
    known: dict[str, str]
    """What this process put into the memory: it may be lost, or not to be read just now."""

    def in_place_of(self) -> Mode | None:
        """The mode that self-use now stands for, by a limit of ours."""
        for mode, entity_id in self.entities.items():
            if self._was(entity_id) is not None and self._is_zero(entity_id):
                return mode
        return None

    def stand_in(self, mode: Mode) -> None:
        """Set the limit that makes self-use do as this mode; InverterError if there is none."""
        entity_id = self.entities.get(mode)
        if entity_id is None:
            raise InverterError(
                f"there is no other way to {MODE_WORDS[mode]} than the inverter's own mode"
            )
        number = self.caller.number(entity_id, CURRENT_UNIT)
        if number.value > number.step:
            try:
                self._remember(entity_id, f"{number.value:g}")
            except DataError as error:
                raise InverterError(
                    f"{entity_id} is not set to 0, since what it was could not be kept: {error}"
                ) from error
        elif self._was(entity_id) is None:
            raise InverterError(f"{entity_id} is 0 already, and not by this app: set it right")
        else:
            return
        self.caller.set_number(entity_id, number, number.nearest(0.0))

    def put_back(self, but: Mode | None = None) -> None:
        """Undo all that was done, except for what stands in for a mode."""
        for mode, entity_id in self.entities.items():
            was = self._was(entity_id)
            if was is None or mode is but:
                continue
            # Somebody may have set it since: then theirs stands.
            if self._is_zero(entity_id):
                number = self.caller.number(entity_id, CURRENT_UNIT)
                self.caller.set_number(entity_id, number, number.nearest(was))
            # Remembered too long does no harm: what is not 0 is not touched.
            with suppress(DataError):
                self._remember(entity_id, _NOTHING)

    def strange(self) -> Iterator[str]:
        """Limits of 0 that nobody here set: whatever the mode, the battery does nothing."""
        for mode, entity_id in self.entities.items():
            with suppress(InverterError):
                if self._was(entity_id) is None and self._is_zero(entity_id):
                    does = "discharge" if mode is Mode.HOLD else "charge"
                    yield (
                        f"{entity_id} is 0, and not by this app: the battery cannot {does}, "
                        "whatever its mode; set it to what the battery's maker allows"
                    )

    def _remember(self, entity_id: str, words: str) -> None:
        self.known[_key(entity_id)] = words
        self.memory.put_state(_key(entity_id), words)

    def _is_zero(self, entity_id: str) -> bool:
        number = self.caller.number(entity_id, CURRENT_UNIT)
        return number.value <= number.step

    def _was(self, entity_id: str) -> float | None:
        key = _key(entity_id)
        if key in self.known:
            kept: str | None = self.known[key]
        else:
            try:
                kept = self.memory.get_state(key)
            except DataError:
                return None  # control goes on without its store, which `record` complains of
        return float(kept) if kept else None


def _key(entity_id: str) -> str:
    return f"before our limit: {entity_id}"
