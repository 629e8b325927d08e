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


def test_the_page_is_made_of_the_files(bench, tmp_path):
    (tmp_path / "row-pipeline.json").write_text(json.dumps(engine_rows.pipeline(bench).facts()))
    cell = {"seed": 0, "accuracy": [0.4, 0.5], "cpu": 60.0, "seconds": {"train": 50.0, "score": 10.0}}
    (tmp_path / "deepal-0-reference.json").write_text(json.dumps(cell))
    (tmp_path / "deepal-0-product.json").write_text(json.dumps(cell | {"accuracy": [0.5, 0.6], "cpu": 10.0}))
    (tmp_path / "seed1-0-fast.json").write_text(json.dumps(cell | {"accuracy": 0.5}))
    sides = [
        {"cpu": 30.0, "seconds": {"train": 10.0, "validate": 10.0, "score": 5.0, "test": 5.0}},
        {"cpu": 8.0, "seconds": {"train": 4.0, "score": 2.0, "test": 2.0}},
    ]
    short = {"seed": 0, "reference": sides[0], "product": sides[1]}
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
