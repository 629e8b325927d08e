"""The live curves in a real browser, while another process writes rounds to the store."""

import os
import re
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from conftest import PATIENCE

from al_core.forking import fork
from al_core.records import JobState
from tests.e2e.seeded import ScriptedWorker, seed

pytestmark = pytest.mark.e2e

SEEDED = Path(__file__).with_name("seeded.py")
PLOT = ".al-curve-plot"
POINTS = "() => (document.querySelector('.al-curve-plot')?.data ?? []).map(t => [t.uid, t.x.length])"


def points(page):
    """Number of points of each trace, by its uid."""
    return dict(page.evaluate(POINTS) or [])


def eventually(page, condition, what, *, seconds=20):
    """Wait until it holds: a chart answers a click or a drag only after a while, a loaded machine later."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not so after {seconds} s: {page.url}"
        page.wait_for_timeout(50)


def until(page, condition, *, seconds=20):
    """Wait for a condition on the page's traces."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = points(page)
        if condition(found):
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"still {points(page)} after {seconds} s: {page.url}")


def show(page, server, name, experiment_id, **query):
    more = "".join(f"&{key}={value}" for key, value in query.items())
    page.goto(f"{server.url}/{name}?exp={experiment_id}{more}")
    page.locator("h1").wait_for()
    return page


def grow(server, experiment_id, *, rounds=1, pause=0.02, epochs=8):
    """Train on in another process, as a worker would."""
    command = [sys.executable, str(SEEDED), "--grow", experiment_id, f"--rounds={rounds}"]
    command += [f"--pause={pause}", f"--epochs={epochs}"]
    return subprocess.Popen(command, env=os.environ | {"AL_HOME": str(server.home)}, stdin=subprocess.DEVNULL)


def axis(page):
    return page.evaluate("() => document.querySelector('.al-curve-plot')._fullLayout.xaxis.range.map(Number)")


def visible(page, uid):
    find = f"() => document.querySelector('.al-curve-plot').data.find(t => t.uid === '{uid}')?.visible"
    return page.evaluate(find)


def drag_zoom(page):
    """Zoom into a third of the width; the range before and after."""
    before = axis(page)
    box = page.locator(f"{PLOT} .nsewdrag").first.bounding_box()
    left, middle = box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(left, middle)
    page.mouse.down()
    page.mouse.move(left + 0.3 * box["width"], middle + 3, steps=8)
    page.mouse.up()
    eventually(page, lambda: width_of(axis(page)) < 0.6 * width_of(before), "zoomed")
    return before, axis(page)


def width_of(range_):
    return range_[1] - range_[0]


def test_points_come_live_and_zoom_and_hidden_curves_stay(server, home, page):
    experiment_id = seed(server.settings, rounds=3)
    show(page, server, "curves", experiment_id)
    until(page, lambda n: n == {"ghost": 3, "own": 3})
    page.locator(f"{PLOT} .legendtoggle").first.click()
    eventually(page, lambda: visible(page, "ghost") == "legendonly", "hidden")
    _, zoomed = drag_zoom(page)
    page.evaluate("() => { document.querySelector('.al-curve-plot').marked = true }")
    process = grow(server, experiment_id, rounds=2)
    until(page, lambda n: n.get("own") == 5 and n.get("ghost") == 5)
    assert process.wait(20) == 0
    assert axis(page) == pytest.approx(zoomed)
    assert visible(page, "ghost") == "legendonly"
    assert page.evaluate("() => document.querySelector('.al-curve-plot').marked"), "the chart was made anew"
    # the page was run again for the finished rounds, and the chart stayed as it was
    page.get_by_test_id("stMetricValue").get_by_text("100", exact=True).wait_for()
    assert axis(page) == pytest.approx(zoomed)


def test_a_second_tab_shows_the_same_curve(server, home, page, context):
    experiment_id = seed(server.settings, rounds=2)
    show(page, server, "curves", experiment_id)
    second = show(context.new_page(), server, "curves", experiment_id)
    process = grow(server, experiment_id)
    until(page, lambda n: n.get("own") == 3)
    until(second, lambda n: n.get("own") == 3)
    assert process.wait(20) == 0
    values = "() => document.querySelector('.al-curve-plot').data.map(t => t.y)"
    until(page, lambda n: n.get("ghost") == 3)
    until(second, lambda n: n.get("ghost") == 3)
    assert page.evaluate(values) == second.evaluate(values)
    second.close()


