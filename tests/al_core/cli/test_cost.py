"""`cost`: a prediction in a line, or a table over all strategies, from what was measured."""

import pytest

from al_core.cli import main
from al_core.cost.calibration import (
    Calibration,
    NetworkSpeed,
    SelectionSpeed,
    machine,
    network_key,
    strategy_key,
)
from al_core.query.strategies import STRATEGIES

SECONDS = {
    "probs": 1e-3, "mc_base": 1e-3, "mc_pass": 1e-5, "train_fixed": 1.0, "train_step": 0.1, "features": 1e-4,
    "deepfool_distance": 0.1, "bim_distance": 0.2,
}  # fmt: skip


@pytest.fixture
def measured(settings, monkeypatch):
    """A home in which digits with the small network is measured, so that no test waits for it."""
    monkeypatch.setenv("AL_HOME", str(settings.home))
    from al_core.config import ExperimentConfig

    known = Calibration(machine()).with_network(
        network_key(ExperimentConfig(), 8, 10), NetworkSpeed(128, 64, 256, SECONDS)
    )
    for strategy in STRATEGIES:
        work = strategy.growth[0]
        terms = len(work.terms(dict.fromkeys(work.names, 2.0)))
        for width in (64, 128):
            key = strategy_key(strategy, {}, 10, width)
            known = known.with_strategy(key, SelectionSpeed(0.0, (1e-9,) * terms))
    known.write(settings)


def test_a_query_is_predicted_in_a_line(measured, capsys):
    assert main(["cost", "--query-strategy", "KCenterGreedy", "--n-new", "50"]) == 0
    out = capsys.readouterr().out
    assert "digits, small_cnn: 1,277 candidates of 1,277, 20 labeled, 50 asked for" in out
    assert "a query of KCenterGreedy: about 1.5 s and" in out


def test_a_config_to_begin_with_is_read(measured, tmp_path, capsys):
    path = tmp_path / "manifest.json"
    path.write_text('{"config": {"query": {"strategy": "k_center", "n_new": 7}}}')
    assert main(["cost", "--config", str(path)]) == 0
    assert "7 asked for" in capsys.readouterr().out


def test_a_cap_is_recommended_with_its_figure(measured, capsys):
    assert main(["cost", "--query-strategy", "deep_fool"]) == 0
    assert "--candidates 500 would keep it below a minute" in capsys.readouterr().out


@pytest.mark.slow
def test_the_table_has_every_strategy_and_why_one_cannot_run(measured, capsys):
    assert main(["cost", "--all", "--labels", "500"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "500 labeled" in lines[0]
    assert {line.split()[0] for line in lines[2:]} == set(STRATEGIES.names())
    assert lines[2].startswith(("random", "kmeans_features", "k_center_features", "typiclust"))


def test_a_strategy_that_the_model_cannot_serve_is_refused(measured, capsys):
    assert main(["cost", "--model", "resnet18", "--query-strategy", "bald"]) == 2
    assert "has no dropout" in capsys.readouterr().err
