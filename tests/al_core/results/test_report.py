"""The report as a file: it says what was measured, runs nothing that a name smuggles in, and repeats."""

import html
import json
import re
import shlex

import pytest

from al_core.cli import main
from al_core.experiment import Experiment
from al_core.records import RoundRecord
from al_core.results.figures.sheets import RunMaterial, run_sheets
from al_core.results.records_file import manifest
from al_core.results.report.page import Page, Section, Statement, Table, page_html
from al_core.results.report.run_report import run_page
from al_core.settings import Settings
from al_core.store import open_store
from al_core.study import StudyConfig
from tests.e2e.seeded import seed
from tests.e2e.seeded_study import seed_study

POISON = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AL_HOME", str(tmp_path / "home"))
    return Settings.from_env()


def poisoned_page():
    classes = (POISON, "dog", "cat")
    store_free = RunMaterial(
        POISON, POISON, classes, [_record(n, classes) for n in range(2)], [], [_record(0, classes)]
    )
    table = Table((POISON, "b"), [(POISON, POISON)], POISON)
    section = Section("a", POISON, (POISON,), run_sheets(store_free), [table])
    return Page(
        "run", POISON, POISON, POISON, [Statement(POISON, POISON)], [], [section], POISON, POISON,
        (POISON, POISON), [(POISON, POISON)],
    )  # fmt: skip


def _record(number, classes):
    confusion = ((3, 1, 0), (0, 4, 0), (1, 0, 3))
    return RoundRecord(
        "e",
        number,
        10 * (number + 1),
        0,
        {"test_accuracy": 0.5},
        confusion,
        (4, 3, 3),
        {"train": 1.0},
        {},
        {},
        0.0,
    )


def test_no_name_becomes_markup_or_script():
    text = page_html(poisoned_page())
    assert POISON not in text
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(2)&gt;" in text
    openings = re.findall(r"<script[^>]*>", text.replace("<script>alert", "<script>"))
    plain, data = openings.count("<script>"), openings.count('<script type="application/json">')
    assert data == len(poisoned_page().sections[0].sheets)
    # plotly.js says "<script>" nowhere else than in its own element
    assert plain == 2
    for block in re.findall(r'<script type="application/json">(.*?)</script>', text, re.DOTALL):
        assert set(json.loads(block)) == {"light", "dark"}


def test_the_page_may_run_its_own_two_scripts_and_load_nothing():
    text = page_html(poisoned_page())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert "default-src &#39;none&#39;" in policy or "default-src 'none'" in policy
    assert len(re.findall(r"sha256-[\w+/]+=", policy)) == 2
    assert "unsafe-eval" not in policy
    assert not re.search(r"<(script|link|iframe)[^>]+(src|href)=", text)


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes(home):
    store = open_store(home)
    experiment = Experiment.open(store, home, seed(home, rounds=2, epochs=2))
    assert page_html(run_page(experiment)) == page_html(run_page(experiment))
    store.close()


@pytest.mark.slow
def test_a_run_s_report_says_it_against_random_and_how_to_repeat_it(home, tmp_path, capsys):
    run = seed(home, rounds=3, epochs=2, name=POISON[:60])
    page = tmp_path / "deep" / "run.html"
    assert main(["report", run, "--html", str(page), "--out", str(tmp_path / "text")]) == 0
    said = capsys.readouterr().out
    assert "random, with the same seed" in said or "random with the same seed" in said
    assert (tmp_path / "text" / "report.md").read_text() in said
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "--n-rounds 3" in text
    store = open_store(home)
    assert manifest(Experiment.open(store, home, run))["manifest_id"] in text
    store.close()
    assert "People answered in this run" in text
    assert "query.strategy" in text
    assert "Loss and accuracy by epoch" in text


@pytest.mark.slow
def test_a_study_s_report_holds_verdicts_tables_figures_and_the_file_that_repeats_it(home, tmp_path, capsys):
    study = seed_study(home, strategies=("random", "margin"), seeds=5, rounds=4, name="<b>Q</b>")
    page = tmp_path / "study.html"
    assert main(["report", study.id, "--html", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "margin beats random" in text
    assert "Runs of a seed share splits, initial set and weights." in text
    assert "&lt;b&gt;Q&lt;/b&gt;" in text
    assert "<b>Q" not in text
    assert "Indicative" not in text
    for title in (
        "Learning curves",
        "In numbers",
        "Who loses to whom",
        "Overlap of the queries",
        "Every run",
    ):
        assert title in text
    (attached,) = re.findall(r'<code id="attachment"[^>]*>(.*?)</code>', text, re.DOTALL)
    assert StudyConfig.from_json(html.unescape(attached)) == StudyConfig.from_json(study.config)
    (command,) = re.findall(r'<pre class="command"><code>(.*?)</code>', text)
    assert shlex.split(html.unescape(command))[3] == "study"


@pytest.mark.slow
def test_a_comparison_s_page_is_over_the_axis_and_to_the_target_of_its_text(home, tmp_path, capsys):
    seed_study(home, strategies=("random", "margin"), seeds=5, rounds=4)
    page = tmp_path / "r.html"
    given = ["--over", "money", "--label-price", "2", "--ceiling", "0.7", "--target", "0.62"]
    assert main(["report", "--html", str(page), *given]) == 0
    said = capsys.readouterr().out
    text = html.unescape(page.read_text(encoding="utf-8"))
    (place,) = re.findall(r"Compared up to (a cost of [\d.,]+): ", said)
    assert f"Compared up to {place}: beyond, every mean is within 1 % of 70.0 %." in text
    assert f"At {place}" in text
    assert f"at {place}" in text
    assert "labels" not in re.findall(r">(At [^<]+)<", text)[0]
    assert "Money saved" in text
    assert "by cost" in text
    assert "## To 62.0 %" in said
    assert ">To 62.0 %<" in text
    assert "cost, λ = 10" in text


@pytest.mark.slow
def test_runs_by_name_have_a_report_too_and_few_seeds_are_indicative(home, tmp_path, capsys):
    seed_study(home, strategies=("random", "margin"), seeds=2, rounds=3)
    page = tmp_path / "r.html"
    assert main(["report", "--prefix", "Quick", "-c", "query_strategy", "--html", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "Indicative only: 2 seeds" in text
    assert "curves --prefix" in text
    assert "Runs of a seed share" not in text


def test_a_run_without_a_round_has_a_report(home):
    store = open_store(home)
    run = seed(home, rounds=0, ghost=False)
    page = run_page(Experiment.open(store, home, run))
    assert page.tiles == []
    assert "settings" in [section.key for section in page.sections]
    assert len(page_html(page)) > 1_000_000
    store.close()
