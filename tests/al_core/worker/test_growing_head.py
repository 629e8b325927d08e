"""Classes added by one process while a worker process trains: the next round's network knows them."""

import pytest

from al_core.cli.verify import check_experiment
from al_core.engine.network import load_network
from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange, ExperimentStatus, JobState, LabelSource
from al_core.store import open_store
from al_core.store.objects import ARRAYS, Objects
from tests.al_core.worker.conftest import eventually
from tests.al_core.worker.test_kills import start_worker

pytestmark = pytest.mark.slow


@pytest.fixture
def worker(settings):
    """A worker process, which can be killed and started again."""
    running = []

    def start():
        for process in running:
            process.kill()
            process.wait()
        running[:] = [start_worker(settings)]

    yield start
    for process in running:
        process.kill()
        process.wait()


def outputs(settings, record):
    path = Objects(settings.objects).path(record.artefacts["weights"], ARRAYS)
    return load_network(path).spec.classes


@pytest.mark.parametrize("killed", [False, True], ids=["left alone", "killed in between"])
def test_a_class_that_is_added_while_a_worker_trains_is_in_the_next_round_s_network(
    store, settings, config, work, worker, killed
):
    config = config.changed(
        oracle="human", train__epochs=150, train__min_steps=12, stop__n_rounds=None, query__ahead=12
    )
    _, experiment = work(store.create_experiment(config).id)
    other = open_store(settings)  # the browser's side: another connection, beside the worker's process
    try:
        mine = Experiment.open(other, settings, experiment.id)
        query = mine.pending()
        truth = mine.prepared.train.labels
        asked = [item.sample_id for item in query.items]
        mine.tell([(i, int(truth[i])) for i in asked], client="asked", source=LabelSource.HUMAN, round=0)
        store.submit_job("advance", experiment_id=experiment.id, spec={})
        worker()
        training = eventually(lambda: any(e.round == 1 for e in other.epochs(experiment.id)), 200)
        assert training, (settings.logs / "worker.log").read_text()[-3000:]
        made = mine.change_class(ClassChange(0, ClassAct.ADD, name="boots"), annotator="Ada")
        ahead = [item.sample_id for item in query.ahead]
        mine.tell([(i, made.class_id) for i in ahead], client="ahead", source=LabelSource.HUMAN, round=0)
        assert other.jobs(experiment_id=experiment.id)[0].state is JobState.RUNNING  # it came in between
        if killed:
            worker()
        ended = eventually(lambda: len(other.rounds(experiment.id)) == 2, 200)
        assert ended, (settings.logs / "worker.log").read_text()[-3000:]
        assert eventually(lambda: not other.jobs(experiment_id=experiment.id, active=True), 30)
        mine.refresh()
        assert mine.record.status is ExperimentStatus.AWAITING_LABELS
        store.submit_job("advance", experiment_id=experiment.id, spec={})
        assert eventually(lambda: len(other.rounds(experiment.id)) == 3, 200)
        first, second, third = other.rounds(experiment.id)
        assert [outputs(settings, r) for r in (first, second)] == [("left", "right", "top")] * 2
        assert outputs(settings, third) == ("left", "right", "top", "boots")
        assert (len(second.class_counts), third.class_counts[3]) == (3, len(ahead))
        guessed = {c for item in other.query(experiment.id, 1).items for c, _ in item.guesses}
        assert guessed <= {0, 1, 2}
        assert list(check_experiment(other, Experiment.open(other, settings, experiment.id))) == []
        assert [*other.check(), *Objects(settings.objects).check()] == []
    finally:
        other.close()
