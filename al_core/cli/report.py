"""`report`: what a study, several runs or one run came to, as text, tables and a page of its own."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from al_core.cli.axis_flags import add_axis_flags, axis_given, prices_of
from al_core.cli.targets import require_measured, run_or_study, runs_beginning, side_of_runs, side_of_study
from al_core.errors import ConfigError, Problem
from al_core.experiment import Experiment
from al_core.records import StudyRecord
from al_core.results.axes import Over, Prices
from al_core.results.figures.sheets import SideBySide
from al_core.results.folder import write_table
from al_core.results.report.comparison_report import comparison_page
from al_core.results.report.page import Page, page_html
from al_core.results.report.run_report import run_page
from al_core.results.runs import metric_named, option_path, run_of
from al_core.results.study import StudyResult
from al_core.results.study_tables import curves_frame, summary_frame
from al_core.results.study_text import report_text
from al_core.results.to_target import target_frame, target_text, usual_target
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("report", help="verdicts, tables and figures of a study or a run")
    parser.set_defaults(function=main)
    parser.add_argument(
        "id", nargs="*", help="of a study, a run, or several runs side by side; without one: the newest study"
    )
    parser.add_argument("--prefix", help="in place of an id: runs whose folder or name begins so")
    parser.add_argument(
        "-c", "--label", nargs="+", default=[], metavar="OPTION", help="with --prefix: what names a curve"
    )
    parser.add_argument("--title", help="of several runs' report")
    parser.add_argument("--metric", help="test_accuracy, test_macro_f1 ...")
    parser.add_argument("--out", type=Path, help="folder for report.md, the tables and report.html")
    parser.add_argument(
        "--html", nargs="?", const=Path("report.html"), type=Path, metavar="FILE",
        help="also a page that needs no network, with every figure; in --out, or report.html here",
    )  # fmt: skip
    add_axis_flags(parser)
    parser.add_argument("--target", type=float, metavar="X", help="value that `to a target` is about, 0.95")
    parser.add_argument(
        "--ceiling", type=float, metavar="X",
        help="compare only until every mean is within 1 %% of this value",
    )  # fmt: skip


def main(arguments: argparse.Namespace) -> int:
    """Write what is asked for, and print the text."""
    settings = Settings.from_env()
    named = metric_named(arguments.metric) if arguments.metric else None
    metric = named.key if named else None
    out: Path | None = arguments.out
    with closing(open_store(settings)) as store:
        found = _target(store, settings, arguments)
        if isinstance(found, Experiment):
            _refuse_axis(arguments)
            require_measured(named, store.rounds(found.id))
            page = run_page(found, metric=metric)
            text = run_text(page)
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                (out / "report.md").write_text(text, encoding="utf-8")
        else:
            side, study = found
            require_measured(named, side.all_rounds)
            prices, target = prices_of(arguments), arguments.target
            side = replace(side, over=arguments.over, prices=prices, ceiling=arguments.ceiling)

            def results(over: Over) -> StudyResult:
                return side.everything(metric, over=over)

            text = write_report(results, out, over=side.over, prices=prices, target=target)
            page = (
                comparison_page(side, metric=metric, study=study, target=target) if arguments.html else None
            )
    sys.stdout.write(text)
    if arguments.html is not None and page is not None:
        place = arguments.html if out is None or arguments.html.is_absolute() else out / arguments.html
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(page_html(page), encoding="utf-8")
        sys.stdout.write(f"\nwritten: {place}\n")
    return 0


def _refuse_axis(arguments: argparse.Namespace) -> None:
    """Raises ConfigError for what only a comparison has, where one run is reported."""
    given = {flag: getattr(arguments, flag) for flag in ("ceiling", "target")}
    given |= axis_given(arguments)
    allowed = "goes with a study or several runs; leave it out"
    if problems := [
        Problem(f"--{flag}", value, allowed) for flag, value in given.items() if value is not None
    ]:
        raise ConfigError(problems)


def _target(
    store: Store, settings: Settings, arguments: argparse.Namespace
) -> Experiment | tuple[SideBySide, StudyRecord | None]:
    labels = [option_path(name) for name in arguments.label]
    if arguments.prefix is not None:
        runs = runs_beginning(store, arguments.prefix)
        return side_of_runs(store, settings, arguments.title or arguments.prefix, runs, labels), None
    if len(arguments.id) > 1:
        runs = [run_of(store.experiment(run), store.rounds(run)) for run in arguments.id]
        return side_of_runs(store, settings, arguments.title or "Runs side by side", runs, labels), None
    if arguments.id:
        found = run_or_study(store, settings, arguments.id[0])
    else:
        known = store.studies()
        if not known:
            raise ConfigError(
                [Problem("id", None, "there is no study yet; `study --preset quick` makes one")]
            )
        found = known[0]
    return found if isinstance(found, Experiment) else (side_of_study(store, settings, found), found)


def write_report(
    results: Callable[[Over], StudyResult],
    out: Path | None,
    *,
    over: Over = "labels",
    prices: Prices | None = None,
    target: float | None = None,
) -> str:
    """The text of a comparison; with `out` also report.md, summary.csv, curves.csv and target.csv there.

    `results` gives the comparison over an axis: a target is always counted in labels. Compared are the seeds
    that every arm has finished, as on the Compare page; the text says what is left out.
    """
    result, by_labels = results(over).settled, results("labels").settled
    text = report_text(result)
    goal = usual_target(by_labels) if target is None else target
    needed = None if goal is None else target_frame(by_labels, goal, prices or Prices())
    if goal is not None and needed is not None:
        text += target_text(by_labels, goal, needed)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.md").write_text(text, encoding="utf-8")
        tables = {"summary": summary_frame(result), "curves": curves_frame(result), "target": needed}
        for name, frame in tables.items():
            if frame is not None:
                write_table(out / f"{name}.csv", frame)
    return text


def run_text(page: Page) -> str:
    """A run's report as Markdown: its sentences, its tables, and the command that repeats it."""
    lines = [f"# {page.title}", "", page.subtitle, ""]
    for said in page.statements:
        lines.append(f"- {said.text}" + (f" ({said.numbers})" if said.numbers else ""))
    for section in page.sections:
        for table in section.tables:
            lines += [
                "",
                f"## {section.title}",
                "",
                f"| {' | '.join(table.head)} |",
                "|---" * len(table.head) + "|",
            ]
            lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in table.rows]
    return "\n".join([*lines, "", page.command_note, "", f"    {page.command}"]) + "\n"
