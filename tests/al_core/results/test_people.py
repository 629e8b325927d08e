"""What people said and how far they agree, against figures worked out by hand and published ones."""

import math
from dataclasses import replace

import numpy as np
import pytest

from al_core.records import LabelSource, LogEvent, Mark
from al_core.results import people
from al_core.results.said import undoing, without_undone
from al_core.types import EXCLUDE, SKIP, UNLABEL

HUMAN, VERDICT = LabelSource.HUMAN, LabelSource.ADJUDICATION


class Log(list):
    """A log that numbers its events."""

    def say(self, who, sample_id, value, *, mark=None, source=HUMAN, round=0, how=None):
        detail = None if how is None else {"how": how}
        n = len(self) + 1
        self.append(
            LogEvent(n, sample_id, value, source, who, round, f"tab {who}", n, 1e9 + n, 900, mark, detail)
        )
        return self[-1]


@pytest.fixture
def log():
    return Log()


def rate(log, matrix):
    """Rows are images, columns people."""
    for i, row in enumerate(matrix):
        for person, value in zip("ABCDEFGHIJKLMN", row, strict=False):
            log.say(person, i, value, mark=None if person == "A" else Mark.OPINION)
    return people.ratings(log)


def test_a_rating_is_the_last_word_of_each_person_and_no_verdict(log):
    log.say("Ann", 1, 3)
    log.say("Ann", 1, 4)
    log.say("Bob", 1, 5, mark=Mark.OPINION)
    log.say("Bob", 2, SKIP)
    log.say("Carl", 1, 9, source=VERDICT)
    log.say("truth", 1, 9, source=LabelSource.ORACLE)
    log.say("Ann", 3, 1)
    log.say("Ann", 3, UNLABEL)
    log.say("Ann", 1, 1, mark=Mark.FLAG)
    log.say("Ann", 1, 8, mark=Mark.OPINION, how="reask")
    log.say("human", 4, 2)  # as older logs name nobody
    found = people.ratings(reversed(log))
    assert {i: {who: e.value for who, e in words.items()} for i, words in found.items()} == {
        1: {"Ann": 4, "Bob": 5}, 4: {"": 2},
    }  # fmt: skip


def test_what_was_taken_back_and_what_took_it_back_are_nobodys_words(log):
    log.say("Ann", 1, 3)
    log.say("Carl", 2, 4, source=VERDICT)
    before = list(log)
    for who, i, value, undo in (("Bob", 1, 5, ("Ann", 3)), ("Bob", 2, 5, ("Carl", 4))):
        mine = log.say(who, i, value)
        source = VERDICT if undo[0] == "Carl" else HUMAN
        back = log.say(*undo[:1], i, undo[1], source=source)
        log[-1] = replace(back, detail=undoing(mine, "Bob"))
    log.say("Bob", 3, 1)
    log[-1] = replace(log.say("Bob", 3, UNLABEL), detail=undoing(log[-2], "Bob"))
    assert without_undone(log) == before
    assert people.ratings(log) == people.ratings(before)
    assert people.verdicts(log) == people.verdicts(before)
    assert people.quality(log).equals(people.quality(before))
    assert people.consistency(log).equals(people.consistency(before))


@pytest.mark.parametrize("value", [SKIP, EXCLUDE, UNLABEL])
@pytest.mark.parametrize("source", [HUMAN, LabelSource.CORRECTION])
def test_who_takes_a_class_back_rates_no_longer(log, value, source):
    log.say("Ann", 1, 3)
    log.say("Bob", 1, 3, mark=Mark.OPINION)
    log.say("Ann", 1, value, source=source)
    log.say("Bob", 1, value, mark=Mark.OPINION)
    assert people.ratings(log) == people.last_words(log) == {}


def test_a_correction_is_a_word_but_no_rating_as_a_label_was_in_view(log):
    log.say("Ann", 1, 3)
    log.say("Bob", 1, 3, source=LabelSource.CORRECTION)  # kept in the audit, which shows Ann's label
    log.say("Ann", 2, 3)
    log.say("Ann", 2, 4, source=LabelSource.CORRECTION)
    log.say(
        "Bob", 2, 5, source=LabelSource.CORRECTION, mark=Mark.OPINION
    )  # to an older query, beside the label
    found = {i: {who: e.value for who, e in words.items()} for i, words in people.ratings(log).items()}
    assert found == {1: {"Ann": 3}, 2: {"Ann": 3, "Bob": 5}}
    said = {i: {who: e.value for who, e in words.items()} for i, words in people.last_words(log).items()}
    assert said == {1: {"Ann": 3, "Bob": 3}, 2: {"Ann": 4, "Bob": 5}}


