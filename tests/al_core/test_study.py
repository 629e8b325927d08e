"""Studies: which cells there are, what they share, what is refused, and what is queued."""

import numpy as np
import pytest

from al_core.config import ExperimentConfig
from al_core.errors import ConfigError
from al_core.initial import draw_initial
from al_core.records import ExperimentStatus, JobState
from al_core.seeds import seed_for
from al_core.splits import make_splits
from al_core.store import open_store
from al_core.study import StudyConfig, check_study
from al_core.study_running import begin, progress, queue


def study(**changes):
    values = {
        "base": {"stop": {"n_rounds": 3}}, "axes": {"query.strategy": ["random", "margin"]}, "seeds": 2,
    }  # fmt: skip
    return StudyConfig.parse(values | changes)


@pytest.fixture
def store(settings):
    opened = open_store(settings)
    yield opened
    opened.close()


def test_cells_are_all_combinations_seed_by_seed():
    found = study(axes={"query.strategy": ["random", "auto"], "query.n_new": [5, 10]}, seeds=[3, 7]).cells()
    assert [(c.seed, c.config.query.strategy, c.config.query.n_new) for c in found[:4]] == [
        (3, "random", 5), (3, "random", 10), (3, "u_herding", 5), (3, "u_herding", 10),
    ]  # fmt: skip
    assert [c.seed for c in found[4:]] == [7] * 4
    assert [c.number for c in found] == list(range(8))
    assert found[1].arm.title == "random, n_new 10"
    assert {c.config.oracle for c in found} == {"truth"}
    assert {c.config.train.threads for c in found} == {1}


def test_cells_of_a_seed_share_splits_initial_set_and_every_draw_of_training():
    config = study(base={"stop": {"n_rounds": 3}, "data": {"epoch_validation": 0.2}})
    labels = np.random.default_rng(0).integers(0, 10, 600)
    drawn = {}
    for cell in config.cells():
        splits = make_splits(labels, cell.config.data, cell.config.seed)
        pool = np.setdiff1d(np.arange(600), splits.validation_ids)
        initial = draw_initial(cell.config.init, pool, labels, cell.config.seed, lambda ids: None)
        key = (splits.hash, tuple(initial), seed_for(cell.config.seed, "weights", 2))
        drawn.setdefault(cell.seed, set()).add(key)
    assert [len(keys) for keys in drawn.values()] == [1, 1]
    assert drawn[0] != drawn[1]


def test_a_study_survives_its_json():
    config = study(axes={"train.learning_rate": [0.1 + 0.2, None]})
    assert StudyConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("changes", "option", "said"),
    [
        ({"axes": {"query.strat": ["a"]}}, "axes.query.strat", "is no option"),
        ({"axes": {"seed": [1, 2]}}, "axes.seed", "is no option"),
        ({"axes": {"query.n_new": []}}, "axes.query.n_new", "values that differ"),
        (
            {"axes": {"query.strategy": ["bim", "adversarial_bim"]}},
            "axes.query.strategy",
            "values that differ",
        ),
        ({"axes": {"model.model": ["small_cnn", "cnn"]}}, "axes.model.model", "values that differ"),
        ({"seeds": [1, 1]}, "seeds", "seeds that differ"),
        ({"seeds": 0}, "seeds", "seeds that differ"),
        ({"base": {}}, "base.stop", "needs an end"),
        ({"axes": {"query.n_new": list(range(1, 200))}, "seeds": 100}, "axes", "at most 10000"),
        ({"base": {"query": {"n_new": 0}}}, "query.n_new", "greater than or equal"),
    ],
)
def test_what_cannot_run_is_refused_by_name(changes, option, said):
    with pytest.raises(ConfigError) as caught:
        study(**changes)
    assert any(p.option == option and said in p.allowed for p in caught.value.problems), caught.value.problems


def test_a_cell_that_the_registries_refuse_is_named_before_anything_runs(settings):
    problems = check_study(study(axes={"query.strategy": ["margin", "margn"]}), settings)
    assert [p.option for p in problems] == ["query.strategy"]
    assert check_study(study(), settings) == []


def test_beginning_queues_every_cell_once_and_again_only_what_is_missing(store):
    record = begin(store, study(), idempotency_key="k")
    cells = store.study_experiments(record.id)
    assert [(e.cell, e.config.seed, e.config.query.strategy) for e in cells] == [
        (0, 0, "random"), (1, 0, "margin"), (2, 1, "random"), (3, 1, "margin"),
    ]  # fmt: skip
    assert begin(store, study(), idempotency_key="k") == record
    queue(store, record)
    assert len(store.jobs(active=True)) == 4

    store.update_experiment(cells[0].id, status=ExperimentStatus.FINISHED)
    store.update_experiment(cells[1].id, status=ExperimentStatus.FAILED)
    for job in store.jobs(active=True):
        if job.experiment_id in (cells[0].id, cells[1].id):
            _, lease = store.claim_job("w", job_id=job.id)
            store.end_job(lease, JobState.DONE)
    active = {job.experiment_id: job for job in store.jobs(active=True)}
    found = progress(store.study_experiments(record.id), active)
    assert (found.finished, found.failed, found.running, found.waiting, found.total) == (1, 1, 0, 2, 4)
    assert not found.over
    queue(store, record)
    assert len(store.jobs(active=True)) == 2
    queue(store, record, retry_failed=True)
    assert len(store.jobs(active=True)) == 3


