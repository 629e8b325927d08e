"""What is chosen on the Settings page: in force everywhere, kept in the browser, taken back as a whole."""

import json

import pytest
from conftest import PATIENCE, watched
from test_label_grid import ids_of, saved

from al_core.types import SKIP

pytestmark = pytest.mark.e2e
BACKGROUND = "() => getComputedStyle(document.querySelector('.stApp')).backgroundColor"
DARK = "rgb(18, 24, 26)"


@pytest.fixture
def tab(browser):
    """A browser of its own: what it keeps is no other test's."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    made.set_default_timeout(PATIENCE)
    opened = watched(made.new_page())
    yield opened
    made.close()
    assert not opened.troubles, "\n".join(opened.troubles)


def settings(page, server, record=None):
    page.goto(f"{server.url}/settings" + (f"?exp={record.id}" if record else ""))
    page.get_by_role("heading", name="Look").wait_for()
    return page


def choose(page, group, choice):
    page.get_by_role("group", name=group, exact=True).get_by_role("radio", name=choice, exact=True).click()


def test_a_theme_holds_on_every_page_and_gives_way_to_the_systems(server, home, tab):
    settings(tab, server)
    with tab.expect_navigation():
        choose(tab, "Theme", "Dark")
    tab.get_by_role("radio", name="Dark").and_(tab.locator(":checked")).wait_for()
    assert tab.evaluate(BACKGROUND) == DARK
    tab.goto(f"{server.url}/curves")
    tab.get_by_role("heading").first.wait_for()
    assert tab.evaluate(BACKGROUND) == DARK
    settings(tab, server)
    with tab.expect_navigation():
        choose(tab, "Theme", "As the system")
    tab.get_by_role("heading", name="Look").wait_for()
    assert tab.evaluate(BACKGROUND) != DARK


def test_reduced_motion_reaches_into_every_component(server, home, tab):
    record = home.experiment(rounds=1, name="calm")
    settings(tab, server, record)
    duration = "e => getComputedStyle(e).transitionDuration"
    tab.goto(f"{server.url}/label?exp={record.id}")
    meter = tab.locator(".askwell .meter .fill")
    meter.wait_for(state="attached")
    assert meter.evaluate(duration) == "0.18s"
    settings(tab, server, record)
    choose(tab, "Motion", "Reduced")
    tab.get_by_text("Kept in this browser.").wait_for()
    tab.goto(f"{server.url}/label?exp={record.id}")
    meter.wait_for(state="attached")
    assert meter.evaluate(duration) == "0.001s"
    assert tab.evaluate("document.documentElement.dataset.motion") == "reduce"


def test_keys_and_habits_that_are_chosen_here_hold_on_the_label_page(server, home, tab):
    record = home.experiment(rounds=1, name="habits")
    settings(tab, server, record)
    choose(tab, "After an answer", "Stay")
    choose(tab, "View to begin with", "Single")
    tab.get_by_role("button", name="Change the key of: skip").click()
    tab.keyboard.press("x")
    tab.get_by_text("X is taken").wait_for()
    tab.get_by_role("button", name="Change the key of: skip").click()
    tab.keyboard.press("s")
    tab.get_by_text("S: skip").wait_for()
    tab.goto(f"{server.url}/label?exp={record.id}")
    tab.locator(".askwell.one .tile").first.wait_for()
    tab.keyboard.press("s")
    tab.keyboard.press("7")
    saved(tab)
    first = ids_of(home, record)[0]
    assert home.events(record) == [(first, SKIP), (first, 7)]
    settings(tab, server, record)
    tab.get_by_role("button", name="Reset everything to default").click()
    tab.get_by_role("button", name="Change the key of: skip").get_by_text("Space").wait_for()
    assert tab.get_by_role("radio", name="Go to the next image").is_checked()
    kept = json.loads(tab.evaluate("JSON.stringify(Object.keys(localStorage))"))
    assert not [key for key in kept if key in ("askwell.grid", "askwell.look") or "keys" in key]


def test_hidden_guesses_are_not_sent_in_this_tab_and_in_later_ones(server, home, tab):
    record = home.experiment(rounds=1, name="blind at first")
    settings(tab, server, record)
    choose(tab, "The model's guesses at first", "Hidden")
    tab.get_by_text("Kept in this browser.").wait_for()
    tab.get_by_role("link", name="Label", exact=True).first.click()
    tab.locator(".askwell .tile").first.wait_for()
    switch = tab.get_by_role("switch", name="Hide guesses").or_(tab.get_by_label("Hide guesses"))
    assert switch.first.is_checked()
    assert tab.locator(".askwell .guess").count() == 0
    tab.reload()
    tab.locator(".askwell .tile").first.wait_for()
    assert switch.first.is_checked()
    assert tab.locator(".askwell .guess").count() == 0
