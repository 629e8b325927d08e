"""Experiments that look as if they had run, written through the store alone: no torch, in seconds.

    python tests/e2e/seeded.py --rounds 6                     # one experiment in AL_HOME; prints its id
    python tests/e2e/seeded.py --grow ID --rounds 2 --pause 0.1   # trains on, slowly, for live tests

The pictures are the real digits; accuracies, losses and guesses follow a formula, drawn from a fixed seed.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from al_core.config import ExperimentConfig
from al_core.data.prepare import open_dataset, prepare
from al_core.records import (
    EpochRecord,
    ExperimentStatus,
    JobLease,
    JobState,
    LabelOp,
    LabelSource,
    Query,
    QueryItem,
    RoundRecord,
)
from al_core.settings import Settings
from al_core.store import Store, open_store
from al_core.types import INITIAL_ROUND


class ScriptedWorker:
    """Does to the store what a worker does, with made-up results. `pace` > 0 sleeps after each epoch."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        experiment_id: str,
        *,
        gain: float = 1.0,
        epochs: int = 12,
        pace: float = 0.0,
        test_labels: bool = True,
    ) -> None:
        self.store, self.settings, self.id = store, settings, experiment_id
        self.gain, self.epochs, self.pace, self.test_labels = gain, epochs, pace, test_labels
        record = store.experiment(experiment_id)
        self.config = record.config
        self.dataset = open_dataset(settings, record.dataset_key)
        self.truth = np.asarray(self.dataset.train.labels)

    def _rng(self, purpose: str, number: int) -> np.random.Generator:
        shared = number <= 0 and purpose != "query"
        text = f"{purpose}/{number}/{'' if shared else self.config.query.strategy}".encode()
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text).digest()[:8], "big"))

    def begin(self) -> JobLease:
        """Submit and claim the job."""
        job = self.store.submit_job("advance", experiment_id=self.id)
        claimed = self.store.claim_job("scripted", job_id=job.id)
        assert claimed is not None
        return claimed[1]

    def unlabeled(self) -> np.ndarray:
        """Ids that nobody was asked about."""
        asked = {item.sample_id for query in self.store.queries(self.id) for item in query.items}
        return np.array([i for i in range(len(self.truth)) if i not in asked], np.int64)

    def query(self, number: int, size: int) -> Query:
        """What round `number` asks: random ids, guesses right as often as the accuracy says."""
        rng = self._rng("query", number)
        ids = rng.choice(self.unlabeled(), size, replace=False)
        scores = np.sort(rng.uniform(0.2, 1.0, size))[::-1] if number >= 0 else [None] * size
        items = tuple(
            QueryItem(rank, int(i), None if s is None else float(s), self._guesses(rng, int(i), number))
            for rank, (i, s) in enumerate(zip(ids, scores, strict=True))
        )
        digest = hashlib.sha256(np.asarray(ids, np.int64).tobytes()).hexdigest()[:16]
        strategy = self.config.query.strategy if number >= 0 else self.config.init.init
        return Query(self.id, number, strategy, items, len(self.unlabeled()), digest, time.time())

    def _guesses(self, rng: np.random.Generator, sample: int, number: int) -> tuple[tuple[int, float], ...]:
        if number < 0:
            return ()
        others = [c for c in rng.permutation(self.dataset.num_classes) if c != self.truth[sample]][:2]
        three = [int(self.truth[sample]), *map(int, others)]
        if rng.random() > self.accuracy(20 * (number + 1)) - 0.1:
            three[0], three[1] = three[1], three[0]
        first = rng.uniform(0.45, 0.8)
        return tuple(zip(three, (first, (1 - first) * 0.7, (1 - first) * 0.2), strict=True))

    def accuracy(self, labels: int) -> float:
        """The made-up learning curve."""
        beyond = max(0, labels - self.config.init.n_start)  # the initial set is everyone's
        return 0.97 - 0.45 * math.exp(-beyond * self.gain / 75)

    def answer(self, share: float = 1.0, *, wrong: int = 0) -> None:
        """Answer the last query from the truth: a share of it, the first `wrong` of them wrongly."""
        query = self.store.queries(self.id)[-1]
        items = query.items[: round(share * len(query.items))]
        ops = []
        for n, item in enumerate(items, start=1):
            label = int(self.truth[item.sample_id])
            value = (label + 1) % 10 if n <= wrong else label
            ops.append(LabelOp(n, item.sample_id, value, milliseconds=1300))
        self.store.add_labels(
            self.id, ops, client=f"seeded{query.round + 1:04d}", source=LabelSource.HUMAN, round=query.round
        )

    def train(self, lease: JobLease, number: int, *, until: int | None = None) -> None:
        """The epochs of a round; some of them where it is to stay in the midst."""
        rng = self._rng("train", number)
        goal = self.accuracy(20 * (number + 1))
        for epoch in range(self.epochs if until is None else until):
            share = 1 - math.exp(-4 * (epoch + 1) / self.epochs)
            noise = rng.normal(0, 0.012)
            record = EpochRecord(
                number, epoch, 8 * (epoch + 1), 2.3 * (1 - 0.96 * share) + abs(noise),
                min(1.0, 0.1 + 0.9 * share + noise), 0.001, 0.21 * (epoch + 1),
                2.3 * (1 - 0.75 * share) + abs(noise), max(0.0, 0.1 + (goal - 0.1) * share + 2 * noise),
            )  # fmt: skip
            self.store.put_epochs(lease, self.id, [record])
            left = (self.epochs - epoch - 1) * max(self.pace, 0.01)
            progress = {"phase": "train", "round": number, "epoch": epoch, "epochs": self.epochs,
                        "done": epoch + 1, "total": self.epochs, "eta_seconds": left}  # fmt: skip
            self.store.heartbeat(lease, progress)
            time.sleep(self.pace)

    def finish(self, lease: JobLease, number: int, *, last: bool = False) -> None:
        """Record the round, and ask the next query unless it is the last."""
        labels = {i: e.value for i, e in self.store.current_labels(self.id).items() if e.value >= 0}
        counts = np.bincount(list(labels.values()), minlength=self.dataset.num_classes)
        matrix = self._confusion(number, len(labels))
        metrics = _metrics(matrix, self._rng("metrics", number)) if self.test_labels else {}
        metrics["validation_accuracy"] = self.accuracy(len(labels)) - 0.01
        record = RoundRecord(
            self.id, number, len(labels), self.store.label_rev(self.id), metrics,
            tuple(tuple(int(v) for v in row) for row in matrix) if self.test_labels else None,
            tuple(int(c) for c in counts), {"train": 2.1 + 0.3 * number, "evaluate": 0.4, "query": 0.15},
            {}, {"device": "cpu"}, time.time(),
        )  # fmt: skip
        query = None if last else self.query(number, self.config.query.n_new)
        status = ExperimentStatus.FINISHED if last else ExperimentStatus.AWAITING_LABELS
        self.store.finish_round(lease, record, query, status=status, stop_reason="rounds" if last else None)

    def _confusion(self, number: int, labels: int) -> np.ndarray:
        rng = self._rng("confusion", number)
        num = self.dataset.num_classes
        counts = self.dataset.class_counts("test")
        errors = rng.dirichlet(np.full(num - 1, 0.35), num)
        matrix = np.zeros((num, num), np.int64)
        for row in range(num):
            hit = np.clip(self.accuracy(labels) + rng.normal(0, 0.04), 0.05, 1)
            right = rng.binomial(counts[row], hit)
            matrix[row, row] = right
            matrix[row, np.arange(num) != row] = rng.multinomial(counts[row] - right, errors[row])
        return matrix

    def run(self, rounds: int, *, answer_last: bool = True, finish: bool = False, wrong: int = 0) -> None:
        """That many more rounds; each query but the last is answered, the last one if asked."""
        first = self.store.experiment(self.id).num_rounds
        lease = self.begin()
        if first == 0 and not self.store.queries(self.id):
            self.store.put_query(lease, self.query(INITIAL_ROUND, self.config.init.n_start))
        for number in range(first, first + rounds):
            if any(q.round == number - 1 for q in self.store.queries(self.id)):
                self.answer(wrong=wrong)
            self.store.update_experiment(self.id, lease=lease, status=ExperimentStatus.TRAINING)
            self.train(lease, number)
            self.finish(lease, number, last=finish and number == first + rounds - 1)
        if answer_last and not finish:
            self.answer(0.4)
        self.store.end_job(lease, JobState.DONE)


