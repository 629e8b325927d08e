"""What the network goes by, on demand in the dialog of the Label page: opened, waited for, seen, closed."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import PATIENCE

from al_core.experiment import Experiment
from al_core.records import ExperimentStatus, JobState
from al_core.results.saliency import Saliency, SaliencyRequest
from tests.e2e.accessible import faults

pytestmark = pytest.mark.e2e


@pytest.fixture
def trained(home):
    """A session whose first round has weights, by name at least, and asks for 20 images."""
    store = home.store
    record = home.experiment(name="saliency")
    lease = home.advancing(record)
    done = replace(home._round(record.id, 0, 20), artefacts={"weights": "cd" * 32})
    ids = np.arange(40, 60)
    query = home._query(record.id, 0, ids, guesses=True)
    store.finish_round(lease, done, query, status=ExperimentStatus.AWAITING_LABELS)
    store.end_job(lease, JobState.DONE)
    return Experiment.open(store, home.settings, record.id)


def asked_for(page, home):
    """The job that the button submits, once the server has heard of it."""
    for _ in range(900):
        found = [job for job in home.store.jobs(active=True) if job.kind == "saliency"]
        if found:
            return found[0]
        page.wait_for_timeout(100)
    raise AssertionError("nothing was asked of the worker")


def test_it_opens_shows_the_picture_and_gives_the_focus_back(page, server, home, trained):
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server.url}/label?exp={trained.id}")
    page.locator(".askwell .tile.cursor").wait_for()
    first = home.query(trained.record).items[0].sample_id
    page.keyboard.press("ArrowRight")
    second = home.query(trained.record).items[1].sample_id
    page.keyboard.press("i")
    dialog = page.get_by_role("dialog", name="Why this image")
    dialog.get_by_text("Picked as number 2 of 20").wait_for()
    dialog.get_by_role("button", name="Show what it goes by").click()
    job = asked_for(page, home)
    assert dict(job.spec) == {"experiment": trained.id, "round": 0, "sample_id": second}

    heat = np.zeros((8, 8), np.float32)
    heat[2:4, 5:7] = 1
    request = SaliencyRequest(**job.spec)
    Saliency(heat, int(trained.dataset.train.labels[second]), 0.9, 0.3).write(request.path(trained))
    picture = dialog.get_by_role("img", name=f"Image {second}, glowing")
    picture.wait_for()
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
    dialog.get_by_text("30% with the place that matters most covered").wait_for()
    assert faults(page, "the saliency dialog") == []

    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.keyboard.press("5")  # no click in between: the grid has the focus again, on the same image
    page.get_by_text("All saved", exact=True).wait_for()
    assert home.events(trained.record) == [(second, 5)] != [(first, 5)]
