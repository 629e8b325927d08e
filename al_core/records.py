"""What the store keeps, as frozen values: nothing here can be changed, only written anew.

Times are seconds since 1970 (UTC). Round numbers begin at 0; INITIAL_ROUND (-1) is the query that
gathers the initial set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from al_core.config import ExperimentConfig
from al_core.types import SampleIds


class LabelSource(StrEnum):
    """How a label came about."""

    HUMAN = "human"
    ORACLE = "oracle"
    CORRECTION = "correction"
    IMPORT = "import"


class ExperimentStatus(StrEnum):
    """Where an experiment stands between jobs."""

    NEW = "new"  # nothing drawn yet
    AWAITING_LABELS = "awaiting_labels"  # a query waits for its answers
    TRAINING = "training"  # a round is under way, or was interrupted
    FINISHED = "finished"  # a stop holds; `stop_reason` says which
    FAILED = "failed"  # the last job failed; it can be tried again


class JobState(StrEnum):
    """Life of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def active(self) -> bool:
        """Still to run, or running."""
        return self in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class LabelOp:
    """One answer on its way to the store. `n` numbers a client's answers from 1 on, without end."""

    n: int
    sample_id: int
    value: int  # a class id, or SKIP, EXCLUDE, UNLABEL
    milliseconds: int | None = None  # how long the person looked


@dataclass(frozen=True)
class LabelAck:
    """What was committed: the client's highest number, and the experiment's label revision."""

    n: int
    rev: int


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


@dataclass(frozen=True)
class QueryItem:
    """One asked image: its place in picking order, the strategy's score and the model's guesses."""

    rank: int
    sample_id: int
    score: float | None  # None where there is no model (initial set)
    guesses: tuple[tuple[int, float], ...] = ()  # up to three (class id, probability), likeliest first


@dataclass(frozen=True)
class Query:
    """What a round asked for, frozen when made."""

    experiment_id: str
    round: int
    strategy: str
    items: tuple[QueryItem, ...]
    num_candidates: int
    hash: str  # over the ids in picking order
    at: float

    @property
    def batch(self) -> str:
        """Name of this query for the labelling component: experiment/round/hash."""
        return f"{self.experiment_id}/{self.round}/{self.hash}"


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
    manifest: Mapping[str, Any]  # device, precision, threads, versions
    at: float


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


@dataclass(frozen=True)
class JobRecord:
    """One piece of background work."""

    id: str
    kind: str  # advance | prepare | calibrate
    experiment_id: str | None
    spec: Mapping[str, Any]
    state: JobState
    priority: int  # higher runs first
    attempt: int
    control: str  # "" | "pause" | "stop"
    paused: bool
    progress: Mapping[str, Any]  # phase, done, total, message
    error_kind: str | None
    error_text: str | None  # for a person: what happened, and the remedy
    traceback: str | None  # for the log view only, folded
    worker: str | None
    heartbeat_at: float | None
    created_at: float
    started_at: float | None
    ended_at: float | None


@dataclass(frozen=True)
class JobLease:
    """The right of one attempt to write: every write of a worker carries it."""

    job_id: str
    token: str


@dataclass(frozen=True)
class WorkerRecord:
    """A worker process that is alive, or was."""

    id: str
    host: str
    pid: int
    pid_start: float
    device: str
    state: str  # starting | idle | busy
    heartbeat_at: float
    info: Mapping[str, Any] = field(default_factory=dict)
