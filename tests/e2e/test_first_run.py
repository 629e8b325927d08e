"""The first-run story with everything real: server, worker, browser. Screenshots go to tests/artefacts/."""

import os
import signal
import time
from pathlib import Path

import pytest
from conftest import PATIENCE, Home, Server, page_without_grid, watched

from al_core.records import ExperimentStatus, LabelSource
from tests.e2e.states import PAGES, address

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.alone]
# A promise, in plain pages, on a slow processor: one that shows such a page in 1.6 s took 8.7 s for a round.
PLAIN = 8
ARTEFACTS = Path(__file__).resolve().parents[1] / "artefacts"


@pytest.fixture
def visited(tmp_path, context):
    """A new user's machine: an empty home, a server just started, one tab."""
    ARTEFACTS.mkdir(exist_ok=True)
    server = Server(tmp_path / "home")
    began = time.monotonic()
    server.start()
    page = watched(context.new_page())
    yield server, page, began
    page.close()
    home = Home(server.settings)
    workers = home.store.workers()
    home.store.close()
    server.stop()
    for worker in workers:
        os.kill(worker.pid, signal.SIGTERM)
    assert not page.troubles, "\n".join(page.troubles)


def answer(page, home, record):
    """Type the digits that one sees, as a person does; the keys in the order of the tiles."""
    query = home.query(record)
    truth = home.dataset.train.labels
    for item in query.items:
        page.keyboard.press(str(truth[item.sample_id]))
    page.get_by_text("All saved", exact=True).wait_for()
    return query


def next_query(page, home, record, number):
    """Wait until the query of round `number` is on the screen."""
    page.locator(f".askwell .tile >> nth={19}").wait_for(timeout=PATIENCE)
    page.get_by_text(f"Round {number + 1}: which class is it?").wait_for(timeout=PATIENCE)
    page.get_by_text("All saved", exact=True).wait_for(timeout=PATIENCE)
    assert home.query(record).round == number


def test_a_new_user_teaches_digits_within_a_minute(visited):
    server, page, began = visited
    page.goto(server.url)
    teach = page.get_by_role("button", name="Teach it in 90 seconds")
    teach.wait_for()
    home_shown = time.monotonic() - began
    page.screenshot(path=ARTEFACTS / "1-home.png")

    story = time.monotonic()
    teach.click()
    page.locator(".askwell .tile").first.wait_for(timeout=PATIENCE)
    home = Home(server.settings)
    try:
        record = home.store.experiments()[0]
        next_query(page, home, record, 0)
        page.screenshot(path=ARTEFACTS / "2-label.png")
        answer(page, home, record)
        page.screenshot(path=ARTEFACTS / "3-labeled.png")
        page.keyboard.press("Control+Enter")
        next_query(page, home, record, 1)
        took = time.monotonic() - story
        rounds = home.store.rounds(record.id)
        assert [r.num_labeled for r in rounds] == [20, 40]
        assert rounds[1].metrics["test_accuracy"] > rounds[0].metrics["test_accuracy"]

        answer(page, home, record)
        pressed = time.monotonic()
        page.keyboard.press("Control+Enter")
        next_query(page, home, record, 2)
        later_round = time.monotonic() - pressed

        page.get_by_role("link", name="Curves").first.click()
        page.locator(".js-plotly-plot").first.wait_for()
        page.wait_for_timeout(1500)
        page.screenshot(path=ARTEFACTS / "4-curve.png")
        for name in PAGES:  # what only a network that was really trained can fill
            page.goto(f"{server.url}/{address(name, record.id)}")
            page.get_by_role("heading").first.wait_for()
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(700)
            assert page.get_by_test_id("stException").count() == 0, name
            assert page.get_by_text("BidiComponent Error").count() == 0, name
        sources = {e.source for e in home.store.label_events(record.id) if e.round >= 0}
        assert sources == {LabelSource.HUMAN}
        assert home.store.experiment(record.id).status is ExperimentStatus.AWAITING_LABELS
    finally:
        home.store.close()
    plain_page = page_without_grid(page.context, server)
    figures = f"home {home_shown:.1f} s, story {took:.1f} s, later round {later_round:.1f} s"
    figures += f"; a plain page {plain_page:.1f} s"
    (ARTEFACTS / "first-run.txt").write_text(figures + "\n")
    print(figures)
    # the promises: 5 s, 60 s and 3 s on two fast idle cores; twice that fails on a busy machine too, and on a
    # slow one the multiple of what a plain page takes there
    assert home_shown < max(10, PLAIN * plain_page), figures
    assert took < 60, figures
    assert later_round < max(6, PLAIN * plain_page), figures
