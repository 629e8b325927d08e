"""What a worker does in a round: prepare, draw the initial set, train, evaluate, query.

Artefacts are on disk before the row that names them is written, and each step ends in one transaction, so
that a kill at any instant leaves either the old state or the new one. Every draw is keyed by (seed, purpose,
round): doing a step again gives the same result.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from al_core import __version__
from al_core.data.prepare import prepare
from al_core.engine.features import frozen_features
from al_core.engine.inference import Prediction, predict
from al_core.engine.network import Network
from al_core.engine.providers import EvidenceContext
from al_core.engine.screening import gather_for_query
from al_core.engine.trainer import TrainData, fit
from al_core.errors import ConfigError, DataError, Problem
from al_core.experiment import Experiment
from al_core.initial import draw_initial, read_labels_file
from al_core.pool import Pool
from al_core.query.composition import Composition
from al_core.query.selection import pick_candidates
from al_core.records import (
    EpochRecord,
    ExperimentStatus,
    JobLease,
    LabelSource,
    Query,
    QueryItem,
    RoundRecord,
    query_hash,
)
from al_core.results.metrics import confusion, evaluate
from al_core.seeds import generator
from al_core.stopping import query_size, stop_reason
from al_core.store.objects import ARRAYS, Objects
from al_core.types import INITIAL_ROUND, Labels, SampleIds
from al_core.worker.arms import learn
from al_core.worker.control import JobControl
from al_core.worker.copies import new_copies, stored_copies

NUM_GUESSES = 3
EPOCHS_SECONDS = 0.25  # between two writes of epoch records: a commit costs more than a tiny epoch


@dataclass
class Advance:
    """One run of an `advance` job: on until labels are awaited, `until_labels` are spent, or a stop holds."""

    experiment: Experiment
    lease: JobLease
    control: JobControl
    until_labels: int | None = None
    _network: Network | None = field(default=None, repr=False)
    _query_facts: dict[str, Any] = field(default_factory=dict, repr=False)  # for the round's manifest

    def run(self) -> None:
        """Go on from wherever the store says that the experiment stands."""
        self._prepare()
        if self._query(INITIAL_ROUND) is None:
            self._draw_initial()
        while self._may_train():
            self._round()
            if self.experiment.record.status is ExperimentStatus.FINISHED:
                return

    # -- before the first round ---------------------------------------------------------------------

    def _prepare(self) -> None:
        experiment, control = self.experiment, self.control
        record = experiment.record
        if record.dataset_key is None:
            dataset = prepare(experiment.settings, experiment.config.data, self._progress)
            experiment.store.update_experiment(
                record.id, lease=self.lease, dataset_key=dataset.key, fingerprint=dataset.fingerprint
            )
            experiment.refresh()
        if record.split_hash is None:
            experiment.store.update_experiment(record.id, lease=self.lease, split_hash=experiment.splits.hash)
            experiment.refresh()
        control()

    def _progress(self, phase: str, done: int, total: int) -> None:
        self.control.progress(phase, done, total)
        self.control()

    def _query(self, number: int) -> Query | None:
        return self.experiment.store.query(self.experiment.id, number)

    def _draw_initial(self) -> None:
        experiment = self.experiment
        config, dataset = experiment.config, experiment.dataset
        imported: dict[int, int] = {}
        if config.init.init == "import":
            path = Path(config.init.import_labels or "")
            imported = read_labels_file(path, dataset.classes, len(dataset.train), self._ids_by_file)
            held = np.intersect1d(list(imported), experiment.splits.validation_ids)
            for sample_id in held.tolist():
                del imported[sample_id]  # set aside for validation: its label is not a pool label
            ids = np.asarray(list(imported), np.int64)
        else:
            pool_ids = experiment.pool().unlabeled_ids
            labels = dataset.train.labels
            ids = draw_initial(config.init, pool_ids, labels, config.seed, self._features)
        if len(ids) == 0:
            raise DataError("the initial set is empty: there is no image to begin with")
        items = tuple(QueryItem(rank, int(i), None) for rank, i in enumerate(ids))
        query = Query(
            experiment.id, INITIAL_ROUND, config.init.init, items,
            num_candidates=len(dataset.train), hash=query_hash(ids), at=time.time(),
        )  # fmt: skip
        experiment.store.put_query(self.lease, query)
        experiment.refresh()
        if imported:
            experiment.tell(
                imported.items(), client="import", source=LabelSource.IMPORT, round=INITIAL_ROUND,
                lease=self.lease,
            )  # fmt: skip

    def _ids_by_file(self) -> Mapping[str, int]:
        train = self.experiment.dataset.train
        return {train.file_name(i): i for i in range(len(train))}

    def _features(self, ids: SampleIds) -> np.ndarray:
        experiment = self.experiment
        return frozen_features(
            experiment.config, experiment.dataset, experiment.settings, ids,
            progress=self._progress, control=self.control,
        )  # fmt: skip

    # -- labels -------------------------------------------------------------------------------------

    def _may_train(self) -> bool:
        """Answer what the oracle may answer; say whether there is something new to train on."""
        experiment = self.experiment
        query = experiment.pending()
        by_truth = experiment.config.oracle == "truth" or (
            query is not None and query.strategy == "per_class"
        )
        rounds = experiment.store.rounds(experiment.id)
        if query is not None and query.strategy != "import" and by_truth:
            labeled = experiment.pool().counts()["labeled"]
            if self.until_labels is not None and rounds and labeled >= self.until_labels:
                return False
            if len(experiment.answers_to(query)) < len(query.items):
                experiment.answer_from_truth(lease=self.lease)
        if not rounds:
            return len(experiment.answers()) > 0
        seen = rounds[-1].label_event_id
        return experiment.store.label_rev(experiment.id) > seen

    # -- one round ----------------------------------------------------------------------------------

    def _round(self) -> None:
        experiment, store = self.experiment, self.experiment.store
        rounds = store.rounds(experiment.id)
        number = len(rounds)
        event_id = store.label_rev(experiment.id)
        pool = experiment.pool(until=event_id)
        if store.experiment(experiment.id).status is not ExperimentStatus.TRAINING:
            store.update_experiment(experiment.id, lease=self.lease, status=ExperimentStatus.TRAINING)
        self.control.note(round=number, num_labeled=len(pool.labeled_ids))

        began = time.perf_counter()
        self._network = self._train(number, pool, rounds)
        trained = time.perf_counter()
        metrics, matrix, arrays = self._evaluate(self._network)
        evaluated = time.perf_counter()

        objects = Objects(experiment.settings.objects)
        draft = RoundRecord(
            experiment.id, number, len(pool.labeled_ids), event_id, metrics, matrix,
            class_counts=_counts(pool.labeled_classes, experiment.dataset.num_classes),
            seconds={}, artefacts={}, manifest=self._manifest(), at=time.time(),
        )  # fmt: skip
        reason = stop_reason(experiment.config.stop, [*rounds, draft], len(pool.unlabeled_ids))
        self._query_facts = {}
        query = None if reason else self._ask(number, pool, arrays, metrics)
        if query is None and reason is None:
            reason = "no image is left to ask for"
        queried = time.perf_counter()
        artefacts = {"weights": self._save_weights(objects)}
        if arrays:
            artefacts["arrays"] = objects.put_arrays(arrays)
        record = RoundRecord(
            **{
                **{name: getattr(draft, name) for name in draft.__dataclass_fields__},
                "seconds": {
                    "train": trained - began,
                    "evaluate": evaluated - trained,
                    "query": queried - evaluated,
                },
                "artefacts": artefacts,
                "manifest": {**draft.manifest, **self._query_facts},
                "at": time.time(),
            }
        )
        status = ExperimentStatus.FINISHED if reason else ExperimentStatus.AWAITING_LABELS
        store.finish_round(self.lease, record, query, status=status, stop_reason=reason)
        shutil.rmtree(self._checkpoints, ignore_errors=True)
        experiment.refresh()

    @property
    def _checkpoints(self) -> Path:
        return self.experiment.settings.home / "checkpoints" / self.experiment.id

    def _train(self, number: int, pool: Pool, rounds: list[RoundRecord]) -> Network:
        experiment = self.experiment
        config, dataset = experiment.config, experiment.dataset
        unsaved: list[EpochRecord] = []
        saved_at = 0.0

        def save() -> None:
            nonlocal saved_at
            experiment.store.put_epochs(self.lease, experiment.id, unsaved)
            unsaved.clear()
            saved_at = time.monotonic()

        def on_epoch(epoch: EpochRecord) -> None:
            # What a kill takes is told again: a resumed training repeats its earlier epochs' records.
            unsaved.append(epoch)
            if time.monotonic() - saved_at >= EPOCHS_SECONDS:
                save()

        def on_progress(done: int, total: int, eta_seconds: float) -> None:
            self.control.progress("train", done, total, eta_seconds=round(eta_seconds, 1))

        data = self._train_data(number, pool)
        start = None
        if config.train.start == "warm" and rounds:
            objects = Objects(experiment.settings.objects)
            start = objects.path(rounds[-1].artefacts["weights"], ARRAYS)
        self.control.progress("train", 0, config.train.epochs, message="training starts")
        network = fit(
            config, dataset, data, round=number, start=start, on_epoch=on_epoch, on_progress=on_progress,
            control=self.control, checkpoints=self._checkpoints, settings=experiment.settings,
        )  # fmt: skip
        save()
        return network

    def _train_data(self, number: int, pool: Pool) -> TrainData:
        experiment = self.experiment
        config = experiment.config
        labels = experiment.dataset.train.labels
        train_ids, validation_ids = pool.labeled_ids, experiment.splits.epoch_validation
        share = config.train.labeled_validation
        validation_classes = labels[validation_ids]
        if share:
            held = _stratified(pool.labeled_classes, share, generator(config.seed, "holdout", number))
            validation_ids, validation_classes = train_ids[held], pool.labeled_classes[held]
            train_ids = train_ids[~held]
        classes = pool.classes[train_ids]
        copies = {}
        if config.train.adversarial_copies:
            copies = stored_copies(experiment, train_ids, classes)
        return TrainData(train_ids, classes, validation_ids, validation_classes, **copies)

    def _evaluate(
        self, network: Network
    ) -> tuple[dict[str, float], tuple[tuple[int, ...], ...] | None, dict[str, np.ndarray]]:
        experiment = self.experiment
        dataset = experiment.dataset
        metrics: dict[str, float] = {}
        matrix, arrays = None, {}
        known = np.flatnonzero(dataset.test.labels >= 0)
        if len(known):
            truth = dataset.test.labels[known]
            probs = self._predict(network, "test", known, "evaluate").probs
            metrics |= {f"test_{name}": value for name, value in evaluate(probs, truth).items()}
            matrix = tuple(
                tuple(row) for row in confusion(probs.argmax(1), truth, dataset.num_classes).tolist()
            )
            arrays = {"test_ids": known, "test_probs": probs}
        ids = experiment.splits.round_validation
        if len(ids):
            probs = self._predict(network, "train", ids, "evaluate").probs
            found = evaluate(probs, dataset.train.labels[ids])
            metrics |= {f"validation_{name}": value for name, value in found.items()}
        return metrics, matrix, arrays

    def _predict(self, network: Network, split: str, ids: SampleIds, phase: str) -> Prediction:
        part = self.experiment.dataset.train if split == "train" else self.experiment.dataset.test

        def progress(done: int, total: int) -> None:
            self.control.progress(phase, done, total)

        return predict(network, part, ids, embeddings=False, progress=progress, control=self.control)

    def _ask(
        self, number: int, pool: Pool, arrays: dict[str, np.ndarray], metrics: dict[str, float]
    ) -> Query | None:
        """Select the next images; what there is to keep of it is added to `arrays` and `metrics`."""
        experiment = self.experiment
        config, dataset = experiment.config, experiment.dataset
        k = query_size(config.query.n_new, config.stop, len(pool.labeled_ids))
        rng = generator(config.seed, "candidates", number)
        candidate_ids = pick_candidates(pool.unlabeled_ids, config.query.candidates, rng)
        if k == 0 or len(candidate_ids) == 0:
            return None
        composition = Composition.of(config.query)
        self.control.progress("query", 0, len(candidate_ids))
        context = EvidenceContext(
            config=config, dataset=dataset, network=self._network, candidate_ids=candidate_ids,
            labeled_ids=pool.labeled_ids, labeled_classes=pool.labeled_classes,
            settings=experiment.settings, control=self.control, round=number, checkpoints=self._checkpoints,
            progress=lambda done, total: self.control.progress("query", done, total),
            passes=config.query.passes, members=config.query.members,
        )  # fmt: skip
        evidence, self._query_facts = gather_for_query(composition, context, k)
        lesson = learn(experiment, composition, pool, evidence) if composition.learner else None
        selection = composition.choose(
            evidence, num_candidates=len(candidate_ids), k=k, rng=generator(config.seed, "query", number),
            chances=lesson.chances if lesson else None,
        )  # fmt: skip
        picked = candidate_ids[selection.positions]
        probs = evidence.get("probs")
        if probs is None and self._network is not None:
            guesses = self._predict(self._network, "train", picked, "query").probs
        else:
            guesses = None if probs is None else probs[selection.positions]
        scores = None if selection.scores is None else selection.scores[selection.positions]
        arrays["candidate_ids"] = candidate_ids
        if config.train.adversarial_copies and self._network is not None:
            arrays |= new_copies(self._network, dataset, picked, self.control)
        if selection.scores is not None:
            arrays["scores"] = selection.scores
        if selection.members is not None:
            arrays["members"] = selection.members
        if lesson:
            arrays |= lesson.arrays(selection)
            metrics |= lesson.metrics()
        items = tuple(
            QueryItem(
                rank, int(sample_id),
                None if scores is None else float(scores[rank]),
                () if guesses is None else _top(guesses[rank]),
            )
            for rank, sample_id in enumerate(picked)
        )  # fmt: skip
        return Query(
            experiment.id,
            number,
            composition.name,
            items,
            len(candidate_ids),
            query_hash(picked),
            time.time(),
        )

    def _save_weights(self, objects: Objects) -> str:
        network = self._network
        if network is None:
            raise ConfigError([Problem("model.model", self.experiment.config.model.model, "was not trained")])
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        path = self._checkpoints / "weights.safetensors"
        network.save(path)
        return objects.put_file(path, ARRAYS)

    def _manifest(self) -> dict[str, Any]:
        network = self._network
        plan = {} if network is None else network.describe()
        return {"askwell": __version__, "numpy": np.__version__, **plan}


def _top(probs: np.ndarray) -> tuple[tuple[int, float], ...]:
    best = np.argsort(-probs, kind="stable")[:NUM_GUESSES]
    return tuple((int(c), float(probs[c])) for c in best)


def _counts(classes: Labels, num_classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(classes, minlength=num_classes).tolist())


def _stratified(classes: Labels, share: float, rng: np.random.Generator) -> np.ndarray:
    """Mask of a stratified share; at least one of a class stays for training."""
    mask = np.zeros(len(classes), bool)
    for class_id in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == class_id))
        mask[members[: min(round(share * len(members)), len(members) - 1)]] = True
    return mask
