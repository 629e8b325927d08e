"""Figures that stand by themselves: each with a file name, a title and a note, for reports and exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import plotly.graph_objects as go

from al_core import __version__
from al_core.baselines import TITLES
from al_core.data.dataset import Dataset
from al_core.experiment import Experiment
from al_core.query.bandit import CHANCE
from al_core.query.strategies import STRATEGIES
from al_core.records import EpochRecord, RoundRecord
from al_core.results import comparison
from al_core.results.analysis import (
    Curve,
    Metric,
    class_counts_frame,
    confusion_of,
    epochs_frame,
    measured,
    rounds_frame,
)
from al_core.results.axes import AXES, Over, Prices
from al_core.results.figures.arms import arms_figure, arms_frame
from al_core.results.figures.classes import label_shares, labels_per_class
from al_core.results.figures.comparison import class_figure, comparison_figure, overlap_figure, penalty_figure
from al_core.results.figures.confusion import confusion_figure
from al_core.results.figures.learning import NamedCurve, epochs_figure, learning_figure
from al_core.results.figures.palette import INK, plain
from al_core.results.figures.references import add_references
from al_core.results.figures.rounds import QUALITIES, quality_figure, seconds_figure
from al_core.results.passive import Passive, beside_run, references_beside
from al_core.results.picks import Queries, class_frame, overlap_frame, pool_shares
from al_core.results.references import Reference
from al_core.results.runs import Group, result_of_groups
from al_core.results.study import StudyResult
from al_core.results.tables import quality_frame
from al_core.words import tr

_FONT: Final = "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'Source Sans 3', 'DejaVu Sans', sans-serif"
_GRID: Final = {False: "#e2ded3", True: "#2f3b3e"}
"""As the theme has it."""


@dataclass(frozen=True)
class Sheet:
    """One figure. `key` is a file's stem; `draw` takes whether the page is dark."""

    key: str
    title: str
    draw: Callable[[bool], go.Figure] = field(compare=False)
    about: str = ""

    def inline(self, *, dark: bool = False) -> go.Figure:
        """Without title, on a transparent page: for a report, which writes those itself."""
        return dressed(self.draw(dark), dark=dark)

    def alone(self, note: str = "") -> go.Figure:
        """With its title and a line that says where it comes from: a file by itself, on white."""
        return standing_alone(self.draw(False), self.title, note)


def dressed(figure: go.Figure, *, dark: bool = False, paper: str = "rgba(0,0,0,0)") -> go.Figure:
    """The theme's words, page and grid, whatever Plotly's own template says."""
    grid = _GRID[dark]
    figure.update_layout(
        template="none", paper_bgcolor=paper, plot_bgcolor="rgba(0,0,0,0)",
        font={"family": _FONT, "color": INK[dark], "size": 13},
    )  # fmt: skip
    axes = {"gridcolor": grid, "linecolor": grid, "zerolinecolor": grid, "automargin": True}
    figure.update_xaxes(**axes)
    figure.update_yaxes(**axes)
    return figure


def standing_alone(figure: go.Figure, title: str, note: str = "") -> go.Figure:
    """A finished picture on white: title, note and the program's version; for papers and slides."""
    layout: Any = figure.layout  # plotly's types know no layout
    top = 112 if layout.xaxis.side == "top" else 84  # axis words stand between title and plot
    height = (layout.height or 460) + top + 12
    said = " · ".join(part for part in (note, f"Askwell {__version__}") if part)
    dressed(figure, paper="#ffffff")
    figure.update_layout(
        title={"text": plain(title, 90), "x": 0, "xref": "paper", "xanchor": "left", "yref": "container",
               "y": 1 - 22 / height, "yanchor": "top", "font": {"size": 17}},
        width=900, height=height, margin={"l": 70, "r": 24, "t": top, "b": 84},
    )  # fmt: skip
    figure.add_annotation(
        text=plain(said, 150), xref="paper", yref="paper", x=0, y=0, yshift=-76, xanchor="left",
        yanchor="bottom", showarrow=False, font={"size": 10, "color": "#6b7275"},
    )  # fmt: skip
    return figure


# -- one run ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunMaterial:
    """What a run's figures are made of.

    `baseline` is random's rounds, where it followed; `beside` what was trained once, with its rounds.
    """

    title: str
    strategy: str
    classes: Sequence[str]
    rounds: Sequence[RoundRecord]
    epochs: Sequence[EpochRecord]
    baseline: Sequence[RoundRecord] = ()
    beside: Sequence[tuple[Passive, Sequence[RoundRecord]]] = ()

    @classmethod
    def of(cls, experiment: Experiment) -> RunMaterial:
        """Read from the store."""
        store, strategy = experiment.store, experiment.config.query.chooser
        ghost = store.ghost_of(experiment.id)
        return cls(
            _strategy_title(strategy), strategy, experiment.dataset.classes, store.rounds(experiment.id),
            store.epochs(experiment.id), store.rounds(ghost.id) if ghost is not None else (),
            [(one, store.rounds(one.record.id)) for one in beside_run(store, experiment.record)],
        )  # fmt: skip

    def references(
        self, metric: Metric, over: Over = "labels", prices: Prices | None = None
    ) -> list[Reference]:
        """What was trained once, as a chart draws it."""
        rounds = {one.record.id: some for one, some in self.beside}
        return references_beside(
            [one for one, _ in self.beside], metric, lambda record: rounds[record.id], over=over,
            prices=prices,
        )  # fmt: skip