def _metrics(matrix: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """What follows from a confusion matrix; loss and calibration are made up."""
    right = np.diag(matrix)
    recall, precision = right / matrix.sum(1), right / np.maximum(matrix.sum(0), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    accuracy = right.sum() / matrix.sum()
    return {
        "test_accuracy": float(accuracy),
        "test_macro_f1": float(f1.mean()),
        "test_balanced_accuracy": float(recall.mean()),
        "test_worst_class_accuracy": float(recall.min()),
        "test_loss": float(2.4 * (1 - accuracy) + 0.1),
        "test_ece": float(0.25 * (1 - accuracy) + abs(rng.normal(0, 0.005))),
    }


def seed(
    settings: Settings,
    *,
    rounds: int = 6,
    strategy: str = "margin",
    name: str = "Digits by margin",
    ghost: bool = True,
    epochs: int = 12,
    test_labels: bool = True,
    finish: bool = False,
    wrong: int = 0,
    answer_last: bool = True,
    before_rounds: Callable[[ScriptedWorker], None] | None = None,
) -> str:
    """An experiment on the digits with that many rounds, and its random baseline; gives its id."""
    store = open_store(settings)
    config = ExperimentConfig.parse(
        {
            "name": name,
            "init": {"init": "random", "n_start": 20},
            "query": {"strategy": strategy, "n_new": 20},
        }
    )
    dataset = prepare(settings, config.data)
    facts = {"dataset_key": dataset.key, "fingerprint": dataset.fingerprint}
    record = store.create_experiment(config)
    store.update_experiment(record.id, **facts)
    worker = ScriptedWorker(store, settings, record.id, gain=1.35, epochs=epochs, test_labels=test_labels)
    if before_rounds:
        before_rounds(worker)
    if rounds:
        worker.run(rounds, finish=finish, wrong=wrong, answer_last=answer_last)
    if ghost:
        baseline = config.changed(query__strategy="random", oracle="truth", name=f"{name} (random)")
        twin = store.create_experiment(baseline, parent_id=record.id, ghost=True)
        store.update_experiment(twin.id, **facts)
        if rounds:
            ScriptedWorker(store, settings, twin.id, epochs=epochs, test_labels=test_labels).run(rounds)
    store.close()
    return record.id


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--grow", metavar="ID")
    parser.add_argument("--pause", type=float, default=0.0)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--name", default="Digits by margin")
    given = parser.parse_args()
    settings = Settings.from_env()
    if given.grow is None:
        sys.stdout.write(seed(settings, rounds=given.rounds, epochs=given.epochs, name=given.name) + "\n")
        return
    store = open_store(settings)
    for experiment_id, gain in ((given.grow, 1.35), (getattr(store.ghost_of(given.grow), "id", None), 1.0)):
        if experiment_id:
            worker = ScriptedWorker(
                store, settings, experiment_id, gain=gain, epochs=given.epochs, pace=given.pause
            )
            worker.run(given.rounds, answer_last=False)


__all__ = ["ScriptedWorker", "seed"]

if __name__ == "__main__":
    main()
