"""Dropout and committee scores: by hand, by identity, and on what the second seed got wrong."""

import numpy as np
import pytest

from al_core.query.selection import select
from al_core.query.strategies import STRATEGIES
from al_core.query.strategies.bald import bald
from al_core.query.strategies.entropy import entropy
from al_core.query.strategies.least_confidence import least_confidence
from al_core.query.strategies.margin import margin
from al_core.query.strategies.mc_entropy import mc_entropy
from al_core.query.strategies.mc_least_confidence import mc_least_confidence
from al_core.query.strategies.mc_margin import mc_margin
from al_core.query.strategies.mean_std import mean_std
from al_core.query.strategies.qbc_consensus import qbc_consensus
from al_core.query.strategies.qbc_kl import qbc_kl
from al_core.query.strategies.qbc_variation_ratio import qbc_variation_ratio
from al_core.query.strategies.qbc_vote_entropy import qbc_vote_entropy, vote_shares

DROPOUT = [mc_least_confidence, mc_margin, mc_entropy, bald, mean_std]
DISAGREEMENT = [bald, mean_std, qbc_kl, qbc_vote_entropy, qbc_variation_ratio]


def passes(num_passes=7, n=50, num_classes=4, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(num_classes, 0.6), (num_passes, n))


def test_passes_that_are_sure_and_disagree_are_worth_one_bit_and_come_first():
    """Seed 2's first defect: it ranked exactly this image last."""
    torn, sure, unsure = [[1, 0], [0, 1]], [[1, 0], [1, 0]], [[0.5, 0.5], [0.5, 0.5]]
    mc_probs = np.array([sure, torn, unsure], np.float64).swapaxes(0, 1)
    np.testing.assert_allclose(bald(mc_probs), [0, np.log(2), 0], atol=1e-12)
    chosen = select(
        STRATEGIES.get("bald"), {"mc_probs": mc_probs}, num_candidates=3, k=1, rng=np.random.default_rng(0)
    )
    assert chosen.positions.tolist() == [1]
    # the entropy of the mean cannot tell torn from unsure
    np.testing.assert_allclose(mc_entropy(mc_probs), [0, np.log(2), np.log(2)])


@pytest.mark.parametrize("score", DISAGREEMENT)
def test_a_single_pass_or_passes_that_agree_disagree_in_nothing(score):
    np.testing.assert_allclose(score(passes(1)), 0, atol=1e-9)
    np.testing.assert_allclose(score(np.repeat(passes(1), 5, axis=0)), 0, atol=1e-7)
    assert score(np.repeat(passes(1), 5, axis=0)).min() >= 0


@pytest.mark.parametrize(
    ("dropout", "plain"),
    [
        (mc_least_confidence, least_confidence),
        (mc_margin, margin),
        (mc_entropy, entropy),
        (qbc_consensus, entropy),
    ],
)
def test_scores_of_passes_are_the_plain_scores_of_their_mean(dropout, plain):
    np.testing.assert_allclose(dropout(passes()), plain(passes().mean(axis=0)), rtol=1e-12)


def test_disagreement_is_the_mean_divergence_from_pass_to_mean():
    p = passes()
    mean = p.mean(axis=0)
    divergence = (p * np.log(p / mean)).sum(axis=2).mean(axis=0)
    np.testing.assert_allclose(bald(p), divergence, atol=1e-12)
    np.testing.assert_allclose(qbc_kl(p), divergence, atol=1e-12)
    assert (bald(p) <= entropy(mean)).all()


def test_mean_deviation_is_numpys():
    np.testing.assert_allclose(mean_std(passes()), passes().std(axis=0).mean(axis=1), atol=1e-12)


def test_mean_deviation_is_not_zero_where_passes_differ():
    """Seed 2's sixth defect: its Bayesian strategy had variance 0 and returned ids 0 to n - 1."""
    p = passes(n=200)
    p[:, :100] = p[0, :100]
    assert np.argsort(mean_std(p))[:100].max() < 100
    assert mean_std(p)[100:].min() > 0.01


@pytest.mark.parametrize("score", [*DROPOUT, *DISAGREEMENT, qbc_consensus])
def test_the_order_of_passes_and_of_classes_does_not_matter(score):
    p = passes()
    np.testing.assert_allclose(score(p[::-1]), score(p), atol=1e-12)
    np.testing.assert_allclose(score(p[:, :, ::-1]), score(p), atol=1e-12)


def votes(*members):
    """Sharp probabilities for the classes voted for: one tuple a member, one vote an image."""
    return np.eye(3)[np.array(members)] * 0.94 + 0.02


def test_vote_entropy_and_variation_ratio_by_hand():
    # four images; five members: all agree, 4:1, 3:2, 3:1:1
    committee = votes((0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 1, 1), (0, 1, 1, 2))
    shares = [[1, 0, 0], [0.8, 0.2, 0], [0.6, 0.4, 0], [0.6, 0.2, 0.2]]
    np.testing.assert_allclose(vote_shares(committee), shares)
    expected = [0] + [-sum(s * np.log(s) for s in row if s) for row in shares[1:]]
    np.testing.assert_allclose(qbc_vote_entropy(committee), expected, atol=1e-5)
    np.testing.assert_allclose(qbc_variation_ratio(committee), [0, 0.2, 0.4, 0.4], atol=1e-5)


@pytest.mark.parametrize("score", [qbc_vote_entropy, qbc_variation_ratio])
def test_equal_votes_are_told_apart_by_divergence_and_never_against_the_votes(score):
    """Seed 2's sixth defect: its committee voted 0, 1 or 2, with ties by id."""
    p = passes(5, n=2000, num_classes=3)
    scores, shares = score(p), vote_shares(p)
    plain = entropy(shares) if score is qbc_vote_entropy else 1 - shares.max(axis=1)
    assert len(np.unique(plain.round(9))) < 10
    assert len(np.unique(scores)) > 1500
    order = np.argsort(scores)
    assert (np.diff(plain[order]) > -1e-9).all()


@pytest.mark.parametrize("name", ["power_bald", "power_margin", "power_entropy"])
def test_power_variants_draw_by_score_and_sharpen_to_the_top(name):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(4), 300)
    evidence = {"probs": probs, "mc_probs": passes(6, n=300)}
    strategy, plain = STRATEGIES.get(name), STRATEGIES.get(name.removeprefix("power_"))
    scores = select(plain, evidence, num_candidates=300, k=1, rng=rng).scores

    def mean_score(beta):
        drawn = [
            select(
                strategy,
                evidence,
                num_candidates=300,
                k=20,
                rng=np.random.default_rng(s),
                options={"beta": beta},
            )
            for s in range(20)
        ]
        return scores[np.concatenate([chosen.positions for chosen in drawn])].mean()

    top = np.sort(scores)[-20:].mean()
    even, power, sharp = mean_score(0), mean_score(1), mean_score(1000)
    assert even == pytest.approx(scores.mean(), rel=0.1)
    assert even < power < sharp
    assert sharp == pytest.approx(top, rel=0.01)


def test_dropout_strategies_say_that_they_need_dropout_and_committees_that_they_need_one():
    """Seed 2's first defect: it ran dropout strategies on networks without dropout."""
    for score in (*DROPOUT, "power_bald"):
        strategy = STRATEGIES.get(score if isinstance(score, str) else score.__name__)
        assert strategy.needs == {"dropout"}
    for name in ("qbc_kl", "qbc_consensus", "qbc_vote_entropy", "qbc_variation_ratio"):
        assert STRATEGIES.get(name).needs == {"committee"}
