"""The Compare page in a browser, on studies that only look as if they had run."""

import pytest

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
