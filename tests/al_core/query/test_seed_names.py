"""Seed 2's sixth defect: names that did not keep what they said. Ours do, each in one small case."""

import numpy as np
import pytest

from al_core import testing
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES


def choose(name, evidence, k, seed=0):
    return select(
        STRATEGIES.get(name), evidence, num_candidates=evidence["num_candidates"], k=k,
        rng=np.random.default_rng(seed),
    ).positions  # fmt: skip


def test_seed_2_defect_6_core_set_looks_at_embeddings_and_not_at_probabilities():
    evidence = testing.make_evidence(60)
    other = evidence | {"probs": evidence["probs"][::-1].copy()}
    assert choose("core-set", evidence, 8).tolist() == choose("core-set", other, 8).tolist()
    assert STRATEGIES.get("core-set").evidence == ("embeddings", "labeled_embeddings")


def test_seed_2_defect_6_diversity_is_spread_and_not_random():
    """Ten tight groups: ten images of ten groups, whatever the seed; chance would hardly ever do that."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(10), 12)
    evidence = testing.make_evidence(120)
    evidence["embeddings"] = (20 * np.eye(10)[groups] + rng.normal(size=(120, 10))).astype(np.float32)
    evidence["labeled_embeddings"] = np.zeros((12, 10), np.float32)
    for name in ("diversity", "core-set"):
        for seed in range(5):
            assert len(set(groups[choose(name, evidence, 10, seed)])) == 10, name


def test_seed_2_defect_6_adversarial_means_the_smallest_perturbation():
    """Its adversarial strategy flipped the image."""
    evidence = testing.make_evidence(20)
    evidence["deepfool_distance"] = np.abs(evidence["deepfool_distance"])
    picks = choose("adversarial", evidence, 4)
    assert picks.tolist() == np.argsort(evidence["deepfool_distance"])[:4].tolist()


@pytest.mark.parametrize("name", ["Bayesian", "BALDDropout", "query by committee", "expected model change"])
def test_seed_2_defect_6_ids_are_no_answer(name):
    """Variance 0 and votes with ties by id gave the first images of the pool."""
    evidence = testing.make_evidence(200)
    assert sorted(choose(name, evidence, 10).tolist()) != list(range(10))
