"""`curves`: learning curves over runs whose names or folders begin alike, labelled by any option."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from al_core.cli.axis_flags import add_axis_flags, prices_of
from al_core.cli.targets import runs_beginning
from al_core.errors import ConfigError, Problem
from al_core.results.averages import averages_frame
from al_core.results.axes import AXES
from al_core.results.comparison import area, mean_interval
from al_core.results.figures.comparison import comparison_figure
from al_core.results.figures.sheets import standing_alone
from al_core.results.folder import write_table
from al_core.results.rendering import FORMATS, write_figures
from al_core.results.runs import groups, metric_named, option_path, result_of_groups
from al_core.results.study import StudyResult
from al_core.results.study_tables import curves_frame
from al_core.settings import Settings
from al_core.store import open_store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "curves",
        help="learning curves of runs whose names or folders begin alike",
        description="Runs that differ in nothing but the seed are one curve: their mean, with a 95 % band. "
        "The flags are those of the first seed's extract_results_plots.py.",
    )
    parser.set_defaults(function=main)
    parser.add_argument(
        "-fp", "--prefix", "--folder_prefix", required=True, metavar="PREFIX",
        help="folders with records.json whose path begins so; without any: runs of the store, by name",
    )  # fmt: skip
    parser.add_argument("-m", "--metric", default="accuracy", help="accuracy, macro_f1, loss, ece ...")
    parser.add_argument(
        "-c", "--label", "--curve_label", nargs="+", default=[], metavar="OPTION",
        help="options that label a curve (query_strategy, n_new, --data-aug ...); without, those that differ",
    )  # fmt: skip
    parser.add_argument(
        "-s", "--save", "--save_path", type=Path, metavar="PATH",
        help=f"a file ({', '.join(FORMATS)}), or a folder for curves.html, curves.csv and averages.csv",
    )  # fmt: skip
    add_axis_flags(parser)
    parser.add_argument("--log", action="store_true", help="logarithmic x")
    parser.add_argument("--singles", action="store_true", help="every seed's curve too, faint")


def main(arguments: argparse.Namespace) -> int:
    """Print a line a curve, and write what is asked for."""
    metric = metric_named(arguments.metric)
    labels = [option_path(name) for name in arguments.label]
    settings = Settings.from_env()
    store = open_store(settings)
    try:
        found = groups(runs_beginning(store, arguments.prefix), labels)
    finally:
        store.close()
    everything = result_of_groups(
        arguments.prefix, found, metric.key, over=arguments.over, prices=prices_of(arguments)
    )
    result = everything.settled
    if not result.measured:
        offered = ", ".join(m.key for m in result.offered) or "nothing"
        raise ConfigError([Problem("-m", arguments.metric, f"was not measured; {offered} was")])
    sys.stdout.write(_lines(result))
    save: Path | None = arguments.save
    if save is None:
        return 0
    folder = save.suffix.lower().lstrip(".") not in FORMATS
    singles = arguments.singles or result.num_seeds < 2
    figure = comparison_figure(result, everything, log=arguments.log, singles=singles)
    titled = standing_alone(figure, f"{metric.title} by {AXES[result.over].title}", arguments.prefix)
    write_figures({save / "curves.html" if folder else save: titled})
    if folder:
        for name, frame in (("curves", curves_frame(result)), ("averages", averages_frame(found))):
            write_table(save / f"{name}.csv", frame)
    sys.stdout.write(f"written: {save}\n")
    return 0


def _lines(result: StudyResult) -> str:
    """A line a curve: its end, where all are measured, and its mean height."""
    metric, arms = result.metric, result.compared
    places = result.places
    since, until = (places[0], places[-1]) if places else (None, None)
    width = max(len(arm.name) for arm in arms)
    lines = []
    for arm in arms:
        ends = arm.values(lambda curve: float(curve.values[-1]) if until is None else curve.at(until))
        areas = {} if result.apart else arm.values(lambda curve: area(curve, until, since))
        end = mean_interval(list(ends.values()))
        spread = "" if end.deviation is None else f" ± {metric.difference(end.deviation).lstrip('+')}"
        height = metric.text(mean_interval(list(areas.values())).mean) if areas else "–"
        seeds = f"{len(arm.curves)} seed{'s' * (len(arm.curves) != 1)}"
        lines.append(f"{arm.name:{width}}  {seeds}  {metric.text(end.mean)}{spread}  mean height {height}")
    lines += [*result.left_out, *filter(None, [result.unfinished])]
    where = "at the end" if until is None else f"at {AXES[result.over].text(until)}"
    return f"{metric.title} {where} (± sample deviation)\n" + "\n".join(lines) + "\n"
