"""Classes that change while somebody labels: each keeps its id, and the keys follow."""

import pytest
from conftest import enter
from test_label_grid import ids_of, open_label, saved

from al_core.experiment import Experiment
from al_core.records import ClassAct, ClassChange
from al_core.types import UNLABEL

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
pytestmark = pytest.mark.e2e


@pytest.fixture
def asked(home):
    return home.experiment(rounds=1)


def opened(home, record):
    return Experiment.open(home.store, home.settings, record.id)


def add(page, name):
    """Add a class in the dialog, and close that."""
    page.get_by_role("button", name="Classes", exact=False).first.click()
    dialog = page.get_by_role("dialog")
    enter(page, dialog.get_by_label("New class"), name, key="Tab")
    dialog.get_by_role("button", name="Add").click()
    dialog.get_by_text(f"“{name}” can be given now").wait_for()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    class_button(page, name).wait_for()


def class_button(page, name):
    return page.locator(f'.askwell .palette button.class[title="{name}"]')


def test_a_class_added_in_the_dialog_is_given_by_its_key(page, server, home, asked):
    open_label(page, server, asked)
    page.keyboard.press("7")
    saved(page)
    add(page, "smudge")
    expect(class_button(page, "smudge").locator("kbd")).to_have_text("⇧1")
    expect(class_button(page, "smudge").locator("kbd")).to_be_visible()
    expect(class_button(page, "4").locator("kbd")).to_be_hidden()  # its name says it
    page.keyboard.press("Shift+Digit1")
    page.keyboard.press("3")
    page.get_by_text("3 of 20 labeled").wait_for()
    saved(page)
    ids = ids_of(home, asked)
    assert home.events(asked) == [(ids[0], 7), (ids[1], 10), (ids[2], 3)]
    assert opened(home, asked).classes().names[10] == "smudge"


def test_a_retired_class_is_not_offered_and_no_other_moves(page, server, home, asked):
    open_label(page, server, asked)
    for key in "379":
        page.keyboard.press(key)
    saved(page)
    experiment = opened(home, asked)
    experiment.change_class(ClassChange(3, ClassAct.RETIRE, labels="ask"))
    experiment.change_class(ClassChange(9, ClassAct.MERGE, into=7))
    page.keyboard.press("5")  # the reply tells of the change
    expect(class_button(page, "3")).to_have_count(0)
    expect(class_button(page, "9")).to_have_count(0)
    page.get_by_text("3 of 20 labeled").wait_for()  # what was a 3 is asked again
    expect(class_button(page, "7").locator(".tally")).to_have_text("2")
    page.keyboard.press("3")  # means nothing any more
    page.keyboard.press("8")
    page.get_by_text("4 of 20 labeled").wait_for()
    saved(page)
    ids = ids_of(home, asked)
    assert home.events(asked)[-2:] == [(ids[3], 5), (ids[4], 8)]
    assert experiment.store.current_labels(asked.id)[ids[2]].value == 7


def test_names_longer_than_a_character_keep_the_row_of_digits(page, server, home, asked):
    experiment = opened(home, asked)
    for class_id in range(10):
        experiment.change_class(ClassChange(class_id, ClassAct.RENAME, name=f"digit {class_id}"))
    experiment.change_class(ClassChange(0, ClassAct.RETIRE, labels="ask"))
    open_label(page, server, asked)
    expect(class_button(page, "digit 1").locator("kbd")).to_have_text("1")
    page.keyboard.press("1")
    page.keyboard.press("9")
    page.keyboard.press("0")  # nine are left
    page.keyboard.press("Delete")
    saved(page)
    ids = ids_of(home, asked)
    assert [each for each in home.events(asked) if each[1] != UNLABEL] == [(ids[0], 1), (ids[1], 9)]


def test_the_dialog_opens_by_its_key(page, server, home, asked):
    open_label(page, server, asked)
    page.keyboard.press("o")
    page.get_by_role("dialog").get_by_label("New class").wait_for()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_name_that_is_typed_is_a_new_class_and_labels_at_once(page, server, home, asked):
    open_label(page, server, asked)
    page.keyboard.press("p")
    page.keyboard.type("smudge")
    page.locator(".askwell .offer").filter(has_text="New class: smudge").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("1 of 20 labeled").wait_for()
    page.keyboard.press("Shift+Digit1")  # its key is there before the server's word
    page.keyboard.press("Backspace")
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("/")
    page.keyboard.type("smu")
    page.keyboard.press("Enter")  # one that fits is taken
    page.keyboard.press("/")
    page.keyboard.type("blob")
    page.keyboard.press("Enter")  # none fits
    page.get_by_text("4 of 20 labeled").wait_for()
    saved(page)
    ids = ids_of(home, asked)
    assert home.events(asked) == [
        (ids[0], 10), (ids[1], 10), (ids[1], UNLABEL), (ids[1], 10), (ids[2], 10), (ids[3], 11),
    ]  # fmt: skip
    assert opened(home, asked).classes().names[10:] == ("smudge", "blob")
    page.reload()
    page.get_by_text("4 of 20 labeled").wait_for()
    expect(class_button(page, "smudge").locator(".tally")).to_have_text("3")


def test_a_new_class_is_made_once_though_its_answer_is_sent_again(page, server, home, asked):
    open_label(page, server, asked)
    lost = []

    def lose_the_reply(route):
        if lost:
            return route.continue_()
        lost.append(route.fetch().status)
        return route.abort()

    page.troubles.clear()
    page.route("**/api/labels", lose_the_reply)
    page.keyboard.press("p")
    page.keyboard.type("smudge")
    page.keyboard.press("Enter")
    saved(page)
    page.unroute("**/api/labels")
    page.troubles[:] = [each for each in page.troubles if "ERR_FAILED" not in each]  # the lost reply
    assert lost == [200]
    assert opened(home, asked).classes().names[10:] == ("smudge",)
    assert home.events(asked) == [(ids_of(home, asked)[0], 10)]


def test_two_tabs_that_find_different_classes_do_not_mix_them_up(page, server, home, asked):
    """Both tabs take the next free place for theirs; the names, and not the places, are what is sent."""
    open_label(page, server, asked)
    opened(home, asked).change_class(ClassChange(0, ClassAct.ADD, name="first"))
    page.keyboard.press("p")
    page.keyboard.type("second")
    page.keyboard.press("Enter")
    expect(class_button(page, "first")).to_have_count(1)
    expect(class_button(page, "second").locator(".tally")).to_have_text("1")
    expect(class_button(page, "first").locator(".tally")).to_have_text("")
    page.keyboard.press("Backspace")
    page.keyboard.press("Control+Shift+z")
    saved(page)
    first = ids_of(home, asked)[0]
    assert home.events(asked) == [(first, 11), (first, UNLABEL), (first, 11)]


def test_a_retired_class_comes_back_by_its_name(page, server, home, asked):
    opened(home, asked).change_class(ClassChange(3, ClassAct.RETIRE, labels="ask"))
    open_label(page, server, asked)
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    page.get_by_text("Type a name first").first.wait_for()
    page.keyboard.type("3")
    page.locator(".askwell .offer").filter(has_text="Bring back: 3").wait_for()
    page.keyboard.press("Enter")
    expect(class_button(page, "3")).to_have_count(1)
    saved(page)
    assert home.events(asked) == [(ids_of(home, asked)[0], 3)]
    assert opened(home, asked).classes().open == tuple(range(10))
