"""What was found in the house, told in words: for the log at the start and for the page."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from battery_optimizer.adapters.foxess.models import mode_words
from battery_optimizer.adapters.octopus.house import HouseRates
from battery_optimizer.adapters.overrides import CHOICE
from battery_optimizer.adapters.rates.feed import RatesFeed, RatesSource
from battery_optimizer.adapters.solar.feed import SolarFeed
from battery_optimizer.adapters.solar.forecast_solar_entities import ForecastSolarEntities
from battery_optimizer.adapters.solar.open_meteo import OpenMeteoEntities
from battery_optimizer.config import Config
from battery_optimizer.config_sections import NotifySettings
from battery_optimizer.errors import DataError
from battery_optimizer.forecast.load import LoadForecast
from battery_optimizer.host import Host
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.found import Finding, Presence
from battery_optimizer.model.learned import Learned
from battery_optimizer.model.meters import MeterEntities
from battery_optimizer.model.modes import Mode
from battery_optimizer.model.slots import UK
from battery_optimizer.model.tariff import Direction
from battery_optimizer.wiring.inverter import AnyInverter, Wired
from battery_optimizer.wiring.load import basis_findings, load_findings
from battery_optimizer.wiring.sources import roofs
from battery_optimizer.wiring.wishes import session_findings

TIME_ZONE: Final = UK.key
LOOK_AGAIN: Final = timedelta(minutes=30)
MOST_NAMED: Final = 5
_METERS: Final = (
    ("Battery charge", ("soc",), "the state of charge is needed: without it there is no plan"),
    ("House load", ("load",), "without it the forecast of the load learns nothing"),
    ("Solar power", ("solar",), "without it the sun that comes in is not seen"),
    ("Grid power", ("grid", "grid_import", "grid_export"), "without it nothing is metered"),
    (
        "Battery power",
        ("battery", "battery_charge", "battery_discharge"),
        "without it nobody sees whether the inverter does what it was told",
    ),
)
_NEW: Final = "; if it stays unknown restart Home Assistant once"
"""foxess_modbus's sum of the panels has no value before the first start after it was set up."""
_NO_SUN: Final = (
    "install Solcast PV Forecast, Open-Meteo Solar Forecast or Forecast.Solar in Home Assistant, "
    "or name your panels in solar.arrays"
)


def findings_without(problem: str, host: Host) -> tuple[Finding, ...]:
    """While the inverter is not there: why, and what can be seen without it."""
    missing = Presence.MISSING
    return (
        Finding(about="Inverter", words="none", presence=missing, advice=problem),
        _zone(host),
    )


