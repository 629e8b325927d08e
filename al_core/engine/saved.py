"""A round's model outside its run: opened for new pictures, or written as a folder to take along.

Always fp32, whatever the training's precision: what is said of a picture then does not depend on the machine
beyond rounding, and the ONNX file beside it says the same. Weights are safetensors; nothing is unpickled.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float32

from al_core.config import TrainConfig
from al_core.data.dataset import Dataset
from al_core.data.pixels import MemmapSplit
from al_core.deploy.card import (
    CARD,
    EXAMPLE,
    EXAMPLE_TEXT,
    ONNX,
    WEIGHTS,
    make_card,
    read_card,
    trained_classes,
)
from al_core.deploy.choosing import Choice, choose_round
from al_core.deploy.outcome import Outcome
from al_core.deploy.pictures import Pictures, decode
from al_core.engine.inference import Control, Progress, chunk_of, no_control, no_progress, predict
from al_core.engine.network import Network, load_network
from al_core.engine.onnx_file import check_onnx, metadata, write_onnx
from al_core.errors import ConfigError, DataError, ModelError, Problem
from al_core.experiment import Experiment
from al_core.results.records_file import write_json
from al_core.store.objects import ARRAYS, Objects
from al_core.types import UNKNOWN, Images
from al_core.words import told, tr

_CHECKED: Final = 32  # pictures on which the ONNX file is held against the network
FP32: Final = TrainConfig(precision="fp32")


@dataclass(frozen=True)
class SavedModel:
    """A network ready for pictures of side `size`, and what it is called."""

    network: Network
    size: int
    title: str

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by class id."""
        return self.network.spec.classes

    def probabilities(self, images: Images, control: Control = no_control) -> Float32[np.ndarray, "n C"]:
        """What the network says of pictures as `decode_square` gives them."""
        split = MemmapSplit("test", np.full(len(images), UNKNOWN), images, None)
        # one picture alone must not wait for a whole chunk of copies of itself
        chunk = min(chunk_of(self.network.spec.image_size), max(1, len(images)))
        return predict(self.network, split, np.arange(len(images)), chunk=chunk, control=control).probs


def open_round(experiment: Experiment, choice: Choice, train: TrainConfig = FP32) -> SavedModel:
    """The model of a round of a run.

    Raises:
        StoreError, ModelError: its weights are gone or cannot be rebuilt here.
    """
    record = choice.record
    path = Objects(experiment.settings.objects).path(record.artefacts["weights"], ARRAYS)
    network = load_network(path, train)
    network.spec = replace(network.spec, classes=trained_classes(experiment, record))
    size = experiment.prepared.image_size
    return SavedModel(network, size, f"{experiment.record.name}, round {record.number}")


def open_folder(folder: Path, train: TrainConfig = FP32) -> SavedModel:
    """The model in a folder that `write_model` wrote; no ImageNet file and no data set is needed.

    Raises:
        ModelError: it is not such a folder, or damaged.
    """
    card = read_card(folder)
    network = load_network(folder / WEIGHTS, train)
    if list(network.spec.classes) != card.get("classes"):
        raise ModelError(
            tr(
                "{folder}: {card} and {weights} name different classes; export the model again",
                folder=folder,
                card=CARD,
                weights=WEIGHTS,
            )
        )
    return SavedModel(network, card["input"]["size"], str(card.get("title", folder.name)))


