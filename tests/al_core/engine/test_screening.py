"""Two-stage scoring: whatever the network and k, the picks are those of fp32."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from al_core.config import ExperimentConfig
from al_core.engine import screening
from al_core.engine.device import choose
from al_core.engine.inference import predict
from al_core.engine.network import Network, NetworkSpec, build_module
from al_core.engine.providers import EvidenceContext
from al_core.engine.screening import gather_for_query, screen, screens
from al_core.query.composition import Composition
from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES, Strategy

SCORERS = ["least_confidence", "margin", "entropy"]


def untrained(dataset, seed, *, sharpness=1.0, precision="bf16", model="small_cnn"):
    """A network of random weights, made more or less sure of itself."""
    config = ExperimentConfig(seed=seed).changed(
        train__precision=precision, train__threads=1, train__device="cpu", model__model=model
    )
    spec = NetworkSpec.of(config, dataset, 0)
    plan = choose(config.train, image_size=spec.image_size)
    network = Network(build_module(spec, plan), plan, spec)
    with torch.no_grad():
        network.module.classifier.head.weight.mul_(sharpness)
    network.module.eval()
    return network


@pytest.fixture(scope="module")
def pool(make_dataset):
    """Three hundred images, every tenth a copy of its neighbour, so that there are ties."""
    dataset = make_dataset(train=300)
    dataset.train.images[9::10] = dataset.train.images[8::10]
    return dataset


@pytest.fixture
def small_samples(monkeypatch):
    monkeypatch.setattr(screening, "SAMPLE", 40)
    monkeypatch.setattr(screening, "MIN_CANDIDATES", 50)
    monkeypatch.setattr(screening, "MAX_AGAIN", 1.0)
    monkeypatch.setattr(screening, "multiplies_bf16", lambda device: True)


@given(
    seed=st.integers(0, 1000), k=st.integers(1, 75), name=st.sampled_from(SCORERS),
    sharpness=st.sampled_from([0.0, 1.0, 30.0]), model=st.sampled_from(["small_cnn", "fast_net"]),
)  # fmt: skip
@example(
    seed=346, k=1, name="least_confidence", sharpness=0.0, model="small_cnn"
)  # all tie, but for last bits
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_screened_picks_are_those_of_fp32_ties_included(pool, small_samples, seed, k, name, sharpness, model):
    network, strategy = untrained(pool, seed, sharpness=sharpness, model=model), STRATEGIES.get(name)
    ids = np.arange(len(pool.train))
    plain = predict(network, pool.train, ids).probs
    found = screen(network, pool.train, ids, strategy, k=k, options={}, rng=np.random.default_rng(seed))
    assert found is not None
    one, two = (
        select(strategy, {"probs": p}, num_candidates=len(ids), k=k, rng=np.random.default_rng(5))
        for p in (plain, found.probs)
    )
    np.testing.assert_array_equal(one.positions, two.positions)
    np.testing.assert_array_equal(found.probs[found.exact], plain[found.exact])
    assert found.exact[two.positions].all()
    facts = found.facts["screening"]
    assert facts["screened"] == len(ids)
    assert facts["rescored"] == found.exact.sum()


def test_an_error_larger_than_the_sample_showed_widens_the_bound(pool, small_samples, monkeypatch):
    """bf16 as a bad liar: the sample looks exact, the images that matter are far off."""
    network, ids = untrained(pool, 3), np.arange(len(pool.train))
    plain = predict(network, pool.train, ids).probs
    strategy, rng = STRATEGIES.get("least_confidence"), np.random.default_rng(0)
    wanted = np.argsort(-strategy.function(plain), kind="stable")[:10]
    sample = np.sort(np.random.default_rng(0).choice(300, 40, replace=False))

    def lying(network, split, asked, *, reduced=False, **options):
        found = predict(network, split, asked, **options)
        if reduced:
            off = ~np.isin(asked, sample)
            away = np.where(np.isin(asked, wanted), 0.02, -0.02)[:, None] * off[:, None]
            share = found.probs * (1 - away)
            share[np.arange(len(asked)), found.probs.argmax(1)] += away[:, 0]
            return dataclasses.replace(found, probs=(share / share.sum(1, keepdims=True)).astype(np.float32))
        return found

    monkeypatch.setattr(screening, "predict", lying)
    found = screen(network, pool.train, ids, strategy, k=10, options={}, rng=rng)
    assert found is not None
    assert found.facts["screening"]["score_error"] > 0.01
    picks = select(strategy, {"probs": found.probs}, num_candidates=300, k=10, rng=rng).positions
    truth = strategy.function(plain)
    assert np.sort(truth[picks]).tolist() == np.sort(truth[wanted]).tolist()


def test_a_score_that_looks_at_other_images_is_not_screened(pool, small_samples):
    def ranked(probs):
        """Prefer images that are less sure than the others."""
        return -probs.max(axis=1).argsort().argsort().astype(float)

    strategy = Strategy.of(ranked, "Ranked", family="uncertainty")
    found = screen(
        untrained(pool, 0),
        pool.train,
        np.arange(300),
        strategy,
        k=5,
        options={},
        rng=np.random.default_rng(0),
    )
    assert found is None


def test_only_scores_of_probabilities_of_trained_networks_in_bf16_are_screened(pool, small_samples):
    network = untrained(pool, 0)
    assert screens(STRATEGIES.get("margin"), network, 300, 20)
    assert not screens(STRATEGIES.get("margin"), untrained(pool, 0, precision="fp32"), 300, 20)
    assert not screens(STRATEGIES.get("margin"), network, 49, 20)
    assert not screens(STRATEGIES.get("margin"), network, 300, 76)
    assert not screens(STRATEGIES.get("badge"), network, 300, 20)
    assert not screens(STRATEGIES.get("power_margin"), network, 300, 20)
    assert not screens(STRATEGIES.get("mc_margin"), network, 300, 20)


def test_a_query_tells_how_many_images_it_scored_twice(pool, small_samples, tmp_path):
    network = untrained(pool, 1)
    context = EvidenceContext(
        config=ExperimentConfig(seed=1), dataset=pool, network=network, candidate_ids=np.arange(300),
        labeled_ids=np.arange(0), labeled_classes=np.arange(0), settings=None,
    )  # fmt: skip
    query = context.config.query.model_copy(update={"strategy": "margin"})
    evidence, facts = gather_for_query(Composition.of(query), context, 5)
    assert list(evidence) == ["probs"]
    assert 45 <= facts["screening"]["rescored"] <= 300
    balanced = query.model_copy(update={"balance": True})
    evidence, facts = gather_for_query(Composition.of(balanced), context, 5)
    assert facts == {}
    np.testing.assert_array_equal(evidence["probs"], predict(network, pool.train, np.arange(300)).probs)


def test_screening_leaves_the_network_as_it_was(pool, small_samples):
    network = untrained(pool, 2)
    before = network.state_hash()
    screen(
        network, pool.train, np.arange(300), STRATEGIES.get("margin"), k=5, options={},
        rng=np.random.default_rng(0),
    )  # fmt: skip
    assert network.state_hash() == before
    assert network.module.dtype is torch.float32
