import numpy as np
import pytest

from al_core.cli.verify import check_experiment
from al_core.cost.calibration import Calibration
from al_core.cost.pool import Pool as PoolFacts
from al_core.cost.prediction import predict as predict_cost
from al_core.cost.prediction import sizes_of
from al_core.engine.inference import predict
from al_core.engine.network import load_network
from al_core.errors import ProcessLost
from al_core.experiment import Experiment
from al_core.pool import Pool
from al_core.query.bandit import least_chance
from al_core.records import ExperimentStatus, JobState, LabelOp, LabelSource
from al_core.results.records_file import manifest, records
from al_core.store.objects import Objects
from al_core.types import EXCLUDE, INITIAL_ROUND, SKIP
from al_core.worker import rounds
from al_core.worker.jobs import run_job
from tests.al_core.worker.conftest import number_in


def queried(experiment):
    return {q.round: [item.sample_id for item in q.items] for q in experiment.store.queries(experiment.id)}


def test_seed_1_defect_1_the_scored_image_is_the_asked_and_the_labeled_one(store, settings, config, work):
    """The id watermark, end to end: pixels, scores, guesses, labels and files all speak of the same image."""
    state, experiment = work(store.create_experiment(config.changed(query__strategy="margin")).id)
    assert state is JobState.DONE
    train = experiment.dataset.train
    marks = {i: number_in(train.read(np.array([i]))[0]) for i in range(len(train))}
    assert [int(train.file_name(i).split("/")[-1].split(".")[0]) for i in marks] == list(marks.values())

    record = store.rounds(experiment.id)[0]
    network = load_network(Objects(settings.objects).path(record.artefacts["weights"]))
    query = store.query(experiment.id, 0)
    for item in query.items:
        probs = predict(network, train, np.array([item.sample_id])).probs[0]
        first, second = np.sort(probs)[::-1][:2]
        assert item.score == pytest.approx(1 - float(first - second), abs=1e-5)
        assert item.guesses[0][1] == pytest.approx(float(first), abs=1e-6)
        assert probs[item.guesses[0][0]] == pytest.approx(float(first), abs=1e-6)

    for event in store.label_events(experiment.id):
        assert event.value == train.labels[event.sample_id]
        name = train.file_name(event.sample_id)
        assert experiment.dataset.classes[event.value] == name.split("/")[-2]
    assert list(check_experiment(store, experiment)) == []


def test_the_labeled_count_grows_by_exactly_the_query_size_and_nothing_is_asked_twice(store, config, work):
    _, experiment = work(store.create_experiment(config.changed(stop__n_rounds=3)).id)
    assert [r.num_labeled for r in store.rounds(experiment.id)] == [9, 21, 33]
    asked = [i for ids in queried(experiment).values() for i in ids]
    assert len(asked) == len(set(asked)) == 33
    assert experiment.record.status is ExperimentStatus.FINISHED
    assert experiment.record.stop_reason == "all 3 rounds done"


def test_the_same_config_and_seed_give_the_same_queries_and_metrics(store, config, work):
    one, two = (work(store.create_experiment(config).id)[1] for _ in range(2))
    assert queried(one) == queried(two)
    assert [r.metrics for r in store.rounds(one.id)] == [r.metrics for r in store.rounds(two.id)]


def test_changing_the_strategy_moves_neither_the_initial_set_nor_the_splits_nor_the_first_training(
    store, config, work
):
    config = config.changed(data__round_validation=0.1)
    experiments = [
        work(store.create_experiment(config.changed(query__strategy=name)).id)[1]
        for name in ("margin", "random", "k_center")
    ]
    initial = {tuple(queried(e)[INITIAL_ROUND]) for e in experiments}
    assert len(initial) == 1
    assert len({e.splits.hash for e in experiments}) == 1
    assert len({store.rounds(e.id)[0].artefacts["weights"] for e in experiments}) == 1
    assert len({tuple(queried(e)[0]) for e in experiments}) == 3


