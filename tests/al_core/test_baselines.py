"""Baselines: what they draw, and that they are cells of a study without being strategies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_core.baselines import TITLES, as_baseline, as_random, balanced, draw_once, planned_labels
from al_core.check import check_config
from al_core.config import ExperimentConfig
from al_core.errors import ConfigError
from al_core.query.strategies import STRATEGIES
from al_core.study import StudyConfig, check_study

LABELS = np.repeat(np.arange(4), [400, 200, 100, 10])


def config(kind, **changes):
    return ExperimentConfig().changed(query__baseline=kind, oracle="truth", **changes)


def study(**changes):
    values = {
        "base": {"stop": {"n_rounds": 3}}, "axes": {"query.strategy": ["random", "margin"]}, "seeds": 2,
        "baselines": ["full", "subset", "balanced"],
    }  # fmt: skip
    return StudyConfig.parse(values | changes)


def test_no_baseline_is_a_strategy():
    assert not set(TITLES) & {spelling for s in STRATEGIES for spelling in (s.name, *s.aliases)}


def test_a_subset_has_the_pool_s_proportions_and_is_a_draw_of_the_seed():
    pool = np.arange(10, 710)
    drawn = draw_once(config("subset"), pool, LABELS, 70)
    assert len(set(drawn.tolist())) == 70
    assert np.bincount(LABELS[drawn]).tolist() == [39, 20, 10, 1]
    assert drawn.tolist() == draw_once(config("subset"), pool, LABELS, 70).tolist()
    assert drawn.tolist() != draw_once(config("subset", seed=1), pool, LABELS, 70).tolist()
    assert sorted(draw_once(config("full"), pool, LABELS, 70).tolist()) == pool.tolist()
    assert len(draw_once(config("subset"), pool, np.full(710, -1), 70)) == 70


@given(st.integers(0, 700), st.lists(st.integers(0, 709), unique=True, max_size=60), st.integers(0, 99))
def test_a_balanced_query_leaves_no_class_behind_that_has_images_left(k, labeled, seed):
    labeled = np.array(labeled, np.int64)
    candidates = np.setdiff1d(np.arange(710), labeled)
    picked = balanced(candidates, LABELS, labeled, k, np.random.default_rng(seed))
    assert len(set(picked.tolist())) == len(picked) == min(k, len(candidates))
    assert np.isin(picked, candidates).all()
    before = np.bincount(LABELS[labeled], minlength=4)
    after = before + np.bincount(LABELS[picked], minlength=4)
    sizes = np.bincount(LABELS)
    grown = after[after > before]
    open_ = after[after < sizes]
    if len(grown) and len(open_):
        assert grown.max() <= open_.min() + 1


def test_equal_classes_are_not_always_served_in_the_same_order():
    firsts = {
        int(LABELS[balanced(np.arange(710), LABELS, np.empty(0, np.int64), 1, np.random.default_rng(s))[0]])
        for s in range(40)
    }
    assert firsts == {0, 1, 2, 3}


def test_a_subset_is_as_large_as_the_stops_allow():
    assert planned_labels(config("subset", stop__n_rounds=5), 20) == 100
    assert planned_labels(config("subset", stop__n_rounds=5, stop__budget=60), 20) == 60
    assert planned_labels(config("subset"), 20) is None


def test_a_baseline_draws_its_initial_set_by_the_features_that_the_strategies_do():
    changed = config("none", query__features="texture", init__init="kcenter", query__min_distance=0.1)
    for beside in (as_baseline(changed, "subset"), as_baseline(changed, "balanced"), as_random(changed)):
        assert (beside.query.features, beside.query.min_distance) == ("texture", 0)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"query__baseline": "full"}, "nobody labels for a baseline"),
        ({"query__baseline": "subset", "oracle": "truth", "stop__patience": 2}, "set stop.budget"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(settings, changes, said):
    found = check_config(ExperimentConfig().changed(**changes), settings)
    assert any(p.option == "query.baseline" and said in p.allowed for p in found), found


def test_the_full_pool_needs_no_stop(settings):
    assert check_config(config("full"), settings) == []


def test_baselines_are_cells_beside_the_strategies_once_for_every_other_axis():
    axes = {"query.strategy": ["random", "margin"], "model.model": ["small_cnn", "resnet18"]}
    found = study(axes=axes)
    assert found.num_cells == len(found.cells()) == 2 * (4 + 6)
    assert [arm.title for arm in found.arms()[4:]] == [
        "Full pool, model small_cnn", "Full pool, model resnet18",
        "Random subset, model small_cnn", "Random subset, model resnet18",
        "Balanced by truth, model small_cnn", "Balanced by truth, model resnet18",
    ]  # fmt: skip
    assert [arm.baseline for arm in found.arms()] == [None] * 4 + ["full"] * 2 + ["subset"] * 2 + [
        "balanced"
    ] * 2
    assert StudyConfig.from_json(found.to_json()) == found


def test_an_axis_that_a_baseline_does_not_look_at_makes_no_cell_of_its_own():
    axes = {"query.strategy": ["margin"], "query.n_new": [10, 20], "query.power": [0.0, 1.0]}
    cells = study(axes=axes, seeds=1).cells()[4:]
    assert [(c.config.query.baseline, c.config.query.n_new) for c in cells] == [
        ("full", 20), ("subset", 10), ("subset", 20), ("balanced", 10), ("balanced", 20),
    ]  # fmt: skip
    assert {c.config.query.strategy for c in cells} == {"random"}
    assert cells[0].config.stop.is_open
    assert cells[1].config.stop.n_rounds == 3


def test_a_baseline_keeps_what_it_does_look_at(settings):
    base = {
        "stop": {"n_rounds": 3},
        "oracle": "noisy",
        "answers": {"noise_rate": 0.2},
        "train": {"epochs": 9},
    }
    found = study(base=base, seeds=1)
    assert check_study(found, settings) == []
    for cell in found.cells():
        assert cell.config.answers.noise_rate == 0.2
        assert cell.config.train.epochs == 9


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"baselines": ["full", "full"]}, "baselines"),
        ({"baselines": ["ful"]}, "baselines.0"),
        ({"base": {"stop": {"n_rounds": 2}, "query": {"baseline": "full"}}}, "base.query.baseline"),
        ({"axes": {"query.baseline": ["full"]}}, "axes.query.baseline"),
    ],
)
def test_baselines_that_cannot_be_are_refused_by_name(changes, option):
    with pytest.raises(ConfigError) as caught:
        study(**changes)
    assert option in [p.option for p in caught.value.problems]
