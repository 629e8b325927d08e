"""Files that the operator names: registered, kept in the manifest, and never another one on the way."""

import hashlib
import os
import re
from contextlib import closing
from pathlib import Path

import pytest

from al_core import own_files
from al_core.cli import main
from al_core.config import ExperimentConfig
from al_core.data.sources import SOURCES
from al_core.errors import ConfigError, StrategyError
from al_core.models import MODELS
from al_core.query.strategies import STRATEGIES
from al_core.settings import Settings
from al_core.store import open_store
from al_core.worker.starting import worker_environment

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "own.md"
NAMES = ("doubt", "linear_pixels", "stripes")
PLAIN = '''"""Mine."""


def my_doubt(probs):
    """Prefer images whose likeliest class is not likely."""
    return -probs.max(axis=1).astype(float)
'''


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    """What these tests register is not there for others."""
    monkeypatch.setenv("AL_STRATEGIES", "")
    monkeypatch.setattr(own_files, "_LOADED", {})
    for registry in (STRATEGIES, MODELS, SOURCES):
        registry.names()  # its own package is imported first
        for name in ("_entries", "_names"):
            monkeypatch.setattr(registry, name, dict(getattr(registry, name)))


@pytest.fixture
def documented(tmp_path):
    """The document's files, in a folder."""
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), flags=re.DOTALL)
    folder = tmp_path / "own"
    folder.mkdir()
    for name, text in zip(NAMES, blocks, strict=True):
        (folder / f"{name}.py").write_text(text)
    (folder / "_not_this_one.py").write_text("1 / 0")
    return folder


def written(tmp_path, text=PLAIN, name="mine.py"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_what_the_document_says_is_registered(documented):
    own_files.load([documented])
    own_files.load([documented])  # once only
    assert "doubt" in STRATEGIES
    assert "linear_pixels" in MODELS
    assert "stripes" in SOURCES
    assert [option.name for option in STRATEGIES.get("doubt").options] == ["power"]


def test_only_what_a_config_uses_is_named_by_the_hash_of_its_source(documented):
    own_files.load([documented])
    config = ExperimentConfig().changed(query__strategy="margin")
    assert own_files.used_by(config) == {}
    mixed = config.changed(query__second="doubt", model__model="linear_pixels", data__dataset="stripes")
    hashes = {n: hashlib.sha256((documented / f"{n}.py").read_bytes()).hexdigest() for n in NAMES}
    assert own_files.used_by(mixed) == {
        "data set stripes": hashes["stripes"], "model linear_pixels": hashes["linear_pixels"],
        "strategy doubt": hashes["doubt"],
    }  # fmt: skip
    arms = config.changed(query__strategy="bandit", query__options={"arms": "doubt, margin"})
    assert own_files.used_by(arms) == {"strategy doubt": hashes["doubt"]}


def test_a_plain_function_is_a_strategy(tmp_path):
    own_files.load([written(tmp_path)])
    assert STRATEGIES.get("my_doubt").title == "My doubt"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_like_this", "cannot be run: ModuleNotFoundError"),
        ("x = 1", "has not one function but none"),
        (PLAIN.replace("my_doubt", "margin"), "'margin' is taken"),
        (PLAIN.replace("probs", "labels"), "no evidence 'labels'"),
    ],
)
def test_a_file_that_offers_nothing_says_why(tmp_path, text, said):
    with pytest.raises(StrategyError, match=said):
        own_files.load([written(tmp_path, text)])


def test_a_path_that_leads_nowhere_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="a Python file or a folder"):
        own_files.load([tmp_path / "no.py"])


def test_a_file_that_changed_under_a_process_stops_it_and_a_changed_one_stops_a_resume(tmp_path):
    path = written(tmp_path)
    own_files.load([path])
    config = ExperimentConfig().changed(query__strategy="my_doubt")
    before = own_files.used_by(config)
    assert own_files.require_same(before, config) == before
    with pytest.raises(StrategyError, match="name its file as it was then"):
        own_files.require_same({"strategy my_doubt": "0" * 64}, config)
    with pytest.raises(StrategyError, match="comes from no file of yours now"):
        own_files.require_same(before, config.changed(query__strategy="margin"))
    path.write_text(PLAIN + "# changed\n")
    with pytest.raises(StrategyError, match="no longer what this process ran"):
        own_files.used_by(config)


def test_a_strategy_whose_file_is_not_named_says_how_to_name_it():
    with pytest.raises(StrategyError, match="named by --strategy-file or AL_STRATEGIES"):
        STRATEGIES.get("my_doubt")


def test_settings_and_workers_know_the_files(tmp_path, monkeypatch):
    first, second = tmp_path / "a.py", tmp_path / "b"
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AL_STRATEGIES", str(first))
    own_files.add_to_environment([second])
    settings = Settings.from_env()
    assert settings.own_files == (first, second)
    assert worker_environment(settings)["AL_STRATEGIES"] == f"{first}{os.pathsep}{second}"
    assert Settings.from_env({"AL_HOME": str(tmp_path / "home")}).own_files == ()


@pytest.mark.slow
def test_a_run_uses_own_files_keeps_their_hashes_and_refuses_to_go_on_with_others(
    documented, settings, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("AL_HOME", str(settings.home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    command = [
        "run", "--dataset", "stripes", "--model", "linear_pixels", "--query-strategy", "doubt", "--option",
        "power=2.0", "--epochs", "2", "--min-steps", "4", "--n-new", "5", "--threads", "1", "--quiet",
    ]  # fmt: skip
    out = ["--out", str(tmp_path / "out"), "--strategy-file", str(documented)]
    assert main([*command, *out, "--n-rounds", "2"]) == 0
    with closing(open_store(settings)) as store:
        (record,) = store.experiments()
        rounds = store.rounds(record.id)
    known = rounds[-1].manifest["own_files"]
    assert known.keys() == {"strategy doubt", "model linear_pixels", "data set stripes"}
    assert known["strategy doubt"] == hashlib.sha256((documented / "doubt.py").read_bytes()).hexdigest()
    capsys.readouterr()
    # the same command in a process that ran another file
    doubt = documented / "doubt.py"
    doubt.write_text(doubt.read_text() + "\n# another\n")
    with pytest.raises(StrategyError, match="no longer what this process ran"):
        own_files.require_same(known, record.config)
