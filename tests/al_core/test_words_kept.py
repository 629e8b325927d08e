"""What is stored, compared or exported is English in any language; what is said to a person is not."""

import re

import numpy as np
import pytest

from al_core import words
from al_core.classes import Classes, clean_name
from al_core.config import ExperimentConfig, StopConfig
from al_core.data.decoder import decode
from al_core.data.images import open_image
from al_core.data.roots import resolve_inside
from al_core.deploy.choosing import choose_round
from al_core.errors import ClassError, ConfigError, DataError, ImageRefused, PathRefused, Problem
from al_core.exchange.naming import Naming
from al_core.records import EpochRecord, RoundRecord
from al_core.registry import Registry
from al_core.results import comparison
from al_core.results.analysis import METRICS, Curve
from al_core.results.axes import AXES
from al_core.results.comparison import Arm
from al_core.results.figures.sheets import RunMaterial, run_sheets
from al_core.results.report.page import Page, page_html
from al_core.stopping import stop_reason
from al_core.store import open_store
from al_core.words import told, tr
from al_core.worker import jobs


class Brackets(dict):
    """A language in which everything there is is said, in brackets."""

    def get(self, key, default=None):
        return f"⟦{key}⟧"


@pytest.fixture(autouse=True)
def language(monkeypatch):
    catalogue = words.Catalogue(Brackets(), (0,) * 200)
    monkeypatch.setattr(words, "catalogue", lambda: catalogue)


def rounds(number=3):
    return [
        RoundRecord("e", i, 20 + 20 * i, i, {"validation_accuracy": 0.5}, None, (), {}, {}, {}, 0.0)
        for i in range(number)
    ]


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (StopConfig(n_rounds=3), "all 3 rounds done"),
        (StopConfig(budget=60), "budget of 60 labels spent"),
        (StopConfig(patience=2), "no better validation accuracy in 2 rounds"),
        (StopConfig(target_accuracy=0.5), "target accuracy 0.5 reached on the validation split"),
    ],
)
def test_a_stop_reason_is_english(stop, reason):
    assert stop_reason(stop, rounds(), 10) == reason


def test_why_a_round_was_chosen_is_english():
    assert choose_round(rounds(), 1).why == "round 1, as asked for"


def test_why_a_file_was_refused_is_english_and_told_in_the_language():
    with pytest.raises(ImageRefused) as refused:
        open_image(b"GIF89a?", name="a.gif")
    assert refused.value.reason == "damaged picture"
    assert told(refused.value.reason) == "⟦damaged picture⟧"


def test_why_a_path_was_refused_is_english_where_it_is_kept(tmp_path):
    facts, _ = decode(tmp_path, "../a.png", 8)
    assert facts["reason"] == "the path ../a.png is refused: it holds '..'"
    with pytest.raises(PathRefused, match=r"⟦the path .* is refused: ⟦it holds") as refused:
        resolve_inside(tmp_path, "../a.png")
    assert refused.value.why == "it holds '..'"


def test_a_verdict_is_english():
    labels, values = np.array([10.0, 20, 30]), np.array([0.1, 0.2, 0.3])
    curves = [[Curve(labels, values + up * (1 + 0.1 * n)) for n in range(3)] for up in (0.0, 0.4)]
    arms = [Arm(name, dict(enumerate(own))) for name, own in zip("ab", curves, strict=True)]
    (verdict,) = comparison.verdicts(arms, arms[0], place=AXES["labels"].text)
    assert "⟦" not in verdict.text


def test_a_refused_row_is_english_whatever_the_error_says():
    naming = Naming(Classes.of(("cat", "dog"), ()), {}, True)
    assert (
        naming.read("x" * 80)
        == f"'{'x' * 60}' can be no class: the name has 80 letters; 60 are the most. Shorten it"
    )
    with pytest.raises(ClassError, match="⟦a class needs a name; it is empty⟧"):
        clean_name("")


def test_an_error_is_in_the_language_as_a_whole():
    assert str(Problem("train.epochs", 0, tr("above 0"))) == "⟦train.epochs: 0 is refused; ⟦above 0⟧⟧"
    with pytest.raises(ConfigError, match="should be greater"):
        ExperimentConfig.parse({"train": {"epochs": 0}})
    with pytest.raises(DataError, match="⟦there is no ⟦thing⟧ 'x'; ⟦known: ⟧⟧"):
        Registry("thing", "json", DataError).get("x")


def test_what_a_job_leaves_is_english(settings, monkeypatch):
    def fail(*_):
        raise DataError(tr("a tag has 1 to {most} letters", most=3))

    monkeypatch.setitem(jobs._KINDS, "prepare", fail)
    store = open_store(settings)
    job = store.submit_job("prepare", spec={})
    jobs.run_job(store, settings, *store.claim_job("t", job_id=job.id))
    assert store.job(job.id).error_text == "a tag has 1 to 3 letters"
    assert tr("Undo") == "⟦Undo⟧"
    store.close()


def test_every_word_of_a_run_s_figures_is_in_the_language():
    metrics = {"test_accuracy": 0.5, "arm_chance:margin": 0.4, "arm_chance:random": 0.6}
    done = [
        RoundRecord(
            "e", i, 20 + 20 * i, i, metrics, ((3, 1), (0, 4)), (9 + i, 9), {"train": 1.0}, {}, {}, 0.0
        )
        for i in range(2)
    ]
    epochs = [EpochRecord(n, e, e, 1.0, 0.5, 0.1, 1.0, 0.9, 0.6) for n in range(2) for e in range(2)]
    sheets = run_sheets(RunMaterial("⟦one⟧", "margin", ("⟦a⟧", "⟦b⟧"), done, epochs, done))
    assert len(sheets) > 8
    for sheet in sheets:
        assert all("⟦" in text for text in (sheet.title, sheet.about) if text), sheet.key
        figure = sheet.inline().to_plotly_json()
        axes = [axis for name, axis in figure["layout"].items() if name[1:5] == "axis"]
        said = [axis["title"]["text"] for axis in axes if axis.get("title", {}).get("text")]
        said += [trace["name"] for trace in figure["data"] if trace.get("name")]
        said += [trace["hovertemplate"] for trace in figure["data"] if trace.get("hovertemplate")]
        plain = re.compile(r"⟦[^⟦]*⟧|%\{[^}]*\}|<[^>]*>")
        left = [text for text in said if re.search("[A-Za-z]{3}", plain.sub("", plain.sub("", text)))]
        assert left == [], sheet.key


def test_a_report_is_english():
    assert METRICS[0].axis == "⟦⟦Accuracy⟧, test images (%)⟧"
    page = Page("run", "r", "", "", [], [], [], "command", "", None, [])
    assert "⟦" not in page_html(page)
