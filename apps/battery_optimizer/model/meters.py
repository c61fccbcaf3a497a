"""Which Home Assistant entities measure the house, and what their signs mean."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,29}")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEntities:
    """Entity ids. Only `soc` must be there; the grid and the battery have one signed sensor or two.

    All should be of the one inverter: if none of them is heard of, it is taken as not answering.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    soc: str
    """State of charge, in %, or stored energy in Wh, kWh or MWh."""
    load: str | None = None
    """Power that the house draws, without the battery."""
    solar: str | None = None
    """Power that the panels give."""
    grid: str | None = None
    """Power at the meter, signed."""
    grid_positive: Literal["import", "export"] = "import"
    """What a positive number of `grid` means (foxess_modbus `grid_ct`: export)."""
    grid_import: str | None = None
    """Power bought, never negative; with `grid_export`, instead of `grid`."""
    grid_export: str | None = None
    """Power sold, never negative."""
    battery: str | None = None
    """Power of the battery, signed."""
    battery_positive: Literal["discharge", "charge"] = "discharge"
    """What a positive number of `battery` means (foxess_modbus `invbatpower`: discharge)."""
    battery_charge: str | None = None
    """Power into the battery, never negative; with `battery_discharge`, instead of `battery`."""
    battery_discharge: str | None = None
    """Power out of the battery, never negative."""
    battery_temperature: str | None = None
    """Temperature of the battery."""

    def __post_init__(self) -> None:
        """Raise ValueError for half a pair, or for a pair beside the signed sensor."""
        for signed, first, second in (
            ("grid", "grid_import", "grid_export"),
            ("battery", "battery_charge", "battery_discharge"),
        ):
            pair = (getattr(self, first), getattr(self, second))
            if (pair[0] is None) != (pair[1] is None):
                raise ValueError(f"{first} and {second} must be given together")
            if pair[0] is not None and getattr(self, signed) is not None:
                raise ValueError(f"give either {signed} or {first} and {second}, not both")

    @property
    def ids(self) -> tuple[str, ...]:
        """Every entity id that was given."""
        given = (
            self.soc,
            self.load,
            self.solar,
            self.grid,
            self.grid_import,
            self.grid_export,
            self.battery,
            self.battery_charge,
            self.battery_discharge,
            self.battery_temperature,
        )
        return tuple(entity_id for entity_id in given if entity_id is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeLoad:
    """A part of the house's load that is forecast apart, such as a car or hot water."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    """What it is called, in small letters, such as car: its history goes by this name."""
    power: str
    """The sensor of the power that it draws, such as sensor.car_charger_power."""
    schedule: str | None = None
    """The entity whose attribute planned_dispatches says when it is going to run (Octopus
    Intelligent); none: that is guessed from when it ran before."""

    def __post_init__(self) -> None:
        """Raise ValueError for a name that is no short word."""
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"name must be a word of small letters, digits and _, not {self.name!r}"
            )
