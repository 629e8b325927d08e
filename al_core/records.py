"""What the store keeps, as frozen values: nothing here can be changed, only written anew.

Times are seconds since 1970 (UTC). Round numbers begin at 0; INITIAL_ROUND (-1) is the query that
gathers the initial set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

import numpy as np

from al_core.config import ExperimentConfig
from al_core.job_records import JobLease, JobRecord, JobState, WorkerRecord  # noqa: F401 - all records are here
from al_core.types import UNLABEL, SampleIds


class LabelSource(StrEnum):
    """How a label came about."""

    HUMAN = "human"
    ORACLE = "oracle"  # ground truth
    NOISY = "noisy"  # ground truth with drawn mistakes
    RECORDED = "recorded"  # a file of people's answers
    CORRECTION = "correction"
    ADJUDICATION = "adjudication"  # a person settled it after looking at it again (the Review page)
    IMPORT = "import"
    SHARED = "shared"  # an answer that a related session had; `detail` says which


PEOPLE = (LabelSource.HUMAN, LabelSource.CORRECTION, LabelSource.ADJUDICATION)
"""Sources of answers that a person gave in this program."""


REASK: Final = "reask"
"""`how` of an opinion that a person gave to an image of their own, without seeing what they had said."""


class ExperimentStatus(StrEnum):
    """Where an experiment stands between jobs."""

    NEW = "new"  # nothing drawn yet
    AWAITING_LABELS = "awaiting_labels"  # a query waits for its answers
    TRAINING = "training"  # a round is under way, or was interrupted
    FINISHED = "finished"  # a stop holds; `stop_reason` says which
    FAILED = "failed"  # the last job failed; it can be tried again


class Mark(StrEnum):
    """What a person says of an image beside its class; set and taken back like a label, and beside it."""

    UNSURE = "unsure"  # the class is a guess: it counts for less in training
    FLAG = "flag"  # somebody should look again
    NOTE = "note"  # words
    OPINION = "opinion"  # a further answer, kept beside the label that wins; its value is the answer
    ASK = "ask"  # a person wants it asked in that round, in front of the strategy's picks (by_hand.py)
    TAG = "tag"  # a word to find it again by; an image may have several (by_hand.py)


STANDING_MARKS = (Mark.UNSURE, Mark.FLAG, Mark.NOTE)
"""Marks of which an image has one of a kind or none."""


class ClassAct(StrEnum):
    """What a person does to a class while labelling, or says of it."""

    ADD = "add"  # a new id, with a name
    RENAME = "rename"
    MERGE = "merge"  # every label of it counts as one of another class
    SPLIT = "split"  # takes a merge back
    RETIRE = "retire"  # no longer given; its labels are kept, or asked again
    RESTORE = "restore"  # takes a retirement back
    GUIDE = "guide"  # words on what belongs to it
    PIN = "pin"  # an image that shows it: a good example, or a borderline one
    UNPIN = "unpin"


@dataclass(frozen=True)
class ClassChange:
    """One change of a class on its way to the store; only what its act needs is given."""

    class_id: int
    act: ClassAct
    name: str = ""  # add, rename
    into: int | None = None  # merge
    labels: Literal["", "keep", "ask"] = ""  # retire: whether its labels stay, or are asked again
    text: str = ""  # guide: the words; pin: "good" or "borderline"
    sample_id: int | None = None  # pin, unpin


@dataclass(frozen=True)
class ClassEvent:
    """One committed change, from the same log as the labels."""

    id: int
    change: ClassChange
    annotator: str
    round: int
    at: float


@dataclass(frozen=True)
class LabelOp:
    """One answer on its way to the store. `n` numbers a client's answers from 1 on, without end.

    With a `mark` it is no answer: `value` is then 1 (set) or 0 (taken back), and the label stays as it is. An
    opinion's value is its class (or SKIP, EXCLUDE; UNLABEL takes it back).
    """

    n: int
    sample_id: int
    value: int  # a class id, or SKIP, EXCLUDE, UNLABEL
    milliseconds: int | None = None  # how long the person looked
    mark: Mark | None = None
    detail: Mapping[str, Any] | None = None  # a note's "text"; how a label was given where that matters
    annotator: str | None = None  # in whose name, where not in that of all the answers sent with it
    round: int | None = None  # the query that it is about, where not the one of all the others
    source: LabelSource | None = None  # how it came about, where not as all the others did


@dataclass(frozen=True)
class LabelAck:
    """What was committed: the client's highest number, and the experiment's label revision.

    `aside` names images that are another person's to answer, and that person: what was said of them is kept
    as an opinion, and their label stays.
    """

    n: int
    rev: int
    aside: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LabelEvent:
    """One committed answer. Append-only; the event with the highest id wins."""

    id: int
    experiment_id: str
    sample_id: int
    value: int
    source: LabelSource
    annotator: str
    round: int  # the query that it answers
    client: str
    n: int
    at: float
    milliseconds: int | None = None
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class MarkEvent:
    """One committed mark, from the same log as the labels; of each kind the last one wins."""

    id: int
    sample_id: int
    mark: Mark
    on: bool
    text: str  # of a note
    annotator: str
    round: int
    at: float
    client: str = ""


@dataclass(frozen=True)
class LogEvent:
    """One row of the label log as it stands: an answer (no mark), a mark or an opinion."""

    id: int
    sample_id: int
    value: int
    source: LabelSource
    annotator: str
    round: int
    client: str
    n: int
    at: float
    milliseconds: int | None
    mark: Mark | None
    detail: Mapping[str, Any] | None


@dataclass(frozen=True)
class Seat:
    """A person at a session: here until `until`, unless the page says more. "" is who gave no name."""

    annotator: str
    since: float
    until: float
    answered: int = 0  # of the query that waits
    pace: int | None = None  # answers a minute, where the person shares it
    twin: bool = False  # another browser answers under the same name


@dataclass(frozen=True)
class Share:
    """What one of the people at a session is asked.

    `leased` are the images that nobody else is asked, in picking order; None: the person is alone, and the
    whole query is theirs. `seconds` have an answer of somebody else and want a second one.
    """

    people: tuple[Seat, ...]
    leased: tuple[int, ...] | None
    seconds: tuple[int, ...]
    left: int  # images of the query that have no answer
    labeled: int  # and those that have a class


@dataclass(frozen=True)
class QueryItem:
    """One asked image: its place in picking order, the strategy's score and the model's guesses."""

    rank: int
    sample_id: int
    score: float | None  # None where there is no model (initial set)
    guesses: tuple[tuple[int, float], ...] = ()  # up to three (class id, probability), likeliest first


@dataclass(frozen=True)
class Query:
    """What a round asked for, frozen when made.

    `ahead` are images that may be labeled while the next round trains: picked after the asked ones, by the
    same model. Their ranks go on where those of `items` end.
    """

    experiment_id: str
    round: int
    strategy: str
    items: tuple[QueryItem, ...]
    num_candidates: int
    hash: str  # over the ids of `items` in picking order
    at: float
    ahead: tuple[QueryItem, ...] = ()

    @property
    def batch(self) -> str:
        """Name of this query for the labelling component: experiment/round/hash."""
        return f"{self.experiment_id}/{self.round}/{self.hash}"

    @property
    def offered(self) -> tuple[QueryItem, ...]:
        """What may be answered: the asked images, then those ahead."""
        return self.items + self.ahead

    def seen(self, labels: Mapping[int, LabelEvent]) -> tuple[QueryItem, ...]:
        """The asked images, and of those ahead the ones that were answered here, not in a later query."""
        return self.items + tuple(
            item
            for item in self.ahead
            if (event := labels.get(item.sample_id)) and event.round == self.round and event.value != UNLABEL
        )


def query_hash(sample_ids: SampleIds) -> str:
    """Identity of a query: its ids in picking order, as 16 hexadecimal digits."""
    return hashlib.sha256(np.ascontiguousarray(sample_ids, "<i8").tobytes()).hexdigest()[:16]


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of a round's training."""

    round: int
    epoch: int  # from 0
    steps: int  # optimiser steps so far in the round
    train_loss: float
    train_accuracy: float
    learning_rate: float
    seconds: float  # since the round's training began
    validation_loss: float | None = None
    validation_accuracy: float | None = None