def _strategy_title(name: str) -> str:
    return tr(TITLES.get(name) or (STRATEGIES.get(name).title if name in STRATEGIES else name))


def run_sheets(
    run: RunMaterial, *, metrics: Sequence[Metric] | None = None, rounds: Sequence[int] | None = None
) -> list[Sheet]:
    """Every figure of a run: the curve of each metric (default: all), and of each round its confusion.

    `rounds` says which rounds' confusion matrices and epochs are drawn; the last one where it is None.
    """
    if not run.rounds:
        return []
    shown = [r for r in run.rounds if (rounds is None and r is run.rounds[-1]) or r.number in (rounds or ())]
    counts = class_counts_frame(run.rounds, run.classes)
    quality = quality_frame(run.rounds, run.classes)
    epochs = epochs_frame(run.epochs)
    seconds = rounds_frame(run.rounds)
    found = [learning_sheet(run, metric) for metric in (measured(run.rounds) if metrics is None else metrics)]
    if len(epochs):
        found.append(
            Sheet("epochs", tr("Loss and accuracy by epoch"), lambda dark: epochs_figure(epochs, dark=dark))
        )
        found += [
            Sheet(
                f"epochs-round-{r.number:03d}", tr("Loss and accuracy by epoch, round {n}", n=r.number),
                lambda dark, number=r.number: epochs_figure(epochs, number, dark=dark),
            )
            for r in shown
            if rounds is not None
        ]  # fmt: skip
    found += [
        Sheet("labels-per-class", tr("Labels of each class"), lambda _: labels_per_class(counts)),
        Sheet(
            "labels-added", tr("Labels that each round added"), lambda _: labels_per_class(counts, added=True)
        ),
        Sheet(
            "label-shares", tr("Shares of the classes among the labels"), lambda _: label_shares(counts),
            tr("The ten largest; the others as one."),
        ),
        *(confusion_sheet(r, run.classes) for r in shown if r.confusion is not None),
    ]  # fmt: skip
    if len(quality):
        found += [
            Sheet(
                f"class-{value}", tr("{measure} of each class", measure=tr(title)),
                lambda dark, value=value: quality_figure(quality, value, dark=dark),
                tr("Per cent, by labeled images; of many classes the ones that do worst at the end."),
            )
            for value, title in QUALITIES.items()
        ]  # fmt: skip
    if any(name.endswith("_seconds") for name in seconds):
        found.append(
            Sheet("seconds", tr("Seconds of each round"), lambda dark: seconds_figure(seconds, dark=dark))
        )
    if any(name.startswith(CHANCE) for name in run.rounds[0].metrics):
        arms, titles = arms_frame(run.rounds), {s.name: tr(s.title) for s in STRATEGIES}
        found.append(
            Sheet("arms", tr("What the bandit learnt"), lambda dark: arms_figure(arms, titles, dark=dark))
        )
    return found


def learning_sheet(
    run: RunMaterial, metric: Metric, *, over: Over = "labels", own: Sequence[float] | None = None,
    baseline: Sequence[float] | None = None, prices: Prices | None = None,
) -> Sheet:  # fmt: skip
    """The learning curve of a run, with random's behind it; `own` and `baseline` are what was spent."""
    curves = [NamedCurve(run.strategy, run.title, Curve.of(run.rounds, metric.key, own))]
    if run.baseline:
        curves.insert(0, NamedCurve("random", tr("Random"), Curve.of(run.baseline, metric.key, baseline)))
    if over == "labels":
        title = tr("Learning curve, {metric}", metric=tr(metric.title).lower())
    else:
        title = tr(
            "Learning curve, {metric} over {axis}", metric=tr(metric.title).lower(), axis=tr(AXES[over].title)
        )
    references = run.references(metric, over, prices)

    def draw(dark: bool) -> go.Figure:
        figure = learning_figure(curves, metric, over=over, dark=dark)
        add_references(figure, references, metric, dark=dark)
        return figure

    return Sheet(
        f"learning-{_stem(metric)}" + ("" if over == "labels" else f"-{over}"),
        title, draw, tr(metric.meaning),
    )  # fmt: skip


def confusion_sheet(record: RoundRecord, classes: Sequence[str], *, normalised: bool = False) -> Sheet:
    """A round's confusion matrix, over the classes that its network knew."""
    matrix, names = confusion_of(record, classes)
    return Sheet(
        f"confusion-round-{record.number:03d}", tr("Confusion after {n:,} labels", n=record.num_labeled),
        lambda dark: confusion_figure(matrix.tolist(), names, normalised=normalised, dark=dark),
        tr("Round {n}; rows are true classes, the colour is the share of the row.", n=record.number),
    )  # fmt: skip


