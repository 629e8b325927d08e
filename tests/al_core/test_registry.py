from dataclasses import dataclass

import pytest

from al_core.errors import StrategyError
from al_core.registry import Registry


@dataclass(frozen=True)
class Thing:
    name: str
    title: str = ""
    aliases: tuple[str, ...] = ()


@pytest.fixture
def registry():
    things = Registry("thing", "json", StrategyError)
    things.add(Thing("least_confidence", aliases=("LeastConfidence", "least_confident")))
    things.add(Thing("margin"))
    return things


@pytest.mark.parametrize(
    "name", ["least_confidence", "Least-Confidence", "LEASTCONFIDENCE", "least_confident"]
)
def test_a_name_is_found_in_any_spelling(registry, name):
    assert registry.get(name).name == "least_confidence"
    assert name in registry


def test_an_unknown_name_gets_a_suggestion_and_the_known_ones(registry):
    with pytest.raises(StrategyError, match=r"no thing 'margn'; did you mean 'margin'\? known: least_"):
        registry.get("margn")


def test_a_taken_name_or_alias_is_refused(registry):
    with pytest.raises(StrategyError, match="taken by 'least_confidence'"):
        registry.add(Thing("other", aliases=("Least_Confident",)))
