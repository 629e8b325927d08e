"""How far guesses are trusted: from answers alone, carefully, and the same in Python as in the browser."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.classes import Effects
from al_core.records import LabelEvent, LabelSource, Query, QueryItem
from al_core.results.suggestions import Suggestion, Trust, suggestions, trust, wrong_of
from al_core.types import SKIP


def event(sample, value, source=LabelSource.HUMAN, **detail):
    return LabelEvent(1, "e", sample, value, source, "", 0, "c", 1, 0.0, None, detail or None)


def a_query(*items):
    asked = tuple(QueryItem(n, i, 0.5, guesses) for n, (i, guesses) in enumerate(items))
    return Query("e", 0, "margin", asked, 100, "h", 0.0)


def test_only_what_a_person_answered_one_by_one_counts():
    query = a_query(*[(i, ((3, 0.9), (1, 0.1))) for i in range(7)], (7, ()))
    labels = {
        0: event(0, 3), 1: event(1, 1), 2: event(2, SKIP), 3: event(3, 3, LabelSource.ORACLE),
        4: event(4, 3, how="bulk"), 5: event(5, 3, how="blind"), 7: event(7, 3),
    }  # fmt: skip
    assert suggestions([query], labels) == [
        Suggestion(0.9, True, False), Suggestion(0.9, False, False), Suggestion(0.9, True, True),
    ]  # fmt: skip


def test_a_guess_of_a_class_that_was_merged_since_is_right_where_the_label_counts_as_the_same():
    effects = Effects({0: 1}, frozenset(), frozenset())
    query = effects.guessed(a_query((5, ((0, 0.9), (1, 0.1))), (6, ((2, 0.8), (0, 0.2)))))
    found = suggestions([query], {5: event(5, 1), 6: event(6, 1)})
    assert found == [Suggestion(0.9, True, False), Suggestion(0.8, False, False)]


def test_a_threshold_needs_twenty_answers_and_few_wrong_ones():
    sure = [Suggestion(0.95, True, False)] * 19
    assert trust(sure) == Trust(19, 19)
    assert trust([*sure, Suggestion(0.9, True, False)]) == Trust(20, 20, 0.9, 20, 0)
    shaky = [Suggestion(0.5, False, False)] * 5
    assert trust([*sure, Suggestion(0.9, True, False), *shaky]) == Trust(25, 20, 0.9, 20, 0)
    assert trust([]).accuracy is None


def test_guesses_of_equal_probability_stand_or_fall_together():
    found = [Suggestion(0.8, n >= 3, False) for n in range(30)]
    assert trust(found).threshold is None
    assert trust(list(reversed(found))).threshold is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=120))
def test_what_stands_above_the_threshold_is_what_is_said_of_it(pairs):
    found = [Suggestion(p, right, False) for p, right in pairs]
    answer = trust(found)
    if answer.threshold is None:
        return
    above = [each for each in found if each.probability >= answer.threshold]
    assert (len(above), sum(not each.right for each in above)) == (answer.above, answer.wrong)
    assert (answer.wrong + 0.5) / (answer.above + 1) <= 0.05


@pytest.mark.parametrize(
    ("count", "right", "wrong"), [(140, 110, 2), (1, 20, 0), (37, 40, 1), (3000, 500, 9)]
)
def test_the_interval_is_that_of_drawn_posteriors(count, right, wrong):
    rng = np.random.default_rng(0)
    drawn = rng.binomial(count, rng.beta(wrong + 0.5, right + 0.5, 40_000))
    expected, low, high = wrong_of(count, right, wrong)
    assert expected == pytest.approx(drawn.mean(), abs=0.6 + 0.02 * drawn.mean())
    for value, share in ((low, 0.025), (high, 0.975)):
        assert value == pytest.approx(np.quantile(drawn, share), abs=1 + 0.04 * value)


def test_nothing_left_has_no_wrong_ones():
    assert wrong_of(0, 5, 1) == (0, 0, 0)
