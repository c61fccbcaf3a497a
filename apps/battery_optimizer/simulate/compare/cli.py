"""`simulate compare`: what another tariff, battery, roof or policy would have made of it."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from battery_optimizer.errors import DataError
from battery_optimizer.model.past import OwnHistory
from battery_optimizer.simulate.backtest import Run
from battery_optimizer.simulate.compare.own_days import days_of, read_settings
from battery_optimizer.simulate.compare.report import report, terminal_table
from battery_optimizer.simulate.compare.run import Job, Outcome, all_played
from battery_optimizer.simulate.compare.variants import (
    PRESENT,
    Variant,
    parsed_variant,
    read_variants,
    with_names_apart,
)
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.home_file import read_home
from battery_optimizer.simulate.options import (
    Commands,
    add_span,
    number,
    require_writable,
    whole_number,
)
from battery_optimizer.simulate.progress import Progress

EXAMPLE = """\
examples:
  compare --database battery_optimizer.db --settings apps/apps.yaml --variants variants.yaml
  compare --data home_a.csv home_b.csv --home home.json --days 60 \\
          --variant 'larger battery: capacity_kwh=15 charge_kw=5' --variant solar_scale=2

variants.yaml names each variant, and below it what is another than now:
  larger battery: {capacity_kwh: 15, charge_kw: 5}
  flat tariff: {import_p: 24.5, export_p: 15, standing_p: 53}
  cheap nights: {import_p: {"00:30": 8.5, "05:30": 29}, export_p: 15}
  another product: {import_p: rates.csv, export_p: rates.csv}
  reactive rules: {policy: reactive}
"""

ReadHistory = Callable[[Path], OwnHistory]


@dataclass(frozen=True)
class Comparison:
    """Does what `compare` is asked; the app's own past is read by whoever knows its store."""

    read_history: ReadHistory

    def add_to(self, commands: Commands) -> None:
        """The command with its options."""
        command = commands.add_parser(
            "compare",
            help="Play one's days with other tariffs, batteries, panels and policies.",
            epilog=EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(command=self.compare)
        source = command.add_mutually_exclusive_group(required=True)
        source.add_argument("--data", type=Path, nargs="+", help="CSVs of half hours, one a home")
        source.add_argument("--database", type=Path, help="the app's own battery_optimizer.db")
        command.add_argument(
            "--home", type=Path, nargs="+", help="JSON of the house: one, or one for each --data"
        )
        command.add_argument("--settings", type=Path, help="apps.yaml, with --database")
        command.add_argument("--variants", type=Path, help="YAML of variants, see below")
        command.add_argument(
            "--variant",
            action="append",
            default=[],
            metavar="'NAME: KEY=VALUE ...'",
            help="a variant more; may be given again and again",
        )
        add_span(command)
        command.add_argument("--standing", type=number, metavar="P", help="standing charge [p/day]")
        command.add_argument(
            "--jobs",
            type=whole_number,
            default=-1,
            help="processes at once; -1, the default: all cores",
        )
        command.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler to work on")
        command.add_argument(
            "--report",
            type=Path,
            default=Path("compare.html"),
            help="the page (default %(default)s)",
        )
        command.add_argument("--json", type=Path, help="the figures as a file")

    def compare(self, options: argparse.Namespace) -> None:
        """Play all variants of all homes; print a table, write a page."""
        require_writable(options.report, options.json)
        if options.jobs == 0 or options.jobs < -1:
            raise DataError(f"--jobs must be 1 or more, or -1 for all cores, not {options.jobs}")
        given = _variants(options)
        homes = self._homes(options)
        folder = options.variants.parent if options.variants else Path()
        jobs = [
            Job(
                home=home.name,
                variant=variant.name,
                run=variant.run(home.run, folder),
                standing_p=home.standing_p if variant.standing_p is None else variant.standing_p,
            )
            for home in homes
            for variant in given
        ]
        notices = [f"{home.name}: {home.run.days.notice}" for home in homes if home.run.days.notice]
        for notice in notices:
            print(notice, file=sys.stderr)
        progress = Progress()
        outcomes = all_played(jobs, n_jobs=options.jobs, dask=options.dask, tell=progress.tell)
        progress.end()
        options.report.write_text(report(outcomes, notices), encoding="utf-8")
        if options.json:
            options.json.write_text(json.dumps([_figures(each) for each in outcomes], indent=1))
        print(terminal_table(outcomes))
        print(f"\nwith charts: {options.report}")

    def _homes(self, options: argparse.Namespace) -> list["Home"]:
        if options.database is not None:
            return [self._own_home(options)]
        if options.home is None:
            raise DataError("--home is missing: the JSON of the house, as for backtest")
        homes = options.home if len(options.home) > 1 else options.home * len(options.data)
        if len(homes) != len(options.data):
            raise DataError(f"{len(options.data)} --data files need one --home or as many")
        found = []
        for data, home in zip(options.data, homes, strict=True):
            house, pv_kwp, start_soc_kwh = read_home(home)
            days = RecordedDays.read(data, pv_kwp=pv_kwp, start=options.start, days=options.days)
            run = Run(house=house, days=days, start_soc_kwh=start_soc_kwh)
            found.append(Home(name=_stem(data), run=run, standing_p=options.standing or 0.0))
        return _with_names_apart(found)

    def _own_home(self, options: argparse.Namespace) -> "Home":
        if options.settings is None:
            raise DataError("--settings is missing: the apps.yaml that says what the house is")
        config = read_settings(options.settings)
        rates = config.rates
        days = days_of(
            self.read_history(options.database),
            fixed_import_p=rates.fixed_import_p,
            fixed_export_p=rates.fixed_export_p,
        ).part(options.start, options.days)
        battery = config.house.battery
        run = Run(
            house=config.house,
            days=days,
            start_soc_kwh=(battery.reserve_kwh + battery.ceiling_kwh) / 2,
            settings=config.planner,
        )
        standing = rates.standing_charge_p if options.standing is None else options.standing
        return Home(name=_stem(options.database), run=run, standing_p=standing or 0.0)


@dataclass(frozen=True, kw_only=True)
class Home:
    """A home as it is, with its days."""

    name: str
    run: Run
    standing_p: float


def _variants(options: argparse.Namespace) -> list[Variant]:
    given = read_variants(options.variants) if options.variants else []
    given += [parsed_variant(text) for text in options.variant]
    return with_names_apart([*PRESENT, *given])


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]


def _with_names_apart(homes: Sequence[Home]) -> list[Home]:
    names = [home.name for home in homes]
    return [
        replace(home, name=f"{home.name} ({number})") if names.count(home.name) > 1 else home
        for number, home in enumerate(homes, start=1)
    ]


def _figures(each: Outcome) -> dict[str, object]:
    return {
        "home": each.home,
        "variant": each.variant,
        "days": round(each.n_days, 3),
        "bill_p": round(each.total_p, 2),
        "bill_p_per_day": round(each.p_a_day, 3),
        "import_kwh": round(sum(day.import_kwh for day in each.days.values()), 3),
        "export_kwh": round(sum(day.export_kwh for day in each.days.values()), 3),
        "start_soc_kwh": round(each.start_soc_kwh, 3),
        "end_soc_kwh": round(each.end_soc_kwh, 3),
        "left_p": round(each.left_p, 2),
        "seconds": round(each.seconds, 1),
    }