@dataclass(kw_only=True)
class Survey:
    """Looks around in one house."""

    config: Config
    host: Host
    wired: Wired
    inverter: AnyInverter
    source: RatesSource
    rates: RatesFeed
    solar: SolarFeed
    learned: Callable[[], Learned]
    """What is known of the battery by now."""
    load: Callable[[], LoadForecast | None]
    """What was forecast of the load last."""
    _looked_at: datetime | None = field(default=None, init=False)
    _found: tuple[Finding, ...] = field(default=(), init=False)

    def is_due(self, now: datetime) -> bool:
        """Whether to look again: each time while something is missing, else now and then."""
        if self._looked_at is None or now - self._looked_at >= LOOK_AGAIN:
            return True
        return any(each.presence is Presence.MISSING for each in self._found)

    def look(self, now: datetime) -> tuple[Finding, ...]:
        """What there is now."""
        self._looked_at = now
        self._found = (
            self._drive(),
            *self._sensors(self.wired.meters),
            *load_findings(self.config.load, self.host),
            *basis_findings(self.load()),
            *self._limits(),
            *self._learning(),
            *self._wishes(),
            *(self._tariff(way) for way in Direction),
            *session_findings(self.config.sessions, self.host, now),
            self._sun(now),
            _zone(self.host),
            _watching(self.host),
            *_notifying(self.config.notify, self.host),
            self._helpers(),
        )
        return self._found

    def _drive(self) -> Finding:
        problems = self.inverter.check()
        can = self.inverter.abilities.modes
        modes = ", ".join(mode_words(mode) for mode in Mode if mode in can)
        named = self.config.entities
        how = "as set" if named.prefix is not None or named.work_mode else "found by its modes"
        return Finding(
            about="Inverter",
            words=f"{self.wired.id} ({how}): {modes}",
            presence=Presence.MISSING if problems else Presence.FOUND,
            advice="; ".join(problems),
        )

    def _sensors(self, meters: MeterEntities) -> Iterator[Finding]:
        for about, fields, why in _METERS:
            ids = [each for name in fields if (each := getattr(meters, name)) is not None]
            states = [(each, self.host.read_state(each)) for each in ids]
            dumb = [each for each, state in states if not _has_number(state)]
            is_new = any(state is not None and state.state == "unknown" for _, state in states)
            yield Finding(
                about=about,
                words=", ".join(f"{each} {_shown(state)}" for each, state in states) or "none",
                presence=Presence.MISSING if dumb or not ids else Presence.FOUND,
                advice=f"{why}: enable {' and '.join(dumb)} in Home Assistant, or name another "
                f"under entities in apps.yaml{_NEW if is_new else ''}"
                if dumb
                else "",
            )

    def _limits(self) -> Iterator[Finding]:
        battery, config = self.config.battery, self.config

        def source(path: str) -> str:
            if path not in config.found_out:
                return "set"
            return "inverter" if path in self.wired.says else "assumed"

        told = {
            path: source(path)
            for path in ("battery.reserve_kwh", "battery.max_charge_kw", "battery.max_discharge_kw")
        }
        assumed = [path for path, by in told.items() if by == "assumed"]
        by = list(told.values())
        yield Finding(
            about="Battery",
            words=f"{battery.capacity_kwh:g} kWh (set), {battery.reserve_kwh:g} kWh kept in "
            f"reserve ({by[0]}), charges at {battery.max_charge_kw:g} kW ({by[1]}), discharges at "
            f"{battery.max_discharge_kw:g} kW ({by[2]})",
            presence=Presence.OPTIONAL if assumed else Presence.FOUND,
            advice=f"the inverter does not tell: set {', '.join(assumed)} if another is right"
            if assumed
            else "",
        )

    def _learning(self) -> Iterator[Finding]:
        words = self.learned().words
        if words:
            yield Finding(about="Battery limits", words="; ".join(words))

    def _wishes(self) -> Iterator[Finding]:
        planner = self.config.planner
        words = []
        if not planner.battery_may_export:
            words.append("the battery is not sold from")
        if (most := planner.max_grid_charge_p_per_kwh) is not None:
            words.append(f"it is not charged from the grid above {most:g} p/kWh")
        if words:
            yield Finding(about="Wishes", words=f"{'; '.join(words)} (set)")

    def _tariff(self, way: Direction) -> Finding:
        about = f"{way.value.capitalize()} rates"
        fixed = getattr(self.config.rates, f"fixed_{way}_p")
        if fixed is not None:
            return Finding(about=about, words=f"{fixed:g} p/kWh at all times, as set")
        where, problem = self._where(way), self.rates.failed.get(way, "")
        return Finding(
            about=about,
            words=where,
            presence=Presence.MISSING if problem else Presence.FOUND,
            advice=problem,
        )

    def _where(self, way: Direction) -> str:
        source = self.source
        if not isinstance(source, HouseRates):
            return "made up, as set (demo rates)"
        if way in source.by_api:
            tariff = source.api.known_tariff(way)
            return f"Octopus, {tariff.code}" if tariff else "Octopus, tariff not known yet"
        try:
            entity_id = source.events.entity(way)
        except DataError:
            return "none"
        tariff = source.events.tariff(way)
        return f"{entity_id} ({tariff.code})" if tariff else entity_id

    def _sun(self, now: datetime) -> Finding:
        forecast = self.solar.in_force
        if forecast is not None:
            until = forecast.p50_kw.end.astimezone(UK)
            age = (now - forecast.issued_at).total_seconds() / 3600
            words = f"{forecast.source}, {max(age, 0):.0f} h old, until {until:%a %H:%M}"
            if forecast.source in (OpenMeteoEntities.name, ForecastSolarEntities.name):
                words += f" ({', '.join(roofs(self.config.solar, self.host))})"
            return Finding(about="Solar forecast", words=words)
        if not self.solar.was_asked:
            return Finding(about="Solar forecast", words="not asked for yet: nothing is planned")
        return Finding(
            about="Solar forecast", words="none", presence=Presence.MISSING, advice=_NO_SUN
        )

    def _helpers(self) -> Finding:
        if self.host.read_state(CHOICE) is not None:
            return Finding(about="Orders and watchdog", words="the package is installed")
        return Finding(
            about="Orders and watchdog",
            words="the package is not installed",
            presence=Presence.OPTIONAL,
            advice="copy docs/home_assistant/battery_optimizer.yaml into Home Assistant's packages",
        )


def _notifying(notify: NotifySettings, host: Host) -> Iterator[Finding]:
    """A service that is misspelt would else be told only when there is something to tell."""
    if notify.service is None:
        return
    wanted = notify.service.replace("/", ".")
    domain = wanted.partition(".")[0]
    known = [
        (each["domain"], f"{each['domain']}.{each['service']}") for each in host.list_services()
    ]
    others = sorted(name for its_domain, name in known if its_domain == domain)
    is_there = wanted in others or not known
    offered = f"; there are {', '.join(others[:MOST_NAMED])}" if others else ""
    yield Finding(
        about="Notifications",
        words=f"{wanted}, of {', '.join(notify.kinds) or 'nothing'}",
        presence=Presence.FOUND if is_there else Presence.MISSING,
        advice=""
        if is_there
        else f"Home Assistant has no service {wanted} now: set notify.service right{offered}",
    )


def _watching(host: Host) -> Finding:
    about = "AppDaemon's exclude_dirs"
    if not host.watches_files:
        return Finding(about=about, words="this app is read at the start only")
    return Finding(
        about=about,
        words="all files of this app are read again each second, and pages wait for that",
        presence=Presence.OPTIONAL,
        advice="say exclude_dirs: [battery_optimizer] under appdaemon: in appdaemon.yaml",
    )


def _zone(host: Host) -> Finding:
    is_right = host.time_zone == TIME_ZONE
    return Finding(
        about="AppDaemon's time zone",
        words=host.time_zone,
        presence=Presence.FOUND if is_right else Presence.MISSING,
        advice=""
        if is_right
        else f"set time_zone: {TIME_ZONE} in appdaemon.yaml, so that the times in its log are "
        "yours (the plan itself does not depend on it)",
    )


def _has_number(state: EntityState | None) -> bool:
    try:
        return state is not None and state.number is not None
    except ValueError:
        return False


def _shown(state: EntityState | None) -> str:
    if state is None:
        return "(does not exist)"
    return f"({state.state} {state.unit or ''})".replace(" )", ")")
