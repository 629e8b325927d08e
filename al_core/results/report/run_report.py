"""The report of one run: what its labels bought, in words, figures and tables."""

from __future__ import annotations

import time
from typing import Final

from al_core.experiment import Experiment
from al_core.records import LabelSource, RoundRecord
from al_core.results.analysis import METRICS, Curve, Metric, against, measured
from al_core.results.figures.rounds import QUALITIES
from al_core.results.figures.sheets import RunMaterial, Sheet, run_sheets
from al_core.results.records_file import manifest
from al_core.results.repeat import run_command
from al_core.results.report.comparison_report import images_words, machine_facts, settings_rows
from al_core.results.report.page import Page, Section, Statement, Table, Tile
from al_core.results.study_text import passive_words
from al_core.results.tables import quality_frame
from al_core.words import english

_SHOWN_METRICS: Final = 6


@english()
def run_page(experiment: Experiment, *, metric: str | None = None) -> Page:
    """Verdict against random where it followed, curves, classes, rounds, and how to repeat the run."""
    run = RunMaterial.of(experiment)
    offered = measured(run.rounds) or METRICS[:1]
    chosen = next((m for m in offered if m.key == metric), offered[0])
    sheets = {sheet.key: sheet for sheet in run_sheets(run)}
    record = experiment.record
    known = manifest(experiment)
    return Page(
        "run",
        record.name,
        f"{run.title} · {experiment.dataset.title} · {experiment.config.model.model} · "
        f"{len(run.rounds)} round{'s' * (len(run.rounds) != 1)}",
        "One run says nothing of chance: a study over seeds does.",
        _statements(run, chosen),
        _tiles(run, chosen),
        [s for s in _sections(run, chosen, offered, sheets, experiment) if s.sheets or s.tables],
        run_command(experiment.config, f"run-{record.id}", rounds=len(run.rounds)),
        _note(experiment),
        None,
        [
            ("Manifest id", known["manifest_id"]), ("Run", record.id), ("Config", known["config_hash"]),
            ("Begun", time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(record.created_at))),
            ("Ended", record.stop_reason or record.status.value.replace("_", " ")),
            ("Data set", images_words(experiment.dataset)),
            ("Its fingerprint", experiment.dataset.fingerprint[:16]), ("Splits", experiment.splits.hash[:16]),
            *machine_facts(run.rounds),
        ],
    )  # fmt: skip


def _sections(
    run: RunMaterial,
    chosen: Metric,
    offered: tuple[Metric, ...],
    sheets: dict[str, Sheet],
    experiment: Experiment,
) -> list[Section]:
    def some(*keys: str) -> list[Sheet]:
        return [sheet for key, sheet in sheets.items() if key.startswith(keys)]

    own = f"learning-{chosen.key.removeprefix('test_').replace('_', '-')}"
    others = [sheet for sheet in some("learning-") if sheet.key != own]
    return [
        Section("curve", "Learning curve", (f"{chosen.title}: {chosen.meaning}",), some(own)),
        Section("labels", "Labels", sheets=some("labels-", "label-shares"), pairs=True),
        Section(
            "classes", "Classes", sheets=some("confusion-", "class-f1"), tables=_classes(run), pairs=True
        ),
        Section("training", "Training", sheets=some("epochs", "seconds", "arms"), pairs=True),
        Section("rounds", "Rounds", tables=[_rounds(run, offered)]),
        Section("metrics", "Other metrics", sheets=others[:_SHOWN_METRICS], pairs=True, folded=True),
        Section(
            "settings", "Settings", ("What is not the default.",),
            tables=[Table(("Setting", "Value", "What it is"), settings_rows(experiment.config), prose=True)],
        ),
    ]  # fmt: skip


def _statements(run: RunMaterial, metric: Metric) -> list[Statement]:
    own, random = Curve.of(run.rounds, metric.key), Curve.of(run.baseline, metric.key)
    if not len(own.labels):
        return []
    reached = f"{run.title} reached {metric.text(own.values[-1])} {metric.title.lower()} with "
    found = [Statement(f"{reached}{own.labels[-1]:,.0f} labels.")]
    found += [Statement(words) for words in passive_words(run.references(metric), metric, seeds=False)]
    gap = against(own, random, higher_is_better=metric.higher_is_better)
    if gap is not None:
        better = (gap.difference > 0) is metric.higher_is_better
        word = "ahead of" if better else "behind"
        tone = "even" if gap.difference == 0 else "good" if better else "bad"
        labels = ""
        if gap.labels_ahead is not None and gap.labels_ahead:
            count = f"{abs(gap.labels_ahead):,.0f} labels"
            labels = (
                f"it was there {count} earlier"
                if gap.labels_ahead > 0
                else f"random was there {count} earlier"
            )
        found.append(
            Statement(
                f"At {gap.labels:,.0f} labels it is {metric.size(abs(gap.difference))} "
                f"{word} random with the same seed and initial set.", labels, tone,
            )
        )  # fmt: skip
    return found


def _tiles(run: RunMaterial, metric: Metric) -> list[Tile]:
    if not run.rounds:
        return []
    last, curve = run.rounds[-1], Curve.of(run.rounds, metric.key)
    seconds = sum(sum(r.seconds.values()) for r in run.rounds)
    height = curve.aulc()
    return [
        Tile("Labels", f"{last.num_labeled:,}", f"{sum(c > 0 for c in last.class_counts)} of "
             f"{len(run.classes)} classes have some"),
        Tile(metric.title, metric.text(last.metrics.get(metric.key)), f"after round {last.number}"),
        Tile("Mean height", metric.text(height), "area under the curve over its range of labels"),
        Tile("Computing", f"{seconds:,.0f} s", "training, evaluating and choosing"),
    ]  # fmt: skip


def _rounds(run: RunMaterial, offered: tuple[Metric, ...]) -> Table:
    kinds = [k for k in ("train", "evaluate", "query") if any(k in r.seconds for r in run.rounds)]
    rows = [
        (
            str(r.number), f"{r.num_labeled:,}", *(m.text(r.metrics.get(m.key)) for m in offered),
            *(f"{r.seconds[k]:.1f}" if k in r.seconds else "–" for k in kinds),
        )
        for r in run.rounds
    ]  # fmt: skip
    head = ("Round", "Labels", *(m.title for m in offered), *(f"{k.capitalize()}, s" for k in kinds))
    return Table(head, rows)


def _classes(run: RunMaterial) -> list[Table]:
    with_matrix: list[RoundRecord] = [r for r in run.rounds if r.confusion is not None]
    if not with_matrix:
        return []
    last = with_matrix[-1]
    frame = quality_frame([last], run.classes)
    rows = [
        (
            str(r["class"]), *(f"{100 * r[key]:.1f} %" for key in QUALITIES), f"{r['images']:,}",
            f"{last.class_counts[r['class_id']]:,}" if r["class_id"] < len(last.class_counts) else "–",
        )
        for r in frame.to_dict("records")
    ]  # fmt: skip
    head = ("Class", *QUALITIES.values(), "Test images", "Labels")
    return [Table(head, rows, f"After round {last.number}.")]


def _note(experiment: Experiment) -> str:
    sources = {e.source for e in experiment.store.current_labels(experiment.id).values()}
    if LabelSource.HUMAN in sources:
        return (
            "People answered in this run. The command repeats it with ground truth as the oracle; labels.csv "
            "of `export` begins another one with the same answers (--init import)."
        )
    return "This repeats the run, number for number on the same machine with the same versions."
