"""What a page does once a visit must not grow with the pool, or with the labels that are there already."""

import time

import numpy as np
import pytest

from al_core.experiment import Experiment
from al_core.records import LabelSource
from state import browsing, handles, standings
from state.browsing import Filter
from tests.benchmarks.large_pool import make_session

SMALL, LARGE = 2_000, 200_000
SLACK = 0.03  # seconds that a busy machine may add


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("AL_HOME", str(tmp_path_factory.mktemp("large") / "home"))
    patch.delenv("DATABASE_URL", raising=False)
    caches = (handles.settings, handles.store, handles.dataset)
    for cached in caches:
        cached.cache_clear()
    standings.forget()
    settings = handles.settings()
    made = {n: make_session(settings, n, labels=n // 20) for n in (SMALL, LARGE)}
    yield {n: Experiment.open(handles.store(), settings, exp) for n, exp in made.items()}
    handles.store().close()
    for cached in caches:
        cached.cache_clear()
    patch.undo()


def seconds(act):
    """Processor time of the quickest of some runs, the first not counted."""
    act()
    spent = []
    for _ in range(7):
        begun = time.process_time()
        act()
        spent.append(time.process_time() - begun)
    return min(spent)


def again(experiment):
    """A fresh handle, as each run of a page opens one."""
    return Experiment.open(experiment.store, experiment.settings, experiment.id)


VISITS = {
    "step": lambda e: again(e).step(),
    "answers": lambda e: again(e).answers(),
    "dataset": lambda e: again(e).dataset,
    "splits": lambda e: again(e).splits,
    "standing": lambda e: standings.standing(e.id),
}


@pytest.mark.parametrize("visit", VISITS)
def test_what_every_visit_asks_does_not_grow_with_the_pool(sessions, visit):
    small, large = (seconds(lambda n=n: VISITS[visit](sessions[n])) for n in (SMALL, LARGE))
    assert large < 4 * small + SLACK


def test_a_label_costs_the_same_on_a_large_pool(sessions):
    def tell(experiment):
        last = [item.sample_id for item in experiment.last_query().items]
        experiment.tell([(last[0], 1)], client="one", source=LabelSource.HUMAN, round=0)

    small, large = (seconds(lambda n=n: tell(sessions[n])) for n in (SMALL, LARGE))
    assert large < 4 * small + SLACK


def test_a_page_a_sort_and_a_filter_of_a_large_pool_take_milliseconds(sessions):
    experiment = sessions[LARGE]
    turn = iter(range(1000))

    def look():
        text = f"img-{next(turn):04d}"
        view = browsing.session_view(again(experiment))
        ids = browsing.find(view, Filter(text=text, confidence=(0.2, 0.9)), "margin")
        browsing.rows(view, ids[:60])

    assert seconds(look) < 0.3


def test_the_rows_of_a_large_pool_are_the_right_ones(sessions):
    experiment = sessions[LARGE]
    view = browsing.session_view(experiment)
    ids = browsing.find(view, Filter(text="img-1234"), "confidence", falling=True)
    assert sorted(ids.tolist()) == [*range(123_400, 123_500)]
    assert (np.diff(view.predicted.confidence[ids]) <= 0).all()
