"""Studies that go on until they are clear: one seed at a time, to the cap, whoever asks."""

import numpy as np
import pytest

from al_core.errors import ConfigError
from al_core.records import ExperimentStatus, RoundRecord
from al_core.results.study import study_result
from al_core.results.study_text import report_text
from al_core.sequential import declare, grow, is_clear, usual_cap
from al_core.store import open_store
from al_core.study import StudyConfig
from al_core.study_running import begin


@pytest.fixture
def store(settings):
    opened = open_store(settings)
    yield opened
    opened.close()


def started(store, most=8, seeds=3):
    config = StudyConfig.parse(
        {
            "name": "Test", "base": {"stop": {"n_rounds": 3}},
            "axes": {"query.strategy": ["random", "margin"]}, "seeds": seeds, "most_seeds": most,
        }
    )  # fmt: skip
    return begin(store, config)


def finish(store, record, lead, spread=0.01):
    """Run what waits: margin leads random by so much, and a seed's noise may hide it."""
    jobs = {job.experiment_id: job for job in store.jobs(active=True, limit=1000)}
    for experiment in store.study_experiments(record.id):
        if experiment.status is ExperimentStatus.FINISHED:
            continue
        _, lease = store.claim_job("w", job_id=jobs[experiment.id].id)
        own = experiment.config.query.strategy == "margin"
        rng = np.random.default_rng([experiment.config.seed, own])
        for number in range(3):
            accuracy = 0.5 + 0.1 * number + lead * own + rng.normal(0, spread)
            last = number == 2
            store.finish_round(
                lease,
                RoundRecord(
                    experiment.id, number, 20 * (number + 1), 0, {"test_accuracy": float(accuracy)}, None,
                    (), {}, {}, {}, 0.0,
                ),
                None,
                status=ExperimentStatus.FINISHED if last else ExperimentStatus.TRAINING,
            )  # fmt: skip


def seeds(store, record):
    return StudyConfig.from_json(store.study(record.id).config).seeds


def test_a_clear_study_ends_with_the_seeds_that_were_planned(store):
    record = started(store)
    assert not grow(store, record.id)  # its runs are still to come
    finish(store, record, lead=0.5)
    assert is_clear(store, record.id)
    assert not grow(store, record.id)
    assert seeds(store, record) == (0, 1, 2)


def test_equal_strategies_go_on_to_the_cap_and_no_further(store):
    record = started(store, most=6)
    finish(store, record, lead=0.0)
    known = {e.cell: e.id for e in store.study_experiments(record.id)}
    for count in (4, 5, 6):
        assert grow(store, record.id)
        assert seeds(store, record) == tuple(range(count))
        assert len(store.study_experiments(record.id)) == 2 * count
        finish(store, record, lead=0.0)
    assert not grow(store, record.id)
    assert {e.cell: e.id for e in store.study_experiments(record.id)}.items() >= known.items()
    config = StudyConfig.from_json(store.study(record.id).config)
    assert (config.planned, config.looks) == (3, (3, 6))
    assert config.as_planned().seeds == (0, 1, 2)


def test_the_report_says_that_it_was_looked_at(store):
    record = started(store)
    finish(store, record, lead=0.0)
    result = study_result(store, record.id)
    assert result.looks == (3, 8)
    assert "8 at most" in report_text(result)
    assert "from 3 on (Pocock, 1977)" in report_text(result)


def test_two_that_ask_at_once_add_one_seed(store):
    record = started(store)
    finish(store, record, lead=0.0)
    first = store.study(record.id)
    longer = StudyConfig.from_json(first.config).with_another_seed().to_json()
    assert store.change_study(record.id, longer, was=first.config)
    assert not store.change_study(record.id, longer, was=first.config)
    assert grow(store, record.id)  # the one who changed it has not queued its runs: this one does
    assert seeds(store, record) == (0, 1, 2, 3)
    assert len(store.jobs(active=True)) == 2 + 6  # finished by hand: their old jobs are still there


def test_a_study_without_a_cap_never_grows_until_one_is_named_and_it_stays(store):
    record = started(store, most=None)
    finish(store, record, lead=0.0)
    assert not grow(store, record.id)
    declare(store, record.id, 5)
    declare(store, record.id, 5)
    with pytest.raises(ConfigError, match="stands at 5"):
        declare(store, record.id, 9)
    assert grow(store, record.id)
    assert seeds(store, record) == (0, 1, 2, 3)


def test_caps_out_of_range_are_refused():
    base = {"base": {"stop": {"n_rounds": 3}}}
    for wrong in ({"seeds": 1, "most_seeds": 5}, {"seeds": 5, "most_seeds": 4}, {"most_seeds": 51}):
        with pytest.raises(ConfigError, match="most_seeds"):
            StudyConfig.parse(base | wrong)
    assert usual_cap(5) == 20
    assert usual_cap(30) == 50
