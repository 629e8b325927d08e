"""Forks: what they have of their parent, what they may change, and the labels that relatives share."""

import pytest

from al_core.cli.verify import check_experiment
from al_core.errors import ConfigError, NotFound
from al_core.experiment import Experiment
from al_core.forking import INHERITED, fork, fork_name, origin, redo, relatives, share
from al_core.records import ClassAct, ClassChange, ExperimentStatus, JobState, LabelOp, LabelSource, Mark
from al_core.removal import delete_run
from al_core.store.objects import Objects
from al_core.types import EXCLUDE, INITIAL_ROUND, SKIP, UNLABEL
from tests.al_core.worker.conftest import config, prepared, settings, store, watermarked, work

__all__ = ["config", "prepared", "settings", "store", "watermarked", "work"]


def asked(experiment, number):
    query = experiment.store.query(experiment.id, number)
    return None if query is None else [item.sample_id for item in query.items]


def answered(experiment):
    return [(e.sample_id, e.value, e.source, e.round) for e in experiment.store.label_events(experiment.id)]


def answer(experiment, ids, value=None, *, client="tab", start=1, mark=None):
    truth = experiment.dataset.train.labels
    ops = []
    for i in ids:
        ops.append(LabelOp(start + len(ops), i, int(truth[i]) if value is None else value))
        if mark is not None:
            ops.append(LabelOp(start + len(ops), i, 1, mark=mark))
    last = experiment.last_query()
    number = INITIAL_ROUND if last is None else last.round  # a finished session asks nothing any more
    experiment.store.add_labels(
        experiment.id, ops, client=client, source=LabelSource.HUMAN, round=number, annotator="ann"
    )


@pytest.fixture
def parent(store, config, work):
    """Three rounds answered by ground truth."""
    _, experiment = work(
        store.create_experiment(config.changed(query__strategy="margin", stop__n_rounds=3)).id
    )
    return experiment


@pytest.fixture
def asking(store, config, work):
    """A person's session after round 0, and a way to fork it and let the fork ask."""
    _, first = work(store.create_experiment(config.changed(oracle="human", query__strategy="margin")).id)

    def branch(source=first, number=0, **changes):
        changes = {"query__strategy": "entropy", "stop__n_rounds": 3} | changes
        made = fork(store, source.settings, source.id, number, source.config.changed(**changes))
        return work(made.id)[1]

    return first, branch


def test_a_fork_has_all_up_to_its_round_and_goes_its_own_way(store, settings, parent, work):
    other = parent.config.changed(query__strategy="k_center", stop__n_rounds=4, name="fork")
    made = fork(store, settings, parent.id, 1, other)
    assert made.parent_id == parent.id
    assert (made.num_rounds, made.status) == (2, ExperimentStatus.TRAINING)
    state, child = work(made.id)
    assert state is JobState.DONE
    theirs, ours = store.rounds(parent.id), store.rounds(child.id)
    assert [r.num_labeled for r in ours] == [9, 21, 33, 45]
    assert [r.artefacts["weights"] for r in ours[:2]] == [r.artefacts["weights"] for r in theirs[:2]]
    assert ours[2].artefacts["weights"] != theirs[2].artefacts["weights"]
    assert [r.metrics for r in ours[:2]] == [r.metrics for r in theirs[:2]]
    assert [asked(child, n) for n in (INITIAL_ROUND, 0)] == [asked(parent, n) for n in (INITIAL_ROUND, 0)]
    assert asked(child, 1) != asked(parent, 1)
    assert store.query(child.id, 1).strategy == "k_center"
    assert store.epochs(child.id, round=1) == store.epochs(parent.id, round=1)
    until = theirs[1].label_event_id
    assert answered(child)[:21] == [
        (e.sample_id, e.value, e.source, e.round) for e in store.label_events(parent.id, until=until)
    ]
    found = origin(store, child.record, ours)
    assert (found.id, found.name, found.round) == (parent.id, parent.record.name, 1)
    assert INHERITED not in ours[2].manifest
    assert store.check() == []
    assert list(check_experiment(store, child)) == []


