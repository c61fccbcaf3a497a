"""The page on real recorded days: the app's own parts around them, and Chromium's view of it.

The benchmark's home and rates (beside the checkout), a server that answers as Octopus does and
publishes each afternoon, a simulated inverter, and the app's own wiring in between; what it then
has to show is served by the app's own site.

    PYTHONPATH=apps:tests python -m browser.recorded_home docs/images

takes the README's pictures of it.
"""

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from aiohttp import web

from battery_optimizer.adapters.web.latest import Status
from battery_optimizer.adapters.web.site import Route, Site
from battery_optimizer.config import Config
from battery_optimizer.host import Host
from battery_optimizer.model.entity import EntityState
from battery_optimizer.model.shown import Shown
from battery_optimizer.model.slots import SLOT, UK, SlotSeries, day_bounds, local_day
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.home.fox_entities import SimulatedFoxEss
from battery_optimizer.simulate.home.inverter import SimulatedInverter
from battery_optimizer.wiring.house import connect
from battery_optimizer.wiring.running import RunningHouse
from battery_optimizer.wiring.web import past_of, with_sources
from browser.chromium import DESKTOP, PHONE, chromium
from octopus_server import OctopusServer, a_row, half_hours

DATA: Final = Path(__file__).parents[3] / "shared" / "data" / "home_a.csv.gz"
NOW: Final = datetime(2020, 3, 16, 16, 20, tzinfo=UTC)
"""The dear hours of a bright day; tomorrow's rates are due."""
SOLCAST: Final = "sensor.solcast_pv_forecast_"
RATES: Final = {"imports": "E-1R-AGILE-24-10-01-C", "exports": "E-1R-AGILE-OUTGOING-19-05-13-C"}
PUBLISHED_AT: Final = 16
SETTINGS: Final[dict[str, Any]] = {
    "battery": {"capacity_kwh": 10.4, "reserve_kwh": 1.04},
    "inverter": {"ac_limit_kw": 3.68},
    "grid": {"export_limit_kw": 6, "import_limit_kw": 20},
    "rates": {
        "import_product": "AGILE-24-10-01",
        "export_product": "AGILE-OUTGOING-19-05-13",
        "region": "C",
        "demo": "never",
    },
    "solar": {"sources": ["solcast"]},
}


@dataclass
class RecordedHome:
    """What the house draws, what its panels give, and what had been forecast of that."""

    days: RecordedDays
    fox: SimulatedFoxEss = field(init=False)
    now: datetime = field(init=False)

    def load_kw(self, moment: datetime) -> float:
        return self.days.load_kw.at(moment)

    def solar_kw(self, moment: datetime) -> float:
        return self.days.solar_kw.at(moment)

    def states(self) -> Mapping[str, EntityState]:
        told = {f"{SOLCAST}api_last_polled": EntityState(state=self.now.isoformat())}
        for ahead, name in enumerate(("today", "tomorrow", "day_3")):
            rows = {"detailedForecast": list(self._forecast(ahead))}
            told[f"{SOLCAST}forecast_{name}"] = EntityState(
                state="1", attributes=rows, last_reported=self.now
            )
        return {**self.fox.entities(), **told}

    def call(self, service: str, /, **data: object) -> object:
        return self.fox.call(service, data)

    def _forecast(self, ahead: int) -> Iterator[dict[str, float | str]]:
        start, end = day_bounds(local_day(self.now) + timedelta(days=ahead))
        while start < end:
            yield {
                "period_start": start.astimezone(UK).isoformat(),
                "pv_estimate": self.days.solar_p50_kw.at(start),
                "pv_estimate10": self.days.solar_p10_kw.at(start),
                "pv_estimate90": self.days.solar_p90_kw.at(start),
            }
            start += SLOT


def publish(octopus: OctopusServer, days: RecordedDays, start: datetime, end: datetime) -> None:
    for name, code in RATES.items():
        series: SlotSeries = getattr(days, name)
        octopus.publish(code, half_hours(start, series.between(start, end).values.tolist()))