def test_permuting_the_hidden_labels_changes_no_query(store, settings, config, work, monkeypatch):
    """A strategy never sees a pool label: with other truth behind the pool, the same images are asked."""
    first = store.create_experiment(config.changed(oracle="human"))
    _, one = work(first.id)
    second = store.create_experiment(config.changed(oracle="human"))
    labels = one.dataset.train.labels.copy()
    pool = one.pool().unlabeled_ids
    shuffled = labels.copy()
    shuffled[pool] = np.random.default_rng(0).permutation(labels[pool])
    assert (shuffled != labels).any()
    original = one.dataset.train.__class__.labels if hasattr(one.dataset.train.__class__, "labels") else None
    assert original is None or isinstance(original, property)
    import al_core.worker.rounds as rounds

    ask = rounds.Advance._ask

    def ask_with_other_labels(self, *arguments):
        train = self.experiment.dataset.train
        kept = train.labels
        object.__setattr__(train, "labels", shuffled)
        try:
            return ask(self, *arguments)
        finally:
            object.__setattr__(train, "labels", kept)

    monkeypatch.setattr(rounds.Advance, "_ask", ask_with_other_labels)
    _, two = work(second.id)
    assert queried(one) == queried(two)


def test_a_person_is_asked_and_the_next_round_trains_on_the_answers(store, config, work):
    _, experiment = work(store.create_experiment(config.changed(oracle="human")).id)
    assert experiment.record.status is ExperimentStatus.AWAITING_LABELS
    query = experiment.pending()
    assert query.round == 0
    ids = [item.sample_id for item in query.items]
    ops = [LabelOp(n, i, int(experiment.dataset.train.labels[i])) for n, i in enumerate(ids[:7], start=1)]
    ops += [LabelOp(8, ids[7], SKIP), LabelOp(9, ids[8], EXCLUDE)]
    store.add_labels(experiment.id, ops, client="tab", source=LabelSource.HUMAN, round=0)
    _, experiment = work(experiment.id)
    rounds = store.rounds(experiment.id)
    assert [r.num_labeled for r in rounds] == [9, 16]
    assert experiment.record.status is ExperimentStatus.FINISHED
    pool = experiment.pool()
    assert (pool.skipped_ids.tolist(), pool.excluded_ids.tolist()) == ([ids[7]], [ids[8]])


def test_training_without_a_new_answer_asks_nothing_and_wastes_no_round(store, config, work):
    _, experiment = work(store.create_experiment(config.changed(oracle="human")).id)
    state, experiment = work(experiment.id)
    assert state is JobState.DONE
    assert len(store.rounds(experiment.id)) == 1
    assert experiment.record.status is ExperimentStatus.AWAITING_LABELS


def test_skipped_samples_are_never_queried_again(store, config, work):
    config = config.changed(oracle="human", stop__n_rounds=None, query__strategy="random", query__n_new=60)
    _, experiment = work(store.create_experiment(config).id)
    skipped = set()
    for _ in range(2):
        query = experiment.pending()
        ids = [item.sample_id for item in query.items]
        assert not skipped & set(ids)
        skipped |= set(ids[:20])
        experiment.tell(
            [(i, SKIP) for i in ids[:20]], client="c", source=LabelSource.HUMAN, round=query.round
        )
        experiment.tell([(ids[20], 0)], client="c", source=LabelSource.HUMAN, round=query.round)
        _, experiment = work(experiment.id)
    assert not skipped & {item.sample_id for item in experiment.pending().items}


def test_a_class_that_runs_out_and_a_pool_that_runs_out_end_the_run_without_a_crash(store, config, work):
    config = config.changed(query__n_new=100, stop__n_rounds=9)
    _, experiment = work(store.create_experiment(config).id)
    assert [r.num_labeled for r in store.rounds(experiment.id)] == [9, 109, 150]
    assert experiment.record.stop_reason == "every image of the pool is labeled"


def test_the_last_query_asks_no_more_than_the_budget_leaves(store, config, work):
    _, experiment = work(store.create_experiment(config.changed(stop__n_rounds=None, stop__budget=25)).id)
    assert [r.num_labeled for r in store.rounds(experiment.id)] == [9, 21, 25]
    assert experiment.record.stop_reason == "budget of 25 labels spent"


def test_the_candidate_cap_is_the_same_draw_for_every_strategy(store, settings, config, work):
    config = config.changed(query__candidates=40)
    drawn = []
    for name in ("margin", "entropy"):
        _, experiment = work(store.create_experiment(config.changed(query__strategy=name)).id)
        arrays = Objects(settings.objects).get_arrays(store.rounds(experiment.id)[0].artefacts["arrays"])
        drawn.append(arrays["candidate_ids"].tolist())
        assert {i.sample_id for i in store.query(experiment.id, 0).items} <= set(drawn[-1])
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 40