def test_the_fork_asks_what_a_session_with_its_strategy_would_have_asked(store, config, work):
    """Round 0 is the same for every strategy: so the fork after it must be the other session to the end."""
    settled = config.changed(stop__n_rounds=3)
    _, one = work(store.create_experiment(settled.changed(query__strategy="margin")).id)
    _, other = work(store.create_experiment(settled.changed(query__strategy="badge")).id)
    _, child = work(fork(store, one.settings, one.id, 0, other.config).id)
    assert [asked(child, n) for n in range(2)] == [asked(other, n) for n in range(2)]
    assert [r.metrics for r in store.rounds(child.id)] == [r.metrics for r in store.rounds(other.id)]
    assert [r.artefacts["arrays"] for r in store.rounds(child.id)] == [
        r.artefacts["arrays"] for r in store.rounds(other.id)
    ]


def test_a_bandit_whose_arms_change_places_goes_on_with_what_they_learnt(store, settings, config, work):
    config = config.changed(
        query__strategy="bandit", query__options={"arms": "margin, k_center"}, stop__n_rounds=4,
        query__n_new=8,
    )  # fmt: skip
    _, parent = work(store.create_experiment(config).id)
    made = fork(
        store, settings, parent.id, 2, config.changed(query__options={"arms": "random, k_center, margin"})
    )
    _, child = work(made.id)

    def learnt(experiment):
        metrics = store.rounds(experiment.id)[2].metrics
        return {name: value for name, value in metrics.items() if name.startswith("arm_")}

    assert learnt(child) == pytest.approx(learnt(parent))
    assert len(set(learnt(parent).values())) > 3
    assert store.rounds(child.id)[3].num_labeled == 9 + 3 * 8


def test_another_model_trains_the_round_anew_on_the_same_labels(store, config, parent, work):
    other = parent.config.changed(train__learning_rate=0.002, train__min_steps=60, stop__n_rounds=2)
    made = fork(store, parent.settings, parent.id, 1, other)
    assert made.num_rounds == 1
    _, child = work(made.id)
    theirs, ours = store.rounds(parent.id), store.rounds(child.id)
    assert [r.num_labeled for r in ours] == [r.num_labeled for r in theirs[:2]]
    assert ours[1].artefacts["weights"] != theirs[1].artefacts["weights"]
    assert len(store.epochs(child.id, round=1)) > len(store.epochs(parent.id, round=1))
    assert origin(store, child.record, ours).round == 0


def test_from_the_first_round_another_model_shares_the_initial_set_alone(store, parent, work):
    made = fork(store, parent.settings, parent.id, 0, parent.config.changed(model__dropout=0.2))
    assert made.num_rounds == 0
    found = origin(store, made, [])
    assert (found.id, found.round) == (parent.id, None)
    _, child = work(made.id)
    assert asked(child, INITIAL_ROUND) == asked(parent, INITIAL_ROUND)
    assert [r.num_labeled for r in store.rounds(child.id)] == [9, 21, 33]


def test_a_finished_parent_s_last_round_can_go_on(store, parent, work):
    made = fork(store, parent.settings, parent.id, 2, parent.config.changed(stop__n_rounds=4))
    _, child = work(made.id)
    assert [r.num_labeled for r in store.rounds(child.id)] == [9, 21, 33, 45]
    assert child.record.stop_reason == "all 4 rounds done"


def test_a_fork_whose_own_stop_holds_already_asks_nothing(store, parent, work):
    made = fork(store, parent.settings, parent.id, 1, parent.config.changed(stop__n_rounds=2))
    _, child = work(made.id)
    assert child.record.status is ExperimentStatus.FINISHED
    assert child.record.stop_reason == "all 2 rounds done"
    assert len(store.rounds(child.id)) == 2


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"init__n_start": 4}, {"query__holdback": 0.2}, {"data__round_validation": 0.2}],
)
def test_what_ids_and_splits_rest_on_stays(store, parent, changes):
    (path,) = changes
    with pytest.raises(ConfigError, match="stays") as refused:
        fork(store, parent.settings, parent.id, 1, parent.config.changed(**changes))
    assert [p.option for p in refused.value.problems] == [path.replace("__", ".")]
    assert len(store.experiments()) == 1


