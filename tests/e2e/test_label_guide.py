"""The guidelines beside the images: words, examples and counts, while labelling goes on."""

import pytest
from conftest import PATIENCE
from test_label_calm import LIMIT, SETTLED, WATCH
from test_label_grid import ids_of, open_label, saved

from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange, LabelOp, LabelSource
from tests.e2e.accessible import faults

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.e2e


@pytest.fixture
def asked(home):
    return home.experiment(rounds=1)


def opened(home, record):
    return Experiment.open(home.store, home.settings, record.id)


def guide(page):
    return page.locator(".askwell .guide")


def of_class(page, name):
    return guide(page).get_by_role("group", name=name, exact=True)


def test_the_drawer_says_of_each_class_its_words_key_examples_and_labels(page, server, home, asked):
    experiment = opened(home, asked)
    ids = ids_of(home, asked)
    earlier = home.store.query(asked.id, -1).items[0].sample_id
    home.store.add_labels(
        asked.id, [LabelOp(1, earlier, 7)], client="earlier1", source=LabelSource.HUMAN, round=-1
    )
    experiment.change_class(ClassChange(7, ClassAct.GUIDE, text="a bar at the top\nand no loop"))
    experiment.change_class(ClassChange(7, ClassAct.PIN, text="borderline", sample_id=ids[3]))
    open_label(page, server, asked)
    page.keyboard.press("d")
    seven = of_class(page, "7")
    expect(seven.locator(".guide-text")).to_have_text("a bar at the top\nand no loop")
    expect(seven.locator("kbd")).to_have_text("7")
    expect(seven.locator(".guide-count")).to_have_text("1 label")
    expect(seven.get_by_role("img")).to_have_count(2)
    assert seven.get_by_role("img").first.get_attribute("alt") == f"Image {ids[3]}, a borderline example"
    assert seven.get_by_role("img").last.get_attribute("alt") == f"Image {earlier}"
    page.wait_for_function("""() => [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
        .flatMap(r => [...r.querySelectorAll('.guide-class[aria-label="7"] img')])
        .every(i => i.complete && i.naturalWidth > 0)""")
    page.keyboard.press("7")  # keys go on labelling
    page.keyboard.press("3")
    expect(seven.locator(".guide-count")).to_have_text("2 labels")
    expect(of_class(page, "3").locator(".guide-count")).to_have_text("1 label")
    saved(page)
    assert home.events(asked)[1:] == [(ids[0], 7), (ids[1], 3)]
    page.keyboard.press("d")
    guide(page).wait_for(state="hidden")


def test_the_current_image_is_pinned_as_an_example_of_its_class_and_unpinned(page, server, home, asked):
    open_label(page, server, asked)
    page.keyboard.press("d")
    page.keyboard.press("t")
    page.locator(".askwell .notice").filter(has_text="label the image, then pin it").wait_for()
    expect(guide(page).get_by_role("button", name="Good example")).to_be_disabled()
    page.keyboard.press("7")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("t")
    seven = of_class(page, "7")
    expect(seven.locator(".pinned.good")).to_have_count(1)
    page.locator(".askwell .tile .sign-pin").wait_for()
    assert "a good example" in page.locator(".askwell .tile").first.get_attribute("aria-label")
    good = guide(page).get_by_role("button", name="Good example")
    expect(good).to_have_attribute("aria-pressed", "true")
    guide(page).get_by_role("button", name="Borderline").click()
    expect(seven.locator(".pinned.borderline")).to_have_count(1)
    page.reload()  # the drawer was left open, and the pin is in the page's data
    expect(of_class(page, "7").locator(".pinned.borderline")).to_have_count(1)
    page.locator(".askwell .tile .sign-pin").wait_for()
    of_class(page, "7").get_by_role("button", name="Unpin image").click()
    expect(of_class(page, "7").locator(".pinned")).to_have_count(0)
    expect(page.locator(".askwell .tile .sign-pin")).to_have_count(0)
    acts = [event.change.act.value for event in home.store.class_events(asked.id)]
    assert acts == ["pin", "pin", "unpin"]