@dataclass(frozen=True)
class RoundRecord:
    """One trained and evaluated round.

    `metrics` holds test_accuracy, test_macro_f1, test_balanced_accuracy, test_loss, test_ece,
    test_worst_class_accuracy, and validation_accuracy / validation_loss where there is a split;
    absent where labels are unknown. `seconds` holds train, evaluate, query.
    """

    experiment_id: str
    number: int
    num_labeled: int  # x of the learning curve: labels that were paid for, validation share included
    label_event_id: int  # the last label event that the training saw
    metrics: Mapping[str, float]
    confusion: tuple[tuple[int, ...], ...] | None  # test split; rows: true class, columns: predicted
    class_counts: tuple[int, ...]  # labeled images of each class
    seconds: Mapping[str, float]
    artefacts: Mapping[str, str]  # kind -> sha256: weights, predictions, ...
    manifest: Mapping[str, Any]  # device, precision, threads, versions; "outputs" where classes changed
    at: float

    @property
    def class_ids(self) -> tuple[int, ...]:
        """The classes that its network has an output for; no later class is among them."""
        outputs = self.manifest.get("outputs")
        known = len(self.confusion or self.class_counts)
        return tuple(range(known)) if outputs is None else tuple(outputs)


@dataclass(frozen=True)
class ExperimentRecord:
    """One experiment as the store knows it."""

    id: str
    name: str
    config: ExperimentConfig
    status: ExperimentStatus
    dataset_key: str | None  # set when the data set is prepared
    fingerprint: str | None
    split_hash: str | None
    stop_reason: str | None
    parent_id: str | None
    ghost: bool  # the random baseline that follows a person's experiment
    created_at: float
    updated_at: float
    version: int  # grows at every change that a page shows
    num_rounds: int = 0
    num_labeled: int = 0
    study_id: str | None = None  # the study that it is a cell of
    cell: int | None = None  # its number there


@dataclass(frozen=True)
class StudyRecord:
    """A study as the store knows it; `config` is StudyConfig's JSON."""

    id: str
    name: str
    config: str
    created_at: float
