"""Published curves: only where they belong, and never called a match while anything differs."""

import pytest

from al_core.config import ExperimentConfig, options
from al_core.data.sources import SOURCES
from al_core.query.strategies import STRATEGIES
from al_core.results import anchors
from al_core.results.anchors import differences, fits
from al_core.results.figures.published import add_published
from al_core.results.published import ANCHORS, Anchor, PublishedCurve

go = pytest.importorskip("plotly.graph_objects", reason="plotly draws the figures")
PATHS = {option.path: option for option in options()}
EVAL_AL = ANCHORS[0]


def config(dataset="cifar10", **changes):
    return ExperimentConfig().changed(**({"data__dataset": dataset, "oracle": "truth"} | changes))


def as_there(anchor, **changes):
    """A config with the source's own settings."""
    paths = {path.replace(".", "__"): value for path, value in anchor.settings.items()}
    return config(anchor.dataset, **(paths | changes))


@pytest.mark.parametrize("anchor", ANCHORS, ids=lambda anchor: anchor.key)
def test_what_is_said_of_a_source_can_be_compared_with_a_run(anchor):
    assert anchor.settings.keys() <= PATHS.keys()
    source = SOURCES.get(anchor.dataset)
    assert len(source.classes_hint) in (0, anchor.num_classes)
    assert anchor.source
    assert anchor.runs
    assert anchor.beyond, "no source is known to the last detail"
    for curve in anchor.curves:
        assert curve.strategy is None or STRATEGIES.get(curve.strategy).name == curve.strategy
        labels = [n for n, _ in curve.points]
        assert labels == sorted(set(labels))
        assert labels[-1] <= source.num_train
        assert all(0.1 < value < 1 for _, value in curve.points)
    assert len({curve.name for curve in anchor.curves}) == len(anchor.curves)
    as_there(anchor)


def test_sources_have_keys_of_their_own():
    assert len({anchor.key for anchor in ANCHORS}) == len(ANCHORS)


def test_figures_are_those_of_the_tables():
    badge = next(curve for curve in EVAL_AL.curves if curve.name == "BADGE")
    assert badge.points == (
        (1000, 0.47), (3000, 0.669), (5000, 0.792), (9000, 0.888), (13000, 0.918), (17000, 0.935),
        (25000, 0.941),
    )  # fmt: skip


@pytest.mark.parametrize("anchor", ANCHORS, ids=lambda anchor: anchor.key)
def test_a_run_with_the_source_s_settings_differs_in_what_we_cannot_do_only(anchor):
    found = differences(anchor, [as_there(anchor)])
    assert found == [f"only there: {words}" for words in anchor.beyond]


@pytest.mark.parametrize("path", sorted(EVAL_AL.settings.keys() - {"init.init", "query.second"}))
def test_every_setting_that_differs_is_listed_by_its_label(path):
    theirs, option = EVAL_AL.settings[path], PATHS[path]
    other = {
        "oracle": "noisy", "data.image_size": 16, "data.imbalance": 10.0, "train.early_stopping": 5,
        "query.candidates": 500, "model.model": "vgg16", "train.optimizer": "adam", "train.start": "warm",
        "query.size_schedule": "rate", "train.momentum": 0.5, "train.learning_rate": 0.2,
    }.get(path)  # fmt: skip
    if other is None:
        other = not theirs if isinstance(theirs, bool) else theirs + (1 if isinstance(theirs, int) else 0.2)
    found = differences(EVAL_AL, [as_there(EVAL_AL, **{path.replace(".", "__"): other})])
    label = "Initial labels, in all" if path == "init.n_start" else option.label
    assert [line for line in found if line.startswith(f"{label}: ")], found
    assert len(found) == 1 + len(EVAL_AL.beyond)


def test_values_that_a_study_tries_are_all_named():
    found = differences(EVAL_AL, [as_there(EVAL_AL, query__n_new=n) for n in (2000, 100)])
    assert found[0] == "Query size: 2,000 there, 100 or 2,000 here"


def test_initial_labels_are_compared_in_all():
    same = as_there(EVAL_AL, init__init="per_class", init__n_start=100)
    found = differences(EVAL_AL, [same])
    assert [line.partition(":")[0] for line in found[:-2]] == ["Initial set"]


def test_a_model_s_own_learning_rate_is_what_is_compared():
    found = differences(EVAL_AL, [as_there(EVAL_AL, train__learning_rate=None)])
    assert any(line.startswith("Learning rate: 0.1 there, 0.00") for line in found)


@pytest.mark.parametrize(
    ("configs", "least", "most", "keys"),
    [
        ([config()], 1000, 5000, ["eval-al-cifar10", "torchal-cifar10", "labelbench-cifar10"]),
        ([config("cifar10:/somewhere")], 160, 250, ["labelbench-cifar10"]),
        ([config("digits")], 20, 160, []),
        ([config(), config("cifar100")], 1000, 5000, []),
        ([config("mnist")], 20, 300, None),
        ([config("mnist", query__strategy="bald")], 20, 300, ["batchbald-mnist-10", "batchbald-mnist-1"]),
        ([config("mnist", query__strategy="batchbald")], 1000, 3000, []),
        ([config("emnist_balanced")], 94, 210, ["batchbald-emnist"]),
    ],
)
def test_only_what_shares_data_set_and_labels_is_offered(configs, least, most, keys):
    found = [fit.anchor.key for fit in fits(configs, least, most)]
    if keys is None:  # margin and random are in no source on MNIST
        assert found == []
        return
    assert sorted(found) == sorted(keys)


def test_own_strategies_and_random_are_drawn_and_not_beyond_one_s_own_labels():
    (fit, *_) = fits([config(query__strategy="badge")], 1000, 5000)
    assert {curve.strategy for curve in fit.curves} <= {"badge", "random"}
    assert max(n for curve in fit.curves for n, _ in curve.points) <= 5000 * 1.25


def test_the_same_protocol_is_claimed_only_where_nothing_differs(monkeypatch):
    whole = Anchor("x", "X", "s", "1 run", "digits", 10, {"train.epochs": 50}, (), (
        PublishedCurve("Random", "random", ((20, 0.5),)),
    ))  # fmt: skip
    monkeypatch.setattr(anchors, "ANCHORS", (whole,))
    assert [fit.same for fit in fits([config("digits")], 20, 160)] == [True]
    assert [fit.same for fit in fits([config("digits", train__epochs=49)], 20, 160)] == [False]
    assert all(differences(anchor, [as_there(anchor)]) for anchor in ANCHORS)


def test_the_nearest_protocol_comes_first():
    found = fits([as_there(EVAL_AL, query__strategy="margin")], 1000, 25000)
    assert found[0].anchor is EVAL_AL


def test_lines_are_thin_dotted_and_say_their_source():
    figure = go.Figure()
    found = fits([config(query__strategy="badge")], 1000, 25000)
    add_published(figure, found)
    assert len(figure.data) == sum(len(fit.curves) for fit in found)
    assert all(trace.line.dash == "dot" and trace.line.width < 2 for trace in figure.data)
    assert all("runs" in trace.hovertemplate or "figure" in trace.hovertemplate for trace in figure.data)
    assert max(max(trace.y) for trace in figure.data) > 90