def classify(
    model: SavedModel, pictures: Pictures, *, progress: Progress = no_progress, control: Control = no_control
) -> Outcome:
    """Class and probabilities of every picture that can be opened; the others are named with the reason.

    Raises:
        DataError: no picture can be opened.
    """
    names: list[str] = []
    refused = list(pictures.refused)
    probs = [np.empty((0, len(model.classes)), np.float32)]
    seconds = [np.empty(0)]
    total = len(pictures.names)
    progress(0, total)
    for block in decode(pictures, model.size):
        control()
        refused += block.refused
        if len(block.names):
            if not names:
                model.probabilities(block.images[:1])  # the first call sets the kernels up: nobody's time
            began = time.perf_counter()
            probs.append(model.probabilities(block.images, control))
            took = time.perf_counter() - began
            seconds.append(np.full(len(block.names), took / len(block.names)))
            names += block.names
        progress(len(names) + len(refused) - len(pictures.refused), total)
    if not names:
        reasons = "; ".join(f"{r.name}: {told(r.reason)}" for r in refused[:3])
        raise DataError(
            tr("none of the {n} files is a picture that can be opened ({reasons})", n=total, reasons=reasons)
            if total > 1
            else tr("the file is not a picture that can be opened ({reasons})", reasons=reasons)
        )
    return Outcome(
        model.title, model.classes, tuple(names), np.concatenate(probs), 1000 * np.concatenate(seconds),
        tuple(refused),
    )  # fmt: skip


def write_model(
    experiment: Experiment, out: Path, *, number: int | None = None, onnx: bool = True,
    progress: Progress = no_progress, control: Control = no_control,
) -> Choice:  # fmt: skip
    """Write a round's model into a new or empty folder, or as one file where `out` ends in .zip.

    Complete or not at all. The ONNX file is run on some of the data set's pictures and refused where it
    says something else than the network.

    Raises:
        ConfigError: `out` is in use.
        NotFound: there is no such round.
        ModelError: the weights cannot be rebuilt here, or ONNX cannot be written.
    """
    _check_out(out)
    choice = choose_round(experiment.store.rounds(experiment.id), number)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as scratch:
        folder = Path(scratch) / "model"
        folder.mkdir()
        _write_files(experiment, choice, folder, onnx=onnx, progress=progress, control=control)
        if out.suffix.lower() == ".zip":
            archive = Path(scratch) / "model.zip"
            _zip(folder, archive, out.stem)
            archive.replace(out)
        else:
            if out.exists():
                out.rmdir()
            shutil.move(folder, out)
    progress(3, 3)
    return choice


def _check_out(out: Path) -> None:
    if out.suffix.lower() == ".zip":
        if out.exists():
            raise ConfigError([Problem("--out", str(out), tr("is there already; name another file"))])
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError([Problem("--out", str(out), tr("must be a new or empty folder, or a .zip"))])


def _write_files(
    experiment: Experiment, choice: Choice, folder: Path, *, onnx: bool, progress: Progress, control: Control
) -> None:
    progress(0, 3)
    model = open_round(experiment, choice, FP32.model_copy(update={"device": "cpu"}))
    spec, dataset = model.network.spec, experiment.dataset
    normalisation = {"mean": spec.mean, "std": spec.std, "inside_the_network": True}
    card = make_card(experiment, choice, model.network.describe(), normalisation)
    model.network.save(folder / WEIGHTS, whole=True)
    control()
    progress(1, 3)
    if onnx:
        facts = {k: card["manifest"][k] for k in ("askwell", "run", "round")}
        write_onnx(model.network, folder / ONNX, model.size, metadata(spec.classes, model.size, **facts))
        control()
        progress(2, 3)
        card["onnx"] = _checked(model, dataset, folder / ONNX)
        (folder / EXAMPLE).write_text(EXAMPLE_TEXT, encoding="utf-8")
    write_json(folder / CARD, card)


def _checked(model: SavedModel, dataset: Dataset, path: Path) -> Mapping[str, Any]:
    split = dataset.test if len(dataset.test) else dataset.train
    ids = np.unique(np.linspace(0, len(split) - 1, min(_CHECKED, len(split))).astype(np.int64))
    images = split.read(ids)
    worst = check_onnx(path, images, model.probabilities(images))
    return {"checked_on": len(ids), "largest_difference": worst, "file": path.name}


def _zip(folder: Path, target: Path, inner: str) -> None:
    """Stored, not deflated: weights are noise to a compressor."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"{inner}/{path.name}")
