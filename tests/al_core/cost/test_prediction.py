"""Predictions from what was measured; what was not measured is not guessed."""

import dataclasses
import json

import pytest

from al_core.config import ExperimentConfig
from al_core.cost import calibration as calibration_module
from al_core.cost.calibration import Calibration, NetworkSpeed, SelectionSpeed, network_key, strategy_key
from al_core.cost.history import correction
from al_core.cost.pool import Pool
from al_core.cost.prediction import cap_for, predict, sizes_of
from al_core.cost.words import candidates_words, cost_words, megabytes, short_seconds
from al_core.data.prepare import prepare
from al_core.query.strategies import STRATEGIES
from al_core.records import RoundRecord
from al_core.worker.calibrate import calibrate

POOL = Pool(50_000, 10, 32)
SPEED = NetworkSpeed(
    512, 64, 256,
    {"probs": 1e-3, "mc_base": 1e-3, "mc_pass": 1e-5, "train_fixed": 1.0, "train_step": 0.1,
     "features": 1e-4, "texture": 3e-4, "deepfool_distance": 0.1, "bim_distance": 0.2, "copies": 0.15},
    texture_width=190,
)  # fmt: skip


def config_for(strategy, **changes):
    return ExperimentConfig().changed(query__strategy=strategy, **changes)


def known(*configs):
    found = Calibration("here")
    for config in configs:
        found = found.with_network(network_key(config, POOL.image_size, POOL.num_classes), SPEED)
        strategy = STRATEGIES.get(config.query.strategy)
        factors = (1e-8,) * len(strategy.growth[0].terms(dict.fromkeys(strategy.growth[0].names, 2.0)))
        for width in (64, 190, 512):
            key = strategy_key(strategy, config.query.options, POOL.num_classes, width)
            found = found.with_strategy(key, SelectionSpeed(0.0, factors))
    return found


def cost_of(strategy, labeled=None, **changes):
    config = config_for(strategy, **changes)
    cost = predict(config, POOL, sizes_of(config, POOL, labeled), known(config))
    assert cost is not None
    return cost


def test_nothing_is_predicted_from_nothing():
    config = config_for("margin")
    sizes = sizes_of(config, POOL)
    assert predict(config, POOL, sizes, Calibration("here")) is None
    only_network = dataclasses.replace(known(config), strategies={})
    assert predict(config, POOL, sizes, only_network) is None
    assert predict(config_for("bald"), POOL, sizes, known(config)) is None
    assert predict(config.changed(model__model="resnet18"), POOL, sizes, known(config)) is None


def test_one_pass_over_the_candidates_is_what_margin_costs():
    cost = cost_of("margin")
    n = 50_000 - 20
    assert cost.evidence == pytest.approx(n * 1e-3, rel=0.01)
    assert cost.selection == pytest.approx(n * 10 * 1e-8)
    assert cost.once == 0
    assert cost.memory > 4 * n * (512 + 10)


def test_random_pays_for_the_guesses_beside_its_query_only():
    assert cost_of("random").evidence == pytest.approx(256 * 1e-3)


def test_dropout_passes_cost_their_head_each():
    assert cost_of("bald").evidence == pytest.approx(50_000 * (1e-3 + 20e-5), rel=0.02)


def test_a_committee_costs_its_trainings():
    few, many = cost_of("qbc_kl", 64), cost_of("qbc_kl", 6400)
    steps = 50 * 100
    assert few.evidence == pytest.approx(4 * (1 + 200 * 0.1) + 5 * 50_000 * 1e-3, rel=0.02)
    assert many.evidence - few.evidence == pytest.approx(4 * (steps - 200) * 0.1, rel=0.05)


def test_kept_features_are_paid_for_once():
    cost = cost_of("k_center_features")
    assert cost.once == pytest.approx(50_000 * 1e-4)


def test_textures_are_paid_for_once_and_have_a_width_of_their_own():
    cost = cost_of("kmeans_texture")
    assert cost.once == pytest.approx(50_000 * 3e-4)
    config = config_for("kmeans_texture")
    sizes = sizes_of(config, POOL)
    assert cost.memory - 4 * STRATEGIES.get("kmeans_texture").growth[1](
        {"n": sizes.n, "k": sizes.k, "D": 190}
    ) == pytest.approx(4 * sizes.n * 190, rel=1e-6)


