"""The tour of the Label page: once a browser, by the keys that it teaches, and again when it is asked for."""

import pytest
from conftest import PATIENCE, watched
from test_label_grid import ids_of, saved

pytestmark = pytest.mark.e2e


@pytest.fixture
def newcomer(browser):
    """A browser that has never been here."""
    made = browser.first_visit(viewport={"width": 1440, "height": 900})
    made.set_default_timeout(PATIENCE)
    opened = watched(made.new_page())
    yield opened
    made.close()
    assert not opened.troubles, "\n".join(opened.troubles)


def label(page, server, record):
    page.goto(f"{server.url}/label?exp={record.id}")
    page.locator(".askwell .tile").first.wait_for()


def test_the_first_visit_is_shown_around_by_the_keys_themselves(server, home, newcomer):
    record = home.experiment(rounds=1, name="shown around")
    label(newcomer, server, record)
    coach = newcomer.locator(".askwell .coach")
    coach.get_by_text("Press what you see").wait_for()
    live = newcomer.locator(".askwell > .hidden")
    assert "Tip 1 of 3" in live.inner_text()
    newcomer.keyboard.press("5")
    coach.get_by_text("Take it back").wait_for()
    assert "coached" in newcomer.get_by_role("button", name="Undo").get_attribute("class")
    newcomer.keyboard.press("Backspace")
    coach.get_by_text("Then train").wait_for()
    box = coach.bounding_box()
    assert box["x"] >= 0
    assert box["y"] + box["height"] <= 900
    newcomer.get_by_role("button", name="Start labeling").click()
    coach.wait_for(state="hidden")
    newcomer.keyboard.press("6")  # the focus is where keys work
    saved(newcomer)
    assert home.events(record)[-1] == (ids_of(home, record)[0], 6)
    label(newcomer, server, record)
    assert coach.is_hidden()


def test_escape_leaves_it_for_good_until_help_is_asked(server, home, newcomer):
    record = home.experiment(rounds=1, name="leaves")
    label(newcomer, server, record)
    coach = newcomer.locator(".askwell .coach")
    coach.wait_for()
    newcomer.keyboard.press("Escape")
    coach.wait_for(state="hidden")
    label(newcomer, server, record)
    assert coach.is_hidden()
    newcomer.goto(f"{server.url}/help?exp={record.id}")
    newcomer.get_by_role("button", name="Replay the tour").click()
    coach.get_by_text("Press what you see").wait_for()
    assert home.events(record) == []


def test_it_fits_a_phone_and_hides_no_class(server, home, browser):
    record = home.experiment(rounds=1, name="small tour")
    context = browser.first_visit(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    try:
        label(page, server, record)
        coach = page.locator(".askwell .coach")
        coach.wait_for()
        box, palette = coach.bounding_box(), page.locator(".askwell .palette").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] + box["height"] <= palette["y"]
    finally:
        context.close()
