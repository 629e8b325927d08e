"""Records to tidy frames, and what is read off a learning curve.

The x of a learning curve is the number of labeled images, never the round. Values between two rounds are read
off the straight line that the chart draws; outside the measured range there is no value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from al_core.config import QueryConfig
from al_core.errors import StrategyError
from al_core.query.composition import Composition
from al_core.query.strategies import STRATEGIES
from al_core.records import EpochRecord, LabelEvent, Mark, MarkEvent, Query, RoundRecord
from al_core.results.metrics import Confusion
from al_core.types import EXCLUDE, SKIP, UNKNOWN
from al_core.words import noted, tr

_AXES: Final = {
    "test": (noted("{metric}, test images"), noted("{metric}, test images (%)")),
    "validation": (noted("{metric}, validation images"), noted("{metric}, validation images (%)")),
    "": ("", noted("{metric} (%)")),
}
"""Titles of a chart's axis by split, and by whether values are in per cent."""


@dataclass(frozen=True)
class Metric:
    """One thing that is measured each round. `share`: between 0 and 1, shown in per cent."""

    key: str
    title: str
    share: bool
    higher_is_better: bool
    meaning: str

    @property
    def axis(self) -> str:
        """Title of a chart's axis."""
        split = self.key.partition("_")[0]
        text = _AXES[split if split in ("test", "validation") else ""][self.share]
        return tr(text, metric=tr(self.title)) if text else tr(self.title)

    def text(self, value: float | None) -> str:
        """The value for a person."""
        if value is None or not np.isfinite(value):
            return "–"
        return f"{100 * value:.1f} %" if self.share else f"{value:.3f}"

    def difference(self, value: float | None) -> str:
        """A signed difference: percentage points for shares."""
        if value is None or not np.isfinite(value):
            return "–"
        return tr("{n} points", n=self.signed(value)) if self.share else self.signed(value)

    def signed(self, value: float) -> str:
        """A difference without its unit."""
        return f"{100 * value:+.1f}" if self.share else f"{value:+.3f}"

    def size(self, value: float) -> str:
        """A difference without its sign: half of an interval."""
        size = self.signed(value).lstrip("+")
        return tr("{n} points", n=size) if self.share else size


METRICS: Final = (
    Metric("test_accuracy", "Accuracy", True, True, "Share of test images classified rightly."),
    Metric(
        "test_macro_f1", "Macro F1", True, True, "F1 of each class, averaged: small classes count as much."
    ),
    Metric(
        "test_balanced_accuracy",
        "Balanced accuracy",
        True,
        True,
        "Recall of each class, averaged (macro recall).",
    ),
    Metric("test_worst_class_accuracy", "Worst class", True, True, "Recall of the class that does worst."),
    Metric(
        "test_ece", "Calibration error", True, False, "Expected calibration error: confidence against truth."
    ),
    Metric("test_macro_precision", "Macro precision", True, True, "Precision of each class, averaged."),
    Metric("test_weighted_f1", "Weighted F1", True, True, "F1 of each class, weighted by its test images."),
    Metric(
        "test_weighted_precision",
        "Weighted precision",
        True,
        True,
        "Precision of each class, weighted by its test images; weighted recall is the accuracy.",
    ),
    Metric("test_loss", "Log loss", False, False, "Cross-entropy on the test images."),
    Metric(
        "validation_accuracy", "Validation accuracy", True, True, "Accuracy on the round validation split."
    ),
    Metric(
        "holdback_accuracy",
        "Hold-back accuracy",
        True,
        True,
        "Share classified rightly of the images that were asked for at random and never trained on.",
    ),
    Metric(
        "validation_loss", "Validation loss", False, False, "Cross-entropy on the round validation split."
    ),
    Metric(
        "labels_wrong", "Wrong labels", True, False, "Share of the given labels that ground truth denies."
    ),
)


def measured(rounds: Sequence[RoundRecord]) -> tuple[Metric, ...]:
    """The metrics that these rounds have values of, in the order in which they are offered."""
    return tuple(m for m in METRICS if any(m.key in r.metrics for r in rounds))


def rounds_frame(rounds: Sequence[RoundRecord]) -> pd.DataFrame:
    """One row a round: round, labels, new_labels, every metric, and seconds by kind and in all."""
    rows = []
    before = 0
    for record in rounds:
        seconds = {f"{kind}_seconds": value for kind, value in record.seconds.items()}
        rows.append(
            {
                "round": record.number,
                "labels": record.num_labeled,
                "new_labels": record.num_labeled - before,
                **record.metrics,
                **seconds,
                "seconds": sum(record.seconds.values()),
            }
        )
        before = record.num_labeled
    frame = pd.DataFrame(rows)
    return frame if rows else pd.DataFrame(columns=["round", "labels", "new_labels", "seconds"])