def test_cohens_kappa_is_that_of_the_textbook(log):
    """Two readers of 50 proposals, 20 twice yes, 15 twice no: kappa 0.4 (the example of many textbooks)."""
    rated = rate(log, [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15)
    (row,) = people.pairs(rated, 2).to_dict("records")
    assert (row["one"], row["other"], row["images"], row["agreed"]) == ("A", "B", 50, 0.7)
    assert row["kappa"] == pytest.approx(0.4)
    assert row["low"] < 0.4 < row["high"] <= 1


def test_fleiss_kappa_is_that_of_his_table(log):
    """Ten subjects, 14 raters, 5 categories: 0.210 (the worked example)."""
    table = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    rated = rate(log, [np.repeat(range(5), counts).tolist() for counts in table])
    kappa, images, raters = people.fleiss(rated, 5)
    assert (round(kappa, 3), images, raters) == (0.21, 10, 14)


def test_fleiss_takes_the_number_of_answers_that_most_images_have(log):
    rated = rate(log, [(0, 0), (1, 1), (0, 1), (0, 0, 0), (1,)])
    assert people.fleiss(rated, 2)[1:] == (3, 2)


def test_where_chance_explains_all_there_is_no_kappa(log):
    rated = rate(log, [(1, 1)] * 5)
    assert math.isnan(people.pairs(rated, 3)["kappa"][0])
    assert math.isnan(people.fleiss(rated, 3)[0])
    assert people.pairs({}, 3).empty
    assert people.fleiss({}, 3)[1:] == (0, 0)


def test_each_class_has_its_own_agreement_the_worst_first(log):
    rated = rate(log, [(0, 0)] * 6 + [(1, 1)] * 2 + [(1, 2)] * 2 + [(2,)])
    frame = people.per_class(rated, 4).set_index("class_id")
    assert frame.index.tolist() == [2, 1, 0]
    assert frame["agreed"].tolist() == [0.0, pytest.approx(4 / 6), 1.0]
    assert frame["images"].tolist() == [2, 4, 6]
    assert frame.loc[0, "kappa"] == pytest.approx(1.0)


def test_steadiness_holds_a_persons_blind_answers_against_what_they_said_before(log):
    for i, value in enumerate([1, 2, 3, 4]):
        log.say("Ann", i, value)
    log.say("Bob", 9, 1)
    log.say("Ann", 0, 1, mark=Mark.OPINION, how="reask")
    log.say("Ann", 1, 5, mark=Mark.OPINION, how="reask")
    log.say("Ann", 2, 3, mark=Mark.OPINION, how="reask")
    log.say("Ann", 2, UNLABEL, mark=Mark.OPINION, how="reask")
    log.say("Ann", 3, 7, source=VERDICT)  # a verdict later is no answer of hers
    (row,) = people.consistency(log).to_dict("records")
    assert (row["person"], row["images"], row["same"], row["share"]) == ("Ann", 2, 1, 0.5)
    assert row["low"] < 0.5 < row["high"]


def test_what_is_settled_is_a_verdict_or_else_a_majority(log):
    rate(log, [(0, 0, 1), (0, 1), (2, 2), (3,)])
    log.say("Z", 1, 1, source=VERDICT)
    log.say("Z", 2, EXCLUDE, source=VERDICT)
    log.say("Z", 0, 1, source=VERDICT)
    log.say("Z", 0, 0, source=VERDICT, how="undone")
    assert people.settled(people.ratings(log), people.verdicts(log)) == {0: 0, 1: 1}


def test_a_persons_record_counts_what_was_settled(log):
    rate(log, [(0, 0, 1), (0, 1), (2,)])
    log.say("Z", 1, 1, source=VERDICT)
    frame = people.quality(log, {"B": 40}).set_index("person")
    assert frame.loc["A", ["answers", "opinions", "checked", "right"]].tolist() == [3, 0, 2, 1]
    assert frame.loc["B", ["answers", "opinions", "checked", "right"]].tolist() == [0, 2, 2, 2]
    assert frame.loc["B", "pace"] == 40
    assert math.isnan(frame.loc["Z", "share"])
    assert people.quality([]).empty
