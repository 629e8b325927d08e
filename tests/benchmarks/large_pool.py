"""A generated pool of any size: an index of names and labels, pictures that take no room, a session.

The pictures are a sparse file of black pixels: what is measured here is the index, not decoding.
"""

import numpy as np

from al_core.config import ExperimentConfig
from al_core.data import storage
from al_core.data.names import numbered
from al_core.experiment import Experiment
from al_core.records import (
    ExperimentStatus,
    JobState,
    LabelOp,
    LabelSource,
    Query,
    QueryItem,
    RoundRecord,
    query_hash,
)
from al_core.results.survey import Predicted, SurveyRequest
from al_core.store import open_store

SIDE, CLASSES = 8, 10


def make_pool(settings, n):
    """A prepared data set of n pictures; gives its key and fingerprint."""
    key, folder = f"pool-{n}", settings.datasets / f"pool-{n}"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, count in (("train", n), ("test", 100)):
        names = numbered(f"camera-7/{name}/img-", count, ".png")
        np.save(folder / f"{name}_labels.npy", rng.integers(0, CLASSES, count))
        np.save(folder / f"{name}_names.npy", names.blob)
        np.save(folder / f"{name}_ends.npy", names.ends)
        with (folder / f"{name}_images.npy").open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, SIDE, SIDE, 3)}
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + count * SIDE * SIDE * 3)
    (folder / "refused.json").write_text("[]")
    meta = {
        "format": storage.FORMAT, "source": "digits", "revision": "", "title": f"{n:,} pictures",
        "classes": [f"class {c}" for c in range(CLASSES)], "kind": "memmap", "fingerprint": f"{n:064d}",
        "image_size": SIDE, "pixelated": True, "augmentation": {}, "mean": [0.5] * 3, "std": [0.2] * 3,
        "notes": [], "cases": {}, "root": None, "num_train": n, "num_test": 100, "has_truth": True,
        "num_refused": 0, "prepared_at": 0.0,
    }  # fmt: skip
    storage.write_meta(folder, meta)
    return key, meta["fingerprint"]


def make_session(settings, n, *, labels, k=50):
    """A session on such a pool: one trained round, that many labels, predictions, a query that waits."""
    key, fingerprint = make_pool(settings, n)
    store = open_store(settings)
    record = store.create_experiment(ExperimentConfig().changed(name=f"pool {n}", query__n_new=k))
    store.submit_job("advance", experiment_id=record.id)
    _, lease = store.claim_job("benchmark")
    store.update_experiment(record.id, lease=lease, dataset_key=key, fingerprint=fingerprint)
    ids = np.random.default_rng(1).permutation(n)
    first = tuple(QueryItem(rank, int(i), None) for rank, i in enumerate(ids[:labels]))
    store.put_query(lease, Query(record.id, -1, "random", first, n, query_hash(ids[:labels]), 0.0))
    ops = [LabelOp(m, int(i), m % CLASSES) for m, i in enumerate(ids[:labels], start=1)]
    store.add_labels(record.id, ops, client="seed", source=LabelSource.ORACLE, round=-1, annotator="truth")
    asked = ids[labels : labels + k]
    items = tuple(QueryItem(rank, int(i), 0.5, ((1, 0.6), (2, 0.3))) for rank, i in enumerate(asked))
    done = RoundRecord(
        record.id, 0, labels, store.label_rev(record.id), {"test_accuracy": 0.5}, None,
        (labels // CLASSES,) * CLASSES, {}, {}, {}, 0.0,
    )  # fmt: skip
    query = Query(record.id, 0, "margin", items, n, query_hash(asked), 0.0)
    store.finish_round(lease, done, query, status=ExperimentStatus.AWAITING_LABELS)
    store.end_job(lease, JobState.DONE)
    experiment = Experiment.open(store, settings, record.id)
    found = Predicted.empty(n)
    rng = np.random.default_rng(2)
    for start in range(0, n, 50_000):
        count = min(50_000, n - start)
        found.put(start, rng.dirichlet(np.full(CLASSES, 0.3), count).astype(np.float32))
    found.write(SurveyRequest(record.id, 0).path(experiment))
    store.close()
    return record.id
