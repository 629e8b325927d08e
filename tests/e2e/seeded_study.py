"""Studies that look as if they had run, written through the store alone: no torch, in seconds.

    python -m tests.e2e.seeded_study             # a finished one in AL_HOME; prints its id
    python -m tests.e2e.seeded_study --half      # one that has a cell of every state

Accuracies follow a formula of strategy and seed; queries are the best of a made-up score, part of which all
strategies share, so that they overlap.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from al_core.config import DataConfig
from al_core.data.dataset import Dataset
from al_core.data.prepare import prepare
from al_core.records import (
    ExperimentRecord,
    ExperimentStatus,
    JobLease,
    JobState,
    Query,
    QueryItem,
    RoundRecord,
    StudyRecord,
    query_hash,
)
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store
from al_core.study import StudyConfig
from al_core.study_running import begin

GAINS = {"random": 1.0, "margin": 1.5, "badge": 1.42, "u_herding": 1.62, "entropy": 1.12, "k_center": 0.8}
START = 20


class Formula:
    """What a cell of a strategy and seed comes to."""

    def __init__(self, dataset: Dataset, experiment: ExperimentRecord) -> None:
        self.strategy, self.seed = experiment.config.query.strategy, experiment.config.seed
        self.size, self.id = experiment.config.query.n_new, experiment.id
        self.labels = np.asarray(dataset.train.labels)
        own = np.random.default_rng([zlib.crc32(self.strategy.encode()), self.seed])
        shared = np.random.default_rng([7, self.seed])
        self.offset, self.noise = shared.normal(0, 0.012), own.normal(0, 0.005, 100)
        common = shared.random(len(self.labels)) + 0.25 * (self.labels % 3 == 2)
        share = 0.0 if self.strategy == "random" else 0.75
        self.order = np.argsort(-(share * common + (1 - share) * own.random(len(self.labels))), kind="stable")
        self.initial = shared.permutation(len(self.labels))[:START]

    def query(self, number: int) -> Query:
        """Round -1: the initial set."""
        rest = self.order[~np.isin(self.order, self.initial)]
        ids = self.initial if number < 0 else rest[number * self.size : (number + 1) * self.size]
        items = tuple(QueryItem(rank, int(i), None) for rank, i in enumerate(ids))
        return Query(self.id, number, self.strategy, items, len(rest), query_hash(ids), time.time())

    def round(self, number: int) -> RoundRecord:
        """A round's metrics."""
        asked = [item.sample_id for n in range(-1, number) for item in self.query(n).items]
        gain = GAINS.get(self.strategy, 1.0)
        accuracy = 0.95 - 0.4 * np.exp(-number * self.size * gain / 75) + self.offset
        accuracy = float(np.clip(accuracy + (self.noise[number] if number else 0), 0, 1))
        metrics = {
            "test_accuracy": accuracy, "test_macro_f1": accuracy - 0.01,
            "test_balanced_accuracy": accuracy - 0.005,
            "test_worst_class_accuracy": accuracy - 0.2, "test_ece": 0.2 * (1 - accuracy),
            "test_loss": 2.4 * (1 - accuracy) + 0.1,
        }  # fmt: skip
        counts = tuple(np.bincount(self.labels[asked], minlength=10).tolist())
        seconds = {"train": 1 + 0.02 * len(asked), "evaluate": 0.2, "query": 0.1 * gain}
        return RoundRecord(self.id, number, len(asked), 0, metrics, None, counts, seconds, {}, {}, 0.0)


def _play(
    store: Store,
    dataset: Dataset,
    experiment: ExperimentRecord,
    lease: JobLease,
    rounds: int,
    *,
    finish: bool,
) -> None:
    formula = Formula(dataset, experiment)
    store.update_experiment(
        experiment.id, lease=lease, dataset_key=dataset.key, fingerprint=dataset.fingerprint
    )
    store.put_query(lease, formula.query(-1))
    for number in range(rounds):
        last = finish and number == rounds - 1
        status = ExperimentStatus.FINISHED if last else ExperimentStatus.TRAINING
        store.finish_round(
            lease, formula.round(number), None if last else formula.query(number), status=status
        )
    if finish:
        store.end_job(lease, JobState.DONE)


def seed_study(
    settings: Settings,
    *,
    strategies: tuple[str, ...] = ("random", "margin", "badge", "u_herding"),
    seeds: int | Sequence[int] = 5,
    rounds: int = 8,
    half: bool = False,
    name: str = "Quick",
    axes: Mapping[str, Sequence[Any]] | None = None,
    **base: Any,
) -> StudyRecord:
    """A finished study, or with `half` one of which cells are done, run, failed and wait."""
    store = open_store(settings)
    dataset = prepare(settings, DataConfig())
    config = StudyConfig.parse(
        {
            "name": name,
            "base": {"query": {"n_new": 20}, "stop": {"n_rounds": rounds}, **base},
            "axes": axes or {"query.strategy": strategies},
            "seeds": seeds,
        }
    )
    record = begin(store, config)
    active = {job.experiment_id: job for job in store.jobs(active=True, limit=10_000)}
    cells = store.study_experiments(record.id)
    until = len(cells) * 3 // 5 if half else len(cells)
    for experiment in cells:
        place = experiment.cell or 0
        if place > until + 2:
            break
        claimed = store.claim_job("seeded", job_id=active[experiment.id].id)
        assert claimed is not None
        lease = claimed[1]
        if half and place == 1:
            _play(store, dataset, experiment, lease, 2, finish=False)
            store.update_experiment(experiment.id, lease=lease, status=ExperimentStatus.FAILED)
            store.end_job(
                lease, JobState.FAILED, error_kind="memory", error_text="there was no memory left; take less",
            )  # fmt: skip
        else:
            done = place < until
            _play(store, dataset, experiment, lease, rounds if done else 2 + place % 3, finish=done)
    store.close()
    return record


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--half", action="store_true")
    given = parser.parse_args()
    record = seed_study(Settings.from_env(), half=given.half)
    sys.stdout.write(record.id + "\n")


if __name__ == "__main__":
    main()
