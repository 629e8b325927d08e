"""Minutes, seconds and money of a run, worked by hand; comparisons over them stay within a seed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.errors import ConfigError
from al_core.records import LabelEvent, LabelSource, RoundRecord
from al_core.results.analysis import METRICS, Curve
from al_core.results.axes import AXES, IDLE_SECONDS, Prices, answer_seconds, spent
from al_core.results.comparison import Arm
from al_core.results.said import undoing
from al_core.results.study import StudyResult
from al_core.results.study_text import report_text
from al_core.results.to_target import target_frame, target_text, usual_target

SECONDS = {"train": 2.0, "evaluate": 0.5, "query": 1.0}


def rounds(*labels, events=None):
    last = events or [0] * len(labels)
    return [
        RoundRecord("e", i, n, last[i], {"test_accuracy": 0.5 + i / 10}, None, (), SECONDS, {}, {}, 0.0)
        for i, n in enumerate(labels)
    ]


def answer(number, at, ms=None, source=LabelSource.HUMAN, client="c", value=0):
    return LabelEvent(number, "e", number, value, source, "", 0, client, number, at, ms)


class TestSpent:
    def test_seconds_are_all_that_came_before_a_value(self):
        assert spent(rounds(20, 40, 60), "seconds") == [2.5, 6.0, 9.5]

    def test_money_is_the_first_seed_s_cost_of_a_run(self):
        """CL (n_start C) + K CT + (K - 1) CL n_new, with CT = lambda CL."""
        label, ratio, n_start, classes, n_new = 0.2, 30.0, 10, 4, 25
        found = spent(rounds(40, 65, 90, 115), "money", Prices(label=label, ratio=ratio, hour=0.0))
        for trainings, cost in enumerate(found, start=1):
            expected = label * n_start * classes + trainings * ratio * label + (trainings - 1) * label * n_new
            assert cost == pytest.approx(expected)

    def test_real_numbers_of_labels_count_and_computing_may_be_paid_by_the_hour(self):
        found = spent(rounds(40, 47), "money", Prices(label=1.0, ratio=0.0, hour=3600.0))
        assert found == [40 + 2.5, 47 + 6.0]

    def test_minutes_without_people_are_as_stated(self):
        assert spent(rounds(20, 40), "minutes", Prices(seconds_a_label=3.0)) == [1.0, 2.0]

    def test_minutes_of_people_are_those_of_the_answers_that_a_round_saw(self):
        events = [answer(1, 0.0, 30_000), answer(2, 30.0, 90_000), answer(3, 200.0, 15_000)]
        found = spent(rounds(1, 2, 3, events=[1, 2, 3]), "minutes", events=events)
        assert found == [0.5, 1.5, 1.75]  # the second took 90 s, of which 60 count

    def test_prices_that_make_no_axis_are_refused(self):
        for wrong in ({"label": 0.0}, {"hour": -1.0}, {"ratio": float("nan")}):
            with pytest.raises(ConfigError):
                Prices(**wrong)


class TestAnswerSeconds:
    def test_without_a_watch_the_gap_to_the_person_s_last_answer_counts(self):
        events = [answer(1, 0.0), answer(2, 4.0), answer(3, 4.5, client="other"), answer(4, 7.0)]
        assert answer_seconds(events, stated=2.0) == [2.0, 4.0, 2.0, 3.0]

    def test_who_left_the_desk_counts_a_minute(self):
        assert answer_seconds([answer(1, 0.0, 5), answer(2, 9000.0)]) == [0.005, IDLE_SECONDS]

    def test_corrections_cost_time_and_oracles_cost_what_a_person_would_have_taken(self):
        events = [
            answer(1, 0.0, source=LabelSource.ORACLE),
            answer(2, 0.0, 1500, source=LabelSource.CORRECTION),
            answer(3, 0.0, source=LabelSource.IMPORT, value=-4),
        ]
        assert answer_seconds(events, stated=2.0) == [2.0, 1.5, 0.0]

    def test_an_undo_costs_nothing(self):
        first = answer(1, 0.0, 1500)
        back = replace(answer(2, 9.0, client="undo"), detail=undoing(first, "Ann"))
        assert answer_seconds([first, back]) == [1.5, 0.0]

    @given(st.lists(st.tuples(st.floats(-10, 1e6), st.none() | st.integers(0, 10**9)), max_size=20))
    def test_no_answer_takes_less_than_nothing_or_more_than_the_cut(self, answers):
        events = [answer(n, at, ms) for n, (at, ms) in enumerate(answers, start=1)]
        assert all(0 <= seconds <= IDLE_SECONDS for seconds in answer_seconds(events))


def test_places_are_said_in_their_unit():
    said = [axis.text(1234.5) for axis in AXES.values()]
    assert said == [
        "1,234 labels", "1,234.5 minutes of labeling", "1,234 seconds of computing", "a cost of 1,234.50",
    ]  # fmt: skip


def result(over="labels", **arms):
    made = tuple(
        Arm(name, {s: Curve(np.array(x, float), np.array(y)) for s, (x, y) in enumerate(curves)})
        for name, curves in arms.items()
    )
    return StudyResult("id", "A study", METRICS[0], made, tuple(arms), over=over)


RANDOM = [([20, 40, 60, 80], [0.5, 0.6, 0.7, 0.8]), ([20, 40, 60, 80], [0.5, 0.65, 0.75, 0.79])]
MARGIN = [([20, 40, 60, 80], [0.5, 0.7, 0.8, 0.85]), ([20, 40, 60, 80], [0.5, 0.72, 0.8, 0.84])]


def test_curves_without_a_common_range_are_said_to_be_apart():
    late = [([100, 120], [0.8, 0.9]), ([100, 120], [0.8, 0.9])]
    found = result(random=RANDOM, late=late)
    words = "The curves have no range of labeled images in common: their mean heights cannot be compared."
    assert (found.left_out, found.verdicts) == ([words], [])
    assert words in report_text(found)
    assert result(random=RANDOM, margin=MARGIN).left_out == []


class TestToTarget:
    def test_rounds_labels_and_costs_by_hand(self):
        frame = target_frame(result(random=RANDOM, margin=MARGIN), 0.75, Prices(label=2.0), (0.0, 10.0))
        margin, random = frame.to_dict("records")
        assert (margin["arm"], random["arm"]) == ("margin", "random")
        assert (random["reached"], random["seeds"]) == (2, 2)
        assert (random["rounds"], random["labels"]) == (3.5, 70)  # rounds 4 and 3
        assert (margin["rounds"], margin["labels"]) == (3, 60)
        assert (margin["cost_0"], margin["cost_10"]) == (120, 2 * (60 + 30))
        assert random["cost_10"] == pytest.approx(2 * (70 + 35))
        # on the line: margin at 50 and 47.5, random at 70 and 60
        assert margin["saving"] == pytest.approx(1 - (50 + 47.5) / (70 + 60))
        assert margin["saving_seeds"] == 2
        assert np.isnan(random["saving"])

    def test_seeds_that_never_get_there_are_counted_out(self):
        frame = target_frame(result(random=RANDOM, margin=MARGIN), 0.795, Prices()).set_index("arm")
        assert (frame.loc["random", "reached"], frame.loc["random", "labels"]) == (1, 80)
        never = target_frame(result(random=RANDOM, margin=MARGIN), 0.99, Prices())
        assert never["reached"].tolist() == [0, 0]
        assert "– | –" in target_text(result(random=RANDOM), 0.99, never)

    def test_the_usual_target_is_what_the_baseline_comes_to(self):
        assert usual_target(result(random=RANDOM, margin=MARGIN)) == 0.79
        assert usual_target(result()) is None

    @pytest.mark.parametrize(
        ("key", "target"), [("test_ece", 0.8), ("test_loss", 0.795), ("test_accuracy", 0.79)]
    )
    def test_the_usual_target_is_rounded_to_the_side_that_is_reached(self, key, target):
        metric = next(m for m in METRICS if m.key == key)
        ends = [([20, 80], [0.5, 0.7941]), ([20, 80], [0.5, 0.7943])]
        assert usual_target(replace(result(random=ends), metric=metric)) == target

    def test_the_report_s_section_names_each_cost(self):
        found = result(random=RANDOM, margin=MARGIN)
        text = target_text(found, 0.75, target_frame(found, 0.75, Prices()))
        assert "## To 75.0 %" in text
        assert "| margin | 2 of 2 | 3.0 | 60 |" in text
        assert "cost, λ = 100" in text


def test_a_verdict_over_money_is_paired_and_says_what_it_cost():
    x = [1.0, 2.0, 3.0, 4.0]
    noise = np.random.default_rng(0).normal(0, 0.002, (2, 5, 4))
    base = np.array([0.5, 0.6, 0.7, 0.75])
    shared = np.linspace(-0.05, 0.05, 5)[:, None]  # hides the difference where seeds are mixed up
    lead = np.array([0, 0, 0.03, 0.03])
    own = [(x, base + lead + s + n) for s, n in zip(shared, noise[0], strict=True)]
    other = [(x, base + s + n) for s, n in zip(shared, noise[1], strict=True)]
    found = result("money", random=other, margin=own)
    assert found.verdicts[0].text == "margin beats random from a cost of 3.00 on."
    cut = replace(found, ceiling=0.7)
    assert cut.places == [1.0, 2.0, 3.0]
