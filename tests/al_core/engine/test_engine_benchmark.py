"""The engine's benchmark in a tiny form: its comparisons hold, its cells resume; no time is judged here."""

import json
from functools import partial

import numpy as np
import pytest
import torch

from tests.benchmarks import engine_loop, engine_report, engine_rows
from tests.benchmarks import engine_references as references
from tests.benchmarks.engine_rows import Bench


@pytest.fixture(scope="module")
def bench(make_dataset, tmp_path_factory):
    dataset = make_dataset(size=32, train=260, test=40)
    return Bench(dataset, tmp_path_factory.mktemp("home"), repeats=1, images=160, pool=200, epochs=1)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


ROWS = {
    "pipeline": engine_rows.pipeline,
    "step": partial(engine_rows.step, model="squeezenet1_1", floor=1, aim=1),
    "score": partial(engine_rows.score, model="squeezenet1_1", floor=1, aim=1),
}
LONG = {"dropout": partial(engine_rows.dropout, passes=100)}


@pytest.mark.parametrize("name", [*ROWS, pytest.param("dropout", marks=pytest.mark.slow)])
def test_a_short_row_compares_like_with_like(bench, name):
    row = (ROWS | LONG)[name](bench)
    facts = json.loads(json.dumps(row.facts()))
    assert row.checks
    assert all(row.checks.values()), row.checks
    assert facts["n"] == 1
    assert min(facts["reference"] + facts["product"]) > 0
    assert engine_report.line(facts).count("|") >= 8


def test_a_mirrored_crop_is_the_oracles(bench):
    """The oracle itself: a picture that is its own index."""
    image = np.arange(32 * 32 * 3).reshape(32, 32, 3)
    draws = engine_rows.Draws(
        np.array([4]), np.array([6]), np.array([True]), *(np.zeros(1) for _ in range(3))
    )
    cut = engine_rows._slice(image, draws, 0, 4)
    assert not cut[:, :2].any()  # the padding on the right, mirrored to the left
    np.testing.assert_array_equal(cut[:, 2:], image[:, 2:][:, ::-1])


@pytest.mark.slow
def test_the_usual_ways_loop_goes_on_where_it_was_cut_off(bench):
    data, states = engine_loop.arrays(bench.dataset), []
    run = partial(references.deepal_loop, data, 3, budgets=(20, 40), epochs=1)
    whole = run(on_round=lambda state: states.append(json.loads(json.dumps(state))))
    rest = run(state=states[0])
    assert rest["labels"] == whole["labels"] == [20, 40]
    assert rest["labeled"] == whole["labeled"]
    assert rest["accuracy"] == whole["accuracy"]
    assert len(set(whole["labeled"])) == 40


def test_both_sides_of_the_first_seeds_run_spend_the_same_labels(bench, monkeypatch):
    data = engine_loop.arrays(bench.dataset)
    usual = references.seed1_loop(data, 0, rounds=2, epochs=1, n_start=5, n_new=10)
    monkeypatch.setattr(engine_loop, "SEED1_START", engine_loop.SEED1_START.model_copy(update={"n_start": 5}))
    ours = engine_loop.seed1_product(
        bench.dataset, 0, lambda facts: None, None, rounds=2, n_new=10, train__epochs=1
    )
    assert len(usual["validation"]) == len(ours["validation"]) == 2
    assert 0 <= usual["accuracy"] <= 1
    assert 0 <= ours["accuracy"] <= 1
    assert set(ours["seconds"]) == {"train", "score", "test"}
    assert usual["validated"]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """What was measured before: nothing yet."""
    place = tmp_path / "kept" / "engine.json"
    place.parent.mkdir()
    place.write_text(json.dumps({"rows": [], "cells": []}))
    monkeypatch.setattr(engine_report, "KEPT", place)
    return place