def test_the_metric_is_switched_and_kept_in_the_address(server, home, page):
    experiment_id = seed(server.settings, rounds=3)
    show(page, server, "curves", experiment_id)
    until(page, lambda n: n.get("own") == 3)
    page.get_by_role("radio", name="Log loss").click()
    page.locator(f"{PLOT} .ytitle", has_text="Log loss").wait_for()
    recorded = [r.metrics["test_loss"] for r in home.store.rounds(experiment_id)]
    own = "() => document.querySelector('.al-curve-plot').data.find(t => t.uid === 'own').y"
    assert page.evaluate(own) == pytest.approx(recorded, abs=1e-5)
    page.reload()
    page.locator(f"{PLOT} .ytitle", has_text="Log loss").wait_for()


def test_the_figure_that_is_saved_is_the_one_that_is_shown(server, home, page, tmp_path):
    """By real clicks: over labels first, then over money."""
    experiment_id = seed(server.settings, rounds=3)
    show(page, server, "curves", experiment_id)
    until(page, lambda n: n.get("own") == 3)
    for over, words, name in (
        (None, "labeled images", "learning-accuracy-"), ("Money", "cost", "learning-accuracy-money-"),
    ):  # fmt: skip
        if over is not None:
            page.locator(".st-key-curve-over").get_by_text(over, exact=True).click()
            page.locator(f"{PLOT} .xtitle", has_text=words).wait_for()
        page.locator(".st-key-learning-menu button").first.click()
        html = page.locator(".st-key-learning-html button")
        html.wait_for()
        with page.expect_download() as waiting:
            html.click()
        assert waiting.value.suggested_filename.startswith(name)
        target = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(target)
        text = target.read_text(encoding="utf-8")
        assert f'"text":"{words}"' in text
        assert home.store.experiment(experiment_id).name in text
        page.keyboard.press("Escape")
        html.wait_for(state="hidden")


def test_one_round_explains_why_a_line_needs_two(server, home, page):
    experiment_id = seed(server.settings, rounds=1)
    show(page, server, "curves", experiment_id)
    page.get_by_text("a line needs two").wait_for()
    assert until(page, lambda n: n.get("own") == 1)


def test_without_rounds_or_test_labels_the_page_says_so(server, home, page):
    show(page, server, "curves", seed(server.settings, rounds=0))
    page.get_by_text("No round has been trained yet").wait_for()
    show(page, server, "curves", seed(server.settings, rounds=2, test_labels=False))
    page.get_by_text("No label of the test images is known").wait_for()
    page.locator(f"{PLOT} .ytitle", has_text="Validation accuracy").wait_for()


def test_epochs_come_live_and_the_job_can_be_held(server, home, page):
    experiment_id = seed(server.settings, rounds=1)
    worker = ScriptedWorker(home.store, server.settings, experiment_id, epochs=6)
    worker.answer()
    lease = worker.begin()
    show(page, server, "train", experiment_id)
    page.get_by_role("button", name="Pause").last.wait_for()
    worker.train(lease, 1)
    until(page, lambda n: n.get("loss") == 6)
    page.locator(".st-key-job-panel").get_by_text("round 1, epoch 6 of 6").wait_for()
    page.locator(".st-key-job-panel").get_by_role("button", name="Pause").click()
    page.locator(".st-key-job-panel").get_by_role("button", name="Resume").wait_for()
    assert home.store.job(lease.job_id).control == "pause"
    home.store.heartbeat(lease, paused=True)
    page.locator(".st-key-job-panel").get_by_text(re.compile("Paused$")).first.wait_for()
    page.locator(".st-key-job-panel").get_by_role("button", name="Resume").click()
    page.locator(".st-key-job-panel").get_by_role("button", name="Resuming").wait_for()
    home.store.heartbeat(lease, paused=False)
    page.locator(".st-key-job-panel").get_by_role("button", name="Pause").wait_for()
    assert home.store.job(lease.job_id).control == ""
    error = "Out of memory at batch size 64; choose batch size 32 and try again."
    home.store.end_job(
        lease, JobState.FAILED, error_kind="DeviceError", error_text=error, traceback="Traceback: secret"
    )
    page.get_by_role("alert").get_by_text("Out of memory at batch size 64").wait_for()
    assert not page.get_by_text("Traceback: secret").is_visible()
    page.get_by_text("Details for a report").click()
    page.get_by_text("Traceback: secret").wait_for()


