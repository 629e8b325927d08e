"""What is read off a strategy's signature, and what is refused at import."""

from typing import Annotated, Literal

import numpy as np
import pytest

from al_core.errors import StrategyError
from al_core.query import strategies
from al_core.query.strategies import STRATEGIES, Bounds, Strategy
from al_core.registry import Registry


def with_options(
    probs,
    *,
    passes: Annotated[int, Bounds(1, 100, "how many passes")] = 20,
    power: Annotated[float, Bounds(low=0)] = 1.0,
    share: Annotated[float, Bounds(high=0.5)] = 0.25,
    unit: bool = False,
    metric: Literal["euclidean", "cosine"] = "euclidean",
    note: str = "",
):
    """Score with options. The rest of the text is not the idea."""
    return probs[:, 0]


def of(function):
    return Strategy.of(function, "Title", family="uncertainty")


def test_a_function_of_evidence_is_a_scorer_and_its_file_its_documentation():
    margin = STRATEGIES.get("margin")
    assert (margin.name, margin.title, margin.family) == ("margin", "Smallest margin", "uncertainty")
    assert margin.evidence == ("probs",)
    assert not margin.is_selector
    assert margin.idea == "Prefer images whose two most likely classes are nearly tied."
    assert margin.paper == "Margin sampling (Scheffer, Decomain & Wrobel, IDA 2001)."
    assert margin.needs == {"model"}
    assert margin.needs_model
    assert not margin.cold_start_able


def test_k_and_rng_make_a_selector_and_are_no_options():
    k_center = STRATEGIES.get("k_center")
    assert k_center.is_selector
    assert k_center.evidence == ("embeddings", "labeled_embeddings")
    assert [option.name for option in k_center.options] == ["metric"]
    assert k_center.options[0].choices == ("euclidean", "cosine")


def test_strategies_that_need_no_model_serve_a_cold_start():
    able = {strategy.name for strategy in STRATEGIES if strategy.cold_start_able}
    assert {"random", "k_center_features"} <= able
    assert able.isdisjoint({"margin", "entropy", "least_confidence", "k_center"})


def test_what_a_strategy_needs_comes_from_its_evidence():
    def doubtful(mc_probs, probs):
        """Two needs."""

    assert of(doubtful).needs == {"dropout", "model"}


def test_the_registered_function_stays_a_function(monkeypatch):
    monkeypatch.setattr(strategies, "STRATEGIES", Registry("strategy", strategies.__name__, StrategyError))

    @strategies.strategy("Plain", family="baseline", aliases=("simple",))
    def plain(probs):
        """Take the first column."""
        return probs[:, 0]

    assert plain(np.array([[0.3, 0.7]])) == [0.3]
    assert strategies.STRATEGIES.get("Simple").function is plain
    assert "plain" not in STRATEGIES


def unknown_evidence(probz):
    """Idea."""


def true_labels(probs, labels):
    """Idea."""


def k_alone(probs, *, k):
    """Idea."""


def catch_all(probs, **options):
    """Idea."""


def nothing():
    """Idea."""


def no_default(probs, *, power: float):
    """Idea."""


def no_annotation(probs, *, power=1.0):
    """Idea."""


def union(probs, *, power: float | None = None):
    """Idea."""


def outside(probs, *, power: Annotated[float, Bounds(0, 1)] = 2.0):
    """Idea."""


def undocumented(probs):
    return probs


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (unknown_evidence, r"no evidence 'probz'; did you mean 'probs'\? known: bim_distance"),
        (true_labels, "no evidence 'labels'"),
        (k_alone, "takes k alone"),
        (catch_all, r"\*\*options hides"),
        (nothing, "num_candidates is the least"),
        (no_default, "needs a default"),
        (no_annotation, "must be annotated"),
        (union, "must be annotated"),
        (outside, "needs a default, and it must be a number from 0 to 1"),
        (undocumented, "no docstring"),
    ],
)
def test_a_malformed_strategy_is_refused_at_import(function, error):
    with pytest.raises(StrategyError, match=rf"strategy '{function.__name__}' is malformed: .*{error}"):
        of(function)


def test_an_unknown_family_is_refused():
    with pytest.raises(StrategyError, match="family 'magic' is not one of baseline"):
        Strategy.of(with_options, "Title", family="magic")


def test_options_are_read_with_defaults_types_bounds_and_help():
    options = {option.name: option for option in of(with_options).options}
    assert options["passes"].default == 20
    assert options["passes"].annotation is int
    assert options["passes"].bounds == Bounds(1, 100, "how many passes")
    assert list(options) == ["passes", "power", "share", "unit", "metric", "note"]
    assert of(with_options).idea == "Score with options. The rest of the text is not the idea."


@pytest.mark.parametrize(
    "values",
    [{}, {"passes": 1}, {"passes": 100}, {"power": 3}, {"power": 0.0}, {"share": -7.5}, {"unit": True},
     {"metric": "cosine"}, {"note": "anything"}],
)  # fmt: skip
def test_good_options_are_accepted(values):
    assert of(with_options).check_options(values) == []


@pytest.mark.parametrize(
    ("values", "allowed"),
    [
        ({"passes": 0}, "it must be a whole number from 1 to 100"),
        ({"passes": 2.0}, "it must be a whole number from 1 to 100"),
        ({"passes": True}, "it must be a whole number from 1 to 100"),
        ({"power": -0.1}, "it must be a number, 0 or more"),
        ({"power": float("nan")}, "it must be a number, 0 or more"),
        ({"power": float("inf")}, "it must be a number, 0 or more"),
        ({"power": "1"}, "it must be a number, 0 or more"),
        ({"share": 0.6}, "it must be a number, 0.5 or less"),
        ({"unit": 1}, "it must be true or false"),
        ({"metric": "l1"}, "it must be one of 'euclidean', 'cosine'"),
        ({"note": 3}, "it must be text"),
        ({"pases": 3}, "did you mean 'passes'? with_options has: passes, power, share, unit, metric, note"),
    ],
)
def test_bad_options_are_refused_with_what_is_allowed(values, allowed):
    (problem,) = of(with_options).check_options(values)
    (name,) = values
    assert problem.option == f"query.options.{name}"
    assert problem.allowed == allowed


def test_every_bad_option_is_named_at_once():
    problems = of(with_options).check_options({"passes": 0, "unit": 3, "note": "fine"})
    assert [problem.option for problem in problems] == ["query.options.passes", "query.options.unit"]


def test_a_strategy_without_options_says_so():
    (problem,) = STRATEGIES.get("margin").check_options({"power": 1})
    assert problem.allowed == "margin has no options"
