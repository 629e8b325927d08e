"""What deserves a second look, and when it is done with."""

from dataclasses import replace

import pytest
from test_people import VERDICT, Log

from al_core.records import Mark, Query, QueryItem
from al_core.results.review import Why, cases, reasks
from al_core.results.said import undoing
from al_core.types import EXCLUDE, UNLABEL


@pytest.fixture
def log():
    return Log()


def queries(*guesses):
    items = tuple(QueryItem(rank, i, 0.5, ((c, p),)) for rank, (i, c, p) in enumerate(guesses))
    return [Query("e", 0, "margin", items, 9, "h", 0.0)]


def kinds(log, asked=()):
    return {case.sample_id: case.why for case in cases(log, asked)}


def test_people_who_say_different_classes_are_a_case_until_somebody_decides(log):
    log.say("Ann", 1, 3)
    log.say("Bob", 1, 5, mark=Mark.OPINION)
    log.say("Ann", 2, 3)
    log.say("Bob", 2, 3, mark=Mark.OPINION)
    (case,) = cases(log, [])
    assert (case.sample_id, case.why, case.label) == (1, Why.PEOPLE, 3)
    assert case.words == (("Ann", 3), ("Bob", 5))
    assert case.suggestion == 5
    log.say("Carl", 1, 3, source=VERDICT)
    assert kinds(log) == {}
    log.say("Dora", 1, 7, mark=Mark.OPINION)  # somebody disagrees anew
    assert kinds(log) == {1: Why.PEOPLE}
    log.say("Carl", 1, EXCLUDE, source=VERDICT)
    assert kinds(log) == {}


def test_a_decision_that_is_taken_back_opens_the_case_again(log):
    log.say("Ann", 1, 3)
    log.say("Bob", 1, 5, mark=Mark.OPINION)
    log.say("Carl", 1, 5, source=VERDICT)
    log.say("Carl", 1, 3, source=VERDICT, how="undone")
    assert kinds(log) == {1: Why.PEOPLE}


def test_an_undo_that_gives_a_decision_back_decides_nothing_anew(log):
    log.say("Ann", 1, 3)
    log.say("Carl", 1, 5, source=VERDICT)
    log.say("Ann", 1, 1, mark=Mark.FLAG)
    imported = log.say("Bob", 1, 3)
    log[-1] = replace(log.say("Carl", 1, 5, source=VERDICT), detail=undoing(imported, "Bob"))
    assert kinds(log) == {1: Why.FLAG}


def test_flags_and_doubts_are_cases_while_they_stand(log):
    for i in (1, 2):
        log.say("Ann", i, 3)
    flag = log.say("Ann", 1, 1, mark=Mark.FLAG)
    log.say("Ann", 2, 1, mark=Mark.UNSURE)
    log.say("Ann", 4, 1, mark=Mark.FLAG)
    log.say("Ann", 4, 2)
    assert kinds(log) == {1: Why.FLAG, 2: Why.UNSURE, 4: Why.FLAG}
    log.say("Bob", flag.sample_id, 0, mark=Mark.FLAG)
    log.say("Bob", 2, 3, source=VERDICT)
    assert kinds(log) == {4: Why.FLAG}


def test_a_label_against_a_sure_guess_is_a_case_and_an_unsure_guess_is_none(log):
    for i in (1, 2, 3):
        log.say("Ann", i, 3)
    asked = queries((1, 5, 0.9), (2, 5, 0.5), (3, 3, 0.99))
    (case,) = cases(log, asked)
    assert (case.sample_id, case.why, case.suggestion, case.guess) == (1, Why.MODEL, 5, (5, 0.9))
    log.say("Ann", 1, 3, source=VERDICT)  # kept
    assert kinds(log, asked) == {}


def test_what_nobody_may_give_any_more_is_neither_asked_nor_suggested(log):
    for i in (1, 2, 3):
        log.say("Ann", i, 3)
    log.say("Bob", 2, 5, mark=Mark.OPINION)
    log.say("Ann", 4, 5)
    log.say("Ann", 9, 1, round=1)
    asked = queries((1, 5, 0.9), (3, 6, 0.9))
    found = cases(log, asked, retired={5})
    assert [(case.sample_id, case.why, case.suggestion) for case in found] == [
        (2, Why.PEOPLE, None), (3, Why.MODEL, 6),
    ]  # fmt: skip
    blind = reasks(log, "Ann", 0, 300, retired={5})
    assert sorted(case.sample_id for case in blind) == [1, 2, 3], "the fourth could not be answered the same"


def test_who_is_asked_again_of_a_label_that_was_dropped_says_nothing_new(log):
    log.say("Ann", 1, UNLABEL)
    log.say("Bob", 1, 3)
    log.say("Ann", 1, 4, mark=Mark.OPINION, how="reask")
    assert kinds(log) == {}


def test_an_image_is_one_case_of_the_most_pressing_kind(log):
    log.say("Ann", 1, 3)
    log.say("Ann", 1, 1, mark=Mark.FLAG)
    log.say("Bob", 1, 5, mark=Mark.OPINION)
    (case,) = cases(log, queries((1, 5, 0.9)))
    assert (case.why, case.marks) == (Why.PEOPLE, (Mark.FLAG,))


def test_who_says_another_class_when_asked_again_has_a_case(log):
    log.say("Ann", 1, 3)
    log.say("Ann", 2, 3)
    log.say("Ann", 1, 4, mark=Mark.OPINION, how="reask")
    log.say("Ann", 2, 3, mark=Mark.OPINION, how="reask")
    (case,) = cases(log, [])
    assert (case.why, case.words, case.suggestion) == (Why.SELF, (("Ann", 3), ("Ann", 4)), 4)
    log.say("Ann", 1, UNLABEL, mark=Mark.OPINION, how="reask")
    assert kinds(log) == {}


def test_a_tenth_of_ones_earlier_labels_is_asked_again_blind(log):
    for i in range(100):
        log.say("Ann" if i % 2 else "Bob", i, 3, round=0)
    log.say("Ann", 200, 3, round=1)  # the newest query is remembered
    found = reasks(log, "Ann", 0, 300)
    assert len(found) == 5
    assert all(case.sample_id % 2 and case.label is None and not case.words for case in found)
    assert found == reasks(log, "Ann", 0, 300)
    assert found != reasks(log, "Ann", 1, 300)
    log.say("Ann", found[0].sample_id, 3, mark=Mark.OPINION, how="reask")
    assert reasks(log, "Ann", 0, 300) == found[1:]
    assert reasks(log, "Carl", 0, 300) == []
