from types import SimpleNamespace

import numpy as np

from al_core.results.figures.arms import arms_figure, arms_frame


def rounds():
    chances = [(0.5, 0.5), (0.6, 0.4), (0.7, 0.3)]
    return [
        SimpleNamespace(
            number=i, num_labeled=20 + 10 * i,
            metrics={"test_accuracy": 0.5, "arm_chance:margin": a, "arm_chance:random": b}
            | ({"arm_accuracy:margin": 0.4 + i / 10} if i else {}),
        )
        for i, (a, b) in enumerate(chances)
    ]  # fmt: skip


def test_a_row_for_each_round_and_arm():
    frame = arms_frame(rounds())
    assert len(frame) == 6
    assert frame[frame["arm"] == "margin"]["chance"].tolist() == [0.5, 0.6, 0.7]
    assert frame[frame["arm"] == "margin"]["labels"].tolist() == [20, 30, 40]
    accuracies = frame[frame["arm"] == "margin"]["accuracy"].astype(float).to_numpy()
    np.testing.assert_allclose(accuracies, [np.nan, 0.5, 0.6])
    assert frame[frame["arm"] == "random"]["accuracy"].isna().all()


def test_the_figure_shows_chances_above_and_accuracies_below():
    figure = arms_figure(arms_frame(rounds()), {"margin": "Smallest <b>margin</b>"})
    assert len(figure.data) == 4
    assert figure.data[0].y.tolist() == [50, 60, 70]
    assert "<b>" not in figure.data[0].name
    assert [trace.yaxis for trace in figure.data] == ["y", "y2", "y", "y2"]


def test_rounds_without_a_bandit_have_no_arms():
    assert arms_frame([SimpleNamespace(number=0, num_labeled=9, metrics={"test_loss": 1.0})]).empty
