"""Evidence: each kind once, only what is asked for, and no label that was not paid for."""

import numpy as np
import pytest
import torch
from torch import nn

from al_core.engine import inference
from al_core.engine.providers import EvidenceContext, gather
from al_core.engine.providers.dropout import mc_predict
from al_core.errors import StrategyError
from al_core.query.evidence import KINDS
from al_core.query.strategies import STRATEGIES
from al_core.seeds import seed_for


@pytest.fixture
def context(train, config, dataset, settings):
    candidates = np.arange(20, 50)
    return EvidenceContext(
        config=config, dataset=dataset, network=train(config), candidate_ids=candidates,
        labeled_ids=np.arange(20), labeled_classes=dataset.train.labels[:20], settings=settings, members=2,
        passes=6,
    )  # fmt: skip


def with_(context, **changes):
    return EvidenceContext(**{**context.__dict__, **changes})


def test_every_kind_has_the_shape_that_it_is_declared_with(context):
    found = gather(list(KINDS), context)
    sizes = {"n": 30, "m": 20, "C": 3, "T": 6, "M": 2, "D": None}
    for name, kind in KINDS.items():
        if kind.shape == "()":
            assert found[name].shape == ()
            continue
        letters = kind.shape.split()
        assert found[name].ndim == len(letters), name
        for letter, size in zip(letters, found[name].shape, strict=True):
            assert sizes[letter] in (None, size), name
        assert np.isfinite(found[name]).all()
    assert int(found["num_candidates"]) == 30
    assert int(found["num_classes"]) == 3
    assert found["embeddings"].shape[1] == found["labeled_embeddings"].shape[1]


def test_probs_and_embeddings_cost_one_pass(context, monkeypatch):
    passes = []
    run = inference.run_chunks
    monkeypatch.setattr(inference, "run_chunks", lambda *a, **k: (passes.append(len(a[2])), run(*a, **k))[1])
    found = gather(["embeddings", "probs"], context)
    assert passes == [30]
    assert list(found) == ["embeddings", "probs"]
    passes.clear()
    gather(["num_candidates", "labeled_classes"], context)
    assert passes == []


def test_gathering_leaves_the_network_as_it_was(context):
    before = context.network.state_hash()
    gather(["probs", "mc_probs", "embeddings", "labeled_embeddings"], context)
    assert context.network.state_hash() == before
    assert not any(m.training for m in context.network.module.modules())


def test_evidence_about_nothing_trained_needs_no_network(context):
    cold = with_(context, network=None)
    found = gather(["num_candidates", "features", "labeled_features"], cold)
    assert found["features"].shape[0] == 30
    assert found["labeled_features"].shape[0] == 20
    with pytest.raises(StrategyError, match="probs needs a trained model"):
        gather(["probs"], cold)


def test_an_unknown_name_is_refused(context):
    with pytest.raises(StrategyError, match="no evidence 'truth'; known: "):
        gather(["truth"], context)


def test_dropout_passes_differ_repeat_and_agree_on_average(context):
    probs = gather(["mc_probs"], context)["mc_probs"]
    np.testing.assert_allclose(probs.sum(2), 1, atol=1e-5)
    assert probs.std(0).max() > 1e-3
    state = torch.random.get_rng_state()
    np.testing.assert_array_equal(gather(["mc_probs"], context)["mc_probs"], probs)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not np.array_equal(gather(["mc_probs"], with_(context, round=1))["mc_probs"], probs)
    many = gather(["mc_probs"], with_(context, passes=200))["mc_probs"]
    plain = gather(["probs"], context)["probs"]
    assert np.abs(many.mean(0) - plain).max() < 0.15


def test_a_pass_is_one_network_for_all_images(context):
    """BatchBALD multiplies what a pass says of several images; copies of an image must agree in each pass."""
    one = gather(["mc_probs"], with_(context, candidate_ids=np.array([20, 33])))["mc_probs"]
    among = gather(["mc_probs"], with_(context, candidate_ids=np.array([33, 40, 20, 21])))["mc_probs"]
    np.testing.assert_allclose(one, among[:, [2, 0]], atol=1e-6)


def test_heads_of_a_committee_are_fitted_on_copies_too(context, dataset):
    context = with_(context, config=context.config.changed(query__committee="heads"))

    def wrong_copies(ids, classes):
        return {"copies": dataset.train.read(ids), "copy_classes": (classes + 1) % 3}

    plain = gather(["committee_probs"], context)["committee_probs"]
    same = gather(["committee_probs"], with_(context, copies=lambda ids, classes: {}))["committee_probs"]
    misled = gather(["committee_probs"], with_(context, copies=wrong_copies))["committee_probs"]
    np.testing.assert_array_equal(same, plain)
    np.testing.assert_array_equal(misled[0], plain[0])
    # as many images that say another class: the member cannot be as sure as before
    assert misled[1].max(axis=1).mean() < plain[1].max(axis=1).mean() - 0.1


@pytest.mark.parametrize("frozen", [False, True])
def test_dropout_passes_are_those_of_masked_features(context, train, config, settings, frozen):
    """One product for all passes against a loop over masks, image by image."""
    config = config.changed(model__frozen=frozen)
    context = with_(context, config=config, network=train(config, settings=settings))
    network = context.network
    seed, classifier = 5, network.module.classifier
    found = mc_predict(
        network, context.dataset.train, context.candidate_ids, passes=4, seed=seed,
        progress=lambda done, total: None, control=lambda: None,
    )  # fmt: skip
    h = torch.from_numpy(inference.embed(network, context.dataset.train, context.candidate_ids))
    share = []
    for t in range(4):
        generator = torch.Generator().manual_seed(seed_for(seed, "pass", t) % 2**63)
        mask = (torch.rand(h.shape[1], generator=generator) >= classifier.drop.p).float()
        share.append(float(mask.mean()))
        with torch.no_grad():
            expected = classifier.head(h * mask / (1 - classifier.drop.p)).softmax(1)
        np.testing.assert_allclose(found[t], expected.numpy(), atol=1e-5)
    assert np.mean(share) == pytest.approx(1 - classifier.drop.p, abs=0.05)


