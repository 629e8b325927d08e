"""Every page in every state: what axe-core says of it, its contrast, and what the browser's console says."""

import pytest
from conftest import PATIENCE, Server, watched
from test_looks import LOW_CONTRAST

from al_core.worker.identity import Slot
from tests.e2e.accessible import faults
from tests.e2e.seeded_study import seed_study
from tests.e2e.states import PAGES, PARTS, address, seed_states

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def states(tmp_path_factory):
    """A server whose home has a session of each state, and a study in the midst; no worker."""
    home = tmp_path_factory.mktemp("states")
    server, slot = Server(home), Slot(home)
    assert slot.take()
    ids = seed_states(server.settings) | {"none": ""}
    seed_study(server.settings, half=True)
    try:
        yield server.start(), ids
    finally:
        server.stop()
        slot.release()


@pytest.fixture
def themed(browser):
    """Open a tab of a theme that must not complain."""
    opened = []

    def tab(scheme, size=(1440, 900)):
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        context.set_default_timeout(PATIENCE)
        opened.append(watched(context.new_page()))
        return opened[-1]

    yield tab
    for page in opened:
        page.context.close()
    assert not [trouble for page in opened for trouble in page.troubles]


def settle(page):
    """Until the page's script has run and nothing is fetched any more."""
    page.get_by_role("heading").first.wait_for()
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)


def said_of(page, where):
    """The faults of a page at rest: what is faint because a tick of its draws it anew is none."""
    assert page.get_by_test_id("stException").count() == 0, where
    assert page.get_by_text("BidiComponent Error").count() == 0, where
    found = look(page, where)
    for _ in range(3):
        if found:
            settle(page)
            again = look(page, where)
            found = [fault for fault in found if fault in again]
    return found


def look(page, where):
    low = [f"{where}: contrast {line}" for line in page.evaluate(LOW_CONTRAST)]
    return faults(page, where) + low


@pytest.mark.parametrize(
    ("state", "scheme"),
    [("none", "light"), ("first", "dark"), ("labeling", "light"), ("labeling", "dark"), ("working", "light"),
     ("failed", "dark"), ("done", "light")],
)  # fmt: skip
def test_no_page_has_a_serious_fault(states, themed, state, scheme):
    server, ids = states
    page = themed(scheme)
    wrong = []
    for name in PAGES:
        page.goto(f"{server.url}/{address(name, ids[state])}")
        settle(page)
        wrong += said_of(page, f"{name}, {state}, {scheme}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_part_of_a_page_has_a_serious_fault(states, themed, scheme):
    server, ids = states
    page = themed(scheme)
    wrong = []
    for name, parts in PARTS.items():
        page.goto(f"{server.url}/{address(name, ids['labeling'])}")
        settle(page)
        for part in parts:
            page.get_by_text(part, exact=True).first.click()
            settle(page)
            wrong += said_of(page, f"{name}, {part}, {scheme}")
    page.goto(f"{server.url}/{address('label', ids['labeling'])}")
    page.locator(".askwell .tile").first.wait_for()
    for keys, part in (("?", "keys"), ("Escape", "grid"), ("Enter", "single"), ("b", "lens"), ("n", "note")):
        page.keyboard.press(keys)
        page.wait_for_timeout(300)
        wrong += said_of(page, f"label, {part}, {scheme}")
    assert not wrong, "\n".join(wrong)


def test_axe_finds_what_is_wrong(themed):
    """The check itself: a page with an image that says nothing and words that cannot be read."""
    page = themed("light")
    page.set_content(
        "<html lang=en><title>x</title><main><h1>x</h1><img src='data:,'>"
        "<p style='color:#ccc;background:#fff'>faint</p></main>"
    )
    found = " ".join(faults(page, "broken"))
    assert "image-alt" in found
    assert "color-contrast" in found