def test_the_words_are_written_in_the_drawer_and_label_keys_are_letters_there(page, server, home, asked):
    open_label(page, server, asked)
    page.keyboard.press("d")
    of_class(page, "4").get_by_role("button", name="Write it").click()
    page.keyboard.type("an open top; 4 and 9 are x r c")
    page.keyboard.press("Control+Enter")
    expect(of_class(page, "4").locator(".guide-text")).to_have_text("an open top; 4 and 9 are x r c")
    expect(of_class(page, "4").get_by_role("button", name="Edit")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("lost")
    page.keyboard.press("Escape")
    expect(of_class(page, "4").locator(".guide-text")).to_have_text("an open top; 4 and 9 are x r c")
    assert home.events(asked) == []
    change = home.store.class_events(asked.id)[-1].change
    assert (change.act, change.class_id, change.text) == (
        ClassAct.GUIDE, 4, "an open top; 4 and 9 are x r c"
    )  # fmt: skip


def test_it_follows_changes_of_classes_and_words_of_others(page, server, home, asked):
    open_label(page, server, asked)
    page.keyboard.press("d")
    of_class(page, "9").wait_for()
    experiment = opened(home, asked)
    experiment.change_class(ClassChange(9, ClassAct.RETIRE, labels="ask"))
    experiment.change_class(ClassChange(0, ClassAct.ADD, name="smudge"))
    experiment.change_class(ClassChange(10, ClassAct.GUIDE, text="no digit at all"))
    page.keyboard.press("5")  # the reply tells of the change
    expect(of_class(page, "9")).to_have_count(0)
    expect(of_class(page, "smudge").locator(".guide-text")).to_have_text("no digit at all")
    expect(of_class(page, "smudge").locator("kbd")).to_have_text("9")


@pytest.mark.parametrize("mode", ["grid", "single", "lanes"])
@pytest.mark.parametrize("sidebar", [True, False], ids=["beside", "without-side-bar"])
def test_nothing_moves_while_one_labels_beside_it(server, home, context, mode, sidebar):
    record = home.experiment(rounds=2, name=f"guided {mode} {sidebar}")
    page = context.new_page()
    try:
        open_label(page, server, record)
        page.get_by_role("button", name=mode.capitalize()).first.click()
        if not sidebar:
            page.add_style_tag(content='[data-testid="stSidebar"] { display: none !important }')
            page.wait_for_timeout(300)
        stage = page.locator(".askwell .tile").first
        before = stage.bounding_box()
        page.keyboard.press("d")
        of_class(page, "7").wait_for()
        if sidebar:  # it lies over the side bar: not even opening moves the images
            assert stage.bounding_box() == before
        drawer, panel = guide(page).bounding_box(), page.locator(".askwell .panel").bounding_box()
        assert drawer["x"] + drawer["width"] <= stage.bounding_box()["x"]
        assert drawer["x"] + drawer["width"] <= panel["x"]
        page.wait_for_timeout(1000)
        page.evaluate(WATCH)
        for key in ("7", "3", " ", "q", "Backspace", "u", "1", "f", "4"):
            page.keyboard.press(key)
            page.evaluate(SETTLED)
        saved(page)
        page.wait_for_timeout(1200)
        shifts = page.evaluate("window.shifts")
        assert sum(value for value, _ in shifts) < LIMIT, shifts
        assert len(home.events(record)) >= 5
    finally:
        page.evaluate("localStorage.removeItem('askwell.grid')")
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_beside_the_images_and_over_them(server, home, browser, scheme):
    record = home.experiment(rounds=1, name=f"axe guide {scheme}")
    opened(home, record).change_class(ClassChange(7, ClassAct.GUIDE, text="a bar at the top"))
    for size in ((1440, 900), (390, 844)):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce"
        )
        page = context.new_page()
        open_label(page, server, record)
        page.keyboard.press("d")
        of_class(page, "7").wait_for()
        page.wait_for_timeout(300)
        assert faults(page, f"label at {size[0]}, {scheme}") == []
        context.close()