def test_adversarial_copies_are_made_by_chunks_and_lengthen_a_committee_s_trainings():
    plain, copied = (cost_of("margin", train__adversarial_copies=on) for on in (False, True))
    assert copied.evidence - plain.evidence == pytest.approx(64 * 0.15)
    few, many = (cost_of("qbc_kl", 6400, train__adversarial_copies=on) for on in (False, True))
    steps = 50 * ((6400 + 6400 - 20) // 64 + 1) - 50 * 100
    assert many.evidence - few.evidence == pytest.approx(4 * steps * 0.1 + 64 * 0.15)
    config = config_for("margin", train__adversarial_copies=True)
    unknown = {name: s for name, s in SPEED.seconds.items() if name != "copies"}
    speed = dataclasses.replace(SPEED, seconds=unknown)
    less = dataclasses.replace(known(config), networks={network_key(config, 32, 10): speed})
    assert predict(config, POOL, sizes_of(config, POOL), less) is None


def test_a_cap_makes_fewer_candidates_and_less_of_everything():
    whole, capped = cost_of("badge"), cost_of("badge", query__candidates=5000)
    assert capped.seconds < whole.seconds / 5
    assert capped.memory < whole.memory / 5
    config = config_for("badge", query__candidates=5000, data__round_validation=0.2)
    sizes = sizes_of(config, POOL)
    assert (sizes.pool, sizes.n) == (39_980, 5000)


def test_a_cap_is_advised_where_a_limit_is_passed_and_only_there():
    slow = config_for("deep_fool")
    cap = cap_for(slow, POOL, known(slow))
    assert cap == 500  # .1 s an image: 512 of them, in whole chunks
    assert cap_for(slow.changed(query__candidates=cap), POOL, known(slow)) is None
    large = slow.changed(oracle="human", query__n_new=300)  # and as many ahead: 500 would not do
    assert cap_for(large, POOL, known(large)) is None
    quick = config_for("random")
    assert cap_for(quick, POOL, known(quick)) is None
    assert cap_for(slow, POOL, Calibration("here")) is None
    assert cap_for(quick, POOL, known(quick), memory=10) is None  # no cap would help


def test_a_second_strategy_is_counted_too():
    config = config_for("margin", query__second="bald")
    sizes = sizes_of(config, POOL)
    assert predict(config, POOL, sizes, known(config)) is None
    both = known(config, config_for("bald"))
    cost = predict(config, POOL, sizes, both)
    assert cost is not None
    assert cost.seconds > cost_of("margin").seconds + 50_000 * 20e-5


def test_what_was_measured_is_kept_and_belongs_to_this_machine(settings, monkeypatch):
    config = config_for("margin")
    mine = dataclasses.replace(known(config), machine=calibration_module.machine())
    mine.write(settings)
    assert Calibration.read(settings) == mine
    monkeypatch.setattr(calibration_module, "machine", lambda: "another")
    assert Calibration.read(settings).networks == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "machine": 3}', "\0"])
def test_a_damaged_file_is_as_none(settings, text):
    (settings.home / "cost.json").write_text(text)
    assert Calibration.read(settings).networks == {}


def test_two_processes_that_measure_lose_nothing_of_each_other(settings):
    here = calibration_module.machine()
    one, two = (dataclasses.replace(known(config_for(s)), machine=here) for s in ("margin", "entropy"))
    one.write(settings)
    two.write(settings)
    assert len(Calibration.read(settings).strategies) == 6


@pytest.mark.slow
def test_a_calibration_on_this_machine_is_read_again_and_not_repeated(settings, monkeypatch):
    config = config_for("margin", train__threads=1)
    pool = Pool(1297, 10, 8)
    found = calibrate(settings, [config], pool)
    cost = predict(config, pool, sizes_of(config, pool), found)
    assert cost is not None
    assert 0 < cost.seconds < 60
    monkeypatch.setattr("al_core.worker.calibrate.measure_network", lambda *a, **k: 1 / 0)
    assert calibrate(settings, [config], pool) == Calibration.read(settings)


def test_a_pool_is_known_from_its_source_before_it_is_prepared(settings):
    data = ExperimentConfig().data
    from_source = Pool.of(settings, data)
    prepare(settings, data)
    assert from_source == Pool.of(settings, data) == Pool(1297, 10, 8)
    assert Pool.of(settings, data.model_copy(update={"dataset": "folder:/nowhere"})) is None


class Rounds:
    """A store with one experiment, whose queries took twice the predicted time."""

    def __init__(self, config, seconds):
        self.config, self.seconds = config, seconds

    def experiments(self):
        return [type("R", (), {"id": "e", "config": self.config, "created_at": 0.0})]

    def rounds(self, _):
        return [
            RoundRecord("e", i, 20, i, {}, None, (), {"query": self.seconds}, {}, {"askwell": "0"}, 0.0)
            for i in range(4)
        ]

    def query(self, _, number):
        return type("Q", (), {"num_candidates": 49_980, "items": range(20), "round": number})


def test_real_rounds_correct_the_next_prediction(monkeypatch):
    monkeypatch.setattr("al_core.cost.history.__version__", "0")
    config = config_for("margin")
    predicted = cost_of("margin").seconds
    factor, rounds = correction(Rounds(config, 2 * predicted), config, POOL, known(config))
    assert (factor, rounds) == (pytest.approx(2), 3)  # the first round is not like the others
    other = config_for("entropy")
    assert correction(Rounds(config, 2 * predicted), other, POOL, known(other)) == (1.0, 0)


def test_figures_are_said_as_people_read_them():
    assert [short_seconds(s) for s in (0, 0.001, 0.044, 9.94, 42.4, 125, 3600, 3700)] == [
        "0 s", "< 0.01 s", "0.044 s", "9.9 s", "42 s", "2 min 5 s", "1 h", "1 h 1 min",
    ]  # fmt: skip
    assert [megabytes(n) for n in (10, 4_200_000, 2_500_000_000)] == ["1 MB", "4 MB", "2.5 GB"]
    assert candidates_words(5000, 40_000) == "5,000 of 40,000 candidates (candidate cap)"
    words = cost_words(cost_of("k_center_features"), sizes_of(config_for("random"), POOL), rounds=1)
    assert "5 s once for features" in words
    assert words.endswith("(corrected by 1 real round)")


def test_keys_say_what_a_speed_depends_on():
    config = ExperimentConfig()
    key = network_key(config, 32, 10)
    assert json.loads(key)["image_size"] == 32
    same = config.changed(query__strategy="random", train__epochs=7, seed=3)
    assert network_key(same, 32, 10) == key != network_key(config.changed(model__dropout=0.5), 32, 10)
