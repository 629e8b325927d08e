"""The run card: what a result or an export is made of, and the command that makes it again."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from al_core.exchange.beside import Beside
from al_core.experiment import Experiment
from al_core.results.records_file import content_id, manifest
from al_core.results.repeat import run_command
from al_core.standing import Standing

_PACKAGES: Final = ("torch", "torchvision", "numpy", "pillow", "scikit-learn", "safetensors", "pyarrow")


def run_card(experiment: Experiment, found: Standing, beside: Beside) -> dict[str, Any]:
    """Config, seeds, versions, fingerprint of the data, hash of the label log, state of the labels."""
    classes = experiment.dataset.classes
    body = manifest(experiment)
    del body["manifest_id"]
    store, config = experiment.store, experiment.config
    rounds = store.rounds(experiment.id)
    rev, head = store.label_log(experiment.id)
    body |= {
        "name": experiment.record.name,
        "seeds": {
            "seed": config.seed,
            "every draw": "a function of (seed, purpose, round); nothing else is random",
        },
        "versions": _versions(_PACKAGES),
        "label_log": {"last_event": rev, "hash": head},
        "labels": {
            "answers": int(found.answered.sum()),
            "marks": {mark.value: len(ids) for mark, ids in found.marks.items()},
            "images with tags": len(beside.tags),
            "images asked for by hand": len(beside.asked),
            "further answers": sum(len(words) for words in beside.opinions.values()),
            "state_hash": found.hash(classes, {i: beside.state(i, classes) for i in beside.ids}),
        },
        "rounds": [
            {"round": r.number, "num_labeled": r.num_labeled, "metrics": dict(r.metrics)} for r in rounds
        ],
        "repeat": run_command(config, f"run-{experiment.id}", rounds=len(rounds)),
        "repeat_from_this_file": "python -m al_core run --config run-card.json",
    }
    return body | {"card_id": content_id(body)}


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