def test_a_capped_query_says_how_many_of_how_many_were_scored(store, config, work):
    _, experiment = work(store.create_experiment(config.changed(query__candidates=40)).id)
    found = records(experiment)["rounds"]
    assert [(r["num_candidates"], r["num_unlabeled"]) for r in found[:-1]] == [(40, 141)]
    assert experiment.num_unlabeled(INITIAL_ROUND) == 150


@pytest.mark.slow
def test_a_calibration_is_a_job_that_a_worker_does(store, settings, config):
    pool = {"num_train": 150, "num_classes": 3, "image_size": 16}
    spec = {"config": config.changed(query__strategy="margin").model_dump(mode="json"), "pool": pool}
    job = store.submit_job("calibrate", spec=spec)
    assert run_job(store, settings, *store.claim_job("tester", job_id=job.id)) is JobState.DONE
    tried = config.changed(query__strategy="margin")
    cost = predict_cost(
        tried, PoolFacts(**pool), sizes_of(tried, PoolFacts(**pool)), Calibration.read(settings)
    )
    assert cost is not None
    assert cost.seconds > 0


def test_validation_samples_are_never_asked_and_the_test_split_never_enters_the_pool(store, config, work):
    config = config.changed(data__round_validation=0.2, data__epoch_validation=0.2, query__n_new=90)
    _, experiment = work(store.create_experiment(config).id)
    asked = {i for ids in queried(experiment).values() for i in ids}
    assert not asked & set(experiment.splits.validation_ids.tolist())
    assert max(asked) < len(experiment.dataset.train)
    rounds = store.rounds(experiment.id)
    assert rounds[-1].num_labeled + len(experiment.splits.validation_ids) == len(experiment.dataset.train)
    assert {"validation_accuracy", "test_accuracy"} <= set(rounds[0].metrics)
    assert all(e.validation_accuracy is not None for e in store.epochs(experiment.id))


def test_a_labeled_validation_share_costs_labels_and_is_not_trained_on(store, config, work):
    config = config.changed(train__labeled_validation=0.3, init__n_start=10, train__early_stopping=2)
    _, experiment = work(store.create_experiment(config).id)
    assert store.rounds(experiment.id)[0].num_labeled == 30
    assert all(e.validation_loss is not None for e in store.epochs(experiment.id))


def test_one_class_only_is_a_failed_job_with_the_way_out_and_can_be_mended(store, config, work):
    config = config.changed(oracle="human", init__init="random", init__n_start=4)
    _, experiment = work(store.create_experiment(config).id)
    ids = [item.sample_id for item in experiment.pending().items]
    experiment.tell([(i, 0) for i in ids[:3]], client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)
    state, experiment = work(experiment.id)
    assert state is JobState.FAILED
    job = store.jobs(experiment_id=experiment.id)[0]
    assert "at least two classes" in job.error_text
    assert "Traceback" not in job.error_text
    experiment.tell([(ids[3], 1)], client="c", source=LabelSource.HUMAN, round=INITIAL_ROUND)
    state, experiment = work(experiment.id)
    assert state is JobState.DONE
    assert len(store.rounds(experiment.id)) == 1


@pytest.mark.parametrize("holdback", [0.0, 0.25])
def test_the_random_ghost_follows_to_the_same_number_of_labels_from_the_same_start(
    store, config, work, holdback
):
    config = config.changed(oracle="human", query__holdback=holdback)
    _, experiment = work(store.create_experiment(config).id, ghost=True)
    ghost = store.ghost_of(experiment.id)
    assert ghost.config.query.strategy == "random"
    _, one = work(ghost.id, until_labels=9)
    assert queried(one)[INITIAL_ROUND] == queried(experiment)[INITIAL_ROUND]
    assert [r.num_labeled for r in store.rounds(ghost.id)] == [9]
    _, one = work(ghost.id, until_labels=33)
    assert [r.num_labeled for r in store.rounds(ghost.id)] == [9, 21, 33]
    mine, its = store.rounds(experiment.id)[0], store.rounds(ghost.id)[0]
    assert mine.artefacts["weights"] == its.artefacts["weights"]
    assert ("holdback_accuracy" in store.rounds(ghost.id)[-1].metrics) is (holdback > 0)


