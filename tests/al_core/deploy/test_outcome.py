"""Tables of what a model said."""

import csv
import io
import json

import numpy as np
import pytest

from al_core.deploy.outcome import Outcome, check_table_name, outcome_csv, score, write_outcome, write_score
from al_core.deploy.pictures import Refused
from al_core.errors import ConfigError
from al_core.results.metrics import evaluate


@pytest.fixture
def outcome():
    probs = np.array([[0.7, 0.2, 0.1, 0.0], [0.1, 0.2, 0.3, 0.4], [0.4, 0.4, 0.1, 0.1]], np.float32)
    return Outcome(
        "m", ("a", "=b", "c", "d"), ("x.png", "=y.png", "z.png"), probs, np.array([1.0, 2.0, 3.0]),
        (Refused("bad.gif", "truncated picture"),),
    )  # fmt: skip


def test_a_table_holds_guesses_all_probabilities_and_refused_files_last(outcome):
    rows = list(csv.DictReader(io.StringIO(outcome_csv(outcome))))
    assert [row["file"] for row in rows] == ["x.png", "'=y.png", "z.png", "bad.gif"]
    assert [row["class"] for row in rows] == ["a", "d", "a", ""]
    assert rows[1]["class_2"] == "c"
    assert float(rows[1]["confidence_3"]) == pytest.approx(0.2)
    assert float(rows[0]["p(=b)"]) == pytest.approx(0.2)
    assert rows[3]["problem"] == "truncated picture"
    assert all(len(row) == len(rows[0]) and None not in row for row in rows)


def test_equal_probabilities_take_the_first_class(outcome):
    assert [c for c, _ in outcome.top(2)] == [0, 1, 2]


def test_json_holds_the_same(outcome, tmp_path):
    write_outcome(outcome, tmp_path / "o.json")
    found = json.loads((tmp_path / "o.json").read_text())
    assert found["predictions"][1]["top"] == [["d", 0.4], ["c", 0.3], ["=b", 0.2]]
    assert found["refused"] == [{"file": "bad.gif", "reason": "truncated picture"}]


def test_a_score_counts_each_class_and_every_confusion(outcome, tmp_path):
    truth = np.array([0, 2, 1])
    found = score(outcome, truth)
    assert found["metrics"] == evaluate(outcome.probs, truth)
    assert found["metrics"]["accuracy"] == pytest.approx(1 / 3)
    assert found["confusion"] == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert found["per_class"][0] == {"class": "a", "precision": 0.5, "recall": 1, "f1": 2 / 3, "pictures": 1}
    write_score(outcome, truth, tmp_path / "out")
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").read_text().splitlines()))
    assert [(row["true"], row["right"]) for row in rows] == [("a", "1"), ("c", "0"), ("'=b", "0"), ("", "")]
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == json.loads(json.dumps(found))
    assert (tmp_path / "out" / "confusion.csv").read_text().splitlines()[1] == "a,1,0,0,0"


def test_a_table_that_cannot_be_written_is_refused_beforehand(tmp_path):
    for name in ("table.xlsx", "absent/table.csv"):
        with pytest.raises(ConfigError, match="--out"):
            check_table_name(tmp_path / name)
