"""What a round asks next: evidence, the strategy's choice, the hold-back, and what is kept of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from al_core.ahead import offer
from al_core.baselines import balanced
from al_core.engine.inference import Prediction, predict
from al_core.engine.network import Network
from al_core.engine.providers import EvidenceContext
from al_core.engine.screening import gather_for_query
from al_core.experiment import Experiment, TrainedView
from al_core.pool import Pool
from al_core.query.composition import Chosen, Composition
from al_core.query.remaining import after
from al_core.query.selection import pick_candidates
from al_core.records import Query, QueryItem, RoundRecord, query_hash
from al_core.seeds import generator
from al_core.types import Labels, SampleIds
from al_core.worker.arms import learn
from al_core.worker.control import JobControl
from al_core.worker.copies import new_copies
from al_core.worker.holdback import mixed_in, next_to_hold_back
from al_core.worker.reasons import reasons, rivals

NUM_GUESSES = 3


def predict_with(
    network: Network, experiment: Experiment, split: str, ids: SampleIds, phase: str, control: JobControl
) -> Prediction:
    """Probabilities of images of a split, with the job's progress."""
    part = experiment.dataset.train if split == "train" else experiment.dataset.test

    def progress(done: int, total: int) -> None:
        control.progress(phase, done, total)

    return predict(network, part, ids, embeddings=False, progress=progress, control=control)


