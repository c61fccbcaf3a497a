"""The command line of the simulator: `python -m battery_optimizer.simulate --help`."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from battery_optimizer.adapters.store.archive import read_own_history
from battery_optimizer.errors import BatteryOptimizerError
from battery_optimizer.model.slots import SLOTS_PER_DAY
from battery_optimizer.simulate.backtest import (
    Forecast,
    Policy,
    Run,
    log_table,
    play,
    summary,
)
from battery_optimizer.simulate.bench.case import Case, plan_case
from battery_optimizer.simulate.bench.report import benchmark
from battery_optimizer.simulate.compare.cli import Comparison
from battery_optimizer.simulate.days.recorded import RecordedDays
from battery_optimizer.simulate.days.worlds import add_data_command, spikes
from battery_optimizer.simulate.diary import Diary, loss_figures, split_table
from battery_optimizer.simulate.forecasting.cli import add_forecasts_command
from battery_optimizer.simulate.home_file import read_home
from battery_optimizer.simulate.options import (
    Commands,
    add_days_and_home,
    add_span,
    number,
    require_writable,
    whole_number,
)
from battery_optimizer.simulate.progress import with_progress
from battery_optimizer.simulate.replay import Recording, replayed
from battery_optimizer.simulate.report.backtest import report_of

OTHERWISE = 1
BAD_INPUT = 2

A_CASE = """\
a case has a value for each half hour from its start on, and what the battery can do:
  {"name": "evening", "start": "2026-01-15T00:00:00Z",
   "import_p": [10, 40], "export_p": [5, 5], "load_kwh": [0.2, 1], "pv_kwh": [0, 0],
   "terminal_value_p_per_kwh": 12,
   "battery": {"capacity_kwh": 10, "soc_min_kwh": 1, "soc0_kwh": 5, "charge_kw": 4,
               "discharge_kw": 4, "eff_charge": 0.95, "eff_discharge": 0.95,
               "export_limit_kw": 5}}
