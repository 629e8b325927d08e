"""model.json: what a saved model is, what it must be given, how good it was, and where it came from."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from al_core import __version__
from al_core.config import ExperimentConfig
from al_core.deploy.choosing import Choice
from al_core.errors import ModelError
from al_core.experiment import Experiment
from al_core.models import MODELS
from al_core.records import RoundRecord
from al_core.settings import Settings
from al_core.words import tr

FORMAT: Final = 1
CARD, WEIGHTS, ONNX, EXAMPLE = "model.json", "model.safetensors", "model.onnx", "predict.py"
_PREPROCESSING: Final = (
    "decode the first frame; a JPEG may be decoded smaller while both sides stay at least 2 x size",
    "turn it as its EXIF orientation says",
    "grey of more than 8 bits: divide by the least of 255, 1023, 4095, 16383, 65535 that holds its maximum",
    "lay transparency on white; convert to RGB",
    "cut out the middle square and scale it to size x size, bicubic",
    "bytes 0 to 255 as (n, size, size, 3); what follows (scaling to 0..1, resizing to the network's own "
    "size, normalising) is inside the network",
)
EXAMPLE_TEXT: Final = (Path(__file__).parent / "predict_alone.py").read_text(encoding="utf-8")
"""The example that is shipped with every model; it imports nothing of this program."""


def export_path(settings: Settings, experiment_id: str, number: int, named: int = 0) -> Path:
    """The zip of a round's model that the browser downloads; another version writes another one.

    So does another name of a class: `named` is the event that gave the last one (`classes.last_naming`).
    """
    names = f"-names-{named}" if named else ""
    return settings.exports / f"askwell-{experiment_id}-round-{number}{names}-{__version__}.zip"


def trained_classes(experiment: Experiment, record: RoundRecord) -> tuple[str, ...]:
    """What the outputs of a round's network stand for, by the classes' present names."""
    names = experiment.dataset.classes
    return tuple(names[i] for i in record.class_ids)


def make_card(
    experiment: Experiment, choice: Choice, network: Mapping[str, Any], normalisation: Mapping[str, Any]
) -> dict[str, Any]:
    """The card of a round's model; `network` is what a round's manifest keeps of it."""
    config, dataset, record = experiment.config, experiment.prepared, choice.record
    size, classes = dataset.image_size, trained_classes(experiment, record)
    return {
        "format": FORMAT,
        "title": f"{experiment.record.name}, round {record.number}",
        "classes": list(classes),
        "input": {"name": "images", "type": "uint8", "shape": ["n", size, size, 3], "size": size},
        "output": {"name": "probabilities", "type": "float32", "shape": ["n", len(classes)]},
        "preprocessing": list(_PREPROCESSING),
        "normalisation": dict(normalisation),
        "architecture": {
            "title": MODELS.get(config.model.model).title, "dropout": config.model.dropout,
            "pretrained": config.model.pretrained, "frozen": config.model.frozen,
            **{k: network[k] for k in ("model", "input_size", "small_stem", "parameters")},
        },
        "metrics": dict(record.metrics),
        "manifest": {
            "askwell": __version__,
            "run": experiment.id,
            "name": experiment.record.name,
            "round": record.number,
            "chosen": choice.why,
            "labels": record.num_labeled,
            "labels_per_class": [record.class_counts[i] for i in record.class_ids],
            "trained_at": record.at,
            "dataset": {
                "title": dataset.title, "source": dataset.source, "fingerprint": dataset.fingerprint,
                "num_train": len(dataset.train), "num_test": len(dataset.test),
            },
            "split_hash": experiment.record.split_hash,
            "config": _without_paths(config),
            "config_hash": config.hash(),
            "training": dict(record.manifest),
            "python": platform.python_version(),
        },
    }  # fmt: skip


def _without_paths(config: ExperimentConfig) -> dict[str, Any]:
    """The config without folders of the machine that it ran on: a model is handed to other people."""
    values = config.model_dump(mode="json")
    source, colon, path = config.data.dataset.partition(":")
    values["data"]["dataset"] = f"{source}:{Path(path).name}" if colon else source
    if values["init"]["import_labels"]:
        values["init"]["import_labels"] = Path(values["init"]["import_labels"]).name
    return values


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a saved model's folder.

    Raises:
        ModelError: there is none, or it is not one that this version reads.
    """
    path = folder / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            tr(
                "{path} cannot be read ({error}); name a folder that export-model wrote",
                path=path,
                error=error,
            )
        ) from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else None
        raise ModelError(
            tr(
                "{path} has format {found!r}; this version reads {format}: export the model again",
                path=path,
                found=found,
                format=FORMAT,
            )
        )
    size = card.get("input", {}).get("size") if isinstance(card.get("input"), dict) else None
    if not isinstance(size, int) or not 1 <= size <= 4096:
        raise ModelError(tr("{path} names no input size; export the model again", path=path))
    return card