def test_dropout_below_the_last_layer_is_passed_through_layer_by_layer(context):
    """VGG's two dropouts: masks act although all is in evaluation mode, and are gone afterwards."""
    classifier = context.network.module.classifier
    torch.manual_seed(0)
    width = classifier.num_features
    classifier.neck = nn.Sequential(nn.Dropout(0.5), nn.Linear(width, width), nn.ReLU())
    before = context.network.state_hash()
    probs = gather(["mc_probs"], context)["mc_probs"]
    assert probs.std(0).max() > 1e-3
    np.testing.assert_array_equal(gather(["mc_probs"], context)["mc_probs"], probs)
    assert not any(module._forward_hooks for module in classifier.modules())
    assert context.network.state_hash() == before
    many = gather(["mc_probs"], with_(context, passes=300))["mc_probs"].mean(0)
    assert np.abs(many - gather(["probs"], context)["probs"]).max() < 0.2


def test_the_trunk_runs_once_for_all_dropout_passes(context, monkeypatch):
    calls = []
    forward = nn.Conv2d.forward
    monkeypatch.setattr(nn.Conv2d, "forward", lambda self, x: (calls.append(1), forward(self, x))[1])
    gather(["mc_probs"], context)
    assert len(calls) == 3  # three convolutions, one chunk


def test_a_model_without_dropout_is_refused_with_the_way_out(context):
    """Defect 1 of the second seed: every pass was identical and BALD ranked rounding noise."""
    context.network.module.classifier.drop.p = 0.0
    with pytest.raises(StrategyError, match=r"small_cnn has no dropout.*set model\.dropout above 0"):
        gather(["mc_probs"], context)


def test_committee_members_differ_and_the_first_is_the_round_s_network(context):
    found = gather(["committee_probs", "probs"], with_(context, members=3))
    committee = found["committee_probs"]
    np.testing.assert_array_equal(committee[0], found["probs"])
    assert np.abs(committee[1] - committee[0]).max() > 1e-3
    assert np.abs(committee[2] - committee[1]).max() > 1e-3
    again = gather(["committee_probs"], with_(context, members=3))["committee_probs"]
    np.testing.assert_array_equal(again, committee)


def test_a_frozen_committee_differs_by_its_samples(train, config, context, settings):
    frozen = config.changed(model__frozen=True)
    network = train(frozen, settings=settings)
    found = gather(["committee_probs"], with_(context, config=frozen, network=network))["committee_probs"]
    assert np.abs(found[1] - found[0]).max() > 1e-3


KINDS_OF_COMMITTEE = ("independent", "bootstrap", "heads", "snapshots")


def committee_of(kind, context, **changes):
    config = context.config.changed(query__committee=kind)
    return gather(["committee_probs"], with_(context, config=config, **changes))["committee_probs"]


@pytest.mark.parametrize("kind", KINDS_OF_COMMITTEE)
def test_members_of_every_kind_differ_and_repeat_themselves(context, kind):
    found = committee_of(kind, context, members=3)
    assert found.shape == (3, 30, 3)
    np.testing.assert_allclose(found.sum(2), 1, atol=1e-4)
    np.testing.assert_array_equal(found[0], gather(["probs"], context)["probs"])
    for one, two in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(found[one] - found[two]).max() > 1e-3
    np.testing.assert_array_equal(committee_of(kind, context, members=3), found)


@pytest.mark.parametrize("kind", KINDS_OF_COMMITTEE)
def test_members_of_every_kind_learn_their_labels_about_as_well_as_the_network(train, config, context, kind):
    """Scored on the labeled images: a committee of untrained members would disagree for the wrong reason."""
    config = config.changed(train__epochs=30, train__min_steps=90)
    labels = context.labeled_classes
    on_labeled = with_(
        context, config=config, network=train(config), candidate_ids=context.labeled_ids, members=3
    )
    accuracies = (committee_of(kind, on_labeled).argmax(2) == labels).mean(1)
    assert accuracies[0] > 0.9
    assert accuracies.min() >= accuracies[0] - 0.2, accuracies


@pytest.mark.parametrize("kind", KINDS_OF_COMMITTEE)
def test_a_committee_of_one_never_disagrees(context, kind):
    alone = committee_of(kind, context, members=1)
    assert alone.shape[0] == 1
    for name in ("qbc_kl", "qbc_vote_entropy", "qbc_variation_ratio"):
        np.testing.assert_allclose(STRATEGIES.get(name).function(alone), 0, atol=1e-9)


@pytest.mark.parametrize("kind", ["bootstrap", "snapshots"])
def test_a_committee_that_was_interrupted_goes_on_to_the_same_members(context, kind, tmp_path):
    whole = committee_of(kind, context, members=3)
    calls = 0

    def stop():
        nonlocal calls
        calls += 1
        if calls > 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        committee_of(kind, context, members=3, checkpoints=tmp_path / "c", control=stop)
    np.testing.assert_array_equal(committee_of(kind, context, members=3, checkpoints=tmp_path / "c"), whole)


def test_a_committee_leaves_the_network_as_it_was(context):
    before = context.network.state_hash()
    for kind in ("heads", "snapshots"):
        committee_of(kind, context)
    assert context.network.state_hash() == before
