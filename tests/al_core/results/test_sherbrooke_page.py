"""The page of the first seed's batch: made from a study's records, the report's figures beside ours."""

import sys

import pytest

from al_core.store import open_store
from al_core.study import StudyConfig
from al_core.study_presets import study_preset
from al_core.study_running import begin
from tests.benchmarks import sherbrooke, sherbrooke_page
from tests.e2e.seeded_study import seed_study

STRATEGIES = ("random", "least_confidence", "margin", "entropy")


@pytest.fixture
def store(settings):
    opened = open_store(settings)
    yield opened
    opened.close()


def page(store, settings, **changes):
    record = seed_study(settings, strategies=STRATEGIES, **changes)
    return sherbrooke.page_of(store, record.id)


def test_the_report_s_figures_stand_beside_ours_with_their_differences(store, settings):
    text = page(store, settings, seeds=[2021, 1, 2], rounds=4)
    table = [line.split(" | ") for line in text.splitlines() if " | 0.4" in line and "labels, " in line]
    rows = {cells[0].strip("| "): cells for cells in table}
    result = sherbrooke.study_result(store, store.studies()[0].id, "test_accuracy")
    for name, published in sherbrooke_page.PUBLISHED.items():
        arm = sherbrooke_page.arms_of(result)[name]
        own = float(arm.curves[2021].values[-1])
        assert rows[name][1:4] == [f"{published:.4f}", f"{own:.4f}", f"{own - published:+.4f}"]
        assert "80 labels" in rows[name][4]
        assert rows[name][5].endswith("(n = 3) |")
    flat = " ".join(text.split())
    assert "Our random sampling alone, over 3 seeds" in flat
    assert "Indicative only: 3 seeds" in flat
    assert all(f"\n{number}. " in text for number in range(1, 7))


def test_a_reduced_version_says_what_it_reduced(store, settings):
    text = page(store, settings, seeds=[2021, 1], rounds=4)
    flat = " ".join(text.split())
    assert "stop.n_rounds 4 in place of 21" in flat
    assert "query.n_new 20 in place of 100" in flat


def test_a_study_that_is_half_done_gives_a_page_of_what_there_is(store, settings):
    text = page(store, settings, seeds=[2021, 1], rounds=4, half=True)
    flat = " ".join(text.split())
    assert "not finished" in flat
    assert "of 8 runs finished" in flat


def test_a_study_that_has_not_begun_gives_a_page_without_figures(store, settings):
    record = begin(store, StudyConfig.parse(study_preset("sherbrooke").values))
    text = sherbrooke.page_of(store, record.id)
    assert "All settings are the preset's." in text
    assert "| random | 0.4058 | – | – | – | – |" in text


def test_no_path_of_a_machine_reaches_the_page():
    preset = StudyConfig.parse(study_preset("sherbrooke").values)
    config = preset.model_copy(update={"base": preset.base.changed(data__dataset="cifar10:/some/where")})
    assert sherbrooke_page.changes(config) == []


def test_the_command_is_the_preset_s_and_the_reduced_one_says_less(monkeypatch, tmp_path):
    whole, less = (sherbrooke.command("DATA", tmp_path, reduced=reduced) for reduced in (False, True))
    assert whole[:5] == ["study", "--preset", "sherbrooke", "--dataset", "cifar10:DATA"]
    assert whole[-5:] == ["2021", "0", "1", "2", "3"]
    assert less[-2:] == ["--n-rounds", "11"]
    assert less.count("2021") == 1
    said = []
    monkeypatch.setattr(sherbrooke, "cli", lambda words: said.append(words) or 0)
    monkeypatch.setattr(sys, "argv", ["x", "run", "--data", "DATA", "--out", str(tmp_path), "--reduced"])
    assert sherbrooke.main() == 0
    assert said == [less]


def test_report_writes_the_page(monkeypatch, settings, tmp_path):
    record = seed_study(settings, strategies=STRATEGIES, seeds=[2021], rounds=2)
    (tmp_path / "study.json").write_text(f'{{"study": "{record.id}"}}')
    monkeypatch.setattr(sherbrooke.Settings, "from_env", classmethod(lambda cls: settings))
    target = tmp_path / "page.md"
    monkeypatch.setattr(sys, "argv", ["x", "report", "--study", str(tmp_path), "--write", str(target)])
    assert sherbrooke.main() == 0
    assert target.read_text().startswith("# The first seed's query strategies, repeated")
