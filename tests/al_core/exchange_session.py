"""Sessions on made-up photos with odd names, for the tests of imports and exports."""

import numpy as np
from PIL import Image

from al_core.config import DataConfig, ExperimentConfig
from al_core.data.prepare import prepare
from al_core.experiment import Experiment
from al_core.records import LabelOp, LabelSource
from al_core.store import open_store

CLASSES = ("cat", "=dog()", "ü 😀", "@x", "'=y", "3")
ODD = (
    "plain.png", "-rf.png", "=1+1.png", "new\nline.png", "ümlaut.png", "u\u0308mlaut.png", "😀.png",
    "a,b;c\t.png", "'quote.png", "“x”.png", " space .png", "%2e%2e.png", "<b>.png", "![a](b).png",
    "x" * 200 + ".png",
)  # fmt: skip


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), np.uint8)
    Image.fromarray(pixels).save(path)


def make_photos(folder):
    for seed, name in enumerate(ODD):
        picture(folder / name, seed)
    for seed in range(20):
        picture(folder / "more" / f"{seed}.png", 100 + seed)


def open_session(settings, folder, **changes):
    """A session on the folder's pictures, which have no labels of their own."""
    data = DataConfig(dataset=f"folder:{folder}", test_fraction=0.0)
    dataset = prepare(settings, data, classes=CLASSES)
    store = open_store(settings)
    config = ExperimentConfig().changed(data=data.model_dump(), **changes)
    record = store.create_experiment(config)
    store.update_experiment(record.id, dataset_key=dataset.key, fingerprint=dataset.fingerprint)
    return Experiment.open(store, settings, record.id)


def tell(experiment, *said, client="person", annotator="Ada", source=LabelSource.HUMAN):
    """Each a (sample id, value), or (sample id, mark, text)."""
    last = experiment.store.last_number(experiment.id, client)
    ops = []
    for n, (i, value, *text) in enumerate(said, start=last + 1):
        if text:
            ops.append(LabelOp(n, i, 1, mark=value, detail={"text": text[0]} if text[0] else None))
        else:
            ops.append(LabelOp(n, i, value))
    experiment.store.add_labels(
        experiment.id, ops, client=client, source=source, round=-1, annotator=annotator
    )