def test_a_server_that_is_gone_is_said_and_the_chart_catches_up(browser, tmp_path):
    from al_core.worker.identity import Slot
    from tests.e2e.conftest import Server

    running = Server(tmp_path)
    slot = Slot(tmp_path)
    assert slot.take()
    experiment_id = seed(running.settings, rounds=2)
    running.start()
    try:
        tab = browser.new_page()
        show(tab, running, "curves", experiment_id)
        until(tab, lambda n: n.get("own") == 2)
        running.kill()
        tab.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
        tab.get_by_text("Reconnecting").first.wait_for(timeout=PATIENCE)
        assert points(tab)["own"] == 2
        assert grow(running, experiment_id).wait(20) == 0
        running.start()
        until(tab, lambda n: n.get("own") == 3)
        tab.close()
    finally:
        running.stop()
        slot.release()


def test_queried_images_are_shown_filtered_and_downloaded_with_their_ids(server, home, page, tmp_path):
    experiment_id = seed(server.settings, rounds=2, wrong=3)
    show(page, server, "queries", experiment_id, asked=0)
    cards = page.locator(".cards figure")
    cards.first.wait_for()
    assert cards.count() == 20
    query = home.store.query(experiment_id, 0)
    assert f"#{query.items[0].sample_id}" in cards.first.inner_text()
    image = cards.first.locator("img")
    image.scroll_into_view_if_needed()
    assert image.evaluate("i => i.decode().then(() => i.naturalWidth)") == 8
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download these 20 images").click()
    target = tmp_path / "queried.zip"
    waiting.value.save_as(target)
    with zipfile.ZipFile(target) as archive:
        listed = archive.read("manifest.csv").decode().splitlines()[1:]
    assert [int(line.split(",")[0]) for line in listed] == [item.sample_id for item in query.items]
    page.get_by_role("combobox", name="Show").click()
    page.keyboard.type("Label not truth")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Download these 3 images").wait_for()
    assert cards.count() == 3


def test_the_truth_of_images_that_wait_for_a_label_is_not_shown(server, home, page):
    experiment_id = seed(server.settings, rounds=1)
    show(page, server, "queries", experiment_id)
    page.locator(".cards figure").first.wait_for()
    waiting = page.locator(".cards figure", has_text="no label yet")
    assert waiting.count() == 12
    assert "true:" not in "".join(waiting.all_inner_texts())
    assert waiting.locator(".mark").count() == 0


def test_a_fork_s_curve_leaves_its_parent_s_and_the_slider_moves_the_marker(server, home, page):
    parent = seed(server.settings, rounds=4, name="The parent", ghost=False)
    record = home.store.experiment(parent)
    child = fork(
        home.store, server.settings, parent, 1, record.config.changed(query__strategy="entropy", name="Other")
    ).id
    show(page, server, "curves", child)
    page.get_by_text("Forked from The parent after round 1").wait_for()
    found = until(page, lambda n: n.get("own") == 2 and f"kin-{parent}" in n)
    assert found[f"kin-{parent}"] == 3, "the parent is drawn from the round at which the fork left it"
    show(page, server, "curves", parent)
    until(page, lambda n: n.get("own") == 4)
    marks = "() => (document.querySelector('.al-curve-plot')?.layout?.shapes ?? []).map(s => s.x0)"
    assert page.evaluate(marks) == []
    slider = page.get_by_role("slider", name="Round").first
    slider.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(re.compile(r"round=2"))
    end = time.monotonic() + 20
    while page.evaluate(marks) != [60] and time.monotonic() < end:
        page.wait_for_timeout(100)
    assert page.evaluate(marks) == [60]
    page.get_by_role("link", name="Queries").click()
    page.get_by_role("heading", name="Queried images").wait_for()
    page.wait_for_url(re.compile(r"queries.*round=2"))