def epochs_frame(epochs: Sequence[EpochRecord]) -> pd.DataFrame:
    """One row an epoch of any round."""
    columns = list(EpochRecord.__dataclass_fields__)
    return pd.DataFrame([[getattr(e, c) for c in columns] for e in epochs], columns=columns)


def class_counts_frame(rounds: Sequence[RoundRecord], classes: Sequence[str]) -> pd.DataFrame:
    """One row per round and class: labels so far, and labels that the round added."""
    rows = []
    before: Sequence[int] = [0] * len(classes)
    for record in rounds:
        for number, name in enumerate(classes):
            count = record.class_counts[number] if number < len(record.class_counts) else 0
            rows.append((record.number, record.num_labeled, number, name, count, count - before[number]))
        before = [*record.class_counts, *[0] * (len(classes) - len(record.class_counts))]
    return pd.DataFrame(rows, columns=["round", "labels", "class_id", "class", "count", "added"])


def confusion_of(record: RoundRecord, classes: Sequence[str]) -> tuple[Confusion, tuple[str, ...]]:
    """The matrix of a round over the classes that its network knew, and their names by `classes`."""
    known = list(record.class_ids) if record.confusion else []
    matrix = np.asarray(record.confusion or np.zeros((0, 0)), np.int64)
    return matrix[np.ix_(known, known)], tuple(classes[i] for i in known)


ANSWERS: Final = {SKIP: "skipped", EXCLUDE: "excluded"}


def answer_text(event: LabelEvent | None, classes: Sequence[str]) -> str | None:
    """The answer that an image has now, in words; None while it has none."""
    if event is None:
        return None
    if 0 <= event.value < len(classes):
        return classes[event.value]
    return ANSWERS.get(event.value)


def note_text(marks: Mapping[Mark, MarkEvent]) -> str | None:
    """The note among an image's marks."""
    return marks[Mark.NOTE].text if Mark.NOTE in marks else None


@dataclass(frozen=True)
class QueryRow:
    """One asked image: what the model guessed then, what is known now (names; None if not)."""

    rank: int
    sample_id: int
    score: float | None
    guesses: tuple[tuple[str, float], ...]
    label: str | None  # the class given, or "skipped" or "excluded"
    label_id: int | None
    source: str | None
    truth: str | None
    right: bool | None
    marks: tuple[Mark, ...] = ()
    note: str | None = None
    ahead: bool = False  # labeled while the next round trained

    @property
    def guess(self) -> str | None:
        """The likeliest class then."""
        return self.guesses[0][0] if self.guesses else None


def query_rows(
    query: Query,
    labels: Mapping[int, LabelEvent],
    classes: Sequence[str],
    truth: np.ndarray | None = None,
    *,
    marks: Mapping[int, Mapping[Mark, MarkEvent]] | None = None,
    reveal: bool = True,
) -> list[QueryRow]:
    """One row per asked image, in picking order, then one per image that was labeled ahead.

    `truth` is the train split's label array. `right` compares the first guess with the truth, or with the
    label given where the truth is unknown; it is None where there is nothing to compare. Without `reveal`
    images that have no answer yet keep their truth to themselves: the person who labels must not see it.
    """
    rows = []
    asked = len(query.items)
    for place, item in enumerate(query.seen(labels)):
        event = labels.get(item.sample_id)
        answer = answer_text(event, classes)
        true_class = None if truth is None else int(truth[item.sample_id])
        if true_class == UNKNOWN or (answer is None and not reveal):
            true_class = None
        given = event.value if event is not None and event.value >= 0 else None
        reference = true_class if true_class is not None else given
        guess = item.guesses[0][0] if item.guesses else None
        standing = (marks or {}).get(item.sample_id, {})
        rows.append(
            QueryRow(
                rank=item.rank,
                sample_id=item.sample_id,
                score=item.score,
                guesses=tuple((classes[c], p) for c, p in item.guesses),
                label=answer,
                label_id=given,
                source=event.source.value if event is not None and answer is not None else None,
                truth=classes[true_class] if true_class is not None else None,
                right=None if guess is None or reference is None else guess == reference,
                marks=tuple(standing),
                note=note_text(standing),
                ahead=place >= asked,
            )
        )
    return rows