def _stem(metric: Metric) -> str:
    return metric.key.removeprefix("test_").replace("_", "-")


# -- several runs ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SideBySide:
    """What a comparison's figures are made of; without `dataset` nothing is said of classes.

    `read` gives a study's own result of a metric, which knows baselines; else the groups are the arms.
    `over`, `prices` and `ceiling` say what they are compared over, and how far.
    """

    name: str
    groups: Sequence[Group]
    queries: Queries = field(default_factory=dict)
    dataset: Dataset | None = None
    read: Callable[..., StudyResult] | None = None
    over: Over = "labels"
    prices: Prices | None = None
    ceiling: float | None = None

    def result(self, metric: str | None = None, *, over: Over | None = None) -> StudyResult:
        """Arms over the seeds that are done; `over` another axis than its own."""
        return self.everything(metric, over=over).settled

    def everything(self, metric: str | None = None, *, over: Over | None = None) -> StudyResult:
        """Arms over all seeds."""
        axis: dict[str, Any] = {
            "over": over or self.over, "prices": self.prices, "ceiling": self.ceiling,
        }  # fmt: skip
        if self.read is not None:
            return self.read(metric, **axis)
        num_train = None if self.dataset is None else len(self.dataset.train)
        return result_of_groups(self.name, self.groups, metric, num_train=num_train, **axis)

    @property
    def rounds(self) -> Mapping[str, Mapping[int, Sequence[RoundRecord]]]:
        """By arm and seed."""
        return {g.title: {seed: run.rounds for seed, run in g.runs.items()} for g in self.groups}

    @property
    def all_rounds(self) -> list[RoundRecord]:
        """Of every arm and seed."""
        return [r for by_seed in self.rounds.values() for some in by_seed.values() for r in some]


def comparison_sheets(
    side: SideBySide, *, metric: str | None = None, metrics: Sequence[Metric] | None = None
) -> list[Sheet]:
    """Every figure of a comparison: mean curves of each metric, who loses to whom, overlap, classes.

    Who loses is told by `metric` (the first that was measured); `metrics` are those whose curves are drawn.
    """
    first = side.result()
    if not first.measured:
        return []
    found = [curves_sheet(side.result(m.key)) for m in (first.offered if metrics is None else metrics)]
    result = side.result(metric)
    arms, labels = result.compared, result.places
    if len(arms) > 1 and result.num_seeds > 1 and labels:
        matrix = comparison.penalty_matrix(arms, labels, higher_is_better=result.metric.higher_is_better)
        names = [arm.name for arm in arms]
        found.append(
            Sheet(
                "penalty", tr("Who loses to whom"), lambda dark: penalty_figure(matrix, names, dark=dark),
                tr(
                    "Per cent of {n} budgets at which the row clearly loses to the column (paired t over "
                    "seeds, p below .05; {metric}).",
                    n=len(labels),
                    metric=tr(result.metric.title).lower()
                ),
            )
        )  # fmt: skip
    overlap = overlap_frame(side.queries)
    if len(overlap):
        found.append(
            Sheet(
                "overlap",
                tr("Overlap of the queries"),
                lambda dark: overlap_figure(overlap, dark=dark),
                tr(
                    "Jaccard overlap in per cent, mean over the seeds, without the initial set, which all "
                    "share."
                ),
            )
        )
    return [*found, *_class_sheet(side)]


def curves_sheet(result: StudyResult, *, singles: bool = False) -> Sheet:
    """The mean curves of one metric."""
    seeds = result.num_seeds
    about = tr("Means over the seeds, bands are 95 % intervals (Student's t).")
    if seeds < comparison.FEW_SEEDS:
        about = f"{tr('Indicative: fewer than five seeds.')} {about}"
    title = tr(result.metric.title)
    return Sheet(
        f"curves-{_stem(result.metric)}",
        tr("{metric} by labeled images", metric=title)
        if result.over == "labels"
        else tr("{metric} by {axis}", metric=title, axis=tr(AXES[result.over].title)),
        lambda dark: comparison_figure(result, singles=singles or seeds < 2, dark=dark),
        about,
    )  # fmt: skip


def _class_sheet(side: SideBySide) -> list[Sheet]:
    ends = [run.rounds[-1].num_labeled for g in side.groups for run in g.runs.values() if len(run.rounds) > 1]
    if side.dataset is None or not ends:
        return []
    frame = class_frame(side.rounds, side.dataset.classes, min(ends))
    if frame.empty:
        return []
    looks = {group.title: group.strategy for group in side.groups}
    reference = pool_shares(side.dataset.train.labels, side.dataset.num_classes)
    return [
        Sheet(
            "classes", tr("Classes of the picks"),
            lambda dark: class_figure(frame, looks, reference, dark=dark),
            tr(
                "Up to {n:,} labels, without the initial set; ticks: the class's share of all images.",
                n=min(ends)
            ),
        )
    ]  # fmt: skip
