"""The peers of the selection benchmark: other libraries where they are installed, and usual loops restated.

A restatement is ours, and does what its namesake does at each pick: no more, and in the library it uses.
"""

from __future__ import annotations

import warnings

import numpy as np

from al_core.query.strategies.badge import Gradients


def plain_kcenter(points: np.ndarray, centres: np.ndarray, k: int) -> np.ndarray:
    """Incremental: one matrix-vector product over all points for each centre and each pick."""
    squares = np.einsum("nd,nd->n", points, points)
    nearest = np.full(len(points), np.inf, np.float32)

    def lower(centre):
        np.minimum(nearest, squares - 2 * (points @ centre) + centre @ centre, out=nearest)

    for centre in centres:
        lower(centre)
    picks = []
    for _ in range(k):
        picks.append(int(nearest.argmax()))
        lower(points[picks[-1]])
        nearest[picks[-1]] = -1
    return np.array(picks)


def argmin_kcenter(points: np.ndarray, centres: np.ndarray, k: int) -> np.ndarray:
    """As in badge-repo: scikit-learn's distances of all points to the last pick, each time."""
    from sklearn.metrics import pairwise_distances_argmin_min

    _, nearest = pairwise_distances_argmin_min(points, centres)
    picks = []
    for _ in range(k):
        picks.append(int(nearest.argmax()))
        _, distances = pairwise_distances_argmin_min(points, points[picks[-1:]])
        nearest = np.minimum(nearest, distances)
        nearest[picks[-1]] = -1
    return np.array(picks)


def cdist_kcenter(points: np.ndarray, centres: np.ndarray, k: int) -> np.ndarray:
    """As in DISTIL: torch.cdist from all points to the last pick, each time."""
    import torch

    all_points = torch.from_numpy(points)
    nearest = torch.full((len(points),), torch.inf)
    for block in torch.from_numpy(centres).split(100):
        nearest = torch.minimum(nearest, torch.cdist(all_points, block).amin(dim=1))
    picks = []
    for _ in range(k):
        picks.append(int(nearest.argmax()))
        nearest = torch.minimum(nearest, torch.cdist(all_points, all_points[picks[-1:]])[:, 0])
        nearest[picks[-1]] = -1
    return np.array(picks)


def activeml_kcenter(points: np.ndarray, centres: np.ndarray, k: int) -> np.ndarray:
    from skactiveml.pool import k_greedy_center

    both = np.concatenate([points, centres])
    labels = np.concatenate([np.full(len(points), np.nan), np.zeros(len(centres))])
    return k_greedy_center(both, labels, batch_size=k, random_state=0)[0]


def plain_badge(probs: np.ndarray, embeddings: np.ndarray, k: int, seed: int = 0) -> np.ndarray:
    """Factorised, incremental k-means++: two matrix-vector products over all images for each pick."""
    errors = probs - np.eye(probs.shape[1], dtype=np.float32)[probs.argmax(axis=1)]
    squares = (errors**2).sum(axis=1) * (embeddings**2).sum(axis=1)
    picks, nearest = [int(squares.argmax())], np.full(len(probs), np.inf, np.float32)
    rng = np.random.default_rng(seed)
    while len(picks) < k:
        last = picks[-1]
        products = (errors @ errors[last]) * (embeddings @ embeddings[last])
        np.minimum(nearest, np.maximum(squares + squares[last] - 2 * products, 0), out=nearest)
        nearest[picks] = 0
        chances = np.cumsum(nearest, dtype=np.float64)
        picks.append(int(np.searchsorted(chances, rng.random() * chances[-1], side="right")))
    return np.array(picks)


def discrete_badge(probs: np.ndarray, embeddings: np.ndarray, k: int) -> np.ndarray:
    """As in badge-repo: the same products, and a scipy distribution built anew for each draw."""
    from scipy.stats import rv_discrete

    errors = probs - np.eye(probs.shape[1], dtype=np.float32)[probs.argmax(axis=1)]
    lengths = (errors**2).sum(axis=1), (embeddings**2).sum(axis=1)
    picks, nearest = [int((lengths[0] * lengths[1]).argmax())], np.full(len(probs), np.inf)
    rng = np.random.default_rng(0)
    while len(picks) < k:
        last = picks[-1]
        squares = lengths[0] * lengths[1] + lengths[0][last] * lengths[1][last]
        squares -= 2 * (errors @ errors[last]) * (embeddings @ embeddings[last])
        nearest = np.minimum(nearest, np.sqrt(np.clip(squares, 0, None)).astype(float))
        nearest[picks] = 0
        chances = nearest**2 / (nearest**2).sum()
        picks.append(int(rv_discrete(values=(np.arange(len(chances)), chances)).rvs(random_state=rng)))
    return np.array(picks)


