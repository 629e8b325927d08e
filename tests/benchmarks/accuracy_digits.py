"""Digits under the parity protocol: our picks against scikit-activeml's, loop by loop on the same arrays.

1,297 images and 500 to test, 20 labels at first, 10 rounds of 10, logistic regression: the protocol under
which the published packages were compared with each other.
"""

import time
import warnings

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES

QUERY, ROUNDS, START = 10, 10, 20
PASSES, DROPPED = 3, 0.75
# scikit-activeml's kernel has the width that the number of features gives: gamma 1 / 64
OPTIONS = {"max_herding": {"radius": 8.0}}
SHARED = (
    "random", "margin", "entropy", "least_confidence", "k_center", "badge", "typiclust", "prob_cover",
    "max_herding", "falcun", "drop_query",
)  # fmt: skip
OURS_ALONE = ("u_herding", "kmeans", "bald", "power_margin", "cluster_margin", "egl")


def masked_probs(model, x, rng, passes=PASSES, dropped=DROPPED):
    """Dropout passes of a linear model: features left out, the rest scaled up."""
    masks = (rng.random((passes, x.shape[1])) >= dropped) / (1 - dropped)
    return np.stack([model.predict_proba(x * mask) for mask in masks])


def ours(name, model, x, labeled, unlabeled, seed, number):
    strategy = STRATEGIES.get(name)
    evidence = {
        "num_candidates": len(unlabeled), "num_classes": 10, "probs": model.predict_proba(x[unlabeled]),
        "embeddings": x[unlabeled], "labeled_embeddings": x[labeled],
        "features": x[unlabeled], "labeled_features": x[labeled],
        "mc_probs": masked_probs(model, x[unlabeled], np.random.default_rng([seed, number, 1])),
    }  # fmt: skip
    chosen = select(
        strategy, {e: evidence[e] for e in strategy.evidence}, num_candidates=len(unlabeled), k=QUERY,
        rng=np.random.default_rng([seed, number]), options=OPTIONS.get(name, {}),
    )  # fmt: skip
    return unlabeled[chosen.positions]


def theirs(name, x, y, labeled, seed, number):
    from skactiveml import pool
    from skactiveml.classifier import SklearnClassifier

    seen = np.full(len(x), np.nan)
    seen[labeled] = y[labeled]
    state = int(np.random.default_rng([seed, number]).integers(2**31))
    classifier = SklearnClassifier(LogisticRegression(max_iter=2000), classes=range(10))
    uncertainty = {"margin": "margin_sampling", "entropy": "entropy", "least_confidence": "least_confident"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name in uncertainty:
            method = pool.UncertaintySampling(method=uncertainty[name], random_state=state)
        else:
            kinds = {
                "random": pool.RandomSampling, "k_center": pool.CoreSet, "badge": pool.Badge,
                "typiclust": pool.TypiClust, "max_herding": pool.MaxHerding, "falcun": pool.Falcun,
            }  # fmt: skip
            if name == "prob_cover":
                method = pool.ProbCover(n_classes=10, random_state=state)
            elif name == "drop_query":
                method = pool.DropQuery(n_dropout_samples=PASSES, random_state=state)
            else:
                method = kinds[name](random_state=state)
        needs_model = name in uncertainty or name in ("badge", "falcun", "drop_query")
        extra = {"clf": classifier} if needs_model else {}
        return method.query(x, seen, batch_size=QUERY, **extra)


def curve(name, whose, seed):
    """Test accuracy before each of the queries and after the last."""
    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        digits.data / 16, digits.target, test_size=500, random_state=seed, stratify=digits.target
    )
    labeled = np.random.RandomState(seed).choice(len(x), START, replace=False)
    accuracies = []
    for number in range(ROUNDS + 1):
        model = LogisticRegression(max_iter=2000).fit(x[labeled], y[labeled])
        accuracies.append(model.score(x_test, y_test))
        if number < ROUNDS:
            unlabeled = np.setdiff1d(np.arange(len(x)), labeled)
            picked = (
                ours(name, model, x, labeled, unlabeled, seed, number)
                if whose == "ours"
                else theirs(name, x, y, labeled, seed, number)
            )
            labeled = np.concatenate([labeled, picked])
    return accuracies


def run(seeds):
    """Curves of every strategy and seed, and scikit-activeml's beside the shared ones."""
    import skactiveml

    found = {}
    for name in (*SHARED, *OURS_ALONE):
        for whose in ("ours", "theirs") if name in SHARED else ("ours",):
            began = time.perf_counter()
            found.setdefault(name, {})[whose] = [curve(name, whose, seed) for seed in range(seeds)]
            mean = np.mean(found[name][whose])
            print(f"digits {name} {whose}: {mean:.4f}, {time.perf_counter() - began:.0f} s", flush=True)
    labels = [START + QUERY * number for number in range(ROUNDS + 1)]
    return {"labels": labels, "curves": found, "peer": f"scikit-activeml {skactiveml.__version__}"}