def score_words(query: Query, config: QueryConfig) -> dict[int, str]:
    """What the number beside each asked image says, by sample id; without those of which nobody can say.

    `query` is as it was stored, without what people put in front of it: places decide who picked an image.
    Held-back images were picked by chance: they have neither number nor guesses.
    """
    if query.strategy not in STRATEGIES:  # the initial set's, or a strategy whose file is not here
        return {}
    try:
        composition = Composition.of(config)
    except StrategyError:
        return {}
    chosen = [item for item in query.items if item.guesses or item.score is not None]
    words = {
        item.sample_id: composition.score_words(place, len(chosen))
        for place, item in enumerate(chosen)
        if item.score is not None
    }
    return {sample_id: text for sample_id, text in words.items() if text}


@dataclass(frozen=True)
class Curve:
    """A metric against the number of labels, both rising in x; rounds without a value are left out.

    `labels` holds minutes, seconds or money in a curve that was made over those (results/axes.py).
    """

    labels: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, rounds: Sequence[RoundRecord], metric: str, spent: Sequence[float] | None = None) -> Curve:
        """The learning curve of some rounds over labels, or over what else each round had `spent`.

        Of rounds with equal x the later one stands.
        """
        places = spent if spent is not None else [float(r.num_labeled) for r in rounds]
        points = {
            x: r.metrics[metric]
            for x, r in zip(places, rounds, strict=True)
            if np.isfinite(r.metrics.get(metric, np.nan))
        }
        x = sorted(points)
        return cls(np.array(x, float), np.array([points[n] for n in x], float))

    def at(self, labels: float) -> float | None:
        """The value at that number of labels, on the line between rounds; None outside the measured range."""
        if not len(self.labels) or not self.labels[0] <= labels <= self.labels[-1]:
            return None
        return float(np.interp(labels, self.labels, self.values))

    def between(self, since: float | None = None, until: float | None = None) -> Curve | None:
        """The part over that range (its own where none is given); None where it does not cover it."""
        if not len(self.labels):
            return None
        start = float(self.labels[0]) if since is None else since
        stop = float(self.labels[-1]) if until is None else until
        first, last = self.at(start), self.at(stop)
        if first is None or last is None or stop <= start:
            return None
        inside = (self.labels > start) & (self.labels < stop)
        return Curve(np.r_[start, self.labels[inside], stop], np.r_[first, self.values[inside], last])

    def aulc(self, until: float | None = None, since: float | None = None) -> float | None:
        """Area under the curve over its label range, divided by that range: the mean height of the line.

        `since` and `until` narrow the range, so that curves are compared over the same labels. None with
        fewer than two points, or where the curve does not cover the range.
        """
        part = self.between(since, until)
        if part is None:
            return None
        return float(np.trapezoid(part.values, part.labels) / (part.labels[-1] - part.labels[0]))

    def labels_to(self, target: float, *, higher_is_better: bool = True) -> float | None:
        """The fewest labels at which the line reaches the target; None where it never does."""
        sign = 1.0 if higher_is_better else -1.0
        values, goal = sign * self.values, sign * target
        reached = np.flatnonzero(values >= goal)
        if not len(reached):
            return None
        first = int(reached[0])
        if first == 0:
            return float(self.labels[0])
        left, right = values[first - 1], values[first]
        share = (goal - left) / (right - left)
        return float(self.labels[first - 1] + share * (self.labels[first] - self.labels[first - 1]))


@dataclass(frozen=True)
class Advantage:
    """A curve against the random baseline, where both were last measured."""

    labels: float  # where the two are compared
    difference: float  # own minus random, at the same labels
    goal: float  # the worse of both values there, which both have reached
    labels_ahead: float | None  # how many labels before random it was there; negative: random was first


def against(own: Curve, baseline: Curve, *, higher_is_better: bool = True) -> Advantage | None:
    """Compare at the largest number of labels that both reach; None before they share a range."""
    if not len(own.labels) or not len(baseline.labels):
        return None
    labels = float(min(own.labels[-1], baseline.labels[-1]))
    mine, theirs = own.at(labels), baseline.at(labels)
    if mine is None or theirs is None:
        return None
    goal = min(mine, theirs) if higher_is_better else max(mine, theirs)
    # both by their first crossing: a curve that has been there and fell back is not later than it was
    first, other = (curve.labels_to(goal, higher_is_better=higher_is_better) for curve in (own, baseline))
    ahead = None if first is None or other is None else other - first
    return Advantage(labels, mine - theirs, goal, 0.0 if mine == theirs else ahead)
