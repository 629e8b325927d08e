"""Whether guesses sway who labels, from the log alone."""

import numpy as np
import pytest

from al_core.records import LabelEvent, LabelSource, Query, QueryItem
from al_core.results.reliance import LEAST, is_hidden, reliance


def session(answers, *, source=LabelSource.HUMAN):
    """`answers`: (round, shown, agrees, further detail) of each image; the guess is always class 1."""
    queries, labels = {}, {}
    for i, (number, shown, agrees, detail) in enumerate(answers):
        queries.setdefault(number, []).append(QueryItem(len(queries.get(number, ())), i, 0.5, ((1, 0.9),)))
        said = detail if shown is None else {"shown": shown} | detail
        labels[i] = LabelEvent(
            i + 1, "e", i, 1 if agrees else 2, source, "", number, "c", i + 1, 0.0, None, said
        )
    found = [Query("e", n, "margin", tuple(items), 9, "h", 0.0) for n, items in queries.items()]
    return found, labels


def many(number, shown, agreed, answered, **detail):
    return [(number, shown, i < agreed, detail) for i in range(answered)]


def test_a_draw_hides_the_share_by_seed_and_image_alone_and_a_larger_one_hides_more():
    some = {i for i in range(4000) if is_hidden(3, i, 0.1)}
    more = {i for i in range(4000) if is_hidden(3, i, 0.3)}
    assert 0.08 < len(some) / 4000 < 0.12
    assert some < more
    assert {i for i in range(4000) if is_hidden(4, i, 0.1)} != some
    assert not any(is_hidden(3, i, 0) for i in range(100))
    assert all(is_hidden(3, i, 1) for i in range(100))


def test_one_query_has_newcombe_s_interval():
    """Newcombe (1998), table II, method 10, example (a): 56/70 against 48/80."""
    found = reliance(*session(many(0, True, 56, 70) + many(0, False, 48, 80)))
    assert found.difference == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0524, abs=1e-4)
    assert found.high == pytest.approx(0.3339, abs=1e-4)
    assert found.sways


def test_a_model_that_grows_better_is_no_sign_of_anchoring():
    """Early rounds with many hidden and a bad model, later ones with few and a good one: pooled, a lie."""
    answers = many(0, True, 10, 20) + many(0, False, 30, 60) + many(1, True, 54, 60) + many(1, False, 18, 20)
    found = reliance(*session(answers))
    assert found.shown.share - found.hidden.share > 0.15
    assert found.difference == pytest.approx(0)
    assert not found.sways


def test_little_says_nothing_and_a_clear_gap_is_seen():
    few = reliance(*session(many(0, True, 9, 9) + many(0, False, 0, LEAST - 1)))
    assert (few.difference, few.sways) == (None, False)
    assert reliance(*session(many(0, True, 20, 20) + many(0, False, 9, 20))).sways
    assert not reliance(*session(many(0, True, 18, 20) + many(0, False, 17, 20))).sways
    assert not reliance(*session(many(0, True, 9, 20) + many(0, False, 20, 20))).sways


def test_what_was_no_draw_or_no_person_is_left_out():
    drawn = many(0, True, 10, 12) + many(0, False, 9, 12)
    plain = reliance(*session(drawn))
    aside = (
        many(0, False, 0, 30, how="blind") + many(0, True, 30, 30, how="bulk") + many(0, None, 30, 30)
        + many(1, True, 40, 40)  # nothing hidden in that query
    )  # fmt: skip
    assert reliance(*session(drawn + aside)) == plain
    assert reliance(*session(drawn, source=LabelSource.ORACLE)).shown.answered == 0


def test_the_interval_holds_no_difference_in_nineteen_of_twenty_sessions():
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        answers = []
        for number, truth in enumerate((0.5, 0.7, 0.85)):
            for _ in range(40):
                answers.append((number, bool(rng.random() > 0.25), bool(rng.random() < truth), {}))
        found = reliance(*session(answers))
        held += found.low <= 0 <= found.high
    assert held / 400 > 0.93
