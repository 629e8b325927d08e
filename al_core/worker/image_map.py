"""The map job: features of the images, laid out on a plane or in space, with neighbours and predictions."""

from __future__ import annotations

import warnings
from importlib import import_module

import numpy as np
from jaxtyping import Float32
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from al_core.engine.features import frozen_features
from al_core.engine.inference import predict
from al_core.engine.network import load_network
from al_core.errors import DataError
from al_core.experiment import Experiment
from al_core.results.image_map import MOST, ImageMap, MapRequest
from al_core.seeds import generator
from al_core.store.objects import ARRAYS, Objects
from al_core.types import UNKNOWN, SampleIds
from al_core.words import tr
from al_core.worker.control import JobControl

REDUCED = 32  # components that neighbours are found by and t-SNE begins with
NEIGHBOURS = 10
_ROWS = 512


def make_map(experiment: Experiment, request: MapRequest, control: JobControl) -> None:
    """Make the map and keep it, unless it is there."""
    path = request.path(experiment)
    if path.exists():
        return
    ids = _shown(experiment, request)
    features, probs = _look(experiment, request, ids, control)
    control.progress("map", 1, 4)
    control()
    seed = int(generator(experiment.config.seed, "map").integers(2**31))
    width = min(REDUCED, features.shape[1], len(ids))
    center = features.mean(0)
    found = PCA(width, svd_solver="randomized", random_state=seed).fit(features - center)
    reduced = found.transform(features - center)
    control.progress("map", 2, 4)
    control()
    places = _places(reduced, request, seed)
    control.progress("map", 3, 4)
    control()
    unit = reduced / np.maximum(np.linalg.norm(reduced, axis=1, keepdims=True), 1e-12)
    unit = unit.astype(np.float32)
    nearest, distance, crowd = _neighbours(unit, control)
    best = np.sort(probs, axis=1)[:, ::-1] if probs is not None else None
    none = np.full(len(ids), np.nan, np.float32)
    ImageMap(
        ids, places.astype(np.float32), unit,
        probs.argmax(1).astype(np.int64) if probs is not None else np.full(len(ids), UNKNOWN, np.int64),
        none if best is None else best[:, 0].astype(np.float32),
        none if best is None else (best[:, 0] - best[:, 1]).astype(np.float32),
        ids[nearest], distance, crowd, (center + found.mean_).astype(np.float32),
        np.asarray(found.components_, np.float32).T,
    ).write(path)  # fmt: skip


def _shown(experiment: Experiment, request: MapRequest) -> SampleIds:
    """All images, or a random sample with every one that had a label when the round was trained."""
    total, most = len(experiment.dataset.train), MOST[request.layout]
    if total <= most:
        return np.arange(total, dtype=np.int64)
    until = None
    if request.round is not None:
        until = experiment.store.rounds(experiment.id)[request.round].label_event_id
    labeled = experiment.pool(until=until).paid_ids[:most]
    order = generator(experiment.config.seed, "map sample").permutation(total)
    rest = order[~np.isin(order, labeled)][: most - len(labeled)]
    return np.sort(np.concatenate([labeled, rest])).astype(np.int64)


def _look(
    experiment: Experiment, request: MapRequest, ids: SampleIds, control: JobControl
) -> tuple[Float32[np.ndarray, "n D"], Float32[np.ndarray, "n C"] | None]:
    """Features, and probabilities where a round's network gives them."""
    if request.round is None:
        features = frozen_features(
            experiment.config, experiment.dataset, experiment.settings, ids,
            progress=control.progress, control=control,
        )  # fmt: skip
        return features, None
    path = Objects(experiment.settings.objects).path(request.weights(experiment), ARRAYS)
    network = load_network(
        path, experiment.config.train, dataset=experiment.dataset, settings=experiment.settings
    )
    found = predict(
        network, experiment.dataset.train, ids, embeddings=True, control=control,
        progress=lambda done, total: control.progress("features", done, total),
    )  # fmt: skip
    if found.embeddings is None:
        raise ValueError("embeddings were asked for")
    record = experiment.store.rounds(experiment.id)[request.round]
    classes = experiment.classes(until=record.label_event_id)
    return found.embeddings, classes.widened(found.probs)


def _places(reduced: np.ndarray, request: MapRequest, seed: int) -> np.ndarray:
    if request.layout == "pca" or len(reduced) < 8:
        pad = max(0, request.dims - reduced.shape[1])
        return np.pad(reduced, ((0, 0), (0, pad)))[:, : request.dims]
    if request.layout == "umap":
        return _umap(reduced, request.dims, seed)
    perplexity = min(30.0, (len(reduced) - 1) / 3)
    return TSNE(
        request.dims, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1
    ).fit_transform(reduced)  # fmt: skip


def _umap(reduced: np.ndarray, dims: int, seed: int) -> np.ndarray:
    """McInnes, Healy & Melville (2018, arXiv 1802.03426).

    Raises:
        DataError: its library is not installed.
    """
    try:
        umap = import_module("umap")  # optional: it compiles itself, and weighs 200 MB
    except ImportError:
        raise DataError(
            tr("UMAP needs its library: pip install -r requirements-umap.txt; t-SNE is there without it")
        ) from None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="n_jobs value", category=UserWarning)
        return umap.UMAP(
            n_components=dims, n_neighbors=min(15, len(reduced) - 1), random_state=seed, n_jobs=1
        ).fit_transform(reduced)


def _neighbours(
    unit: Float32[np.ndarray, "n D"], control: JobControl
) -> tuple[np.ndarray, Float32[np.ndarray, " n"], Float32[np.ndarray, " n"]]:
    """Row of the nearest other image, distance to it, mean distance to ten; never n x n at once."""
    n, k = len(unit), min(NEIGHBOURS, len(unit) - 1)
    nearest, distance = np.zeros(n, np.int64), np.zeros(n, np.float32)
    crowd = np.zeros(n, np.float32)
    for start in range(0, n if k else 0, _ROWS):
        control()
        rows = np.arange(start, min(start + _ROWS, n))
        far = 1 - unit[rows] @ unit.T
        far[np.arange(len(rows)), rows] = np.inf
        ten = np.partition(far, k - 1, axis=1)[:, :k]
        nearest[rows] = far.argmin(1)
        distance[rows] = np.maximum(far.min(1), 0)
        crowd[rows] = np.maximum(ten, 0).mean(1)
    return nearest, distance, crowd
