import numpy as np

from al_core.seeds import generator, seed_for
from al_core.types import INITIAL_ROUND


def test_the_same_purpose_and_round_always_draw_the_same():
    assert generator(3, "query", 2).integers(1 << 60) == generator(3, "query", 2).integers(1 << 60)
    assert seed_for(3, "epoch", 2, 5) == seed_for(3, "epoch", 2, 5)


def test_seed_purpose_round_and_epoch_each_change_the_draw():
    drawn = {
        seed_for(s, p, r, e)
        for s in (0, 1)
        for p in ("a", "b")
        for r in (INITIAL_ROUND, 0, 1)
        for e in (0, 1)
    }
    assert len(drawn) == 24
    assert all(0 <= value < 2**63 for value in drawn)


def test_draws_of_neighbouring_rounds_are_not_correlated():
    one, two = (generator(0, "query", r).normal(size=20_000) for r in (0, 1))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.03