def test_an_imported_initial_set_is_used_as_it_is(store, config, work, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "sample_id,label\n" + "".join(f"{i},{('left', 'right', 'top')[i % 3]}\n" for i in range(12))
    )
    config = config.changed(init__init="import", init__import_labels=str(path))
    _, experiment = work(store.create_experiment(config).id)
    first = experiment.pool(until=store.rounds(experiment.id)[0].label_event_id)
    assert isinstance(first, Pool)
    assert first.labeled_ids.tolist() == list(range(12))


def test_a_worker_that_dies_between_the_imported_query_and_its_labels_loses_none(
    store, config, work, tmp_path, monkeypatch
):
    path = tmp_path / "labels.csv"
    path.write_text(
        "sample_id,label\n" + "".join(f"{i},{('left', 'right', 'top')[i % 3]}\n" for i in range(9))
    )
    config = config.changed(init__init="import", init__import_labels=str(path))
    experiment_id = store.create_experiment(config).id

    def die(*_, **__):
        raise ProcessLost("the worker was killed here")

    with monkeypatch.context() as patch:
        patch.setattr(Experiment, "tell", die)
        state, experiment = work(experiment_id)
    assert state is not JobState.DONE
    assert len(store.query(experiment_id, INITIAL_ROUND).items) == 9
    assert store.label_events(experiment_id) == []

    state, experiment = work(experiment_id)
    assert state is JobState.DONE
    first = experiment.pool(until=store.rounds(experiment_id)[0].label_event_id)
    assert first.labeled_ids.tolist() == list(range(9))
    assert first.classes[:9].tolist() == [0, 1, 2] * 3


def test_classes_that_only_the_imported_file_has_are_refused_with_the_way_out_mapped_or_added(
    store, settings, config, work, tmp_path
):
    path = tmp_path / "labels.csv"
    names = ("left", "right", "oben", "boots")
    path.write_text("sample_id,label\n" + "".join(f"{i},{names[i % 4]}\n" for i in range(12)))
    config = config.changed(init__init="import", init__import_labels=str(path), init__import_map="oben=top")
    state, experiment = work(store.create_experiment(config).id)
    assert state is JobState.FAILED
    (job,) = store.jobs(experiment_id=experiment.id)
    assert "line 5" in job.error_text
    assert "'boots' is no class of this session, which are left, right, top" in job.error_text
    assert "import_map (boots=CLASS)" in job.error_text
    assert "new_classes=add" in job.error_text
    assert store.class_events(experiment.id) == []

    added = store.create_experiment(config.changed(init__new_classes="add"))
    state, experiment = work(added.id)
    assert state is JobState.DONE
    assert experiment.dataset.classes == ("left", "right", "top", "boots")
    first = store.rounds(experiment.id)[0]
    assert (len(first.class_counts), first.class_counts) == (4, (3, 3, 3, 3))
    assert [e.annotator for e in store.class_events(experiment.id)] == ["import"]
    assert store.check() == []


def test_a_k_center_start_needs_no_labels_and_waits_for_the_person(store, config, work):
    config = config.changed(oracle="human", init__init="kcenter", init__n_start=6)
    _, experiment = work(store.create_experiment(config).id)
    query = experiment.pending()
    assert (query.round, len(query.items), experiment.record.status) == (
        INITIAL_ROUND, 6, ExperimentStatus.AWAITING_LABELS,
    )  # fmt: skip


def test_a_mixture_asks_for_both_and_keeps_who_picked_what(store, settings, config, work):
    config = config.changed(
        query__strategy="margin", query__second="k_center", query__share=0.25, query__balance=True,
        query__min_distance=1e-4,
    )  # fmt: skip
    _, experiment = work(store.create_experiment(config).id)
    arrays = Objects(settings.objects).get_arrays(store.rounds(experiment.id)[0].artefacts["arrays"])
    query = store.query(experiment.id, 0)
    assert arrays["members"].tolist() == [0, 1, 0, 0] * 3
    assert len({item.sample_id for item in query.items}) == 12
    assert query.strategy == "margin"
    assert all(item.score is not None for item in query.items)


