"""Presets: whole, checked sets of options, and what is given explicitly wins."""

import subprocess
import sys

import pytest

from al_core.cli import main
from al_core.config import ExperimentConfig, options
from al_core.errors import ConfigError
from al_core.presets import PRESETS, apply


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_changes_what_it_names_and_nothing_else(preset):
    known = {option.path for option in options()}
    assert set(preset.overrides) <= known
    base = ExperimentConfig(seed=7, name="mine").changed(data__dataset="shapes", query__n_new=33)
    before, after = base.model_dump(), apply(base, preset.name).model_dump()
    for path in known:
        section, _, leaf = path.rpartition(".")
        one, two = ((values[section] if section else values)[leaf] for values in (before, after))
        assert two == preset.overrides.get(path, one)
    with pytest.raises(TypeError):
        preset.overrides["train.epochs"] = 3
    assert preset.title
    assert preset.description


def test_an_unknown_preset_is_refused_with_a_guess():
    with pytest.raises(ConfigError, match="did you mean 'fast'"):
        apply(ExperimentConfig(), "fats")


def test_flags_win_over_the_preset(capsys):
    assert main(["run", "--preset", "nonsense"]) == 2
    assert "instant, fast, sprint, seed1" in capsys.readouterr().err
    assert main(["list", "presets"]) == 0
    assert "--epochs 14" in capsys.readouterr().out


def test_presets_import_no_torch():
    code = "import sys, al_core.presets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_a_run_begins_with_its_preset_and_ends_with_its_flags(settings, monkeypatch, tmp_path):
    import json

    monkeypatch.setenv("AL_HOME", str(settings.home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    flags = ["--epochs", "2", "--min-steps", "4", "--n-rounds", "2", "--threads", "1", "--dataset", "digits"]
    out = tmp_path / "out"
    assert main(["run", "--quiet", "--preset", "fast", *flags, "--out", str(out)]) == 0
    config = json.loads((out / "manifest.json").read_text())["config"]
    assert config["model"]["model"] == "fast_net"
    assert config["train"]["augment"] is True
    assert config["train"]["epochs"] == 2
