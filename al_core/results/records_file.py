"""What `run --out` writes: records.json with the first seed's keys and ours beside them, and a manifest.

Files are written whole or not at all (a temporary name, then a rename), after every round.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from al_core import __version__
from al_core.experiment import Experiment
from al_core.models import MODELS
from al_core.pool import Pool
from al_core.records import Query, RoundRecord
from al_core.types import INITIAL_ROUND


def records(experiment: Experiment) -> dict[str, Any]:
    """Everything about an experiment so far, as plain values.

    The keys Initialization, Loops Progress, Query Instances, Validation-2 Accuracy Coordinates, Final
    Test Score, Premature Stop and Labels History are the first seed's; `rounds` is ours.
    """
    store, config = experiment.store, experiment.config
    rounds = store.rounds(experiment.id)
    epochs = store.epochs(experiment.id)
    asked = store.queries(experiment.id)
    queries = {query.round: [item.sample_id for item in query.items] for query in asked}
    ahead = {query.round: [item.sample_id for item in query.ahead] for query in asked}
    scored = {query.round: _scored(experiment, query) for query in asked if query.round != INITIAL_ROUND}
    start = rounds[0].num_labeled if rounds else 0
    scores = [(r.num_labeled - start, r.metrics.get("validation_accuracy")) for r in rounds]
    lr = config.train.learning_rate
    last = rounds[-1].metrics if rounds else {}
    reason = experiment.record.stop_reason or ""
    return {
        "Initialization": {
            "model": config.model.model,
            "dataset": config.data.dataset,
            "n_start": config.init.n_start,
            "n_new": config.query.n_new,
            "n_rounds": config.stop.n_rounds,
            "epochs": config.train.epochs,
            "valid_size_1": config.data.epoch_validation,
            "valid_size_2": config.data.round_validation,
            "lr": MODELS.get(config.model.model).learning_rate if lr is None else lr,
            "pretrained": config.model.pretrained,
            "query_strategy": config.query.chooser,
            "batch_size": config.train.batch_size,
            "weight_decay": config.train.weight_decay,
            "patience": config.stop.patience,
            "data_aug": config.train.augment,
            "init_sampling_seed": config.seed,
        },
        "Loops Progress": {
            "Training Loss": [e.train_loss for e in epochs],
            "Training Accuracy": [e.train_accuracy for e in epochs],
            "Validation Loss": [e.validation_loss for e in epochs],
            "Validation Accuracy": [e.validation_accuracy for e in epochs],
        },
        "Query Instances": [count for count, _ in scores],
        "Validation-2 Accuracy Coordinates": [[c, a] for c, a in scores if a is not None],
        "Final Test Score": last.get("test_accuracy"),
        "Premature Stop": reason.startswith("no better validation accuracy"),
        "Labels History": _labels_history(experiment, rounds),
        "stop_reason": experiment.record.stop_reason,
        "initial_sample_ids": queries.get(INITIAL_ROUND, []),
        "rounds": [_round(record, queries, ahead) | scored.get(record.number, {}) for record in rounds],
    }


def _scored(experiment: Experiment, query: Query) -> dict[str, int]:
    """How many images were scored, and how many there were: fewer are with a candidate cap."""
    capped = experiment.config.query.candidates is not None
    pool = experiment.num_unlabeled(query.round) if capped else query.num_candidates
    return {"num_candidates": query.num_candidates, "num_unlabeled": pool}


def _labels_history(experiment: Experiment, rounds: list[RoundRecord]) -> dict[str, list[int]]:
    names = experiment.dataset.classes
    counts = [[*record.class_counts, *[0] * len(names)] for record in rounds]  # of later classes: none
    return {name: [count[i] for count in counts] for i, name in enumerate(names)}


def _round(
    record: RoundRecord, queries: Mapping[int, list[int]], ahead: Mapping[int, list[int]]
) -> dict[str, Any]:
    return {
        "round": record.number,
        "num_labeled": record.num_labeled,
        "test_accuracy": record.metrics.get("test_accuracy"),
        "test_macro_f1": record.metrics.get("test_macro_f1"),
        "metrics": dict(record.metrics),
        "class_counts": list(record.class_counts),
        "confusion": record.confusion,
        "queried_sample_ids": queries.get(record.number, []),
        "ahead_sample_ids": ahead.get(record.number, []),
        "seconds": dict(record.seconds),
        "artefacts": dict(record.artefacts),
    }


def manifest(experiment: Experiment) -> dict[str, Any]:
    """What a repetition needs: the whole config, and on what it ran. `run --config` reads it."""
    rounds = experiment.store.rounds(experiment.id)
    pool: Pool = experiment.pool()
    body = {
        "askwell": __version__,
        "experiment": experiment.id,
        "config": experiment.config.model_dump(mode="json"),
        "config_hash": experiment.config.hash(),
        "dataset": {
            "key": experiment.dataset.key,
            "fingerprint": experiment.dataset.fingerprint,
            "classes": list(experiment.dataset.classes),
            **_class_changes(experiment),
            "num_train": len(experiment.dataset.train),
            "num_test": len(experiment.dataset.test),
        },
        "split_hash": experiment.splits.hash,
        "pool": pool.counts(),
        "platform": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        },
        "training": dict(rounds[-1].manifest) if rounds else {},
        "repeat": "python -m al_core run --config manifest.json",
    }
    return body | {"manifest_id": content_id(body)}


def _class_changes(experiment: Experiment) -> dict[str, Any]:
    """What became of the data set's classes while labelling; nothing where they are as they were."""
    classes = experiment.classes()
    if not classes.last:
        return {}
    return {
        "classes_prepared": list(experiment.prepared.classes),
        "merged_into": {str(i): classes.effects.canonical(i) for i in sorted(classes.merged)},
        "retired": sorted(classes.effects.retired),
    }


def content_id(value: Any) -> str:
    """Identity of plain values, as 16 hexadecimal digits: printed on what was made of them."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def write_run(experiment: Experiment, folder: Path) -> None:
    """Write records.json and manifest.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "records.json", records(experiment))
    write_json(folder / "manifest.json", manifest(experiment))


def write_json(path: Path, value: Any) -> None:
    """Write the file whole or not at all."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