def test_a_round_that_is_not_there_and_what_cannot_run_are_refused(store, parent):
    with pytest.raises(ConfigError, match="has rounds 0 to 2"):
        fork(store, parent.settings, parent.id, 3, parent.config)
    with pytest.raises(ConfigError, match=r"query\.strategy"):
        fork(store, parent.settings, parent.id, 1, parent.config.changed(query__strategy="nope"))
    with pytest.raises(NotFound):
        fork(store, parent.settings, "nope", 1, parent.config)
    baseline = store.create_experiment(parent.config, parent_id=parent.id, ghost=True)
    with pytest.raises(ConfigError, match="baseline"):
        fork(store, parent.settings, baseline.id, 0, parent.config)
    assert len(store.experiments()) == 1


def test_what_is_done_anew_follows_from_what_differs(config):
    assert redo(config, config.changed(model__dropout=0.2)) == "train"
    assert redo(config, config.changed(query__strategy="entropy", name="x")) == "ask"
    assert redo(config, config.changed(stop__n_rounds=9)) == "ask"
    assert redo(config, config.changed(oracle="human", name="x")) == "nothing"
    assert fork_name(config, "x" * 200, 3).endswith(f"{config.query.chooser} from round 3")
    assert len(fork_name(config, "x" * 200, 3)) <= 120


def test_a_parent_can_go_and_the_fork_keeps_its_objects_and_its_origin(store, settings, parent, work):
    _, child = work(fork(store, settings, parent.id, 1, parent.config.changed(query__strategy="k_center")).id)
    objects = Objects(settings.objects)
    shared = {sha for r in store.rounds(child.id) for sha in r.artefacts.values()}
    gone = store.rounds(parent.id)[2].artefacts["weights"]
    delete_run(store, settings, parent.id)
    assert all(objects.path(sha).is_file() for sha in shared)
    assert not objects.path(gone).is_file()
    child.refresh()
    assert child.record.parent_id is None
    assert origin(store, child.record, store.rounds(child.id)).name == parent.record.name
    assert relatives(store, child.record) == []
    assert store.check() == []
    assert list(check_experiment(store, child)) == []


# -- labels that relatives have -----------------------------------------------------------------------------


def test_what_a_relative_has_answered_is_answered_at_once_with_its_origin(store, asking, work):
    first, branch = asking
    everything = asked(first, 0)
    answer(first, everything[:6], mark=Mark.UNSURE)
    child = branch()
    both = set(everything[:6]) & set(asked(child, 0))
    assert both, "the two strategies must share an image here, or this test says nothing"
    taken = {e.sample_id: e for e in store.label_events(child.id) if e.source is LabelSource.SHARED}
    assert set(taken) == both
    theirs = store.current_labels(first.id)
    for i, event in taken.items():
        assert (event.value, event.annotator) == (theirs[i].value, "ann")
        assert event.detail["shared"] == {"experiment": first.id, "event": theirs[i].id, "source": "human"}
        assert Mark.UNSURE in child.marks()[i]
    assert child.record.status is ExperimentStatus.AWAITING_LABELS
    assert len(store.rounds(child.id)) == 1, "a query that is answered in part waits for its person"
    assert store.check() == []


def test_a_query_that_relatives_answered_whole_goes_on_by_itself(store, asking, work):
    first, branch = asking
    answer(first, asked(first, 0))
    child = branch(query__strategy="margin", query__n_new=5)
    assert len(store.rounds(child.id)) >= 2
    assert store.rounds(child.id)[1].num_labeled == 9 + 5
    sources = {e.source for e in store.label_events(child.id) if e.round == 0}
    assert sources == {LabelSource.SHARED}