def materialised_badge(probs: np.ndarray, embeddings: np.ndarray, k: int) -> np.ndarray:
    """As in scikit-activeml: n x C D numbers, and distances of all of them to the last pick, each time."""
    from sklearn.metrics import pairwise_distances_argmin_min

    errors = probs - np.eye(probs.shape[1], dtype=np.float32)[probs.argmax(axis=1)]
    gradients = (errors[:, :, None] * embeddings[:, None, :]).reshape(len(probs), -1)
    picks, nearest = [int((gradients**2).sum(axis=1).argmax())], np.full(len(probs), np.inf, np.float32)
    rng = np.random.default_rng(0)
    while len(picks) < k:
        _, distances = pairwise_distances_argmin_min(gradients, gradients[picks[-1:]])
        nearest = np.minimum(nearest, distances**2)
        nearest[picks] = 0
        chances = np.cumsum(nearest, dtype=np.float64)
        picks.append(int(np.searchsorted(chances, rng.random() * chances[-1], side="right")))
    return np.array(picks)


def potential(picks: np.ndarray, probs: np.ndarray, embeddings: np.ndarray) -> float:
    """What k-means++ keeps small: the sum of squared distances to the nearest pick."""
    gradients, total = Gradients(probs, embeddings), 0.0
    for start in range(0, len(probs), 2048):
        rows = np.arange(start, min(start + 2048, len(probs)))
        total += float(gradients.to(rows, picks).min(axis=1).sum())
    return total


def sklearn_kmeans(points: np.ndarray, k: int, seed: int = 0) -> float:
    from sklearn.cluster import KMeans

    return float(KMeans(k, n_init=1, random_state=seed).fit(points).inertia_)


def minibatch_kmeans(points: np.ndarray, k: int, seed: int = 0) -> float:
    from sklearn.cluster import MiniBatchKMeans

    return float(MiniBatchKMeans(k, batch_size=1024, n_init=1, random_state=seed).fit(points).inertia_)


def faiss_kmeans(points: np.ndarray, k: int) -> float:
    """Its defaults: 25 iterations, at most 256 points a centre; then all points' distances."""
    import faiss

    faiss.omp_set_num_threads(1)
    found = faiss.Kmeans(points.shape[1], k, niter=25, seed=0)
    found.train(points)
    return float(found.index.search(points, 1)[0].sum())


def activeml_typicality(points: np.ndarray, own: list[np.ndarray], neighbours: int) -> list[int]:
    """The most typical of each cluster by scikit-activeml's own function."""
    from skactiveml.pool._typi_clust import _typicality

    return [int(_typicality(points, rows, neighbours).argmax()) for rows in own]


def edges_cover(starts: np.ndarray, inside: np.ndarray, targets: int, k: int) -> np.ndarray:
    """As in ProbCover's code: a pandas frame of edges, counted again for each pick, covered ones dropped."""
    import pandas as pd

    sources = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    edges, picks = pd.DataFrame({"ball": sources, "holds": inside}), []
    for _ in range(k):
        picks.append(int(np.bincount(edges["ball"], minlength=len(starts) - 1).argmax()))
        covered = edges["holds"][edges["ball"] == picks[-1]].to_numpy()
        edges = edges[~np.isin(edges["holds"], covered)]
    return np.array(picks)


def seed_scores(name: str, probs: np.ndarray, k: int) -> np.ndarray:
    """The first seed's way: torch, and a sort of the whole pool."""
    import torch

    p = torch.from_numpy(probs)
    if name == "least_confidence":
        return torch.sort(p.max(dim=1).values).indices[:k].numpy()
    if name == "margin":
        ordered = torch.sort(p, dim=1, descending=True).values
        return torch.sort(ordered[:, 0] - ordered[:, 1]).indices[:k].numpy()
    entropies = torch.distributions.Categorical(probs=p).entropy()
    return torch.sort(entropies, descending=True).indices[:k].numpy()


def has(library: str) -> bool:
    """Whether a library can be imported."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            __import__(library)
    except ImportError:
        return False
    return True
