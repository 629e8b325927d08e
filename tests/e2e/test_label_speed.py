"""Floors under the figures of docs/labelling.md: what a mistake of ours would make twice as slow.

Each is tried until it holds, a few times at most, as what else the machine does only ever adds; and on a
machine so loaded that a page without our grid takes long, the floor is a multiple of what that takes at the
same moment. Bytes do not depend on the machine and are held to their value at once.
"""

import time

import pytest
from conftest import PATIENCE, page_without_grid
from test_label_grid import ids_of, open_label, saved

from tests.benchmarks.labelling import first_key, first_paint, photo_home, take_guesses

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.alone]
TRIES = 4


def holds(measure, reference, *, seconds, times):
    """Try until a figure is within `seconds`, or within `times` what the reference takes just then."""
    seen = []
    for _ in range(TRIES):
        base, found = reference(), measure()
        seen.append((base, found))
        if found <= max(seconds, times * base):
            return
    raise AssertionError(f"(reference, measured) in s: {seen}; wanted {seconds}, or {times} times the former")


def test_pictures_are_in_view_four_seconds_after_the_address(context, server, home):
    def seconds():
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        took = first_paint(page, server, home.experiment(rounds=1, num_items=50))
        page.close()
        return took

    holds(seconds, lambda: page_without_grid(context, server), seconds=4, times=3)


def test_two_hundred_photos_answer_a_key_after_four_seconds_for_two_megabytes(browser, context, server):
    own = photo_home(server)

    def seconds():
        fresh = browser.new_context(viewport={"width": 1440, "height": 900})
        fresh.set_default_timeout(PATIENCE)
        record = own.experiment(num_items=200, guesses=False, **own.photos)
        took, received = first_key(fresh, server, record)
        fresh.close()
        assert received <= 2_000_000
        return took

    try:
        holds(seconds, lambda: page_without_grid(context, server), seconds=4, times=4)
    finally:
        own.store.close()


def test_sure_guesses_are_taken_at_a_hundred_labels_a_minute(page, server, home):
    record = home.experiment(rounds=1, num_items=200)
    open_label(page, server, record)
    taken = []

    def seconds():
        taken.append(take_guesses(page, 5, 5))  # 25 labels, two seconds of them to look
        return taken[-1]

    holds(seconds, lambda: keys_without_grid(page.context), seconds=15, times=12)
    saved(page)
    assert [i for i, _ in home.events(record)] == ids_of(home, record)[: 25 * len(taken)]


def keys_without_grid(context):
    """Seconds for as many keys on an empty page, each painted."""
    page = context.new_page()
    page.set_content("<p>nothing</p>")
    began = time.monotonic()
    for _ in range(25):
        page.keyboard.press("a")
        page.evaluate("() => new Promise(requestAnimationFrame)")
    took = time.monotonic() - began
    page.close()
    return took
