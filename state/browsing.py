"""What the Data page shows: all images of a session or of a prepared data set, filtered and sorted.

A filter is a mask over a million rows: milliseconds. Only the page that is shown becomes rows of their own.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final, Literal

import numpy as np
from jaxtyping import Bool, Int8, Int64

from al_core.data.dataset import Dataset, Split
from al_core.data.looks import SHAPES, shapes
from al_core.experiment import Experiment
from al_core.pool import Status
from al_core.records import Mark
from al_core.results.analysis import ANSWERS
from al_core.results.survey import LOOKS, Predicted, SurveyRequest, read_looks
from al_core.standing import SOURCES, Standing
from al_core.types import UNKNOWN, UNLABEL, SampleIds
from al_core.words import tr
from state import standings
from state.artefacts import Artefacts

Sort = Literal[
    "id", "name", "confidence", "margin", "entropy", "time of label", "brightness", "contrast", "sharpness",
    "shorter side", "aspect ratio",
]  # fmt: skip
SORTS: Final[tuple[Sort, ...]] = (
    "id", "name", "confidence", "margin", "entropy", "time of label", *LOOKS, *SHAPES
)  # fmt: skip
_PREDICTED: Final = ("confidence", "margin", "entropy")
_KEPT_BACK: Final = np.isin(
    np.arange(len(Status)), (Status.UNLABELED, Status.QUERIED, Status.RESERVED, Status.SKIPPED)
)  # fmt: skip
"""By status: whether a person is still to label such an image."""
_KEPT: Final = 3
_lock = threading.Lock()
_views: OrderedDict[tuple[object, ...], View] = OrderedDict()


@dataclass(frozen=True)
class Filter:
    """What must hold of a row; an empty tuple asks nothing. Classes are class ids."""

    text: str = ""
    statuses: tuple[int, ...] = ()
    given: tuple[int, ...] = ()
    predicted: tuple[int, ...] = ()
    truth: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    annotators: tuple[str, ...] = ()
    rounds: tuple[int, ...] = ()
    marks: tuple[Mark, ...] = ()
    confidence: tuple[float, float] = (0.0, 1.0)
    disagrees: bool = False  # the answer is not what the model predicts
    side: tuple[int, int] | None = None  # the shorter side in pixels, as the picture came

    @property
    def active(self) -> int:
        """How many conditions it has."""
        plain = Filter()
        return sum(getattr(self, name) != getattr(plain, name) for name in self.__dataclass_fields__)


@dataclass(frozen=True)
class View:
    """The images that are looked at. `standing`, `status` and the model's columns are None without them.

    `hidden` are images whose truth is kept back: a person is still to label them, and must not be swayed.
    """

    key: tuple[object, ...]  # what the view shows is decided by it
    dataset: Dataset
    split: Split
    standing: Standing | None = None
    status: Int8[np.ndarray, " N"] | None = None
    predicted: Predicted | None = None
    looks: dict[str, np.ndarray] | None = None
    hidden: Bool[np.ndarray, " N"] | None = None

    @property
    def shapes(self) -> dict[str, np.ndarray] | None:
        """Shorter side and aspect ratio of all images; None where they are not known, or all alike."""
        return None if self.split.kept_sizes is None else _shapes(_Of(_plain(self)))

    def sorts(self) -> list[Sort]:
        """What there is to sort by."""
        gone: set[str] = set()
        gone |= set() if self.predicted is not None else set(_PREDICTED)
        gone |= set() if self.looks is not None else set(LOOKS)
        gone |= set() if self.shapes is not None else set(SHAPES)
        gone |= set() if self.standing is not None else {"time of label"}
        return [sort for sort in SORTS if sort not in gone]

    def truth_of(self, sample_id: int) -> int:
        """The true class, or UNKNOWN where nobody knows it or it is kept back."""
        if self.hidden is not None and self.hidden[sample_id]:
            return UNKNOWN
        return int(self.split.labels[sample_id])

    def truths(self) -> Int64[np.ndarray, " N"]:
        """The same of all images."""
        labels = self.split.labels
        return labels if self.hidden is None else np.where(self.hidden, UNKNOWN, labels)

    # What the filters offer: a pass over all images each, so made once a view and not once a run of the page.

    @cached_property
    def statuses(self) -> list[int]:
        """The statuses that images have."""
        if self.status is None:
            return []
        return [int(s) for s in Status if bool((self.status == s).any())]

    @cached_property
    def knows_truth(self) -> bool:
        """Whether the true class of any image may be shown."""
        known = self.split.labels >= 0
        return bool((known if self.hidden is None else known & ~self.hidden).any())

    @cached_property
    def rounds(self) -> list[int]:
        """The rounds whose queries were answered."""
        if self.standing is None:
            return []
        return np.unique(self.standing.rounds[self.standing.answered]).tolist()


@dataclass(frozen=True)
class Row:
    """One image in words. `file` lacks its folder where that would tell a class that is kept back."""

    id: int
    file: str
    status: str
    label: str
    source: str = ""
    annotator: str = ""
    round: int | None = None
    at: float | None = None
    predicted: str = ""
    confidence: float | None = None
    margin: float | None = None
    entropy: float | None = None
    truth: str = ""
    marks: tuple[str, ...] = ()
    note: str = ""
    brightness: float | None = None
    contrast: float | None = None
    sharpness: float | None = None
    size: str = ""


# -- views ------------------------------------------------------------------------------------------------

predictions: Final = Artefacts[SurveyRequest, Predicted]("survey", Predicted.read, keep=2)
looks: Final = Artefacts[SurveyRequest, dict[str, np.ndarray]]("survey", read_looks, keep=2)


def session_view(experiment: Experiment, *, reveal: bool = False) -> View:
    """The train images of a session, with all that is known of them now; the same object while that is so."""
    found, pool_key, status = standings.standing_and_statuses(experiment)
    dataset, rounds = experiment.dataset, experiment.record.num_rounds
    predicted = predictions.find(experiment, SurveyRequest(experiment.id, rounds - 1)) if rounds else None
    measured = looks.find(experiment, SurveyRequest(experiment.id, None))
    key = (
        experiment.id, dataset.fingerprint, found.rev, pool_key, rounds, experiment.record.status, reveal,
        predicted is None, measured is None, dataset.train.kept_sizes is None,
    )  # fmt: skip
    with _lock:
        if (known := _views.get(key)) is not None:
            _views.move_to_end(key)
            return known
    hidden = None
    if experiment.config.oracle == "human" and not reveal:
        hidden = _KEPT_BACK[status]
    if predicted is not None:  # what was merged since counts as the other, as in the labels
        predicted = replace(predicted, predicted=experiment.classes().counted(predicted.predicted))
    view = View(key, dataset, dataset.train, found, status, predicted, measured, hidden)
    with _lock:
        _views[key] = view
        while len(_views) > _KEPT:
            _views.popitem(last=False)
    return view


def dataset_view(dataset: Dataset, split: Literal["train", "test"]) -> View:
    """The images of a prepared data set."""
    shown = dataset.split(split)
    return View((dataset.key, dataset.fingerprint, split, shown.kept_sizes is None), dataset, shown)


# -- filter and sort --------------------------------------------------------------------------------------


class _Of:
    """A view as a key of the cache."""

    def __init__(self, view: View) -> None:
        self.view = view

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Of) and self.view.key == other.view.key

    def __hash__(self) -> int:
        return hash(self.view.key)


def find(view: View, wanted: Filter, sort: Sort = "id", *, falling: bool = False) -> SampleIds:
    """Ids of the rows for which the filter holds, in order; where a value is not known it comes last."""
    return _find(_Of(view), wanted, sort, falling)


@lru_cache(maxsize=8)
def _find(of: _Of, wanted: Filter, sort: Sort, falling: bool) -> SampleIds:
    ids = _sorted(of.view, np.flatnonzero(_mask(of.view, wanted)), sort, falling)
    ids.setflags(write=False)
    return ids


@lru_cache(maxsize=4)
def _shapes(of: _Of) -> dict[str, np.ndarray] | None:
    sizes = np.asarray(of.view.split.kept_sizes)
    return None if not len(sizes) or bool((sizes == sizes[0]).all()) else shapes(sizes)


@lru_cache(maxsize=4)
def _named(of: _Of, text: str) -> Bool[np.ndarray, " N"]:
    return of.view.split.names.containing(text)


def _mask(view: View, wanted: Filter) -> Bool[np.ndarray, " N"]:
    count = len(view.split)
    mask = _named(_Of(_plain(view)), wanted.text).copy() if wanted.text else np.ones(count, bool)
    if wanted.truth:
        mask &= np.isin(view.truths(), wanted.truth)
    if wanted.statuses and view.status is not None:
        mask &= np.isin(view.status, wanted.statuses)
    if wanted.side is not None and view.shapes is not None:
        side = view.shapes["shorter side"]
        mask &= (side >= wanted.side[0]) & (side <= wanted.side[1])
    if view.standing is not None:
        mask &= _said(view.standing, wanted, count)
        for mark in wanted.marks:
            mask &= _at(view.standing.marks.get(mark, np.empty(0, np.int64)), count)
    if view.predicted is not None:
        low, high = wanted.confidence
        if wanted.predicted:
            mask &= np.isin(view.predicted.predicted, wanted.predicted)
        if (low, high) != (0.0, 1.0):
            mask &= (view.predicted.confidence >= low) & (view.predicted.confidence <= high)
        if wanted.disagrees and view.standing is not None:
            rows = view.standing.values >= 0
            ids = view.standing.ids[rows]
            other = view.predicted.predicted[ids] != view.standing.values[rows]
            mask &= _at(ids[other], count)
    return mask


def _plain(view: View) -> View:
    """The view without what changes: its names stay while labels come."""
    return dataset_view(view.dataset, view.split.name)


def _at(ids: SampleIds, count: int) -> Bool[np.ndarray, " N"]:
    mask = np.zeros(count, bool)
    mask[ids] = True
    return mask


def _said(found: Standing, wanted: Filter, count: int) -> Bool[np.ndarray, " N"] | np.bool:
    rows = found.answered
    asked = False
    if wanted.given:
        rows, asked = rows & np.isin(found.values, wanted.given), True
    if wanted.sources:
        places = [SOURCES.index(source) for source in SOURCES if source.value in wanted.sources]
        rows, asked = rows & np.isin(found.sources, places), True
    if wanted.annotators:
        places = [place for place, name in enumerate(found.names) if name in wanted.annotators]
        rows, asked = rows & np.isin(found.annotators, places), True
    if wanted.rounds:
        rows, asked = rows & np.isin(found.rounds, wanted.rounds), True
    return _at(found.ids[rows], count) if asked else np.True_


def _sorted(view: View, ids: SampleIds, sort: Sort, falling: bool) -> SampleIds:
    if sort == "id":
        return ids[::-1].copy() if falling else ids
    if sort == "name":
        kept = np.zeros(len(view.split), bool)
        kept[ids] = True
        order = view.split.by_name[kept[view.split.by_name]]
        return order[::-1].copy() if falling else order
    values = _values(view, sort)[ids]
    known = np.isfinite(values)
    order = np.argsort(-values[known] if falling else values[known], kind="stable")
    return np.concatenate([ids[known][order], ids[~known]])


def _values(view: View, sort: Sort) -> np.ndarray:
    if sort == "time of label" and view.standing is not None:
        times = np.full(len(view.split), np.nan)
        rows = view.standing.answered
        times[view.standing.ids[rows]] = view.standing.times[rows]
        return times
    if sort in _PREDICTED and view.predicted is not None:
        return getattr(view.predicted, sort)
    if view.looks is not None and sort in view.looks:
        return view.looks[sort]
    if view.shapes is not None and sort in view.shapes:
        return view.shapes[sort]
    return np.full(len(view.split), np.nan)


# -- rows -------------------------------------------------------------------------------------------------


def rows(view: View, ids: SampleIds) -> list[Row]:
    """These images in words."""
    return [_row(view, int(i)) for i in ids]


def _row(view: View, i: int) -> Row:
    truth = view.truth_of(i)
    facts: dict[str, object] = {"truth": "" if truth == UNKNOWN else view.dataset.classes[truth]}
    name = view.split.file_name(i)
    if view.hidden is not None and view.hidden[i]:
        name = name.rpartition("/")[2]
    status = "" if view.status is None else tr(standings.STATUSES[Status(int(view.status[i]))])
    if view.predicted is not None:
        facts["predicted"] = view.dataset.classes[int(view.predicted.predicted[i])]
        facts |= {name: float(getattr(view.predicted, name)[i]) for name in _PREDICTED}
    if view.looks is not None:
        facts |= {name: float(view.looks[name][i]) for name in LOOKS}
    kept = view.split.kept_sizes if view.dataset.kind == "files" else None
    if kept is not None and kept[i].all():
        facts["size"] = "{} × {}".format(*kept[i])
    label = ""
    if view.standing is not None:
        label, said = _answer(view, view.standing, i)
        facts |= said
    return Row(i, name, status, label, **facts)  # pyright: ignore[reportArgumentType] - each has its type


def _answer(view: View, found: Standing, i: int) -> tuple[str, dict[str, object]]:
    said: dict[str, object] = {
        "marks": tuple(mark.value for mark in found.marks_on(i)), "note": found.notes.get(i, "")
    }  # fmt: skip
    row = found.row(i)
    if row is None or found.values[row] == UNLABEL:
        return "", said
    value = int(found.values[row])
    said |= {
        "source": SOURCES[int(found.sources[row])].value,
        "annotator": found.names[int(found.annotators[row])],
        "round": int(found.rounds[row]),
        "at": float(found.times[row]),
    }
    return view.dataset.classes[value] if value >= 0 else tr(ANSWERS[value]), said