@contextmanager
def lived_through(folder: Path, *, n_days: float, step: timedelta) -> Iterator[Site]:
    """The site of a house that lived through these days, until `NOW`."""
    days = RecordedDays.read(DATA, pv_kwp=4.0)
    start = NOW - timedelta(days=n_days)
    home = RecordedHome(days)
    with OctopusServer() as octopus:
        config = Config.from_args(
            SETTINGS | {"rates": SETTINGS["rates"] | {"base_url": octopus.url}}
        )
        home.fox = SimulatedFoxEss(
            SimulatedInverter(house=config.house, surroundings=home, now=start, soc_kwh=5.0)
        )
        home.now = start
        known = _tonight(start)
        publish(octopus, days, known - timedelta(days=8), known)
        for code in RATES.values():
            octopus.standing_charges[code] = [a_row(datetime(2019, 1, 1, tzinfo=UTC), None, 21.0)]
        house = connect(config, _host(folder, home))
        try:
            for t in range(int((NOW - start) / step)):
                home.now = start + t * step
                if home.now >= known - timedelta(hours=23 - PUBLISHED_AT):
                    publish(octopus, days, known, known + timedelta(days=1))
                    known += timedelta(days=1)
                home.fox.inverter.advance(home.now)
                house.run(home.now)
            home.now = NOW
            home.fox.inverter.advance(NOW)
            house.standing.refresh(NOW)
            for _ in range(int(n_days) + 2):  # some days' bills at a time
                house.ledger.look(NOW)
            yield _site(house, house.run(NOW), NOW)
        finally:
            house.close()


def _tonight(moment: datetime) -> datetime:
    """Until when rates are published."""
    end = moment.replace(hour=23, minute=0, second=0, microsecond=0)
    return end + timedelta(days=moment.hour >= PUBLISHED_AT)


def _host(folder: Path, home: RecordedHome) -> Host:
    return Host(
        app="battery_optimizer",
        folder=folder,
        latitude=50.9,
        longitude=-3.8,
        call_service=home.call,
        read_state=lambda entity_id: home.states().get(entity_id),
        list_entities=home.states,
        get_history=None,
        sleep=lambda _: None,
        now=lambda: home.now,
    )


def _site(house: RunningHouse, shown: Shown, now: datetime) -> Site:
    status = Status(
        started_at=now - timedelta(days=3), control="active", found=tuple(house.survey.look(now))
    )
    return Site(
        shown=lambda: shown,
        status=lambda: with_sources(status, house),
        now=lambda: now + timedelta(seconds=20),
        refresh=lambda: None,
        battery=lambda: house.config.battery,
        voltage=None,
        past=lambda: past_of(house),
    )


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The address of its page."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(_serving(site), loop).result(20)
    host, port = runner.addresses[0]
    try:
        yield f"http://{host}:{port}/app/battery_optimizer"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _handed_on(route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await route(request, None)

    return answer


async def _serving(site: Site) -> web.AppRunner:
    """As AppDaemon does, which hands each request on with what the route was registered with."""
    app = web.Application()
    for ending, route in site.routes().items():
        app.router.add_get(f"/app/battery_optimizer{ending}", _handed_on(route))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


def pictures(folder: Path) -> None:
    """Of a desktop in light and dark, and of a phone."""
    with (
        TemporaryDirectory() as kept,
        lived_through(Path(kept), n_days=8, step=timedelta(minutes=10)) as site,
        served(site) as url,
        chromium() as browser,
    ):
        for name, width, height, dark in (
            ("desktop", DESKTOP, 1500, False),
            ("dark", DESKTOP, 1500, True),
            ("phone", PHONE, 1900, False),
        ):
            browser.open(url, width=width, dark=dark)
            browser.wait(lambda: browser.count("#bills-chart canvas") == 1, "the charts")
            browser.screenshot(folder / f"page-{name}.png", height=height)


if __name__ == "__main__":
    pictures(Path(sys.argv[1]))
