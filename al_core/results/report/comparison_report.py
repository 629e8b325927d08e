"""The report of several runs side by side: a study, or runs whose names begin alike."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from al_core import __version__
from al_core.config import ExperimentConfig, options
from al_core.data.dataset import Dataset
from al_core.records import RoundRecord, StudyRecord
from al_core.results import comparison
from al_core.results.analysis import Metric
from al_core.results.axes import AXES, Prices
from al_core.results.figures.sheets import SideBySide, comparison_sheets, curves_sheet
from al_core.results.records_file import content_id
from al_core.results.repeat import differing, study_command, study_file
from al_core.results.report.page import Page, Section, Statement, Table, Tile
from al_core.results.study import StudyResult
from al_core.results.study_tables import summary_frame
from al_core.results.study_text import ceiling_words, reference_words, saving_text, seeds_text
from al_core.results.to_target import PAID, target_frame, target_table, usual_target
from al_core.results.verdict_words import numbers, tone
from al_core.study import Bundle, StudyConfig
from al_core.words import english

_MOST_POINTS: Final = 12
_TITLES: Final = {option.path: option for option in options()}


@english()
def comparison_page(
    side: SideBySide,
    *,
    metric: str | None = None,
    study: StudyRecord | None = None,
    target: float | None = None,
) -> Page:
    """Verdicts, curves, tables, and everything that a repetition needs.

    `target` is the value whose price is told; None: what the baseline comes to.
    """
    result = side.result(metric)
    runs = [run for group in side.groups for run in group.runs.values()]
    further = [m for m in result.offered if m is not result.metric]
    sheets = comparison_sheets(side, metric=result.metric.key, metrics=further)
    picked = [sheet for sheet in sheets if sheet.key in ("penalty", "overlap", "classes")]
    others = [sheet for sheet in sheets if sheet.key.startswith("curves-")]
    main = [curves_sheet(result, singles=result.num_seeds < 2)] if result.measured else []
    sections = [
        Section("curves", "Learning curves", (_about(side, result, study),), main),
        Section("numbers", "In numbers", ceiling_words(result), tables=_tables(side, result)),
        *_to_target(side, result.metric, target),
        Section("asked", "What was asked for", sheets=picked, pairs=True),
        Section("metrics", "Other metrics", sheets=others, pairs=True, folded=True),
        Section("runs", "Every run", tables=[_runs_table(side, result.metric)], folded=True),
        Section("settings", "Settings", (_settings_words(study),), tables=_settings(side, study)),
    ]
    done = sum(run.finished for run in runs)
    return Page(
        "study" if study is not None else "runs side by side",
        side.name,
        _subtitle(side, len(runs), done),
        _caution(result),
        _statements(result),
        _tiles(result),
        [s for s in sections if s.sheets or s.tables],
        *_repetition(side, study),
        _facts(side, study),
    )


def _about(side: SideBySide, result: StudyResult, study: StudyRecord | None) -> str:
    metric = result.metric
    text = f"{metric.title}: {metric.meaning}"
    shared = [name for name, sections in _SHARED.items() if study is not None and _alike(side, sections)]
    if not shared:
        return text
    words = shared[0] if len(shared) == 1 else f"{', '.join(shared[:-1])} and {shared[-1]}"
    return f"{text} Runs of a seed share {words}."


_SHARED: Final = {"splits": ("data.",), "initial set": ("data.", "init."), "weights": ("data.", "model.")}
"""What a study's runs of one seed have in common, and by which options it is decided."""


def _alike(side: SideBySide, sections: tuple[str, ...]) -> bool:
    """Whether the configurations agree in all options of these sections."""
    chosen = [{p: v for p, v in g.options.items() if p.startswith(sections)} for g in side.groups]
    return all(one == chosen[0] for one in chosen)


def _subtitle(side: SideBySide, count: int, done: int) -> str:
    strategies, seeds = len(side.groups), {s for g in side.groups for s in g.runs}
    dataset = side.dataset.title if side.dataset is not None else ""
    parts = [
        f"{strategies} configuration{'s' * (strategies != 1)} × {len(seeds)} seed{'s' * (len(seeds) != 1)}",
        f"{count} runs" if done == count else f"{done} of {count} runs finished",
        *([dataset] if dataset else []),
    ]
    return " · ".join(parts)


def _caution(result: StudyResult) -> str:
    if result.unfinished:
        return result.unfinished
    if result.num_seeds < comparison.FEW_SEEDS:
        few = seeds_text(result.num_seeds)
        return f"Indicative only: {few}; {comparison.FEW_SEEDS} are the least that a ranking can rest on."
    return ""