where terminal_value_p_per_kwh, what energy left at the end is worth, may be left out (nothing).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 where a replay differs, 2 where an input cannot be used, with why."""
    options = _parser().parse_args(arguments)
    try:
        code: int | None = options.command(options)
    except BatteryOptimizerError as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    return code or 0


def _add_backtest(commands: Commands) -> None:
    command = commands.add_parser("backtest", help=backtest.__doc__)
    command.set_defaults(command=backtest)
    add_days_and_home(command)
    command.add_argument(
        "--policy",
        type=Policy,
        choices=list(Policy),
        default=Policy.PLANNER,
        help="who drives: planner (this app), self_use, reactive (charge when cheap) or prescient "
        "(all known beforehand) (default %(default)s)",
    )
    command.add_argument(
        "--forecast",
        type=Forecast,
        choices=list(Forecast),
        default=Forecast.HISTORY,
        help="what is known of load and sun: history (forecasts of what was known then) or perfect "
        "(all that came) (default %(default)s)",
    )
    add_span(command)
    command.add_argument(
        "--step-minutes",
        type=whole_number,
        choices=(5, 30),
        default=30,
        help="how often is decided (default %(default)s)",
    )
    command.add_argument("--fixed-export", type=number, metavar="P", help="export rate [p/kWh]")
    command.add_argument(
        "--spikes",
        type=whole_number,
        metavar="SEED",
        help="let the load come in spikes of five minutes",
    )
    command.add_argument("--log", type=Path, help="CSV, one row a step")
    command.add_argument("--json", type=Path, help="the printed figures as a file")
    command.add_argument(
        "--split", type=Path, help="CSV, one row a day: what was lost, by cause (slow)"
    )
    command.add_argument("--report", type=Path, help="all of it to look at, as one HTML file")


def backtest(options: argparse.Namespace) -> None:
    """Play recorded days in closed loop."""
    require_writable(options.log, options.json, options.split, options.report)
    home = read_home(options.home)
    days = RecordedDays.read(
        options.data,
        pv_kwp=home.pv_kwp,
        start=options.start,
        days=options.days,
        fixed_export_p=options.fixed_export,
    )
    if days.notice:
        print(days.notice, file=sys.stderr)
    if options.spikes is not None:
        days = replace(days, spikes=spikes(len(days.load_kw.values), options.spikes))
    run = Run(
        house=home.house,
        days=days,
        start_soc_kwh=home.start_soc_kwh,
        policy=options.policy,
        forecast=options.forecast,
        step=timedelta(minutes=options.step_minutes),
    )
    diary = Diary(run, is_splitting=options.split is not None)
    n_steps = days.n_slots * (30 // options.step_minutes)
    played = with_progress(
        play(run), n_steps, lambda step: f"{step.time:%Y-%m-%d}", every=SLOTS_PER_DAY
    )
    steps = list(diary.kept(played))
    figures = summary(run, steps) | loss_figures(diary.splits, days.n_slots / SLOTS_PER_DAY)
    if options.split:
        split_table(diary.splits).to_csv(options.split, index=False)
    if options.report:
        options.report.write_text(report_of(run, figures, steps, diary).html())
    if options.log:
        log_table(steps).to_csv(options.log, index=False)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))


def _add_plan(commands: Commands) -> None:
    command = commands.add_parser(
        "plan",
        help=plan.__doc__,
        description=f"{plan.__doc__} Prints its bill and how long it took, as JSON.",
        epilog=A_CASE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(command=plan)
    command.add_argument(
        "case", type=Path, help="JSON of a battery and of what is known, see below"
    )
    command.add_argument("--table", action="store_true", help="print the schedule, too")
    command.add_argument("--out", type=Path, help="the schedule as JSON")


def plan(options: argparse.Namespace) -> None:
    """Plan one case with its inputs taken as certain."""
    require_writable(options.out)
    result = plan_case(Case.read(options.case))
    if options.out:
        options.out.write_text(json.dumps(result.plan_payload()) + "\n")
    if options.table:
        print(result.schedule_table())
    print(json.dumps(result.verdict()))


def _add_replay(commands: Commands) -> None:
    command = commands.add_parser("replay", help=replay.__doc__)
    command.set_defaults(command=replay)
    command.add_argument("file", type=Path, help="diagnostics, as JSON or compressed with gzip")
    command.add_argument(
        "--within",
        type=number,
        default=0.0,
        help="how far numbers may be apart [p, kW] (default %(default)s)",
    )
    command.add_argument(
        "--most",
        type=whole_number,
        default=3,
        help="differences to name for a cycle (default %(default)s)",
    )


def replay(options: argparse.Namespace) -> int:
    """Make the decisions of a diagnostics file again, and say which come out otherwise."""
    recording = Recording.read(options.file)
    verdicts = list(replayed(recording, tolerance=options.within))
    for verdict in verdicts:
        words = verdict.left_out or "; ".join(verdict.differs[: options.most]) or "the same"
        print(f"{verdict.at:%Y-%m-%d %H:%M:%S} UTC: {words}")
    differing = sum(bool(verdict.differs) for verdict in verdicts)
    left_out = sum(verdict.left_out is not None for verdict in verdicts)
    same = len(verdicts) - differing - left_out
    print(f"{same} the same, {differing} otherwise, {left_out} left out")
    for each in recording.other_versions():
        print(f"note: {each}", file=sys.stderr)
    return OTHERWISE if differing else 0


def _add_bench(commands: Commands) -> None:
    command = commands.add_parser("bench", help=bench.__doc__)
    command.set_defaults(command=bench)
    command.add_argument("--cases", type=Path, required=True, help="folder: cases/, peers.csv")
    command.add_argument(
        "--out",
        type=Path,
        default=Path("build/bench"),
        help="charts and JSON (default %(default)s)",
    )
    command.add_argument(
        "--plans",
        type=whole_number,
        default=1000,
        help="plans of the memory test (default %(default)s)",
    )
    command.add_argument(
        "--repeats",
        type=whole_number,
        default=9,
        help="measurements of each time (default %(default)s)",
    )


def bench(options: argparse.Namespace) -> None:
    """Measure costs, times and memory, beside the exact optimum, HiGHS and peers."""
    parts = benchmark(options.cases, options.out, n_plans=options.plans, repeats=options.repeats)
    for part in parts:
        print(part, end="\n\n", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m battery_optimizer.simulate",
        description="Backtests, comparisons, replays; each command has a --help of its own.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_backtest(commands)
    _add_plan(commands)
    _add_replay(commands)
    Comparison(read_own_history).add_to(commands)
    add_data_command(commands)
    add_forecasts_command(commands)
    _add_bench(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
