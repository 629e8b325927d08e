"""What a strategy's file says about itself, and the growth that its cost declares."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core import testing
from al_core.errors import StrategyError
from al_core.query.about import About, growth
from al_core.query.strategies import STRATEGIES, Strategy
from al_core.query.work import Work

DOCSTRING = """Nearest neighbours (Fix & Hodges, 1951).

Formula: score(x) =
    d(x).

Cost: time n*m*D + n; memory 2*n. Lazily far less.

Helps: with few labels: always.

Something else.

Hurts: never.

Deviation: none: it is ours.
"""


def test_a_docstring_is_read_paragraph_by_paragraph():
    about = About.of(DOCSTRING)
    assert about.paper == "Nearest neighbours (Fix & Hodges, 1951)."
    assert about.formula == "score(x) = d(x)."
    assert about.cost == "time n*m*D + n; memory 2*n. Lazily far less."
    assert (about.helps, about.hurts) == ("with few labels: always.", "never.")
    assert about.deviation == "none: it is ours."
    assert about.remarks == ("Something else.",)


def test_a_file_that_says_nothing_says_nothing():
    assert About.of(None) == About() == About.of("")


def test_time_and_memory_follow_from_the_cost():
    time, memory = growth(About.of(DOCSTRING).cost)
    sizes = {"n": 1000, "m": 10, "D": 4}
    assert time.terms(sizes) == [40_000, 1000]
    assert time(sizes) == 41_000
    assert memory(sizes) == 2000


def test_functions_powers_and_options_are_understood():
    work = Work.of("min(n, cap)**2*D / max(1, m) + 2*log(n)")
    assert work.names == {"n", "cap", "D", "m"}
    assert work({"n": 100, "cap": 10, "D": 3, "m": 4}) == pytest.approx(75 + 2 * math.log(100))


@pytest.mark.parametrize(
    "text", ["", "n k", "n*", "__import__('os')", "n.real", "n[0]", "lambda: n", "n if k else m", "'n'"]
)
def test_what_is_no_sum_of_products_is_refused(text):
    with pytest.raises(StrategyError, match=r"is no expression|are understood"):
        Work.of(text)


@pytest.mark.parametrize(
    ("text", "error"), [("n*q", "neither a size nor an option"), ("n/(m - 3)", "no fin")]
)
def test_a_value_that_cannot_be_computed_is_refused(text, error):
    with pytest.raises(StrategyError, match=error):
        Work.of(text)({"n": 2, "m": 3})


@given(n=st.integers(1, 10**6), m=st.integers(0, 10**4), k=st.integers(1, 1000))
def test_the_terms_add_up_to_the_whole(n, m, k):
    sizes = {"n": n, "m": m, "k": k, "D": 8}
    work = Work.of("n*(m + k)*D + n + (m + 1)")
    assert sum(work.terms(sizes)) == work(sizes) == n * (m + k) * 8 + n + m + 1


@pytest.mark.parametrize("strategy", list(STRATEGIES), ids=lambda strategy: strategy.name)
def test_every_strategy_costs_more_for_more_candidates(strategy):
    time, memory = strategy.growth
    options = {option.name: option.default for option in strategy.options if option.annotation is not str}
    options = {name: value for name, value in options.items() if isinstance(value, int | float)}
    small, large = (
        {"n": n, "m": 20, "k": 10, "C": 10, "D": 64, "T": 20, "M": 5} | options for n in (100, 2000)
    )
    assert 0 < time(small) < time(large)
    assert 0 < memory(small) < memory(large)


def own(probs):
    """Prefer the last class."""
    return probs[:, -1]


def test_a_strategy_of_ones_own_may_say_less_than_a_registered_one():
    testing.says_what_it_is(Strategy.of(own, "Own", family="uncertainty"))


def test_a_registered_one_must_say_when_it_hurts(monkeypatch):
    function = STRATEGIES.get("margin").function
    monkeypatch.setitem(function.__globals__, "__doc__", "A paper.\n\nFormula: f.")
    changed = Strategy.of(function, "Margin", family="uncertainty")
    monkeypatch.setitem(STRATEGIES._entries, "margin", changed)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(StrategyError, match="'margin' has no cost"):
        testing.says_what_it_is(changed)


def test_a_cost_that_counts_what_nobody_knows_is_refused(monkeypatch):
    monkeypatch.setitem(own.__globals__, "__doc__", "Paper.\n\nCost: time n*neighbours; memory n.")
    with pytest.raises(StrategyError, match="counts neighbours in its cost"):
        testing.says_what_it_is(Strategy.of(own, "Own", family="uncertainty"))
