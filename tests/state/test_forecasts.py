"""The forecast in a person's words."""

import numpy as np

from al_core.results.analysis import METRICS, Curve
from al_core.results.forecast import forecast
from state import forecasts

ACCURACY, LOSS = METRICS[0], next(m for m in METRICS if m.key == "test_loss")
LABELS = np.arange(20, 220, 20.0)
FOUND = forecast(Curve(LABELS, 0.97 - 2 * LABELS**-0.6), ACCURACY)


def test_the_gain_is_said_in_points_with_its_interval():
    words = forecasts.gain_words(FOUND, ACCURACY, 20)
    assert words.startswith("+0.4 ± ")
    assert words.endswith(" points")


def test_labels_to_a_target_come_with_their_interval_or_with_the_reason_why_not():
    said = forecasts.reach_words(FOUND, ACCURACY, 0.9, 1000)
    assert said.startswith("Labels to 90 %: about 2")
    assert " to " in said
    assert forecasts.reach_words(FOUND, ACCURACY, 0.8, 1000) == "80 % is reached already."
    assert "nothing is forecast" in forecasts.reach_words(FOUND, ACCURACY, 0.99, 1000)
    assert "more than the 210 images" in forecasts.reach_words(FOUND, ACCURACY, 0.92, 210)


def test_the_target_that_is_offered_is_the_next_usual_one():
    assert forecasts.goal(FOUND, ACCURACY, 0.88) == 0.9
    assert forecasts.goal(FOUND, ACCURACY, 0.9) == 0.95
    losses = forecast(Curve(LABELS, 0.1 + 30 / LABELS), LOSS)
    assert forecasts.goal(losses, LOSS, 0.25) == 0.2
    assert forecasts.reach_words(losses, LOSS, 0.2, 1000).startswith("Labels to 0.2: about")


def test_the_drawn_band_begins_at_the_last_round_and_ends_with_the_pool():
    drawn = forecasts.points(FOUND, 10_000)
    assert (drawn["x"][0], drawn["x"][-1]) == (200, 400)
    assert all(a <= b <= c for a, b, c in zip(drawn["low"], drawn["y"], drawn["high"], strict=True))
    assert forecasts.points(FOUND, 260)["x"][-1] == 260
    assert forecasts.points(FOUND, 200) is None
    assert forecasts.points(None, 200) is None


def test_before_four_rounds_it_says_how_many_are_missing():
    assert forecasts.too_early(3) == "A forecast takes 4 rounds: 1 to go."