def test_a_cell_s_config_is_an_ordinary_experiment_s():
    (cell, *_) = study().cells()
    again = ExperimentConfig.from_json(cell.config.to_json())
    assert again == cell.config
    assert again.name == "study: random, seed 0"


AUG = [
    {"name": "none"},
    {"name": "aug", "options": {"train.augment": True}},
    {"name": "aug, decay", "options": {"train.augment": True, "train.weight_decay": 0.001}},
]


def test_a_bundle_changes_several_options_at_once_and_its_name_is_the_arm():
    config = study(axes={"regularisation": AUG, "query.strategy": ["random", "auto"]}, seeds=1)
    cells = config.cells()
    assert [c.arm.title for c in cells[:3]] == ["none, random", "none, u_herding", "aug, random"]
    assert [(c.config.train.augment, c.config.train.weight_decay) for c in cells[::2]] == [
        (False, 0.0), (True, 0.0), (True, 0.001),
    ]  # fmt: skip
    assert cells[5].arm.values == {
        "train.augment": True, "train.weight_decay": 0.001, "query.strategy": "u_herding",
    }  # fmt: skip


def test_a_stored_study_keeps_the_order_of_axes_and_bundles():
    config = study(axes={"zeta": AUG[::-1], "query.n_new": [10, 5], "alpha": [{"name": "b"}, {"name": "a"}]})
    again = StudyConfig.from_json(config.to_json())
    assert again == config
    assert [c.arm.title for c in again.cells()] == [c.arm.title for c in config.cells()]


def test_a_bundle_s_strategy_may_be_named_by_an_alias():
    config = study(axes={"way": [{"name": "one", "options": {"query.strategy": "auto"}}]})
    assert config.cells()[0].config.query.strategy == "u_herding"
    assert config.arms()[0].strategy == "u_herding"


@pytest.mark.parametrize(
    ("axes", "option", "said"),
    [
        (
            {"reg": [{"name": "a", "options": {"train.augmnt": True}}]},
            "axes.reg.train.augmnt",
            "is no option",
        ),
        ({"reg": [{"name": "a"}, {"name": "a"}]}, "axes.reg", "values that differ"),
        ({"reg": [{"name": "a"}, 3]}, "axes.reg", "mixes bundles and plain values"),
        ({"reg": AUG, "train.augment": [False, True]}, "axes.train.augment", "set by the axis reg too"),
        ({"a": [{"name": "a", "options": {"seed": 1}}]}, "axes.a.seed", "is no option"),
        ({"query.options": ["a"]}, "axes.query.options", "is no option"),
    ],
)
def test_an_axis_that_cannot_be_is_refused_by_name(axes, option, said):
    with pytest.raises(ConfigError) as caught:
        study(axes=axes)
    assert any(p.option == option and said in p.allowed for p in caught.value.problems), caught.value.problems


def test_an_axis_over_the_end_is_an_end():
    assert study(base={}, axes={"stop.budget": [100, 200]}).num_cells == 4


def test_cells_may_have_any_oracle_but_a_person_and_read_only_their_own_options():
    base = {"stop": {"n_rounds": 3}, "answers": {"noise_rate": 0.2}}
    axes = {"query.strategy": ["random"], "oracle": ["truth", "noisy"]}
    found = study(base=base, axes=axes, seeds=1).cells()
    assert [(c.config.oracle, c.config.answers.noise_rate) for c in found] == [
        ("truth", None),
        ("noisy", 0.2),
    ]
    rates = study(base={"oracle": "noisy", "stop": {"n_rounds": 3}}, axes={"answers.noise_rate": [0, 0.4]})
    assert [c.config.answers.noise_rate for c in rates.cells()] == [0, 0.4, 0, 0.4]
    assert rates.arms()[1].title == "noise_rate 0.4"


@pytest.mark.parametrize(
    ("changes", "option", "said"),
    [
        ({"axes": {"oracle": ["truth", "human"]}}, "axes.oracle", "nobody can label in a study"),
        (
            {"axes": {"answers.noise_rate": [0, 0.1]}},
            "axes.answers.noise_rate",
            "oracle=human does not read it",
        ),
        (
            {"base": {"stop": {"n_rounds": 3}, "answers": {"recorded_file": "a.npz"}}},
            "base.answers.recorded_file",
            "set oracle too",
        ),
    ],
)
def test_what_no_oracle_of_a_study_reads_is_refused(changes, option, said):
    with pytest.raises(ConfigError) as caught:
        study(**changes)
    assert any(p.option == option and said in p.allowed for p in caught.value.problems), caught.value.problems
