"""The Compare page in a browser, on studies that only look as if they had run."""

import pytest
from conftest import PATIENCE, enter

from al_core.records import ExperimentStatus
from tests.e2e.seeded_study import seed_study

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def finished(server):
    return seed_study(server.settings, rounds=4, name="e2e finished")


@pytest.fixture
def half(server, home):
    record = seed_study(server.settings, seeds=2, rounds=3, half=True, name="e2e half")
    yield record
    for job in home.store.jobs(active=True):  # other tests look at the side bar
        home.store.control_job(job.id, "stop")


def test_a_verdict_is_read_and_the_metric_switched(server, page, finished):
    page.goto(f"{server.url}/compare?study={finished.id}")
    page.get_by_text("beats Random").first.wait_for()
    chart = page.locator(".st-key-study-curves")
    chart.get_by_text("Accuracy, test images (%)").wait_for()
    page.get_by_role("radio", name="Log loss").click()
    chart.get_by_text("Log loss, test images").wait_for()
    page.get_by_text("beats Random").first.wait_for()
    page.get_by_role("tab", name="Overlap").click()
    page.get_by_text("Jaccard overlap").wait_for()
    page.get_by_role("tab", name="Pictures").click()
    image = page.locator("[class*=st-key-study-wall] img, [class*=study-wall] img").first
    image.wait_for()
    assert image.evaluate("e => e.decode().then(() => e.naturalWidth)") > 0


def test_a_run_s_cell_changes_while_one_looks_and_the_matrix_stays(server, home, page, half):
    page.goto(f"{server.url}/compare?study={half.id}")
    cell = page.locator("td.failed")
    cell.wait_for()
    table = page.locator("table[aria-label^=Runs]")
    table.evaluate("e => { e.dataset.mine = 'yes' }")
    home.store.submit_job("advance", experiment_id=home.store.study_experiments(half.id)[1].id, priority=-5)
    page.locator("td.waiting", has_text="2 of 3").wait_for()
    assert table.get_attribute("data-mine") == "yes"


def test_a_study_is_deleted_once_its_name_is_typed_and_not_while_it_runs(server, home, page, half):
    done = seed_study(server.settings, strategies=("random", "margin"), seeds=1, rounds=2, name="e2e gone")
    for record in (half, done):
        page.goto(f"{server.url}/compare?study={record.id}")
        page.locator(".st-key-study-delete button").first.click()  # help= draws it twice
        dialog = page.get_by_role("dialog")
        for_good = dialog.get_by_role("button", name="Delete for good")
        for_good.wait_for()
        assert for_good.is_disabled()
        enter(page, dialog.get_by_role("textbox"), record.name)
        for_good.click()
        if record is half:
            dialog.get_by_text("stop it first").wait_for()
    dialog.wait_for(state="detached")
    assert done.id not in {study.id for study in home.store.studies()}
    assert half.id in {study.id for study in home.store.studies()}


def test_the_end_of_a_study_is_told_by_a_toast_while_one_looks_and_only_once(server, home, page):
    record = seed_study(
        server.settings, strategies=("random", "margin"), seeds=2, rounds=2, half=True, name="e2e ending"
    )
    page.goto(f"{server.url}/compare?study={record.id}")
    page.locator("td.running").first.wait_for()
    toast = page.get_by_test_id("stToast").get_by_text("The study has ended. Every run is done.")
    assert toast.count() == 0
    for experiment in home.store.study_experiments(record.id):
        home.store.update_experiment(experiment.id, status=ExperimentStatus.FINISHED)
    home.store.requeue_lost(silent_seconds=-1)  # what ran has no worker
    for job in home.store.jobs(active=True):
        home.store.control_job(job.id, "stop")
    toast.wait_for(timeout=PATIENCE)  # by itself: nobody touches the page
    page.reload()
    page.get_by_text("4 runs: 4 done").wait_for()
    assert toast.count() == 0
