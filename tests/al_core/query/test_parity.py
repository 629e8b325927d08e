"""Golden values: ours on scikit-learn's digits give the curves that four published packages give.

scikit-activeml, modAL, ALiPy and a plain numpy loop agree on these numbers to the last digit (modAL and numpy
for least confidence): 1,297 images, 20 labels at first, 10 rounds of 10, logistic regression.
"""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from al_core.query.selection import pick_candidates, select
from al_core.query.strategies import STRATEGIES

GOLDEN = {"margin": (0.8349, 0.918), "entropy": (0.7782, 0.914), "least_confidence": (0.8065, 0.912)}


# scikit-activeml's kernel has the width that the number of features gives
OPTIONS = {"max_herding": {"radius": 8.0}}


def ours(name, candidates, evidence):
    chosen = select(
        STRATEGIES.get(name), evidence, num_candidates=len(candidates), k=10,
        rng=np.random.default_rng(0), options=OPTIONS.get(name, {}),
    )  # fmt: skip
    return candidates[chosen.positions]


def plain(name, candidates, evidence):
    probs = evidence["probs"]
    ordered = np.sort(probs, axis=1)
    keys = {
        "margin": ordered[:, -1] - ordered[:, -2],
        "least_confidence": ordered[:, -1],
        "entropy": (probs * np.log(probs + 1e-300)).sum(axis=1),
    }
    return candidates[np.argsort(keys[name])[:10]]


# five seeds; k-center and herding: scikit-activeml's on the same pixels, whose float64 breaks a tie otherwise
FIVE_SEEDS = {
    "margin": 0.8488, "least_confidence": 0.8106, "entropy": 0.7950, "k_center": 0.8422,
    "max_herding": 0.8741,
}  # fmt: skip


def learning_curve(name, choose, seed=0):
    """Test accuracy before each of the ten queries and after the last."""
    digits = load_digits()
    x, x_test, y, y_test = train_test_split(
        digits.data / 16, digits.target, test_size=500, random_state=seed, stratify=digits.target
    )
    labeled = np.random.RandomState(seed).choice(1297, 20, replace=False)
    accuracies, asked = [], []
    for number in range(11):
        model = LogisticRegression(max_iter=2000).fit(x[labeled], y[labeled])
        accuracies.append(model.score(x_test, y_test))
        if number < 10:
            unlabeled = np.setdiff1d(np.arange(len(x)), labeled)
            candidates = pick_candidates(unlabeled, None, np.random.default_rng(0))
            evidence = {
                "probs": model.predict_proba(x[candidates]),
                "embeddings": x[candidates],
                "labeled_embeddings": x[labeled],
                "features": x[candidates],
                "labeled_features": x[labeled],
            }
            asked.append(choose(name, candidates, evidence))
            labeled = np.concatenate([labeled, asked[-1]])
    return accuracies, asked


@pytest.mark.parametrize("name", GOLDEN)
def test_digits_curve_has_the_golden_mean_and_end(name):
    accuracies, asked = learning_curve(name, ours)
    reference, expected = learning_curve(name, plain)
    assert [set(ids) for ids in asked] == [set(ids) for ids in expected]
    assert accuracies == reference
    mean, final = GOLDEN[name]
    assert accuracies[0] == 0.526
    assert round(float(np.mean(accuracies)), 4) == mean
    assert accuracies[-1] == final


@pytest.mark.slow
@pytest.mark.parametrize("name", FIVE_SEEDS)
def test_digits_curves_of_five_seeds_have_the_published_mean(name):
    means = [np.mean(learning_curve(name, ours, seed)[0]) for seed in range(5)]
    assert float(np.mean(means)) == pytest.approx(FIVE_SEEDS[name], abs=2e-4)


@pytest.mark.slow
def test_auto_is_above_margin_and_random_on_digits():
    """Measured 0.882 over these seeds; margin 0.849, random 0.811."""
    means = [np.mean(learning_curve("auto", ours, seed)[0]) for seed in range(5)]
    assert np.mean(means) > 0.86
