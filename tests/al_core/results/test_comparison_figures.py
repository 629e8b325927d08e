"""What the figures of a comparison draw, read back from their traces."""

from dataclasses import replace

import numpy as np
import pandas as pd

from al_core.records import RoundRecord
from al_core.results.analysis import METRICS, Curve
from al_core.results.comparison import Arm
from al_core.results.figures.comparison import (
    MOST_CLASSES,
    class_figure,
    comparison_figure,
    overlap_figure,
    penalty_figure,
)
from al_core.results.figures.palette import RANDOM
from al_core.results.figures.sheets import RunMaterial, learning_sheet
from al_core.results.study import StudyResult


def curve(*values):
    return Curve(10.0 * np.arange(1, len(values) + 1), np.array(values))


def result(**arms):
    return StudyResult(
        "s", "S", METRICS[0], tuple(Arm(name, seeds) for name, seeds in arms.items()), tuple(arms)
    )


TWO = {0: curve(0.5, 0.7), 1: curve(0.6, 0.8)}


def named(figure):
    return {trace.name: trace for trace in figure.data if trace.name and trace.showlegend is not False}


def test_a_mean_line_has_its_band_and_says_how_many_seeds():
    figure = comparison_figure(result(random=TWO, margin=TWO))
    lines = named(figure)
    assert list(lines) == ["random (2 seeds)", "margin (2 seeds)"]
    np.testing.assert_allclose(lines["random (2 seeds)"].y, [55, 75])
    assert lines["random (2 seeds)"].line.color == RANDOM.light
    assert lines["random (2 seeds)"].line.dash == "dash"
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    half = 12.7062047 * np.std([50, 60], ddof=1) / np.sqrt(2)
    np.testing.assert_allclose(bands[0].y[0], 55 + half, rtol=1e-4)
    np.testing.assert_allclose(bands[0].y[-1], 55 - half, rtol=1e-4)


def test_a_point_of_one_seed_has_no_interval_in_its_hover():
    several, single = (named(comparison_figure(result(random=some))) for some in (TWO, {0: TWO[0]}))
    assert several["random (2 seeds)"].customdata[0][0].startswith(" ± ")
    assert [list(x) for x in single["random (1 seed)"].customdata] == [[""], [""]]
    assert "±" not in single["random (1 seed)"].hovertemplate


def test_an_arm_without_a_settled_seed_is_drawn_by_its_single_curves():
    figure = comparison_figure(result(random=TWO, margin={}), result(random=TWO, margin={0: curve(0.5)}))
    lines = named(figure)
    assert list(lines["margin"].y) == [50]
    assert lines["margin"].opacity < 1
    assert len([trace for trace in figure.data if trace.fill == "toself"]) == 1


def test_single_seeds_are_drawn_on_demand():
    arms = result(random=TWO)
    assert len(comparison_figure(arms, singles=True).data) == len(comparison_figure(arms).data) + 2


def test_over_seconds_the_x_is_linear_unless_log_is_asked_for():
    assert (
        comparison_figure(replace(result(a=TWO), over="seconds")).layout.xaxis.title.text
        == "seconds of computing"
    )
    assert comparison_figure(result(a=TWO), log=True).layout.xaxis.type == "log"
    assert comparison_figure(result(a=TWO)).layout.xaxis.type is None


def test_the_penalty_matrix_is_written_in_per_cent_and_names_are_text():
    figure = penalty_figure(np.array([[0, 0.25], [0, 0]]), ["<b>a</b>", "b"])
    assert [note.text for note in figure.layout.annotations] == ["·", "25", "0", "·"]
    assert figure.layout.xaxis.ticktext[0] == "&lt;b&gt;a&lt;/b&gt;"


def test_overlap_has_a_row_a_pair_and_a_column_a_round():
    rows = [("a", "b", 0, 0.5, 5), ("a", "b", 1, 0.25, 5), ("a", "c", 0, 0.0, 5)]
    figure = overlap_figure(pd.DataFrame(rows, columns=["arm", "other", "round", "overlap", "seeds"]))
    assert list(figure.layout.yaxis.ticktext) == ["a · b", "a · c"]
    assert [note.text for note in figure.layout.annotations] == ["50", "25", "0"]


def test_of_many_classes_those_are_drawn_whose_shares_differ_most():
    count = MOST_CLASSES + 5
    rows = [
        (arm, i, f"class {i}", 0.01 + (0.02 if arm == "b" and i >= 5 else 0), 1.0, 1)
        for arm in ("a", "b")
        for i in range(count)
    ]
    frame = pd.DataFrame(rows, columns=["arm", "class_id", "class", "share", "count", "seeds"])
    figure = class_figure(frame, {"a": "random", "b": "margin"}, [0.04] * count)
    assert list(figure.data[0].x) == list(range(5, count))
    assert list(figure.data[2].x) == list(range(5, count))
    assert figure.layout.xaxis.ticktext[0] == "class 5"


def test_a_learning_curve_is_drawn_over_what_was_spent():
    done = [
        RoundRecord("r", n, 20 * (n + 1), 0, {"test_accuracy": 0.5 + n / 10}, None, (), {}, {}, {}, 0.0)
        for n in range(3)
    ]
    material = RunMaterial("Margin", "margin", ("a", "b"), done, (), done[:2])
    (metric,) = [m for m in METRICS if m.key == "test_accuracy"]
    plain, money = (
        learning_sheet(material, metric),
        learning_sheet(material, metric, over="money", own=[1.0, 2.5, 4.0], baseline=[1.0, 9.0]),
    )
    assert [list(trace.x) for trace in plain.draw(False).data] == [[20, 40], [20, 40, 60]]
    drawn = money.draw(False)
    assert [list(trace.x) for trace in drawn.data] == [[1.0, 9.0], [1.0, 2.5, 4.0]]
    assert drawn.layout.xaxis.title.text == "cost"
    assert drawn.data[1].hovertemplate.startswith("a cost of ")
    assert money.key == "learning-accuracy-money"
    assert plain.key == "learning-accuracy"
