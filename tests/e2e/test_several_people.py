"""Two people at one session, each in a browser of their own."""

import pytest
from conftest import PATIENCE, watched

from al_core import by_hand
from al_core.experiment import Experiment

pytestmark = pytest.mark.e2e


@pytest.fixture
def people(browser, server):
    """Open the Label page of a session under a name, in a browser context of its own."""
    opened = []

    def sit(name, record):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE)
        cookie = {"name": "askwell_name", "value": name, "url": server.url}
        context.add_cookies([cookie])
        page = watched(context.new_page())
        opened.append((context, page))
        page.goto(f"{server.url}/label?exp={record.id}")
        page.locator(".askwell .tile").first.wait_for()
        page.get_by_text(f"Labeling as {name}").wait_for()
        return page

    yield sit
    troubles = [line for _, page in opened for line in page.troubles]
    for context, _ in opened:
        context.close()
    assert troubles == []


def shown(page):
    """Sample ids of the tiles that a person sees."""
    return page.evaluate(
        """() => { for (const host of document.querySelectorAll("*")) {
            const found = host.shadowRoot?.querySelectorAll(".askwell .grid .tile img");
            if (found?.length) return Array.from(found, (img) => img.src.replace(/[?].*/, ""));
        } return []; }"""
    )


def until(page, condition, seconds=30):
    for _ in range(seconds * 10):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come about")


def test_two_people_see_each_other_and_never_the_same_open_image(people, home):
    record = home.experiment(rounds=1, num_items=40, name="together")
    ann = people("Ann", record)
    assert ann.locator(".askwell .people").is_hidden()
    assert len(shown(ann)) == 40
    until(ann, lambda: [s.annotator for s in home.store.seats(record.id)] == ["Ann"])
    bob = people("Bob", record)
    ann.locator(".askwell .people").wait_for()
    until(ann, lambda: len(shown(ann)) == len(shown(bob)) == 10)
    assert not set(shown(ann)) & set(shown(bob))
    for page in (ann, bob):
        for key in "7301984562":
            page.keyboard.press(key)
        page.get_by_text("All saved", exact=True).wait_for()
    until(ann, lambda: len(home.events(record)) == 20)
    for page in (ann, bob):  # both have taken more
        until(page, lambda page=page: len(shown(page)) > 10)
    log = home.store.log(record.id)
    assert {e.annotator for e in log} == {"Ann", "Bob"}
    assert len({e.sample_id for e in log}) == 20
    bob.close()
    until(ann, lambda: ann.locator(".askwell .people").is_hidden())
    assert len(shown(ann)) == 40


def test_images_that_somebody_asks_for_meanwhile_come_to_the_pages_of_those_who_get_them(people, home):
    record = home.experiment(rounds=1, num_items=40, name="asked for")
    ann, bob = people("Ann", record), people("Bob", record)
    until(ann, lambda: len(shown(ann)) == len(shown(bob)) == 10)
    experiment = Experiment.open(home.store, home.settings, record.id)
    wanted = experiment.pool().unlabeled_ids[:20].tolist()
    by_hand.ask_for(experiment, wanted, client="elsewhere", annotator="Cy")
    for key in "73019845":
        bob.keyboard.press(key)
    names = {f"/{i}" for i in wanted}
    until(bob, lambda: any(path.endswith(tuple(names)) for path in shown(bob)))


def test_an_answer_to_what_another_took_is_kept_beside_in_words(people, home):
    record = home.experiment(rounds=1, num_items=12, name="crossing")
    ann = people("Ann", record)
    until(ann, lambda: len(home.store.seats(record.id)) == 1)
    asked = [item.sample_id for item in home.query(record).items]
    # Bob takes his share in the moment before Ann's page hears of it.
    home.store.take_seat(record.id, "Bob", round=0)
    theirs = home.store.take_seat(record.id, "Bob", round=0).leased[0]
    ann.locator(".askwell .tile").nth(asked.index(theirs)).click()
    ann.keyboard.press("4")
    until(ann, lambda: len(home.store.opinions(record.id)) == 1)
    ann.get_by_text("kept beside as a second opinion").first.wait_for()
    assert home.events(record) == []
    (opinion,) = home.store.opinions(record.id)
    assert (opinion.sample_id, opinion.value, opinion.annotator) == (theirs, 4, "Ann")


def test_a_name_that_is_typed_is_kept_in_the_browser(browser, server, home):
    record = home.experiment(rounds=1, name="named")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = watched(context.new_page())
    page.goto(f"{server.url}/label?exp={record.id}")
    page.locator(".askwell .tile").first.wait_for()
    page.get_by_role("button", name="Labeling as me").click()
    page.get_by_role("textbox", name="Your name").fill("Zoë")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Labeling as Zoë").wait_for()
    until(page, lambda: any(c["name"] == "askwell_name" for c in context.cookies()))
    page.reload()
    page.get_by_role("button", name="Labeling as Zoë").wait_for()
    page.locator(".askwell .tile").first.click()
    page.keyboard.press("4")
    page.get_by_text("All saved", exact=True).wait_for()
    until(page, lambda: [e.annotator for e in home.store.log(record.id)] == ["Zoë"])
    assert page.troubles == []
    context.close()
