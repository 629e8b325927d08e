"""Answers that err, end to end: paired across strategies, the same again, told as what they are."""

import numpy as np
import pytest

from al_core.records import JobState, LabelSource
from al_core.types import INITIAL_ROUND, SKIP


@pytest.fixture
def noisy(config):
    return config.changed(oracle="noisy", answers__noise_rate=0.4, query__n_new=30)


def given(store, experiment):
    return {e.sample_id: e.value for e in store.label_events(experiment.id)}


@pytest.mark.slow
def test_strategies_of_a_seed_get_the_same_answer_to_the_same_image(store, noisy, work):
    one, two, again = (
        work(store.create_experiment(noisy.changed(query__strategy=name)).id)[1]
        for name in ("margin", "random", "margin")
    )
    first, second = given(store, one), given(store, two)
    shared = first.keys() & second.keys()
    assert len(shared) > 9  # the initial set, and some more
    assert all(first[i] == second[i] for i in shared)
    assert given(store, again) == first
    assert [r.metrics for r in store.rounds(again.id)] == [r.metrics for r in store.rounds(one.id)]


def test_mistakes_are_in_the_label_events_alone_the_initial_set_s_too(store, noisy, work):
    state, experiment = work(store.create_experiment(noisy).id)
    assert state is JobState.DONE
    truth = experiment.dataset.train.labels
    events = store.label_events(experiment.id)
    assert {e.source for e in events} == {LabelSource.NOISY}
    assert {e.annotator for e in events} == {"noisy"}
    assert any(e.value != truth[e.sample_id] for e in events if e.round == INITIAL_ROUND)
    rounds = store.rounds(experiment.id)
    wrong = [
        np.mean([e.value != truth[e.sample_id] for e in events if e.id <= r.label_event_id]) for r in rounds
    ]
    assert [r.metrics["labels_wrong"] for r in rounds] == pytest.approx(wrong)
    # rows of the confusion matrix are the test split's own labels
    counts = np.bincount(experiment.dataset.test.labels, minlength=3)
    assert np.sum(rounds[-1].confusion, axis=1).tolist() == counts.tolist()


def test_ground_truth_has_no_share_of_wrong_labels(store, config, work):
    _, experiment = work(store.create_experiment(config).id)
    assert all("labels_wrong" not in r.metrics for r in store.rounds(experiment.id))
    assert {e.source for e in store.label_events(experiment.id)} == {LabelSource.ORACLE}


def test_recorded_answers_name_their_column_and_what_nobody_answered_is_skipped(
    store, config, work, tmp_path
):
    path = tmp_path / "people.csv"
    lines = ["sample_id,ann,label"]
    lines += [f"{i},{'' if i % 5 == 0 else ('left', 'right', 'top')[i % 3]}," for i in range(150)]
    path.write_text("\n".join(lines))
    asked = config.changed(
        oracle="recorded", answers__recorded_file=str(path), answers__recorded_column="ann",
        stop__n_rounds=3,
    )  # fmt: skip
    state, experiment = work(store.create_experiment(asked).id)
    assert state is JobState.DONE
    events = store.label_events(experiment.id)
    assert {e.source for e in events} == {LabelSource.RECORDED}
    assert {e.annotator for e in events} == {"ann"}
    classes = {name: i for i, name in enumerate(experiment.dataset.classes)}
    for event in events:
        i = event.sample_id
        assert event.value == (SKIP if i % 5 == 0 else classes[("left", "right", "top")[i % 3]])
    assert any(e.value == SKIP for e in events)
    rounds = store.rounds(experiment.id)
    assert rounds[-1].num_labeled == sum(e.value >= 0 for e in events)


def test_an_experiment_does_not_go_on_by_another_file_of_answers(store, config, work, tmp_path):
    path = tmp_path / "people.csv"
    names = ("left", "top")
    path.write_text("\n".join(["sample_id,label", *(f"{i},{names[i % 2]}" for i in range(150))]))
    asked = config.changed(oracle="recorded", answers__recorded_file=str(path), stop__n_rounds=3)
    record = store.create_experiment(asked)
    work(record.id, until_labels=9)
    before = store.label_events(record.id)
    path.write_text("\n".join(["sample_id,label", *(f"{i},{names[1 - i % 2]}" for i in range(150))]))
    state, _ = work(record.id)
    assert state is JobState.FAILED
    job = store.jobs(experiment_id=record.id)[0]
    assert "the oracle's file has changed" in job.error_text
    assert len(before) == 9
    assert store.label_events(record.id) == before
