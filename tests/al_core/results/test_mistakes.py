import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from al_core.results.figures.reliability import slices_figure
from al_core.results.metrics import calibration_error
from al_core.results.mistakes import Predictions, flips, part_words, reliability, slices


def predictions(probs, labels, ids=None):
    probs = np.asarray(probs, float)
    return Predictions(np.arange(len(probs)) if ids is None else np.asarray(ids), probs, np.asarray(labels))


FOUR = predictions(
    [[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]], [0, 0, 1, 2], [5, 7, 8, 9]
)


def test_a_round_without_test_predictions_has_none():
    assert Predictions.of({}, np.arange(3)) is None
    assert (
        Predictions.of({"test_ids": np.array([], int), "test_probs": np.zeros((0, 3))}, np.arange(3)) is None
    )


def test_labels_are_those_of_the_ids_and_not_of_the_rows():
    found = Predictions.of({"test_ids": np.array([4, 1]), "test_probs": np.eye(2)}, np.array([0, 1, 0, 0, 0]))
    assert found is not None
    assert found.labels.tolist() == [0, 1]
    assert found.right.tolist() == [True, True]


def test_mistakes_are_the_wrong_rows_and_the_surest_comes_first():
    assert FOUR.mistakes().tolist() == [1, 2]
    assert FOUR.mistakes(true=1).tolist() == [2]
    assert FOUR.rows(true=0, predicted=1).tolist() == [1]
    assert FOUR.rows(true=0).tolist() == [0, 1]
    assert FOUR.rows(predicted=0).tolist() == [0, 2]


def test_flips_compare_the_same_images_whatever_their_rows():
    after = predictions([[0.1, 0.8, 0.1], [0.8, 0.1, 0.1], [0.9, 0.1, 0.0]], [1, 0, 0], [8, 7, 5])
    changed = flips(FOUR, after)
    assert changed.unlearned.tolist() == []
    assert sorted(changed.learned.tolist()) == [7, 8]
    back = flips(after, FOUR)
    assert sorted(back.unlearned.tolist()) == [7, 8]
    assert back.learned.tolist() == []


def test_reliability_equals_scikit_learn_s_curve_and_adds_up_to_the_calibration_error():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(4), 500)
    found = predictions(probs, rng.integers(0, 4, 500))
    frame = reliability(found, bins=15)
    truth, confidence = calibration_curve(found.right, found.confidence, n_bins=15)
    assert frame["accuracy"].to_numpy() == pytest.approx(truth)
    assert frame["confidence"].to_numpy() == pytest.approx(confidence)
    gaps = (frame["images"] / 500 * (frame["accuracy"] - frame["confidence"]).abs()).sum()
    assert gaps == pytest.approx(calibration_error(probs, found.labels))


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.booleans())
def test_every_image_is_in_one_part_of_each_property(seed, n, tied):
    rng = np.random.default_rng(seed)
    found = predictions(rng.dirichlet(np.ones(3), n), rng.integers(0, 3, n))
    values = {"brightness": np.zeros(n) if tied else rng.random(n), "contrast": rng.integers(0, 3, n) * 1.0}
    frame = slices(found, values)
    for name in values:
        part = frame[frame["property"] == name]
        assert part["images"].sum() == n
        right = (part["accuracy"] * part["images"]).sum()
        assert right == pytest.approx(found.right.sum())
        assert (part["accuracy_low"] <= part["accuracy"] + 1e-9).all()


def test_images_whose_value_is_not_known_are_in_no_part():
    sizes = np.array([np.nan, 100, 100, 400, 400, np.nan])
    found = predictions(np.eye(2)[[0, 0, 0, 1, 1, 1]], np.zeros(6, int))
    frame = slices(found, {"shorter side": sizes, "aspect ratio": np.full(6, np.nan)})
    assert frame["property"].tolist() == ["shorter side"] * 2
    assert frame["images"].tolist() == [2, 2]
    assert frame["accuracy"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "low", "high", "words"),
    [("shorter side", 100, 400, "100 to 400"), ("brightness", 20.2, 20.4, "20"),
     ("aspect ratio", 0.75, 1.333, "0.75 to 1.33")],
)  # fmt: skip
def test_a_part_is_named_by_its_values(name, low, high, words):
    assert part_words(name, low, high) == words


def test_a_weak_kind_of_picture_stands_out():
    n = 400
    brightness = np.arange(n) / n
    labels = np.zeros(n, int)
    predicted = np.where(brightness < 0.25, 1, 0)
    frame = slices(predictions(np.eye(2)[predicted], labels), {"brightness": brightness})
    assert frame["accuracy"].tolist() == [0.0, 1.0, 1.0, 1.0]
    assert frame["accuracy_high"][0] < 0.05


@pytest.mark.parametrize("dark", [False, True])
def test_error_bars_of_parts_are_seen_on_a_dark_page_too(dark):
    frame = slices(FOUR, {"brightness": np.arange(4.0)})
    (bars,) = slices_figure(frame, 0.75, dark=dark).data
    luminance = np.mean([int(bars.error_y.color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    assert (luminance > 0.8) if dark else (luminance < 0.2)  # plotly's own is dark grey on either
