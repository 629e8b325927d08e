"""Swiping through single images on a phone: right, up, left, undo; animated, or still where wished."""

from contextlib import suppress

import pytest
from conftest import PATIENCE
from test_label_grid import ids_of, open_label, saved, wait_for_events

from al_core.types import SKIP, UNLABEL

pytestmark = pytest.mark.e2e


@pytest.fixture(params=["no-preference", "reduce"])
def phone(browser, request):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion=request.param
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.motion, page.troubles = request.param, []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.touch = context.new_cdp_session(page)
    yield page
    context.close()
    assert not page.troubles


def swipe(page, dx, dy, *, steps=4, hold=False):
    """One finger over the picture, from its middle."""
    box = page.locator(".askwell .stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def send(kind, points):
        page.touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", [{"x": x, "y": y}])
    for step in range(1, steps + 1):
        send("touchMove", [{"x": x + dx * step / steps, "y": y + dy * step / steps}])
    if not hold:
        send("touchEnd", [])


def undo(page, home, record):
    """Chromium takes taps that follow injected swipes as the end of a fling; a person would tap again."""
    count = len(home.events(record)) + 1
    for _ in range(5):
        page.wait_for_timeout(400)
        page.get_by_role("button", name="Undo").tap()
        with suppress(AssertionError):
            return wait_for_events(page, home, record, count, seconds=4)
    raise AssertionError("no tap on Undo was taken")


def test_swipes_take_guesses_skip_and_lose_nothing(phone, server, home):
    record = home.experiment(rounds=1, num_items=20)
    open_label(phone, server, record)
    phone.get_by_role("button", name="Single").tap()
    phone.locator(".askwell .swipe-legend").wait_for()
    ids, items = ids_of(home, record), home.query(record).items
    first, second = items[0].guesses[0][0], items[0].guesses[1][0]
    assert phone.locator(".askwell .swipe-legend").inner_text().split() == [
        "←", "Skip", "↑", str(second), str(first), "→",
    ]  # fmt: skip
    swipe(phone, 120, 6, hold=True)
    stamp = phone.locator(".askwell .stamp")
    assert (stamp.inner_text(), float(stamp.evaluate("e => e.style.opacity"))) == (str(first), 1)
    moved = phone.locator(".askwell .stage img").first.evaluate("e => e.style.transform")
    assert bool(moved) == (phone.motion == "no-preference")
    phone.touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    swipe(phone, -130, 10)  # at once: the picture that flies off holds nothing up
    swipe(phone, 8, -120)
    swipe(phone, 20, 4)  # a touch, no swipe
    swipe(phone, 5, 110)  # down means nothing
    saved(phone)
    wait_for_events(phone, home, record, 3)
    third = items[2].guesses[1][0]
    assert home.events(record) == [(ids[0], first), (ids[1], SKIP), (ids[2], third)]
    undo(phone, home, record)
    assert home.events(record)[-1] == (ids[2], UNLABEL)
    for _ in range(18):
        swipe(phone, 140, 0, steps=2)
    phone.get_by_text("19 of 20 labeled").wait_for()
    saved(phone)
    wait_for_events(phone, home, record, 22)
    assert home.events(record)[4:] == [(item.sample_id, item.guesses[0][0]) for item in items[2:]]
    assert phone.locator(".askwell .flying").count() == 0 or phone.motion == "no-preference"
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert home.store.check() == []


def test_a_swipe_without_a_guess_says_so_and_gives_nothing(phone, server, home):
    record = home.experiment(rounds=0, num_items=10)
    open_label(phone, server, record)
    phone.get_by_role("button", name="Single").tap()
    swipe(phone, 130, 0)
    phone.locator(".askwell .notice").filter(has_text="No guess to take here").wait_for(state="attached")
    swipe(phone, -130, 0)
    wait_for_events(phone, home, record, 1)
    assert home.events(record) == [(ids_of(home, record)[0], SKIP)]