@dataclass
class Asking:
    """One round's query. `weights` are those of the labels in training, `copies` gives their copies."""

    experiment: TrainedView
    network: Network | None
    control: JobControl
    checkpoints: Path
    weights: np.ndarray | None
    copies: Callable[[SampleIds, Labels], dict[str, np.ndarray]]
    facts: dict[str, Any] = field(default_factory=dict)  # for the round's manifest

    def ask(
        self, rounds: list[RoundRecord], pool: Pool, arrays: dict[str, np.ndarray], metrics: dict[str, float]
    ) -> Query | None:
        """Select the next images; what there is to keep of it is added to `arrays` and `metrics`."""
        experiment = self.experiment
        config, number = experiment.config, rounds[-1].number
        before = experiment.store.query(experiment.id, number - 1)
        plan = offer(config, rounds, pool, before)
        aside = next_to_hold_back(experiment, pool, number, plan.asked, plan.open_ids)
        k = plan.asked - len(aside)
        if config.query.baseline == "balanced":
            return self._even_out(number, pool, k, aside, arrays)
        rng = generator(config.seed, "candidates", number)
        candidate_ids = pick_candidates(plan.unlabeled_ids, config.query.candidates, rng)
        if k == 0 or len(candidate_ids) == 0:
            return None
        composition = Composition.of(config.query)
        evidence = self._gather(composition, number, pool, candidate_ids, k + plan.ahead)
        lesson = learn(experiment, composition, pool, evidence) if composition.learner else None
        chances = lesson.chances if lesson else None
        n = len(candidate_ids)
        selection = composition.choose(
            evidence, num_candidates=n, k=k, rng=generator(config.seed, "query", number), chances=chances
        )
        arrays["candidate_ids"] = candidate_ids
        if selection.scores is not None:
            arrays["scores"] = selection.scores
        if selection.members is not None:
            arrays["members"] = selection.members
        if lesson:
            arrays |= lesson.arrays(selection)
            metrics |= lesson.metrics()
        positions, values = selection.positions, _numbers(selection)
        if plan.ahead:
            read = {name: evidence[name] for name in composition.read}
            left, rest = after(read, n, positions)
            ahead = composition.choose(
                rest, num_candidates=len(left), k=plan.ahead, chances=chances,
                rng=generator(config.seed, "ahead", number),
            )  # fmt: skip
            positions = np.concatenate([positions, left[ahead.positions]])
            values = values + _numbers(ahead)
        picked = candidate_ids[positions]
        probs = evidence.get("probs")
        chosen = self._items(picked, values, None if probs is None else probs[positions])
        arrays |= self._about(number, pool, picked)
        if config.oracle == "human" and self.network is not None and probs is not None:
            rng = generator(config.seed, "rivals", number)
            arrays |= rivals(picked, candidate_ids, probs, len(selection.positions), rng)
        asked, ahead_items = chosen[: len(selection.positions)], chosen[len(selection.positions) :]
        return self._query_of(number, composition.name, asked, aside, n, ahead_items)

    def _gather(
        self, composition: Composition, number: int, pool: Pool, candidate_ids: SampleIds, k: int
    ) -> dict[str, np.ndarray]:
        """The evidence for a choice of k."""
        experiment, config = self.experiment, self.experiment.config
        self.control.progress("query", 0, len(candidate_ids))
        context = EvidenceContext(
            config=config, dataset=experiment.dataset, network=self.network, candidate_ids=candidate_ids,
            labeled_ids=pool.labeled_ids, labeled_classes=pool.labeled_classes,
            labeled_weights=self.weights,
            settings=experiment.settings, control=self.control, round=number, checkpoints=self.checkpoints,
            progress=lambda done, total: self.control.progress("query", done, total),
            passes=config.query.passes, members=config.query.members, copies=self.copies,
        )  # fmt: skip
        evidence, self.facts = gather_for_query(composition, context, k)
        return evidence

    def _items(
        self, picked: SampleIds, values: list[float | None], probs: np.ndarray | None
    ) -> list[QueryItem]:
        """The picked images with what they were worth and the model's guesses."""
        if probs is None and self.network is not None:
            probs = predict_with(self.network, self.experiment, "train", picked, "query", self.control).probs
        known = self.experiment.numbering.trained
        guesses = [()] * len(picked) if probs is None else [_top(known, row) for row in probs]
        return [QueryItem(rank, int(i), values[rank], guesses[rank]) for rank, i in enumerate(picked)]

    def _about(self, number: int, pool: Pool, picked: SampleIds) -> dict[str, np.ndarray]:
        """What is kept of the picked images: copies to train on, and the labeled ones nearest to each."""
        config, dataset, found = self.experiment.config, self.experiment.dataset, {}
        if self.network is None:
            return {}
        if config.train.adversarial_copies:
            found |= new_copies(self.network, dataset, picked, self.control)
        if config.oracle == "human":
            rng = generator(config.seed, "reasons", number)
            classes = self.experiment.numbering.ids_of(pool.labeled_classes)
            found |= reasons(self.network, dataset, picked, pool.labeled_ids, classes, rng, self.control)
        return found

    def _even_out(
        self, number: int, pool: Pool, k: int, aside: SampleIds, arrays: dict[str, np.ndarray]
    ) -> Query | None:
        """The balanced baseline's query. No strategy: it looks at the pool's labels, and at all of it."""
        experiment, network = self.experiment, self.network
        config, dataset = experiment.config, experiment.dataset
        rng = generator(config.seed, "query", number)
        picked = balanced(pool.unlabeled_ids, dataset.train.labels, pool.labeled_ids, k, rng)
        if len(picked) == 0 or network is None:
            return None
        if config.train.adversarial_copies:
            arrays |= new_copies(network, dataset, picked, self.control)
        guesses = predict_with(network, experiment, "train", picked, "query", self.control).probs
        chosen = [
            QueryItem(rank, int(i), None, _top(experiment.numbering.trained, guesses[rank]))
            for rank, i in enumerate(picked)
        ]
        return self._query_of(number, config.query.baseline, chosen, aside, len(pool.unlabeled_ids))

    def _query_of(
        self, number: int, name: str, chosen: list[QueryItem], aside: SampleIds, num_candidates: int,
        ahead: Sequence[QueryItem] = (),
    ) -> Query:  # fmt: skip
        places = generator(self.experiment.config.seed, "hold-back places", number)
        items = mixed_in(chosen, aside, places)
        ids = np.array([item.sample_id for item in items], np.int64)
        return Query(
            self.experiment.id, number, name, items, num_candidates, query_hash(ids), time.time(),
            tuple(replace(item, rank=rank) for rank, item in enumerate(ahead, start=len(items))),
        )  # fmt: skip


def _numbers(chosen: Chosen) -> list[float | None]:
    """What each pick was worth to its strategy; None where that gave no number."""
    if chosen.values is None:
        return [None] * len(chosen.positions)
    return [float(value) if np.isfinite(value) else None for value in chosen.values]


def _top(class_ids: Sequence[int], probs: np.ndarray) -> tuple[tuple[int, float], ...]:
    """The likeliest classes, by their ids; `class_ids` are those of the outputs."""
    best = np.argsort(-probs, kind="stable")[:NUM_GUESSES]
    return tuple((class_ids[output], float(probs[output])) for output in best)