def _statements(result: StudyResult) -> list[Statement]:
    found = list(result.verdicts)
    if result.at_the_top is not None:
        found.append(result.at_the_top)
    said = [Statement(v.text, numbers(v, result), tone(v, result)) for v in found]
    return [*said, *(Statement(words) for words in (*result.left_out, *reference_words(result)))]


def _tiles(result: StudyResult) -> list[Tile]:
    frame = summary_frame(result)
    if frame.empty:
        return []
    best, metric, axis = frame.iloc[0], result.metric, AXES[result.over]
    base = next((result.baseline_of(arm) for arm in result.compared if arm.name == best["arm"]), None)
    saved = best["saving"]
    tiles = [
        Tile("Best mean height", str(best["arm"]), f"{metric.text(best['area'])} {metric.title.lower()}"),
        Tile(f"{metric.title} at {axis.text(best[result.over])}", metric.text(best["final"]),
             "" if _none(best["final_half"]) else f"± {metric.size(best['final_half'])}"),
    ]  # fmt: skip
    if base is not None and best["arm"] != base.name and not _none(saved):
        count = seeds_text(int(best["saving_seeds"]))
        goal = f"to the worse of its last value and {base.name}'s ({count})"
        tiles.append(Tile(f"{axis.name} saved", f"{100 * saved:.0f} %", goal))
    return [*tiles, Tile("Seeds", str(result.num_seeds), "that every configuration has")]


def _tables(side: SideBySide, result: StudyResult) -> list[Table]:
    frame, metric, axis = summary_frame(result), result.metric, AXES[result.over]
    if frame.empty:
        return []
    rows = [
        (
            str(r["arm"]), str(r["seeds"]), _pair(metric, r["final"], r["final_half"]),
            metric.text(r["area"]),
            metric.text(r["log_area"]), _gap(metric, r["difference"], r["difference_half"]),
            _p(r["p_holm"]), _p(r["p_wilcoxon"]), saving_text(r["saving"], r["saving_seeds"]),
        )
        for r in frame.to_dict("records")
    ]  # fmt: skip
    name = result.baseline_title
    head = (
        "Configuration", "Seeds", f"At {axis.text(frame[result.over].iloc[0])}", "Mean height",
        "Mean height, log x", f"Against {name}", "p, Holm", "p, Wilcoxon",
        f"{axis.name} saved",
    )  # fmt: skip
    note = (
        "± is half the 95 % interval (Student's t over the seeds). Mean height: area under the curve over "
        "the range of labels that all have. Against: paired by seed, mean height, with Holm's correction for "
        "several arms. "
        f"Labels saved: to the worse of the last values of the arm and {name}, which both reach."
    )
    return [Table(head, rows, note), _points(side, result)]


def _points(side: SideBySide, result: StudyResult) -> Table:
    """Mean and sample deviation at the places that were measured."""
    places, axis = result.places, AXES[result.over]
    if len(places) > _MOST_POINTS:
        chosen = np.linspace(0, len(places) - 1, _MOST_POINTS).round().astype(int)
        places = [places[i] for i in dict.fromkeys(chosen.tolist())]
    metric = result.metric
    rows = []
    for arm in result.compared:
        cells = [
            "–" if m is None else _pair(metric, m.mean, m.deviation) for m in arm.mean_curve(places)
        ]  # fmt: skip
        rows.append((arm.name, *cells))
    note = f"{metric.title}: mean ± sample deviation over the seeds, by {axis.title}."
    return Table(("Configuration", *(axis.text(place) for place in places)), rows, note)


def _to_target(side: SideBySide, metric: Metric, target: float | None) -> list[Section]:
    """What a target takes, always counted in labels."""
    result = side.result(metric.key, over="labels")
    goal = usual_target(result) if target is None else target
    if goal is None:
        return []
    frame = target_frame(result, goal, side.prices or Prices())
    return [Section("target", f"To {metric.text(goal)}", tables=[Table(*target_table(frame), PAID)])]


def _runs_table(side: SideBySide, metric: Metric) -> Table:
    rows = [
        (
            run.name, str(seed), str(len(run.rounds)), f"{run.rounds[-1].num_labeled:,}",
            metric.text(run.rounds[-1].metrics.get(metric.key)),
            f"{sum(sum(r.seconds.values()) for r in run.rounds):,.0f}",
            "finished" if run.finished else "not finished", run.id,
        )
        for group in side.groups
        for seed, run in group.runs.items()
        if run.rounds
    ]  # fmt: skip
    return Table(("Run", "Seed", "Rounds", "Labels", metric.title, "Seconds", "State", "Id"), rows)


