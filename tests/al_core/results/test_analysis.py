from dataclasses import replace

import numpy as np
import pytest

from al_core.by_hand import laid_over
from al_core.config import QueryConfig
from al_core.query.strategies import STRATEGIES
from al_core.records import (
    EpochRecord,
    LabelEvent,
    LabelSource,
    Query,
    QueryItem,
    RoundRecord,
)
from al_core.results.analysis import (
    METRICS,
    Curve,
    against,
    class_counts_frame,
    epochs_frame,
    measured,
    query_rows,
    rounds_frame,
    score_words,
)
from al_core.results.figures.classes import label_shares, labels_per_class
from al_core.results.figures.confusion import confusion_figure
from al_core.results.figures.learning import NamedCurve, epochs_figure, learning_figure
from al_core.results.figures.palette import RANDOM, look, look_keys, plain
from al_core.types import EXCLUDE, SKIP, UNKNOWN, UNLABEL


def round_record(number, labels, accuracy=None, counts=(1, 1), **metrics):
    values = metrics if accuracy is None else {"test_accuracy": accuracy, **metrics}
    return RoundRecord(
        "e", number, labels, 0, values, None, counts, {"train": 2.0, "evaluate": 0.5}, {}, {}, 0.0
    )


def curve(*points):
    return Curve(np.array([x for x, _ in points], float), np.array([y for _, y in points], float))


def event(sample, value):
    return LabelEvent(1, "e", sample, value, LabelSource.HUMAN, "", 0, "c", 1, 0.0)


class TestFrames:
    def test_a_round_is_a_row_with_its_new_labels_and_all_its_seconds(self):
        frame = rounds_frame([round_record(0, 20, 0.5), round_record(1, 35, 0.6)])
        assert frame["new_labels"].tolist() == [20, 15]
        assert frame["seconds"].tolist() == [2.5, 2.5]
        assert frame["test_accuracy"].tolist() == [0.5, 0.6]

    def test_no_rounds_give_an_empty_frame_with_columns(self):
        assert list(rounds_frame([]).columns) == ["round", "labels", "new_labels", "seconds"]

    def test_epochs_keep_every_field(self):
        frame = epochs_frame([EpochRecord(0, 1, 8, 0.5, 0.9, 0.01, 1.5)])
        assert frame.loc[0, "train_loss"] == 0.5
        assert frame.loc[0, "validation_loss"] is None

    def test_class_counts_say_what_each_round_added(self):
        records = [round_record(0, 3, counts=(2, 1)), round_record(1, 7, counts=(2, 5))]
        frame = class_counts_frame(records, ["cat", "dog"])
        assert frame["count"].tolist() == [2, 1, 2, 5]
        assert frame["added"].tolist() == [2, 1, 0, 4]

    def test_only_metrics_with_values_are_offered(self):
        assert [m.key for m in measured([round_record(0, 1, 0.5, test_ece=0.1)])] == [
            "test_accuracy",
            "test_ece",
        ]
        assert measured([round_record(0, 1)]) == ()


class TestQueryRows:
    items = tuple(QueryItem(r, s, 1.0 - r, ((0, 0.6), (1, 0.4))) for r, s in enumerate((4, 2, 9, 7)))
    query = Query("e", 0, "margin", items, 10, "h", 0.0)
    truth = np.array([0, 0, 1, 0, 0, 0, 0, UNKNOWN, 0, 0])

    def test_rows_keep_picking_order_and_name_answers(self):
        labels = {4: event(4, 0), 2: event(2, SKIP), 9: event(9, EXCLUDE), 7: event(7, UNLABEL)}
        rows = query_rows(self.query, labels, ["cat", "dog"], self.truth)
        assert [row.sample_id for row in rows] == [4, 2, 9, 7]
        assert [row.label for row in rows] == ["cat", "skipped", "excluded", None]
        assert [row.source for row in rows] == ["human", "human", "human", None]
        assert [row.right for row in rows] == [True, False, True, None]

    def test_without_truth_the_guess_is_compared_with_the_label(self):
        rows = query_rows(self.query, {4: event(4, 1), 2: event(2, 0)}, ["cat", "dog"])
        assert [row.right for row in rows] == [False, True, None, None]
        assert [row.truth for row in rows] == [None] * 4

    def test_the_truth_of_unanswered_images_can_be_kept_back(self):
        rows = query_rows(self.query, {4: event(4, 0)}, ["cat", "dog"], self.truth, reveal=False)
        assert [row.truth for row in rows] == ["cat", None, None, None]
        assert [row.right for row in rows] == [True, None, None, None]

    def test_what_people_asked_for_is_not_ahead_and_what_is_ahead_stays_so(self):
        ahead = (QueryItem(4, 1, 0.2, ((0, 0.6), (1, 0.4))), QueryItem(5, 3, 0.1))
        shown = laid_over(replace(self.query, ahead=ahead), [8])
        rows = query_rows(shown, {8: event(8, 0), 1: event(1, 0)}, ["cat", "dog"])
        assert [row.sample_id for row in rows] == [8, 4, 2, 9, 7, 1]
        assert [row.ahead for row in rows] == [False] * 5 + [True]


