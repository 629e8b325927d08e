"""Lanes and the audited bulk confirm: many answers at once, said honestly, undone in one step."""

import re

import pytest
from test_label_grid import ids_of, open_label, saved

from al_core.records import LabelOp, LabelSource
from al_core.results.suggestions import wrong_of

pytestmark = pytest.mark.e2e


@pytest.fixture
def trusted(home):
    """An experiment in whose second round one guess of thirty was wrong: enough to begin in lanes."""
    record = home.experiment(rounds=2, num_items=30)
    truth = home.dataset.train.labels
    ops = [
        LabelOp(n, item.sample_id, int(truth[item.sample_id] if n > 1 else (truth[item.sample_id] + 3) % 10))
        for n, item in enumerate(home.store.query(record.id, 0).items, start=1)
    ]
    home.store.add_labels(record.id, ops, client="earlier1", source=LabelSource.HUMAN, round=0)
    return record


def last_events(home, record):
    return [e for e in home.store.label_events(record.id) if e.client != "earlier1"]


def test_a_lane_is_confirmed_but_for_what_was_left_out(page, server, home, trusted):
    open_label(page, server, trusted)
    page.locator(".askwell.in-lanes .lane").first.wait_for()
    lane = page.locator(".askwell .lane").filter(has=page.locator(".tile:nth-child(3)")).first
    name = lane.locator(".lane-head .name").inner_text()
    count = lane.locator(".tile").count()
    lane.locator(".tile").nth(1).click()
    lane.locator(".tile.left-out").wait_for()
    page.keyboard.press("a")
    saved(page)
    events = last_events(home, trusted)
    assert [e.value for e in events] == [int(name)] * (count - 1)
    assert {e.detail["how"] for e in events} == {"lane"}
    guess = {item.sample_id: item.guesses[0][0] for item in home.query(trusted).items}
    assert {guess[e.sample_id] for e in events} == {int(name)}
    page.keyboard.press("Control+z")
    page.get_by_text("0 of 30 labeled").wait_for()
    saved(page)
    assert len(last_events(home, trusted)) == 2 * (count - 1)


def test_a_bulk_confirm_says_what_to_expect_has_five_checked_and_is_one_step(page, server, home, trusted):
    open_label(page, server, trusted)
    page.get_by_role("button", name="Confirm 30 sure").wait_for()
    page.keyboard.press("Shift+A")
    dialog = page.get_by_role("dialog", name="Check before confirming")
    said = dialog.locator(".estimate").inner_text()
    numbers = tuple(int(n) for n in re.findall(r"\d+", said.replace("95 %", "")))
    expected, low, high = wrong_of(30, 29, 1)
    assert numbers == (expected, 30, low, high)
    for _ in range(4):
        page.keyboard.press("a")
    dialog.get_by_text("Check 5 of 5").wait_for()
    assert dialog.get_by_role("button", name="1 left to check").is_disabled()
    shown = int(re.search(r"Yes, (\d)", dialog.locator(".question").inner_text())[1])
    page.keyboard.press(str((shown + 1) % 10))
    dialog.get_by_text("You checked 5: 1 wrong.").wait_for()
    expected, low, high = wrong_of(25, 33, 2)
    numbers = re.findall(r"\d+", dialog.locator(".estimate").inner_text().replace("95 %", ""))
    assert tuple(map(int, numbers)) == (expected, 25, low, high)
    assert last_events(home, trusted) == []
    page.keyboard.press("Enter")
    page.get_by_text("30 of 30 labeled").wait_for()
    saved(page)
    events = last_events(home, trusted)
    assert sorted(e.detail["how"] for e in events) == ["bulk"] * 25 + ["checked"] * 5
    assert len({e.detail["bulk"]["group"] for e in events}) == 1
    told = events[0].detail["bulk"]
    assert (told["of"], told["checked"], told["found"], told["expected"]) == (30, 5, 1, expected)
    guess = {item.sample_id: item.guesses[0][0] for item in home.query(trusted).items}
    assert sum(e.value != guess[e.sample_id] for e in events) == 1
    page.keyboard.press("Control+z")
    page.get_by_text("0 of 30 labeled").wait_for()
    saved(page)
    assert home.store.check() == []


def test_without_enough_answers_there_is_no_bulk_confirm_and_the_grid_comes_first(page, server, home):
    record = home.experiment(rounds=1)
    open_label(page, server, record)
    assert page.locator(".askwell .bulk").is_disabled()
    assert page.locator(".askwell.in-lanes").count() == 0
    page.keyboard.press("Shift+A")
    assert page.get_by_role("dialog", name="Check before confirming").count() == 0
    page.locator(".askwell .tile").nth(3).click()
    page.keyboard.press("a")  # the first guess of this one
    saved(page)
    item = home.query(record).items[3]
    assert home.events(record) == [(item.sample_id, item.guesses[0][0])]
    assert ids_of(home, record)[3] == item.sample_id