def test_what_is_not_measured_again_stands_and_its_ratio_is_of_one_load(kept, tmp_path):
    """Our own runs alone are new: their time is not held against the usual way's on a busier machine."""
    cell = {"row": "deepal", "seed": 0, "accuracy": [0.4], "labels": [1000], "seconds": {}}
    old = [cell | {"side": "reference", "cpu": 80.0}, cell | {"side": "product", "cpu": 10.0}]
    row = {
        "row": "a", "what": "A", "reference": [4.0], "product": [2.0], "ratio": 2.0, "spread": [2, 2], "n": 1,
        "floor": 1, "aim": 3, "unit": "CPU-s", "load": 9.0, "checks": {}, "note": "",
    }  # fmt: skip
    kept.write_text(json.dumps({"rows": [row, row | {"row": "b", "what": "B"}], "cells": old}))
    new = cell | {"side": "product", "cpu": 5.0, "accuracy": [0.6]}
    (tmp_path / "deepal-0-product.json").write_text(json.dumps(new))
    (tmp_path / "row-a.json").write_text(json.dumps(row | {"ratio": 2.5, "product": [1.6]}))
    before = engine_report.page(tmp_path)
    engine_report.keep(tmp_path)
    (tmp_path / "empty").mkdir()
    for page in (before, engine_report.page(tmp_path / "empty")):
        assert "| 0 | `fast` | 0.600 | 5 |" in page
        assert "whole seeds (1): 8.0 (8.0 to 8.0)" in page
        assert "2.50 x (1.6 CPU-s)" in page
        assert "| B | 4 CPU-s | 2.00 x" in page
    assert "newer than the usual way's" in before
    both = [new, cell | {"side": "reference", "cpu": 35.0}]
    for one in both:
        (tmp_path / f"deepal-0-{one['side']}.json").write_text(json.dumps(one))
    assert "whole seeds (1): 7.0 (7.0 to 7.0)" in engine_report.page(tmp_path)


def test_times_of_two_machines_are_never_set_against_each_other(kept, tmp_path):
    cell = {"row": "seed1", "seed": 0, "accuracy": 0.3}
    kept.write_text(json.dumps({"rows": [], "cells": [cell | {"side": "reference", "cpu": 600.0}]}))
    (tmp_path / "seed1-0-sprint.json").write_text(
        json.dumps(cell | {"side": "sprint", "cpu": 100.0, "machine": "another"})
    )
    assert "against the usual way" not in engine_report.page(tmp_path)
    (tmp_path / "seed1-0-reference.json").write_text(
        json.dumps(cell | {"side": "reference", "cpu": 1300.0, "machine": "another"})
    )
    for _ in range(2):  # the second time from what was kept
        page = engine_report.page(tmp_path)
        assert "`sprint` against the usual way, whole: 13.0 times" in page
        assert "| usual, whole | 1 | 0.300 | 0.300 | 600 |" in page
        engine_report.keep(tmp_path)
    assert len(json.loads(kept.read_text())["cells"]) == 3


def test_the_page_in_docs_is_what_is_kept(tmp_path):
    known = (engine_report.KEPT.parent / "engine.md").read_text(encoding="utf-8")
    for row in engine_report.rows(tmp_path):
        assert engine_report.line(row) in known
    for seed, cell in engine_report.kept_cells("deepal", "product").items():
        assert f"| {seed} | `fast` | {' '.join(f'{v:.3f}' for v in cell['accuracy'])} |" in known


def test_the_page_is_made_of_the_files(bench, tmp_path, kept):
    (tmp_path / "row-pipeline.json").write_text(json.dumps(engine_rows.pipeline(bench).facts()))
    cell = {"seed": 0, "accuracy": [0.4, 0.5], "cpu": 60.0, "seconds": {"train": 50.0, "score": 10.0}}
    (tmp_path / "deepal-0-reference.json").write_text(json.dumps(cell))
    (tmp_path / "deepal-0-product.json").write_text(json.dumps(cell | {"accuracy": [0.5, 0.6], "cpu": 10.0}))
    (tmp_path / "seed1-0-fast.json").write_text(
        json.dumps(cell | {"row": "seed1", "side": "fast", "accuracy": 0.5})
    )
    sides = [
        {"cpu": 30.0, "seconds": {"train": 10.0, "validate": 10.0, "score": 5.0, "test": 5.0}},
        {"cpu": 8.0, "seconds": {"train": 4.0, "score": 2.0, "test": 2.0}},
    ]
    short = {"row": "seed1", "seed": 0, "side": "short", "reference": sides[0], "product": sides[1]}
    (tmp_path / "seed1-0-short.json").write_text(json.dumps(short))
    part = cell | {"labels": [1000, 2000], "seconds": cell["seconds"] | {"test": 1.0}}
    (tmp_path / "deepal-1-reference.part").write_text(json.dumps(part))
    (tmp_path / "deepal-1-product.json").write_text(json.dumps(cell | {"seed": 1}))
    page = engine_report.page(tmp_path)
    assert "Ratio of CPU time, whole seeds (1): 6.0" in page
    assert "aim reached" in page
    assert ": yes." in page
    assert "0.500" in page
    assert "210 against 44 CPU-s: 4.77 times" in page
    assert "the whole would take 272 CPU-s" in page  # 50 * 15 / 3 + 10 * 4 / 2 + 1 * 5 / 2
