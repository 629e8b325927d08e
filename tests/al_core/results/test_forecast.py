"""The forecast finds laws that are there, says when it knows little, and holds on real digits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from al_core.results.analysis import METRICS, Curve
from al_core.results.forecast import FARTHEST, FEWEST_ROUNDS, forecast
from tests.benchmarks.forecast import back_test, coverage

ACCURACY, LOSS = METRICS[0], next(m for m in METRICS if m.key == "test_loss")
ECE = next(m for m in METRICS if m.key == "test_ece")
LABELS = np.arange(20, 220, 20.0)


def law(labels, floor=0.03, height=2.0, exponent=0.6):
    return 1 - floor - height * np.asarray(labels, float) ** -exponent


def noisy(rounds=10, noise=0.004, seed=0, **kw):
    rng = np.random.default_rng(seed)
    return Curve(LABELS[:rounds], law(LABELS[:rounds], **kw) + rng.normal(0, noise, rounds))


class TestKnownLaw:
    def test_its_continuation_lies_in_the_band_and_near_its_middle(self):
        found = forecast(noisy(), ACCURACY)
        places = np.array([220.0, 300, 400, 600])
        middle, low, high = found.band(places)
        truth = law(places)
        assert (low < truth).all()
        assert (truth < high).all()
        assert np.abs(middle - truth).max() < 0.02

    def test_the_gain_of_a_batch_and_the_labels_to_a_target_are_the_law_s(self):
        found = forecast(noisy(noise=0.002), ACCURACY)
        gain, half = found.gain(40)
        assert gain == pytest.approx(law(240) - law(200), abs=0.005)
        assert 0 < half < 0.02
        reach = found.labels_to(float(law(280)))
        assert 200 < reach.low < 280 < (reach.high or np.inf)
        assert 250 < reach.labels < 320

    def test_the_band_is_as_narrow_as_the_rounds_allow(self):
        few, many = forecast(noisy(4), ACCURACY), forecast(noisy(10), ACCURACY)
        width = [float(np.diff(f.band(np.array([1.5 * f.labels]))[1:, 0])[0]) for f in (few, many)]
        assert width[0] > 1.5 * width[1]

    def test_one_bad_round_moves_it_little(self):
        curve = noisy()
        spoiled = curve.values.copy()
        spoiled[6] -= 0.1
        clean, other = (forecast(Curve(LABELS, v), ACCURACY) for v in (curve.values, spoiled))
        place = np.array([300.0])
        assert abs(clean.band(place)[0, 0] - other.band(place)[0, 0]) < 0.02

    def test_the_band_holds_95_times_of_100_where_the_law_is_true(self):
        held = []
        for seed in range(120):
            found = forecast(noisy(8, seed=seed), ACCURACY)
            after = law(280) + np.random.default_rng(1000 + seed).normal(0, 0.004)
            _, low, high = found.band(np.array([280.0]))[:, 0]
            held.append(low <= after <= high)
        assert np.mean(held) >= 0.9

    def test_a_loss_is_forecast_as_it_is(self):
        curve = Curve(LABELS, 0.1 + 30 / LABELS)
        found = forecast(curve, LOSS)
        assert found.band(np.array([400.0]))[0, 0] == pytest.approx(0.175, abs=0.05)
        assert found.gain(20)[0] < 0
        assert found.labels_to(0.2).labels == pytest.approx(300, rel=0.2)


class TestRefusals:
    def test_too_few_rounds_and_metrics_without_a_law_give_nothing(self):
        assert forecast(noisy(FEWEST_ROUNDS - 1), ACCURACY) is None
        assert forecast(noisy(FEWEST_ROUNDS), ACCURACY) is not None
        assert forecast(noisy(), ECE) is None
        assert forecast(Curve(np.array([]), np.array([])), ACCURACY) is None

    def test_nothing_is_said_far_beyond_the_labels_so_far(self):
        found = forecast(noisy(), ACCURACY)
        assert found.farthest == FARTHEST * 200
        with pytest.raises(ValueError, match="beyond 600, where the forecast ends"):
            found.band(np.array([601.0]))
        reach = found.labels_to(0.995)
        assert (reach.labels, reach.high) == (None, None)

    def test_a_target_that_is_there_takes_no_more_labels(self):
        assert forecast(noisy(), ACCURACY).labels_to(0.6).labels <= 200


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=12), st.integers(1, 50))
def test_any_curve_has_a_forecast_that_is_a_number_in_its_range(values, step):
    curve = Curve(np.arange(1, len(values) + 1) * float(step), np.array(values))
    found = forecast(curve, ACCURACY)
    band = found.band(np.array([found.labels, found.farthest]))
    assert ((band >= 0) & (band <= 1)).all()
    assert (band[1] <= band[0]).all()
    assert (band[0] <= band[2]).all()
    gain, half = found.gain(step)
    assert gain >= 0  # labels do no harm
    assert np.isfinite(half)


def test_the_same_rounds_give_the_same_forecast():
    one, two = (forecast(noisy(), ACCURACY).band(np.array([300.0])) for _ in range(2))
    assert one.tolist() == two.tolist()


@pytest.mark.slow
def test_the_band_holds_on_real_digits():
    """Twenty curves of a logistic regression on the digits, random and margin, from the fourth round on."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    pixels, classes = load_digits(return_X_y=True)
    pixels = pixels / 16
    curves = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(classes))
        test, pool = order[:500], order[500:]
        for strategy in ("random", "margin"):
            labeled = list(pool[:30])
            values = []
            for _ in range(12):
                model = LogisticRegression(C=10, max_iter=200).fit(pixels[labeled], classes[labeled])
                values.append(model.score(pixels[test], classes[test]))
                rest = np.setdiff1d(pool, labeled)
                if strategy == "random":
                    labeled += list(rng.permutation(rest)[:15])
                else:
                    sorted_ = np.sort(model.predict_proba(pixels[rest]), axis=1)
                    labeled += list(rest[np.argsort(sorted_[:, -1] - sorted_[:, -2])[:15]])
            curves.append(Curve(30 + 15 * np.arange(12.0), np.array(values)))
    found = coverage(back_test(curves, ACCURACY))
    assert found.loc["all", "n"] > 500
    assert found.loc["all", "covered"] > 0.88
    assert found.loc["all", "half"] < 0.12  # a band that covers everything would hold as well