@pytest.mark.slow
def test_a_bandit_learns_from_what_its_rounds_stored_and_a_resumed_run_learns_the_same(
    store, settings, config, work
):
    config = config.changed(
        query__strategy="reinforcement_learning", query__options={"arms": "margin, k_center"},
        stop__n_rounds=4, query__n_new=8, train__epochs=2, train__min_steps=8,
    )  # fmt: skip
    _, whole = work(store.create_experiment(config).id)
    rounds = store.rounds(whole.id)
    for record in rounds[:-1]:
        chances = {n: v for n, v in record.metrics.items() if n.startswith("arm_chance:")}
        assert set(chances) == {"arm_chance:margin", "arm_chance:k_center", "arm_chance:random"}
        assert sum(chances.values()) == pytest.approx(1)
        assert min(chances.values()) >= least_chance(3, 3) - 1e-9
        assert any(n.startswith("arm_accuracy:") for n in record.metrics) is (record.number > 0)
    assert rounds[0].metrics["arm_chance:margin"] == pytest.approx(1 / 3)
    assert len({record.metrics["arm_chance:margin"] for record in rounds[:-1]}) > 1
    assert store.query(whole.id, 0).strategy == "bandit"
    arrays = Objects(settings.objects).get_arrays(rounds[1].artefacts["arrays"])
    assert arrays["arm_support"].shape == (8, 3)
    assert arrays["arm_support"][np.arange(8), arrays["members"]].all()

    # every round by another process, as after a kill
    parts = store.create_experiment(config).id
    for labels in (9, 17, 25, 33):
        work(parts, until_labels=labels)
    assert queried(Experiment.open(store, settings, parts)) == queried(whole)
    assert [r.metrics for r in store.rounds(parts)] == [r.metrics for r in rounds]


def test_the_random_ghost_has_nothing_wrapped_around_it_and_trains_alike(store, config, work):
    config = config.changed(
        oracle="human", query__second="k_center", query__balance=True, train__adversarial_copies=True
    )
    _, experiment = work(store.create_experiment(config).id, ghost=True)
    ghost = store.ghost_of(experiment.id).config
    assert (ghost.query.strategy, ghost.query.second, ghost.query.balance) == ("random", "", False)
    assert (ghost.init, ghost.model, ghost.train) == (config.init, config.model, config.train)


def test_a_warm_start_begins_with_the_last_rounds_weights(store, config, work):
    cold = work(store.create_experiment(config).id)[1]
    warm = work(store.create_experiment(config.changed(train__start="warm")).id)[1]
    first = [store.rounds(e.id)[0].artefacts["weights"] for e in (cold, warm)]
    second = [store.epochs(e.id, round=1)[0].train_loss for e in (cold, warm)]
    assert first[0] == first[1]
    assert second[1] < second[0]


def test_a_long_tailed_pool_is_the_same_for_every_strategy_and_leaves_the_test_split_alone(
    store, config, work
):
    config = config.changed(data__imbalance=10, init__init="random", init__n_start=20, stop__n_rounds=2)
    one, two = (
        work(store.create_experiment(config.changed(query__strategy=name)).id)[1]
        for name in ("margin", "random")
    )
    assert one.record.split_hash == two.record.split_hash
    truth = one.dataset.train.labels
    pool = np.setdiff1d(np.arange(150), one.splits.thinned)
    assert np.bincount(truth[pool]).tolist() == [50, 16, 5]
    for experiment in (one, two):
        asked = {i for ids in queried(experiment).values() for i in ids}
        assert asked <= set(pool.tolist())
        assert np.sum(store.rounds(experiment.id)[-1].confusion) == 60
        assert list(check_experiment(store, experiment)) == []
    facts = manifest(one)
    assert facts["pool"]["thinned"] == 79
    assert facts["config"]["data"]["imbalance"] == 10


def test_an_attempt_that_lost_a_process_is_tried_again_but_not_for_ever(store, config, work, monkeypatch):
    def lose(*_, **__):
        raise ProcessLost("one of 2 processes of a training ended without a word")

    record = store.create_experiment(config)
    with monkeypatch.context() as patch:
        patch.setattr(rounds, "fit", lose)
        assert work(record.id)[0] is JobState.QUEUED
        assert work(record.id)[0] is JobState.QUEUED
    assert work(record.id)[0] is JobState.DONE
    other = store.create_experiment(config)
    monkeypatch.setattr(rounds, "fit", lose)
    assert [work(other.id)[0] for _ in range(3)] == [JobState.QUEUED, JobState.QUEUED, JobState.FAILED]
    assert store.jobs(experiment_id=other.id)[0].error_kind == "lost"