class TestCurve:
    def test_values_between_rounds_lie_on_the_line_and_none_lie_outside(self):
        line = curve((20, 0.5), (40, 0.7))
        assert line.at(30) == pytest.approx(0.6)
        assert line.at(19) is None
        assert line.at(41) is None
        assert curve().at(1) is None

    def test_aulc_of_a_constant_is_that_constant_and_of_a_line_its_middle(self):
        assert curve((10, 0.8), (25, 0.8), (90, 0.8)).aulc() == pytest.approx(0.8)
        assert curve((0, 0.0), (100, 1.0)).aulc() == pytest.approx(0.5)

    def test_aulc_can_end_early_between_two_rounds(self):
        assert curve((0, 0.0), (100, 1.0)).aulc(until=50) == pytest.approx(0.25)

    def test_aulc_can_begin_late_between_two_rounds_and_not_before_the_first(self):
        assert curve((0, 0.0), (100, 1.0)).aulc(since=50) == pytest.approx(0.75)
        assert curve((0, 0.0), (50, 0.5), (100, 1.0)).aulc(until=80, since=40) == pytest.approx(0.6)
        assert curve((10, 0.8), (20, 0.8)).aulc(since=5) is None

    def test_aulc_needs_two_points(self):
        assert curve((10, 0.8)).aulc() is None
        assert curve().aulc() is None

    def test_labels_to_a_target_are_read_off_the_line(self):
        line = curve((20, 0.5), (40, 0.7), (60, 0.65))
        assert line.labels_to(0.6) == pytest.approx(30)
        assert line.labels_to(0.5) == 20
        assert line.labels_to(0.71) is None

    def test_a_loss_reaches_its_target_from_above(self):
        assert curve((10, 2.0), (20, 1.0)).labels_to(1.5, higher_is_better=False) == pytest.approx(15)

    def test_rounds_without_a_finite_value_are_left_out(self):
        records = [round_record(0, 20, 0.5), round_record(1, 30), round_record(2, 40, float("nan"))]
        assert Curve.of(records, "test_accuracy").labels.tolist() == [20]

    def test_a_curve_may_be_over_what_was_spent(self):
        records = [round_record(n, 20 * (n + 1), 0.5 + n / 10) for n in range(3)]
        found = Curve.of(records, "test_accuracy", [2.5, 6.0, 9.5])
        assert found.labels.tolist() == [2.5, 6.0, 9.5]
        assert found.values.tolist() == [0.5, 0.6, 0.7]


class TestAgainst:
    own, random = curve((20, 0.5), (40, 0.9), (60, 0.95)), curve((20, 0.5), (40, 0.6), (60, 0.7))

    def test_the_difference_is_taken_at_the_same_labels(self):
        found = against(self.own, self.random)
        assert found.labels == 60
        assert found.difference == pytest.approx(0.25)

    def test_the_better_curve_is_ahead_by_the_labels_it_saved(self):
        assert against(self.own, self.random).labels_ahead == pytest.approx(30)
        assert against(self.random, self.own).labels_ahead == pytest.approx(-30)

    def test_a_baseline_that_lags_is_compared_where_both_are(self):
        found = against(self.own, curve((20, 0.5), (40, 0.6)))
        assert found.labels == 40
        assert found.difference == pytest.approx(0.3)

    def test_lower_is_better_for_a_loss(self):
        found = against(curve((10, 2.0), (20, 1.0)), curve((10, 2.0), (20, 1.5)), higher_is_better=False)
        assert found.difference == pytest.approx(-0.5)
        assert found.labels_ahead == pytest.approx(5)

    def test_equal_curves_are_level_also_where_they_fell_back_from_what_they_had(self):
        fell = curve((20, 0.5), (40, 0.8), (60, 0.7))
        assert against(self.own, self.own).labels_ahead == 0
        assert against(fell, fell).labels_ahead == 0

    def test_who_had_the_value_first_is_ahead_even_if_it_fell_back(self):
        found = against(self.own, curve((20, 0.5), (30, 0.95), (60, 0.7)))
        assert found.goal == 0.7
        assert found.labels_ahead == pytest.approx(20 + 10 * 0.2 / 0.45 - 30)

    def test_nothing_to_compare_gives_nothing(self):
        assert against(self.own, curve()) is None
        assert against(self.own, curve((80, 0.5), (90, 0.6))) is None


class TestWords:
    def test_shares_are_per_cent_and_their_differences_points(self):
        accuracy, loss = METRICS[0], next(m for m in METRICS if m.key == "test_loss")
        assert accuracy.text(0.8649) == "86.5 %"
        assert accuracy.difference(-0.021) == "-2.1 points"
        assert loss.text(0.5) == "0.500"
        assert accuracy.text(None) == accuracy.text(float("nan")) == "–"


