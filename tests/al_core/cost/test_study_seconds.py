"""What a whole run is predicted to take: every round's training, evaluation and query."""

import dataclasses

import pytest

from al_core.config import ExperimentConfig
from al_core.cost.calibration import Calibration, NetworkSpeed, SelectionSpeed, network_key, strategy_key
from al_core.cost.pool import Pool
from al_core.cost.prediction import predict, sizes_of
from al_core.cost.study import labels_of_rounds, run_seconds
from al_core.query.strategies import STRATEGIES
from al_core.study import StudyConfig
from al_core.worker.calibrate import calibrate

POOL = Pool(1000, 10, 8)


def config(**changes):
    return ExperimentConfig().changed(query__strategy="margin", query__n_new=20, **changes)


def known(of, **kinds):
    speed = NetworkSpeed(64, 0, 1, {"probs": 1e-3} | kinds)
    strategy = STRATEGIES.get("margin")
    return (
        Calibration("here")
        .with_network(network_key(of, 8, 10), speed)
        .with_strategy(strategy_key(strategy, {}, 10, 64), SelectionSpeed(0.5, (0.0,)))
    )


def test_labels_grow_by_the_query_size_until_rounds_or_budget_end_it():
    assert list(labels_of_rounds(config(stop__n_rounds=3), POOL)) == [20, 40, 60]
    assert list(labels_of_rounds(config(stop__budget=50), POOL)) == [20, 40, 50]
    assert list(labels_of_rounds(config(stop__n_rounds=2, stop__budget=500), POOL)) == [20, 40]
    assert list(labels_of_rounds(config(), POOL))[-1] == 1000  # the pool is used up
    assert list(labels_of_rounds(config(query__baseline="full"), POOL)) == [1000]
    assert list(labels_of_rounds(config(query__baseline="subset", stop__n_rounds=3), POOL)) == [60]


def test_a_run_is_the_sum_of_its_rounds():
    of = config(stop__n_rounds=3, train__epochs=10, train__batch_size=20, train__min_steps=15)
    calibration = known(of, train_fixed=1.0, train_step=0.1)
    steps = 15 + 20 + 30
    queries = [predict(of, POOL, sizes_of(of, POOL, m), calibration) for m in (20, 40)]
    expected = 3 * 1.0 + steps * 0.1 + 3 * 200 * 1e-3 + sum(cost.seconds for cost in queries)
    assert run_seconds(of, POOL, 200, calibration) == pytest.approx(expected)


def test_validation_is_paid_for_each_epoch_and_each_round():
    plain = config(stop__n_rounds=2, train__min_steps=0, train__epochs=4)
    held = plain.changed(data__epoch_validation=0.1, data__round_validation=0.2)
    calibration = known(plain, train_fixed=0.0, train_step=0.0)
    more = run_seconds(held, POOL, 0, calibration) - run_seconds(plain, POOL, 0, calibration)
    fewer = 0.3 * 1000 * 1e-3  # of the one query: the validation images are no candidates
    assert more == pytest.approx(2 * (4 * 0.1 + 0.2) * 1000 * 1e-3 - fewer)


def test_many_rounds_are_sampled_and_come_out_about_the_same():
    of = config(stop__n_rounds=None, stop__budget=990, query__candidates=100).changed(query__n_new=1)
    calibration = known(of, train_fixed=1.0, train_step=0.01)
    whole = sum(1 + 0.01 * max(50 * -(-m // 64), 200) + 0.6 for m in range(20, 991))
    assert run_seconds(of, POOL, 0, calibration) == pytest.approx(whole, rel=0.05)


def test_nothing_is_predicted_from_what_was_not_measured():
    of = config(stop__n_rounds=3)
    assert run_seconds(of, POOL, 10, Calibration("here")) is None
    assert run_seconds(of, POOL, 10, known(of)) is None
    measured = known(of, train_fixed=1.0, train_step=0.1)
    assert run_seconds(of, POOL, 10, dataclasses.replace(measured, strategies={})) is None


@pytest.mark.slow
def test_measuring_with_training_is_enough_to_predict_a_study(settings):
    study = StudyConfig.parse({"base": {"stop": {"n_rounds": 3}}, "axes": {"query.strategy": ["margin"]}})
    cell = study.cells()[0].config
    calibration = calibrate(settings, [cell], POOL, training=True)
    seconds = run_seconds(cell, POOL, 100, calibration)
    assert seconds is not None
    assert 0.1 < seconds < 100
