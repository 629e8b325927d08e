"""What was done last, undone across rounds and reloads; how images look; classes found by typing."""

import numpy as np
import pytest
from test_label_grid import ids_of, open_label, saved

from al_core.records import ExperimentStatus, JobState, LabelSource
from al_core.types import UNLABEL

pytestmark = pytest.mark.e2e


def finish_round(home, record, number):
    """What a worker would write: the next round, and other images to ask for."""
    store = home.store
    asked = {item.sample_id for query in store.queries(record.id) for item in query.items}
    fresh = [i for i in range(len(home.dataset.train)) if i not in asked][:20]
    lease = home.advancing(record)
    query = home._query(record.id, number, np.asarray(fresh), guesses=True)
    store.finish_round(
        lease, home._round(record.id, number, 20), query, status=ExperimentStatus.AWAITING_LABELS
    )
    store.end_job(lease, JobState.DONE)


def test_undo_reaches_into_the_round_before_and_redo_comes_back(page, server, home):
    record = home.experiment(rounds=1)
    open_label(page, server, record)
    for key in "730":
        page.keyboard.press(key)
    saved(page)
    first = ids_of(home, record)
    finish_round(home, record, 1)
    page.reload()
    page.get_by_role("heading", name="Round 2").wait_for()
    page.locator(".askwell .slot.earlier").nth(2).wait_for()
    page.keyboard.press("5")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")
    page.locator(".askwell .notice").filter(has_text="Undone: 1 answer of an earlier round.").wait_for()
    page.keyboard.press("Backspace")
    page.keyboard.press("Control+Shift+z")
    saved(page)
    second = ids_of(home, record)
    events = [(e.sample_id, e.value, e.round) for e in home.store.label_events(record.id)]
    earlier = [event for event in events if event[2] == 0]
    assert [event for event in events if event[2] == 1] == [(second[0], 5, 1), (second[0], UNLABEL, 1)]
    assert earlier == [
        (first[0], 7, 0), (first[1], 3, 0), (first[2], 0, 0),
        (first[2], UNLABEL, 0), (first[1], UNLABEL, 0), (first[1], 3, 0),
    ]  # fmt: skip
    sources = {e.source for e in home.store.label_events(record.id) if e.round == 0}
    assert sources == {LabelSource.HUMAN, LabelSource.CORRECTION}
    assert home.store.check() == []


def test_a_click_on_the_strip_goes_back_and_the_pace_is_shown(page, server, home):
    record = home.experiment(rounds=1)
    open_label(page, server, record)
    for key in "7301984":
        page.keyboard.press(key)
        page.wait_for_timeout(250)
    assert page.locator(".askwell button.slot").count() == 7
    rate = int(page.locator(".askwell .pace b").inner_text())
    assert 60 <= rate <= 300
    page.locator(".askwell button.slot").nth(2).click()
    page.keyboard.press("6")
    saved(page)
    ids = ids_of(home, record)
    assert home.events(record)[-1] == (ids[2], 6)
    assert page.locator(".askwell button.slot").count() == 7


def test_brightness_and_pixels_are_chosen_kept_and_reset(page, server, home):
    record = home.experiment(rounds=1)
    open_label(page, server, record)
    page.keyboard.press("b")
    page.get_by_role("slider", name="Contrast").fill("200")
    page.get_by_label("Smooth pixels").check()
    look = page.locator(".askwell .tile img").first
    assert look.evaluate("e => getComputedStyle(e).filter") == "brightness(1) contrast(2)"
    assert look.evaluate("e => getComputedStyle(e).imageRendering") == "auto"
    page.reload()
    page.locator(".askwell .tile").first.wait_for()
    assert look.evaluate("e => getComputedStyle(e).filter") == "brightness(1) contrast(2)"
    page.keyboard.press("b")
    page.get_by_role("button", name="As they are").click()
    page.keyboard.press("Escape")
    assert look.evaluate("e => getComputedStyle(e).filter") == "none"
    assert look.evaluate("e => getComputedStyle(e).imageRendering") == "pixelated"
    page.keyboard.press("7")
    saved(page)
    assert len(home.events(record)) == 1


def test_a_class_is_found_by_typing_with_the_likely_ones_first(page, server, home):
    record = home.experiment(rounds=1)
    open_label(page, server, record)
    guesses = [c for c, _ in home.query(record).items[0].guesses]
    page.keyboard.press("/")
    names = (
        "els => els.filter(e => !e.hidden).sort((a, b) => a.style.order - b.style.order).map(e => e.title)"
    )
    shown = page.locator(".askwell .palette .class").evaluate_all(names)
    assert [int(name) for name in shown[:3]] == guesses
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.press("/")
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    page.get_by_text("2 of 20 labeled").wait_for()
    saved(page)
    assert [value for _, value in home.events(record)] == [guesses[1], 4]
