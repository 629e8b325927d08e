"""What every strategy must hold to, as checks that anyone can run on their own.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_strategy(check):
        check(Strategy.of(my_function, "My strategy", family="uncertainty"))

A check raises StrategyError, saying which promise is broken. The contract tests run all of them over the
registry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from al_core.errors import StrategyError
from al_core.query.evidence import KINDS
from al_core.query.selection import Selection, select
from al_core.query.strategies import STRATEGIES, Strategy
from al_core.query.work import LETTERS
from al_core.types import Positions

Evidence = dict[str, Any]
Check = Callable[[Strategy], None]


def make_evidence(
    n: int, *, m: int = 12, num_classes: int = 4, width: int = 6, passes: int = 5, seed: int = 0
) -> Evidence:
    """Random evidence of every kind, about n candidates and m labeled images."""
    rng = np.random.default_rng(seed)
    sizes = {"n": n, "m": m, "C": num_classes, "D": width, "T": passes, "M": passes}
    evidence: Evidence = {"num_candidates": n, "num_classes": num_classes}
    for kind in KINDS.values():
        shape = tuple(sizes[letter] for letter in kind.shape.split() if letter in sizes)
        if kind.name == "labeled_classes":
            evidence[kind.name] = rng.integers(num_classes, size=m)
        elif kind.name.endswith("probs"):
            logits = np.exp(2 * rng.normal(size=shape))
            evidence[kind.name] = (logits / logits.sum(axis=-1, keepdims=True)).astype(np.float32)
        elif shape:
            evidence[kind.name] = rng.normal(size=shape).astype(np.float32)
    return evidence


def taken(evidence: Mapping[str, Any], positions: Positions) -> Evidence:
    """Evidence about these candidates instead, in this order; repeats are allowed."""
    rearranged = dict(evidence) | {"num_candidates": len(positions)}
    for name, kind in KINDS.items():
        letters = kind.shape.split()
        if "n" in letters:
            rearranged[name] = np.take(evidence[name], positions, axis=letters.index("n"))
    return rearranged


def run(strategy: Strategy, evidence: Mapping[str, Any], k: int, seed: int = 0) -> Selection:
    """Select with default options, and hold the answer to being distinct positions, min(k, n) of them."""
    n = evidence["num_candidates"]
    chosen = select(strategy, evidence, num_candidates=n, k=k, rng=np.random.default_rng(seed))
    picks = chosen.positions
    _require(
        picks.dtype == np.int64 and picks.shape == (min(k, n),), strategy, f"gave {picks!r} for k={k}, n={n}"
    )
    _require(len(np.unique(picks)) == len(picks), strategy, f"picked an image twice: {picks}")
    _require(
        bool(((picks >= 0) & (picks < n)).all()), strategy, f"picked outside its {n} candidates: {picks}"
    )
    return chosen


def _require(holds: bool, strategy: Strategy, broken: str) -> None:
    if not holds:
        raise StrategyError(f"strategy {strategy.name!r} {broken}")


def picks_distinct_positions(strategy: Strategy) -> None:
    """It answers with k different positions, for several k."""
    for k in (1, 2, 7, 39):
        run(strategy, make_evidence(40), k)


def picks_the_whole_pool(strategy: Strategy) -> None:
    """Asked for everything, or more, it gives everything once."""
    for k in (15, 100):
        run(strategy, make_evidence(15), k)


def picks_nothing(strategy: Strategy) -> None:
    """Asked for nothing, or of an empty pool, it gives nothing."""
    run(strategy, make_evidence(9), 0)
    run(strategy, make_evidence(0), 5)


def picks_the_only_candidate(strategy: Strategy) -> None:
    """A pool of one image is no special case."""
    run(strategy, make_evidence(1), 3)


def stands_candidates_that_are_all_alike(strategy: Strategy) -> None:
    """Ties are broken by the seed and not by position."""
    alike = taken(make_evidence(4), np.zeros(60, np.int64))
    chosen = {tuple(sorted(run(strategy, alike, 5, seed).positions)) for seed in range(6)}
    _require(strategy.is_selector or len(chosen) > 1, strategy, "breaks ties by position")


def stands_duplicates(strategy: Strategy) -> None:
    """Images that occur several times do not confuse it, even where too few are different."""
    copies = taken(make_evidence(5), np.repeat(np.arange(5), 6))
    for k in (3, 12, 30):
        run(strategy, copies, k)


def stands_a_single_class(strategy: Strategy) -> None:
    """One class gives certain predictions and no second likeliest class."""
    run(strategy, make_evidence(20, num_classes=1), 6)


def stands_certainty(strategy: Strategy) -> None:
    """Probabilities of exactly 0 and 1 give neither NaN nor infinity."""
    evidence = make_evidence(30)
    for name in [name for name in evidence if name.endswith("probs")]:
        likeliest = evidence[name].argmax(axis=-1)
        evidence[name] = np.eye(evidence[name].shape[-1], dtype=np.float32)[likeliest]
    run(strategy, evidence, 10)


def stands_few_labels(strategy: Strategy) -> None:
    """One labeled image is enough; none is, where it claims to serve a cold start."""
    run(strategy, make_evidence(20, m=1), 5)
    if strategy.cold_start_able:
        run(strategy, make_evidence(20, m=0), 5)


def refuses_numbers_that_are_not_finite(strategy: Strategy) -> None:
    """NaN and infinity are refused with an error that names the strategy, never ranked."""
    for value in (np.nan, np.inf):
        for name in strategy.evidence:
            evidence = make_evidence(20)
            if not isinstance(evidence[name], np.ndarray) or evidence[name].dtype.kind != "f":
                continue
            evidence[name][..., 0] = value
            try:
                run(strategy, evidence, 5)
            except StrategyError as error:
                _require(strategy.name in str(error), strategy, f"refuses {name} without saying its own name")
            else:
                _require(False, strategy, f"accepts {value} in {name}")


def chooses_the_same_images_in_any_order(strategy: Strategy) -> None:
    """The order of the pool does not change which images are chosen, unless chance chooses anyway."""
    evidence, order = make_evidence(50), np.random.default_rng(9).permutation(50)
    expected = run(strategy, evidence, 8)
    if set(expected.positions) != set(run(strategy, evidence, 8, seed=1).positions):
        return
    shuffled = run(strategy, taken(evidence, order), 8)
    _require(
        set(order[shuffled.positions]) == set(expected.positions),
        strategy,
        "depends on the order of the pool",
    )
    if expected.scores is not None and shuffled.scores is not None:
        same = np.allclose(expected.scores[order], shuffled.scores, rtol=1e-5, atol=1e-9)
        _require(same, strategy, "scores an image by its place in the pool")


def repeats_itself_with_the_same_seed(strategy: Strategy) -> None:
    """Same evidence and same seed give the same picks in the same order."""
    evidence = make_evidence(60)
    first, second = run(strategy, evidence, 11, seed=5), run(strategy, evidence, 11, seed=5)
    _require(np.array_equal(first.positions, second.positions), strategy, "draws outside its rng")


def leaves_its_inputs_alone(strategy: Strategy) -> None:
    """Evidence is for reading."""
    evidence, untouched = make_evidence(25), make_evidence(25)
    run(strategy, evidence, 6)
    for name, value in untouched.items():
        _require(np.array_equal(evidence[name], value), strategy, f"changed {name}")


def cannot_see_hidden_labels(strategy: Strategy) -> None:
    """It names nothing but evidence, and anything else that is handed over is refused."""
    _require(set(strategy.evidence) <= KINDS.keys(), strategy, "asks for more than evidence")
    evidence = make_evidence(10) | {"labels": np.zeros(10, np.int64)}
    try:
        run(strategy, evidence, 2)
    except StrategyError:
        return
    _require(False, strategy, "was handed the labels of the pool")


def says_what_it_is(strategy: Strategy) -> None:
    """It gives a title and an idea in one sentence; its defaults pass its own checks.

    A registered one also gives paper, formula, cost, when it helps and when it hurts: its page and the
    prediction of its cost are made from them.
    """
    ours = strategy.name in STRATEGIES and STRATEGIES.get(strategy.name) is strategy
    for what in ("title", "idea", *(("paper", "formula", "cost", "helps", "hurts") if ours else ())):
        _require(bool(getattr(strategy, what).strip()), strategy, f"has no {what}")
    options = {option.name for option in strategy.options}
    for work in strategy.growth if strategy.cost else ():
        unknown = sorted(work.names - LETTERS - options)
        _require(not unknown, strategy, f"counts {', '.join(unknown)} in its cost: neither size nor option")
    defaults = {option.name: option.default for option in strategy.options}
    problems = strategy.check_options(defaults)
    _require(not problems, strategy, f"refuses its own defaults: {problems}")


CHECKS: Final[tuple[Check, ...]] = (
    picks_distinct_positions,
    picks_the_whole_pool,
    picks_nothing,
    picks_the_only_candidate,
    stands_candidates_that_are_all_alike,
    stands_duplicates,
    stands_a_single_class,
    stands_certainty,
    stands_few_labels,
    refuses_numbers_that_are_not_finite,
    chooses_the_same_images_in_any_order,
    repeats_itself_with_the_same_seed,
    leaves_its_inputs_alone,
    cannot_see_hidden_labels,
    says_what_it_is,
)
"""Every check; each takes a Strategy and raises StrategyError where a promise is broken."""