def test_it_is_reached_and_left_by_keyboard_alone(page, server, home, asked):
    open_label(page, server, asked)
    page.keyboard.press("d")
    of_class(page, "7").wait_for()
    focused = """() => { let e = document.activeElement;
        while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement; return e.className; }"""
    assert "tile" in page.evaluate(focused)
    page.keyboard.press("Tab")
    assert "quiet" in page.evaluate(focused)  # the drawer's own close button
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "guide-list"
    page.keyboard.press("PageDown")  # scrolls the list, and moves no cursor
    page.keyboard.press(" ")
    page.wait_for_function("""() => [...document.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean)
        .some(r => r.querySelector('.guide-list')?.scrollTop > 0)""")
    page.keyboard.press("Escape")
    guide(page).wait_for(state="hidden")
    assert "tile" in page.evaluate(focused)
    page.keyboard.press("7")
    saved(page)
    assert home.events(asked) == [(ids_of(home, asked)[0], 7)]


def test_its_key_is_changed_in_the_sheet_without_conflicts(page, server, home, asked):
    open_label(page, server, asked)
    page.keyboard.press("?")
    words = page.locator(".askwell .sheet .words")
    page.get_by_role("button", name="Change the key of: the guidelines").click()
    page.keyboard.press("x")
    words.filter(has_text="X is taken").wait_for()
    page.get_by_role("button", name="Change the key of: the guidelines").click()
    page.keyboard.press("m")
    words.filter(has_text="M: the guidelines").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    assert guide(page).is_hidden()
    page.keyboard.press("m")
    of_class(page, "7").wait_for()
    page.evaluate("localStorage.clear()")


@pytest.fixture
def phone(browser):
    made = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    made.set_default_timeout(PATIENCE)
    yield made.new_page()
    made.close()


def test_on_a_phone_it_is_a_sheet_that_is_opened_and_left_by_thumb(server, home, phone, asked):
    opened(home, asked).change_class(ClassChange(7, ClassAct.GUIDE, text="a bar at the top"))
    open_label(phone, server, asked)
    phone.get_by_role("button", name="Guidelines").tap()
    sheet = phone.get_by_role("dialog", name="Guidelines")
    expect(sheet.get_by_text("a bar at the top")).to_be_visible()
    box = sheet.bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    phone.keyboard.press("7")  # covered images are not labelled
    sheet.get_by_role("button", name="Close").tap()
    sheet.wait_for(state="hidden")
    assert home.events(asked) == []
    phone.locator(".askwell .palette button").nth(7).tap()
    phone.locator(".askwell .count").filter(has_text="1 of 20").wait_for()
    saved(phone)


def test_a_phone_has_a_button_for_a_new_class(server, home, phone, asked):
    open_label(phone, server, asked)
    new = phone.get_by_role("button", name="New class")
    box = new.bounding_box()
    assert min(box["width"], box["height"]) >= 44
    new.tap()
    field = phone.locator(".askwell .find").first
    expect(field).to_be_focused()
    new.tap()  # and away again
    expect(field).to_be_hidden()
    new.tap()
    phone.keyboard.type("smudge")
    offer = phone.locator(".askwell .offer").filter(has_text="New class: smudge")
    assert offer.bounding_box()["height"] >= 40
    offer.tap()
    phone.locator(".askwell .count").filter(has_text="1 of 20").wait_for()
    saved(phone)
    assert home.events(asked) == [(ids_of(home, asked)[0], 10)]
    assert opened(home, asked).classes().names[10] == "smudge"
    wide = phone.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