def test_siblings_and_children_share_too_and_only_once(store, asking, work):
    first, branch = asking
    one, two = branch(query__strategy="margin", train__unsure_weight=0.4), branch(query__strategy="margin")
    ids = asked(two, 0)
    assert set(asked(one, 0)) & set(ids)
    answer(two, ids)
    assert share(one) == len(set(asked(one, 0)) & set(ids))
    assert share(one) == 0
    assert share(first) == len(set(asked(first, 0)) & set(ids))
    origins = {
        e.detail["shared"]["experiment"]
        for e in store.label_events(first.id)
        if e.source is LabelSource.SHARED
    }
    assert origins == {two.id}, "an answer that was shared itself names the session where it was given"


def test_skipped_excluded_and_taken_back_answers(store, asking):
    first, branch = asking
    child = branch(query__strategy="margin", stop__n_rounds=9)
    a, b, c, d = asked(child, 0)[:4]
    answer(first, [a], SKIP)
    answer(first, [b], EXCLUDE, start=2)
    answer(first, [c], 1, start=3)
    answer(child, [c], 2)
    answer(child, [c], UNLABEL, start=2)
    assert share(child) == 1
    assert set(child.answers()) == {b}
    answer(first, [d], 0, start=4)
    answer(first, [d], 2, start=5)
    assert share(child) == 1
    assert child.answers()[d].value == 2


def test_an_answer_that_comes_after_one_with_doubt_is_taken_too(store, asking):
    first, branch = asking
    child = branch(query__strategy="margin", stop__n_rounds=9)
    a, b = asked(child, 0)[:2]
    answer(first, [a], 0, mark=Mark.UNSURE)
    assert share(child) == 1
    answer(first, [b], 2, start=3)
    assert share(child) == 1
    assert {i: event.value for i, event in child.answers().items()} == {a: 0, b: 2}


def test_sharing_can_be_switched_off_and_is_a_person_s_only(store, asking, config):
    first, branch = asking
    answer(first, asked(first, 0))
    child = branch(query__strategy="margin", share_labels=False, query__n_new=5)
    assert child.answers() == {}
    assert share(child) == 0
    store.update_experiment(child.id, config=child.config.changed(share_labels=True))
    assert share(Experiment.open(store, child.settings, child.id)) == 5
    oracle = branch(query__strategy="margin", oracle="truth", stop__n_rounds=2)
    assert {e.source for e in store.label_events(oracle.id)} == {LabelSource.ORACLE}


def test_a_session_of_other_ids_is_no_relative(store, asking, config):
    first, branch = asking
    child = branch()
    other = store.create_experiment(first.config.changed(seed=5), parent_id=first.id)
    store.update_experiment(other.id, fingerprint=first.record.fingerprint)
    ghost = store.create_experiment(first.config, parent_id=first.id, ghost=True)
    assert {r.id for r in store.family(first.id)} == {first.id, child.id, other.id}
    assert [r.id for r in relatives(store, first.record)] == [child.id]
    assert ghost.id not in {r.id for r in store.family(child.id)}


def test_a_fork_has_the_classes_of_its_round_and_shares_those_found_later_by_name(store, asking, work):
    first, branch = asking
    first.change_class(ClassChange(1, ClassAct.MERGE, into=0))
    ids = asked(first, 0)
    answer(first, ids)
    _, first = work(first.id)
    child = branch(first, 1)
    assert child.classes().trained == (0, 2)
    assert store.rounds(child.id)[1].class_ids == (0, 2)
    assert [event.change for event in child.class_events()] == [
        event.change for event in first.class_events()
    ]
    assert list(check_experiment(store, child)) == []

    pair = asked(child, 1)[:3]
    for name in ("hat", "boots"):
        first.change_class(ClassChange(0, ClassAct.ADD, name=name))
    child.change_class(ClassChange(0, ClassAct.ADD, name="boots"))  # 3 here, 4 there
    answer(first, pair[:1], 4, client="boots")
    answer(first, pair[1:2], 3, client="hat")
    answer(first, pair[2:], 1, client="merged")
    assert share(child) == 2  # nobody has found a hat here yet
    current = store.current_labels(child.id)
    assert [current[i].value for i in (pair[0], pair[2])] == [3, 0]
    child.change_class(ClassChange(0, ClassAct.ADD, name="Hat"))
    assert share(child) == 1
    assert store.current_labels(child.id)[pair[1]].value == 4