# -- settings and how to repeat --------------------------------------------------------------------


def _settings_words(study: StudyRecord | None) -> str:
    return "What is not the default." + ("" if study is None else " Axes are what the study tries.")


def _settings(side: SideBySide, study: StudyRecord | None) -> list[Table]:
    if study is not None:
        config = StudyConfig.from_json(study.config)
        axes = [
            (
                axis,
                "tries " + ", ".join(v.name if isinstance(v, Bundle) else _value(v) for v in values),
                "axis",
            )
            for axis, values in config.axes.items()
        ]
        seeds = ("seeds", ", ".join(map(str, config.seeds)), "every configuration is run with each")
        base = settings_rows(config.base.changed(name="run", seed=0))
        return [Table(("Setting", "Value", "What it is"), [*axes, seeds, *base], prose=True)]
    rows = []
    for group in side.groups:
        own = {p: v for p, v in group.options.items() if p in _TITLES and v != _TITLES[p].default}
        own = {p: v for p, v in own.items() if p not in ("name", "seed")}
        words = ", ".join(f"{path} = {_value(value)}" for path, value in own.items())
        rows.append((group.title, words or "all defaults"))
    return [Table(("Configuration", "What is not the default"), rows, prose=True)]


def settings_rows(config: ExperimentConfig) -> list[tuple[str, str, str]]:
    """The options that are not their default: path, value and default, and what they are."""
    return [
        (path, f"{_value(value)} (default {_value(_TITLES[path].default)})", _TITLES[path].help)
        for path, value in differing(config).items()
    ]


def _value(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _repetition(side: SideBySide, study: StudyRecord | None) -> tuple[str, str, tuple[str, str] | None]:
    if study is None:
        command = f"python -m al_core curves --prefix {json.dumps(side.name)}"
        return command, "These runs were begun one by one; this draws them again.", None
    name = f"study-{study.id}.json"
    note = (
        f"Save {name} below, then this repeats every run, number for number on the same machine with "
        "the same versions; a study that was interrupted goes on."
    )
    return study_command(name, f"study-{study.id}"), note, (name, study_file(study.config))


def _facts(side: SideBySide, study: StudyRecord | None) -> list[tuple[str, str]]:
    runs = [run for group in side.groups for run in group.runs.values()]
    outcome = [
        [run.configuration, run.seed, [[r.num_labeled, dict(r.metrics)] for r in run.rounds]] for run in runs
    ]
    facts = [("Results id", content_id(outcome))]
    if study is not None:
        facts += [
            ("Study", study.id),
            ("Begun", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(study.created_at))),
        ]
    if side.dataset is not None:
        facts += [
            ("Data set", images_words(side.dataset)),
            ("Its fingerprint", side.dataset.fingerprint[:16]),
        ]  # fmt: skip
    return [*facts, *machine_facts([r for run in runs for r in run.rounds])]


def images_words(dataset: Dataset) -> str:
    """A data set's name and the sizes of its splits."""
    return f"{dataset.title}, {len(dataset.train):,} + {len(dataset.test):,} images"


def machine_facts(rounds: Sequence[RoundRecord]) -> list[tuple[str, str]]:
    """What the rounds ran on, as their manifests say; several values where they differ."""
    names = (
        ("device", "Device"), ("precision", "Precision"), ("threads", "Threads"), ("torch", "torch"),
        ("numpy", "numpy"), ("askwell", "Askwell"), ("parameters", "Parameters of the network"),
    )  # fmt: skip
    found = []
    for key, title in names:
        values = list(dict.fromkeys(str(r.manifest[key]) for r in rounds if key in r.manifest))
        if values:
            found.append((title, ", ".join(values)))
    if "Askwell" not in dict(found):
        found.append(("Askwell", __version__))
    return [*found, ("Report made on", f"Python {platform.python_version()}, {platform.machine()}")]


def _none(value: Any) -> bool:
    return value is None or not np.isfinite(value)


def _pair(metric: Metric, mean: Any, half: Any) -> str:
    if _none(mean):
        return "–"
    return metric.text(mean) if _none(half) else f"{metric.text(mean)} ± {_bare(metric, half)}"


def _gap(metric: Metric, mean: Any, half: Any) -> str:
    if _none(mean):
        return "–"
    return metric.difference(mean) if _none(half) else f"{metric.signed(mean)} ± {_bare(metric, half)}"


def _bare(metric: Metric, value: Any) -> str:
    return metric.signed(value).lstrip("+")


def _p(value: Any) -> str:
    return "–" if _none(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"