class TestFigures:
    def test_a_strategy_looks_the_same_for_ever_and_random_is_grey_and_dashed(self):
        assert look("margin") == look("margin")
        assert look("margin") != look("entropy")
        assert look("of my own making") == look("of my own making")
        assert look("random") is RANDOM
        assert RANDOM.dash == "dash"

    def test_known_strategies_differ_in_colour_marker_or_dash(self):
        names = ["margin", "least_confidence", "entropy", "badge", "kcenter", "kmeans", "bald", "typiclust"]
        assert len({look(n).light for n in names}) == len(names)
        assert len({(look(n).light, look(n).symbol) for n in [*names, "qbc_kl", "egl", "bait"]}) == 11

    def test_names_cannot_bring_markup_into_a_figure(self):
        assert plain("<b>x</b>&") == "&lt;b&gt;x&lt;/b&gt;&amp;"
        assert len(plain("x" * 500)) == 28
        figure = confusion_figure([[1, 0], [0, 1]], ["<a href='x'>", "dog"])
        assert "<a" not in figure.to_json().replace("\\u003c", "<")

    def test_a_confusion_row_is_normalised_by_its_class_and_an_empty_row_stays_zero(self):
        figure = confusion_figure([[3, 1], [0, 0]], ["cat", "dog"], normalised=True)
        assert figure.data[0].z.tolist() == [[0.75, 0.25], [0, 0]]
        assert [a.text for a in figure.layout.annotations] == ["75", "25"]

    def test_a_hundred_classes_are_drawn_without_numbers(self):
        figure = confusion_figure(np.eye(100, dtype=int), [str(i) for i in range(100)])
        assert not figure.layout.annotations

    def test_bars_of_a_round_add_up_to_its_labels(self):
        frame = class_counts_frame([round_record(0, 3, counts=(2, 1))], ["cat", "dog"])
        assert sum(bar.y[0] for bar in labels_per_class(frame).data) == 3

    def test_small_classes_are_one_piece_of_the_ring(self):
        counts = tuple(range(1, 15))
        frame = class_counts_frame(
            [round_record(0, sum(counts), counts=counts)], [f"c{i}" for i in range(14)]
        )
        ring = label_shares(frame).data[0]
        assert len(ring.labels) == 11
        assert ring.labels[-1] == "4 other classes"
        assert sum(ring.values) == sum(counts)

    def test_curves_for_reports_carry_every_point(self):
        figure = learning_figure([NamedCurve("margin", "Margin", TestAgainst.own)], METRICS[0])
        assert figure.data[0].y.tolist() == pytest.approx([50, 90, 95])
        frame = epochs_frame([EpochRecord(0, e, 8, 0.5, 0.9, 0.01, 1.5) for e in range(3)])
        assert list(epochs_figure(frame, 0).data[0].x) == [1, 2, 3]


def test_strategies_that_are_often_compared_differ_in_colour():
    colors = [look(name).light for name in ("random", "margin", "badge", "u_herding", "entropy", "k_center")]
    assert len(set(colors)) == len(colors)


def test_arms_of_one_strategy_are_told_apart():
    same = [look(key) for key in look_keys(["margin"] * 10)]
    assert len({(one.light, one.symbol, one.dash) for one in same}) == 10
    assert len({one.light for one in same[:8]}) == 8
    grid = look_keys(["random", "random", "margin", "margin", "margin"])
    looks = [look(key) for key in grid]
    assert looks[0] is RANDOM
    assert looks[1].light == RANDOM.light
    assert looks[2] == look("margin")
    assert len({one.light for one in looks[2:]}) == 1
    assert len({(one.symbol, one.dash) for one in looks[:2]}) == 2
    assert len({(one.symbol, one.dash) for one in looks[2:]}) == 3
    assert look_keys(["margin", "badge"]) == ["margin", "badge"]


class TestScoreWords:
    def query(self, strategy, *items):
        made = [
            QueryItem(rank, i, score, ((0, 0.9),) if guessed else ())
            for rank, (i, score, guessed) in enumerate(items)
        ]
        return Query("e", 0, strategy, tuple(made), 50, "h", 0.0)

    def test_a_number_is_in_the_words_of_the_strategy_that_picked_the_image(self):
        config = QueryConfig(strategy="margin", second="k_center", share=0.5)
        # held back: the second image, which no strategy picked
        asked = self.query("margin", (7, 0.5, True), (8, None, False), (9, 2.5, True), (4, 0.4, True))
        words = {name: STRATEGIES.get(name).score for name in ("margin", "k_center")}
        found = score_words(asked, config)
        assert found.keys() == {7, 9, 4}
        members = [words["k_center"], words["margin"], words["k_center"]]
        assert [found[i] for i in (7, 9, 4)] == members

    def test_nothing_is_said_of_what_has_no_number_or_no_known_strategy(self):
        config = QueryConfig(strategy="random")
        assert score_words(self.query("random", (1, None, True)), config) == {}
        assert score_words(self.query("per_class", (1, None, False)), config) == {}
        gone = QueryConfig(strategy="not_here")
        assert score_words(self.query("not_here", (1, 0.5, True)), gone) == {}
        assert score_words(self.query("margin", (1, 0.5, True)), gone) == {}
