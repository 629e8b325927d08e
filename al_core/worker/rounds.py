"""What a worker does in a round: prepare, draw the initial set, train, evaluate, query.

Artefacts are on disk before the row that names them is written, and each step ends in one transaction, so
that a kill at any instant leaves either the old state or the new one. Every draw is keyed by (seed, purpose,
round): doing a step again gives the same result.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from al_core import __version__, own_files
from al_core.baselines import ONCE
from al_core.data.prepare import prepare
from al_core.engine.features import frozen_features
from al_core.engine.inference import Prediction
from al_core.engine.network import Network
from al_core.engine.trainer import fit
from al_core.engine.warm import warm_weights
from al_core.errors import ConfigError, DataError, Problem
from al_core.experiment import Experiment, TrainedView
from al_core.forking import share
from al_core.oracle import fingerprint
from al_core.pool import Pool
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
from al_core.seeds import generator
from al_core.stopping import stop_reason
from al_core.store.objects import ARRAYS, Objects
from al_core.types import INITIAL_ROUND, Labels, SampleIds
from al_core.words import kept_n, noted, tr
from al_core.worker.asking import Asking, predict_with
from al_core.worker.control import JobControl
from al_core.worker.copies import stored_copies
from al_core.worker.evaluating import labels_of_classes, measures
from al_core.worker.first_images import first_images, untold
from al_core.worker.forked import lacks_query, trained_network, without_query
from al_core.worker.stability import watch_predictions
from al_core.worker.training_set import training_set

EPOCHS_SECONDS = 0.25  # between two writes of epoch records: a commit costs more than a tiny epoch


@dataclass
class Advance:
    """One run of an `advance` job: on until labels are awaited, `until_labels` are spent, or a stop holds."""

    experiment: Experiment
    lease: JobLease
    control: JobControl
    until_labels: int | None = None
    _seen: TrainedView | None = field(default=None, repr=False)  # the experiment, as the round sees it
    _network: Network | None = field(default=None, repr=False)
    _weights: np.ndarray | None = field(default=None, repr=False)  # of the labels in training
    _doubted: SampleIds | tuple[()] = field(default=(), repr=False)  # unsure labels: no copies of these
    _query_facts: dict[str, Any] = field(default_factory=dict, repr=False)  # for the round's manifest
    _asked: bool = field(default=False, repr=False)  # a query since this run began

    def run(self) -> None:
        """Go on from wherever the store says that the experiment stands."""
        rounds = self.experiment.store.rounds(self.experiment.id)
        known = rounds[-1].manifest.get("own_files", {}) if rounds else {}
        own_files.require_same(known, self.experiment.config)
        self._prepare()
        if self._query(INITIAL_ROUND) is None:
            self._draw_initial()
        elif not rounds:
            self._tell_imported(untold(self.experiment, self._features))
        elif lacks_query(self.experiment, rounds):
            self._ask_anew(rounds)
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
        chooser, ids, imported = first_images(experiment, self._features)
        if len(ids) == 0:
            raise DataError(tr("the initial set is empty: there is no image to begin with"))
        items = tuple(QueryItem(rank, int(i), None) for rank, i in enumerate(ids))
        query = Query(
            experiment.id, INITIAL_ROUND, chooser, items,
            num_candidates=len(experiment.dataset.train), hash=query_hash(ids), at=time.time(),
        )  # fmt: skip
        experiment.store.put_query(self.lease, query)
        experiment.refresh()
        self._tell_imported(imported)

    def _tell_imported(self, labels: dict[int, int]) -> None:
        if labels:
            self.experiment.tell(
                labels.items(), client="import", source=LabelSource.IMPORT, round=INITIAL_ROUND,
                lease=self.lease,
            )  # fmt: skip

    def _features(self, ids: SampleIds) -> np.ndarray:
        experiment = self.experiment
        return frozen_features(
            experiment.config, experiment.dataset, experiment.settings, ids,
            progress=self._progress, control=self.control,
        )  # fmt: skip

    # -- labels -------------------------------------------------------------------------------------

    def _is_done(self) -> bool:
        """Whether a person's round is trained: what was labeled meanwhile waits until they ask again.

        Where relatives have answered the whole new query there is nothing to wait for.
        """
        trained = self.control.facts.get("round")
        by_person = self.experiment.config.oracle == "human"
        if not by_person or trained is None or trained >= self.experiment.record.num_rounds:
            return False
        query, answers = self.experiment.pending(), self.experiment.answers().values()
        shared = all(event.source is LabelSource.SHARED for event in answers)
        return query is None or not shared or len(answers) < len(query.items)

    def _last_label(self, number: int) -> int:
        """The last label event that the round sees: what it was when the first attempt at it began."""
        facts = self.control.facts
        if facts.get("round") == number and "label_event_id" in facts:
            return int(facts["label_event_id"])
        return self.experiment.store.label_rev(self.experiment.id)

    def _may_train(self) -> bool:
        """Answer what the oracle may answer; say whether there is something new to train on."""
        experiment = self.experiment
        query = experiment.pending()
        by_oracle = experiment.config.oracle != "human" or (
            query is not None and query.strategy == "per_class"
        )
        rounds = experiment.store.rounds(experiment.id)
        if query is not None and query.strategy != "import" and by_oracle:
            labeled = len(experiment.pool().paid_ids)
            if self.until_labels is not None and rounds and labeled >= self.until_labels:
                return False
            if len(experiment.answers_to(query)) < len(query.items):
                self._same_answers(rounds)
                experiment.answer_from_oracle(lease=self.lease)
        share(experiment, lease=self.lease)
        if self._is_done():
            return False
        if not rounds:
            return len(experiment.answers()) > 0
        return self._worth_training(query, rounds[-1].label_event_id)

    def _worth_training(self, query: Query | None, seen: int) -> bool:
        """Whether there is something new; a query that relatives answered in part waits for its person."""
        experiment, store = self.experiment, self.experiment.store
        if not experiment.changed_since(seen):
            return False
        if query is None or (not self._asked and self.control.attempt == 1):
            return True
        if experiment.record.status is ExperimentStatus.TRAINING:  # interrupted in it
            return True
        new = store.label_events(experiment.id, after=seen)
        only_shared = all(event.source is LabelSource.SHARED for event in new)
        return not only_shared or len(experiment.answers_to(query)) == len(query.items)

    def _same_answers(self, rounds: list[RoundRecord]) -> None:
        """Refuse to go on by another file of answers than the rounds so far."""
        known = rounds[-1].manifest.get("answers") if rounds else None
        if known is not None and known != fingerprint(self.experiment.config):
            raise DataError(
                tr(
                    "the oracle's file has changed since this experiment began: restore the old one, or "
                    "begin a new experiment"
                )
            )

    # -- one round ----------------------------------------------------------------------------------

    def _round(self) -> None:
        store = self.experiment.store
        rounds = store.rounds(self.experiment.id)
        number = len(rounds)
        event_id = self._last_label(number)
        pool = self._weighed_pool(event_id)
        experiment = self._view
        if store.experiment(experiment.id).status is not ExperimentStatus.TRAINING:
            store.update_experiment(experiment.id, lease=self.lease, status=ExperimentStatus.TRAINING)
        self.control.keep(round=number, label_event_id=event_id)

        began = time.perf_counter()
        self._network = network = self._train(number, pool, rounds)
        trained = time.perf_counter()
        metrics, matrix, arrays = measures(
            experiment, pool, lambda split, ids: self._predict(network, split, ids, "evaluate").probs
        )
        if experiment.config.stop.watches_predictions:
            found, kept = watch_predictions(
                experiment, pool, rounds, lambda ids: self._predict(network, "train", ids, "evaluate").probs
            )
            metrics, arrays = metrics | found, arrays | kept
        evaluated = time.perf_counter()

        objects = Objects(experiment.settings.objects)
        draft = RoundRecord(
            experiment.id, number, len(pool.paid_ids), event_id, metrics, matrix,
            class_counts=labels_of_classes(experiment, pool),
            seconds={}, artefacts={}, manifest=self._manifest(), at=time.time(),
        )  # fmt: skip
        reason = stop_reason(experiment.config.stop, [*rounds, draft], len(pool.unlabeled_ids))
        if experiment.config.query.baseline in ONCE:
            reason = kept_n(
                "trained once, on {n:,} images", "trained once, on {n:,} images", draft.num_labeled
            )
        self._query_facts = {}
        query = None if reason else self._ask([*rounds, draft], pool, arrays, metrics)
        if query is None and reason is None:
            reason = noted("no image is left to ask for")
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
        self._ended(query)

    def _weighed_pool(self, event_id: int) -> Pool:
        """The pool as of a label event; what its labels weigh is kept for training and asking.

        From here on to what is kept, classes are numbered as the network's outputs are.
        """
        self._seen = view = self.experiment.as_trained(event_id)
        pool = view.pool(until=event_id)
        self._weights = weights = view.label_weights(pool.labeled_ids, until=event_id)
        self._doubted = () if weights is None else pool.labeled_ids[weights < 1]
        return pool

    def _ended(self, query: Query | None) -> None:
        self._asked = query is not None
        shutil.rmtree(self._checkpoints, ignore_errors=True)
        self.experiment.refresh()

    def _ask_anew(self, rounds: list[RoundRecord]) -> None:
        """A fork's own query after the last round that it has from its parent; nothing is trained for it."""
        experiment = self.experiment
        pool = self._weighed_pool(rounds[-1].label_event_id)
        self.control.note(round=rounds[-1].number)
        record, arrays = without_query(experiment, rounds[-1])
        metrics = dict(record.metrics)
        reason = stop_reason(experiment.config.stop, rounds, len(pool.unlabeled_ids))
        began, self._query_facts, query = time.perf_counter(), {}, None
        if reason is None:
            self._network = trained_network(experiment, record)
            query = self._ask(rounds, pool, arrays, metrics)
            reason = None if query else noted("no image is left to ask for")
        artefacts = dict(record.artefacts)
        if arrays:
            artefacts["arrays"] = Objects(experiment.settings.objects).put_arrays(arrays)
        asked = replace(
            record, metrics=metrics, artefacts=artefacts, manifest={**record.manifest, **self._query_facts},
            seconds={**record.seconds, "query": time.perf_counter() - began},
        )  # fmt: skip
        status = ExperimentStatus.FINISHED if reason else ExperimentStatus.AWAITING_LABELS
        experiment.store.put_next_query(self.lease, asked, query, status=status, stop_reason=reason)
        self._ended(query)

    @property
    def _view(self) -> TrainedView:
        if self._seen is None:
            raise RuntimeError("no round has begun")
        return self._seen

    @property
    def _checkpoints(self) -> Path:
        return self.experiment.settings.home / "checkpoints" / self.experiment.id

    def _train(self, number: int, pool: Pool, rounds: list[RoundRecord]) -> Network:
        experiment = self._view
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

        data = training_set(experiment, pool, self._weights, number, self._copies)
        start = None
        if config.train.start == "warm" and rounds:
            objects = Objects(experiment.settings.objects)
            before = self.experiment.classes(until=rounds[-1].label_event_id)
            rng = generator(config.seed, "new outputs", number)
            weights = objects.path(rounds[-1].artefacts["weights"], ARRAYS)
            start = warm_weights(weights, before.trained, experiment.numbering.trained, rng)
        self.control.progress("train", 0, config.train.epochs, message="training starts")
        network = fit(
            config, dataset, data, round=number, start=start, on_epoch=on_epoch, on_progress=on_progress,
            control=self.control, checkpoints=self._checkpoints, settings=experiment.settings,
        )  # fmt: skip
        save()
        return network

    def _copies(self, ids: SampleIds, classes: Labels) -> dict[str, np.ndarray]:
        if not self.experiment.config.train.adversarial_copies:
            return {}
        sure = ~np.isin(ids, self._doubted)
        return stored_copies(self._view, ids[sure], classes[sure])

    def _predict(self, network: Network, split: str, ids: SampleIds, phase: str) -> Prediction:
        return predict_with(network, self._view, split, ids, phase, self.control)

    def _ask(
        self, rounds: list[RoundRecord], pool: Pool, arrays: dict[str, np.ndarray], metrics: dict[str, float]
    ) -> Query | None:
        """Select the next images; what there is to keep of it is added to `arrays` and `metrics`."""
        asking = Asking(
            self._view, self._network, self.control, self._checkpoints, self._weights, self._copies
        )
        query = asking.ask(rounds, pool, arrays, metrics)
        self._query_facts = asking.facts
        return query

    def _save_weights(self, objects: Objects) -> str:
        network = self._network
        if network is None:
            raise ConfigError(
                [Problem("model.model", self.experiment.config.model.model, tr("was not trained"))]
            )
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        path = self._checkpoints / "weights.safetensors"
        network.save(path)
        return objects.put_file(path, ARRAYS)

    def _manifest(self) -> dict[str, Any]:
        network = self._network
        plan = {} if network is None else network.describe()
        answers = fingerprint(self.experiment.config)
        told = {} if answers is None else {"answers": answers}
        own = own_files.used_by(self.experiment.config)
        sources = {"own_files": own} if own else {}
        classes = self._view.numbering
        outputs = {} if classes.plain else {"outputs": list(classes.trained)}
        return {"askwell": __version__, "numpy": np.__version__, **plan, **told, **sources, **outputs}
