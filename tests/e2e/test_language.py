"""A server in another language: every word of our components comes from its catalogue.

The language is English in ⟦brackets⟧, but for the places of values: what stands outside of them was said
without the catalogue, be it a value or a word of the script.
"""

import re
from pathlib import Path

import pytest
from babel.messages.pofile import write_po
from conftest import PATIENCE, Home, Server, watched

from al_core.config import DataConfig
from al_core.data.prepare import prepare
from al_core.experiment import Experiment
from al_core.query.strategies import STRATEGIES
from al_core.records import ClassAct, ClassChange, LabelOp, LabelSource, Mark
from al_core.results.analysis import METRICS
from al_core.worker.identity import Slot
from tests.e2e.seeded import seed
from tests.e2e.states import PAGES, PARTS, address
from tests.words import ROOT, collected

pytestmark = pytest.mark.e2e
POLISH = "(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2)"
TIME = re.compile(r"\d+/\d+/\d+, [\d:]+ [AP]M")  # as the browser's own language has it
SAID = """root => {
  const found = [];
  const walk = node => {
    for (const name of ["aria-label", "aria-valuetext", "title", "data-title", "placeholder", "alt"]) {
      if (node.getAttribute(name)) found.push(node.getAttribute(name));
    }
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) found.push(child.data);
      else if (child.nodeType === Node.ELEMENT_NODE && child.localName !== "style") walk(child);
    }
  };
  walk(root);
  return found;
}"""


def bracketed(message):
    """A message in ⟦brackets⟧, its values outside of them."""
    parts = re.split(r"(\{[^{}]*\})", message)
    return "".join(part if part.startswith("{") or not part else f"⟦{part}⟧" for part in parts)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A server that speaks in brackets, and its home."""
    place = tmp_path_factory.mktemp("foreign")
    catalog = collected()
    catalog.locale = "de"
    for message in catalog:
        if message.id:
            forms = [message.id] if isinstance(message.id, str) else message.id
            texts = tuple(bracketed(form) for form in forms)
            message.string = texts[0] if isinstance(message.id, str) else texts
    language = place / "askwell.po"
    with language.open("wb") as file:
        write_po(file, catalog)
    running = Server(place, env={"AL_LANGUAGE": str(language)})
    slot = Slot(place)
    assert slot.take()
    prepare(running.settings, DataConfig())
    home = Home(running.settings)
    try:
        yield running.start(), home
    finally:
        running.stop()
        home.store.close()
        slot.release()


@pytest.fixture
def tab(browser):
    """A browser of its own, in whose name Carl labels, that is shown around."""
    made = browser.first_visit(viewport={"width": 1440, "height": 900})
    made.set_default_timeout(PATIENCE)
    opened = watched(made.new_page())
    yield opened
    made.close()
    assert not opened.troubles, "\n".join(opened.troubles)


class Reader:
    """What components say, and what of it no catalogue has."""

    def __init__(self, page, *values):
        self.page = page
        self.values = sorted(values, key=len, reverse=True)  # names, notes, guidelines
        self.unsaid = {}
        self.read = 0

    def look(self, selector, when):
        """Read all of a component's texts, seen or not."""
        self.page.locator(selector).first.wait_for()
        for text in self.page.locator(selector).first.evaluate(SAID):
            self.read += "⟦" in text
            rest = TIME.sub("", re.sub("⟦[^⟦⟧]*⟧", "", text))
            for value in self.values:
                rest = rest.replace(value, "")
            if re.search("[A-Za-z]{2}", rest):
                self.unsaid.setdefault(text, when)


def names(home):
    return [Path(home.dataset.train.file_name(i)).name for i in range(len(home.dataset.train))]


def test_the_label_page_says_nothing_outside_of_the_catalogue(foreign, tab):
    server, home = foreign
    record = home.experiment(rounds=1, num_items=12, name="foreign", ahead=6)
    experiment = Experiment.open(home.store, home.settings, record.id)
    items = [item.sample_id for item in home.query(record).items]
    experiment.change_class(ClassChange(3, ClassAct.GUIDE, text="two bows"))
    experiment.change_class(ClassChange(3, ClassAct.PIN, text="good", sample_id=items[5]))
    experiment.change_class(ClassChange(4, ClassAct.PIN, text="borderline", sample_id=items[6]))
    read = Reader(tab, *names(home), "two bows", "a smudge", "eleven")
    root = ".askwell"

    def press(*keys):
        for key in keys:
            tab.keyboard.press(key)
            tab.wait_for_timeout(60)  # a frame is painted
            read.look(root, f"after {key}")

    tab.goto(f"{server.url}/label?exp={record.id}")
    tab.locator(f"{root} .tile").first.wait_for()
    read.look(root, "at the first visit")
    tab.locator(f"{root} .coach").wait_for()
    press("5", "Backspace")
    tab.locator(f"{root} .coach-next").click()
    press("Control+Shift+z", "q", "w", " ", "x", "u", "f", "Backspace", "Control+z", "+", "-", "v", "Escape")
    press("n")
    tab.keyboard.type("a smudge")
    press("Enter")
    press("p")
    tab.keyboard.type("eleven")
    press("Enter", "ArrowLeft", "t", "ArrowRight", "Delete", "t", "Control+a", "3", "u", "u", "Delete")
    press("d")
    tab.locator(f"{root} .guide-class").first.wait_for()
    read.look(root, "with the guidelines")
    tab.locator(f"{root} .guide-edit").first.click()
    read.look(root, "writing a guideline")
    tab.keyboard.press("Escape")
    press("d", "b", "Escape", "g", "g", "a", "ArrowLeft", "Delete", "Shift+A", "Escape", "g", "?")
    tab.locator(f"{root} .rebind").first.click()
    read.look(root, "changing a key")
    for key in ("c", "1", "w", "y"):
        tab.locator(f"{root} .rebind").first.click()
        press(key)
    press("Escape", "?", "Control+Enter")
    assert read.unsaid == {}
    assert read.read > 1000


@pytest.fixture
def doubted(foreign):
    """Two images on which Ann and Bob disagree; the first is flagged, and has a note."""
    _, home = foreign
    record = home.experiment(rounds=1, num_items=10, name="doubted")
    ids = [item.sample_id for item in home.store.queries(record.id)[0].items][:2]
    for i in ids:
        said = [("Ann", 3, None), ("Bob", 5, Mark.OPINION)]
        for who, value, mark in [*said, ("Ann", 1, Mark.FLAG)] if i == ids[0] else said:
            home.store.add_labels(
                record.id, [LabelOp(1, i, value, mark=mark)], client=f"{who}-{i}-{mark}",
                source=LabelSource.HUMAN, round=-1, annotator=who,
            )  # fmt: skip
    return record


def test_the_review_page_says_nothing_outside_of_the_catalogue(foreign, doubted, tab):
    server, home = foreign
    read = Reader(tab, *names(home), "Ann", "Bob")
    tab.goto(f"{server.url}/review?exp={doubted.id}")
    tab.locator(".review .stage img").wait_for()
    read.look(".review", "at first")
    for key in ("k", "Backspace", "x", "f"):
        tab.keyboard.press(key)
        read.look(".review", f"after {key}")
    assert read.unsaid == {}
    assert read.read > 20


def test_settings_say_nothing_outside_of_the_catalogue(foreign, tab):
    server, _ = foreign
    read = Reader(tab)
    tab.goto(f"{server.url}/settings")
    tab.locator(".key-map").wait_for()
    read.look(".settings", "at first")
    read.look(".key-map", "at first")
    tab.locator(".settings input[type=radio]").nth(4).check()
    read.look(".settings", "after a choice")
    tab.locator(".settings .foot button").click()
    read.look(".settings", "after all was taken back")
    assert read.unsaid == {}
    assert read.read > 60


def test_the_live_curve_and_the_toy_say_nothing_outside_of_the_catalogue(foreign, tab):
    server, home = foreign
    titles = [entry.title for entry in (*STRATEGIES, *METRICS)]
    record = seed(server.settings, rounds=3)
    read = Reader(tab, *titles, home.store.experiment(record).name)  # the page's words, as values
    tab.goto(f"{server.url}/curves?exp={record}")
    tab.locator(".al-curve-plot .legendtoggle").first.wait_for()
    read.look(".al-curve", "of the curve")
    tab.locator(".al-curve-plot .nsewdrag").first.hover()
    tab.wait_for_timeout(500)
    read.look(".al-curve", "beneath the pointer")
    for button in tab.locator(".al-curve-tools button:visible").all():
        button.click()
        read.look(".al-curve", "after a switch")
    tab.goto(f"{server.url}/help")
    read.look(".key-map", "of the sheet of keys")
    tab.get_by_text("How strategies choose").first.click()
    tab.locator(".toy .panel").first.wait_for(timeout=PATIENCE)
    read.look(".toy", "of the toy")
    for button in tab.locator(".toy .bar button:enabled").all():
        button.click()
        read.look(".toy", "while it plays")
    assert read.unsaid == {}
    assert read.read > 20


def test_every_page_is_drawn_in_another_language(foreign, tab):
    server, home = foreign
    log = home.settings.logs / "app.log"
    failed = []

    def look(where):
        tab.get_by_role("heading").first.wait_for()
        tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        said = log.read_text("utf-8").splitlines() if log.exists() else []
        errors = [line for line in said if "unforeseen error" in line]
        failed.extend((where, line) for line in errors[len(failed) :])

    sessions = [seed(server.settings, rounds=4, finish=True), seed(server.settings, rounds=3)]
    for record in ("", *sessions):
        for name in PAGES:
            tab.goto(f"{server.url}/{address(name, record)}")
            look(f"{name} of {record or 'no session'}")
    for name, parts in PARTS.items():
        tab.goto(f"{server.url}/{address(name, sessions[-1])}")
        look(name)
        for part in parts:
            tab.get_by_text(re.compile(f"^⟦?{part}⟧?$")).first.click()
            look(f"{name}, {part}")
    assert failed == []


WORDS = """() => {
  CODE
  const files = (n) => trN("{n} file of {name}", "{n} files of {name}", n, { name: "{n}" });
  const english = [tr("Undo"), tr("{a} {b}", { a: "{b}" }), tr("{a}"), files(1), files(0), files(21)];
  tr.table = { Undo: "Cofnij", "{n} file of {name}": ["{n} plik", "{n} pliki", "{name}: {n} plików"] };
  tr.forms = Array.from({ length: 200 }, (_, n) => Number(RULE)).join("");
  const polish = [tr("Undo"), tr("Redo"), ...[0, 1, 2, 5, 12, 22, 112, 1002, 1012].map(files)];
  const bold = document.createElement("b");
  bold.textContent = "<i>7</i>";
  const line = document.createElement("p");
  line.append(...among("{left} of 9", { left: bold }));
  return { english, polish, html: line.innerHTML };
}"""


def test_the_words_of_a_script_are_looked_up_filled_and_counted(page):
    code = (ROOT / "assets" / "words.js").read_text("utf-8")
    said = page.evaluate(WORDS.replace("CODE", code).replace("RULE", POLISH))
    assert said["english"] == ["Undo", "{b} {b}", "{a}", "1 file of {n}", "0 files of {n}", "21 files of {n}"]
    assert said["polish"] == [
        "Cofnij", "Redo", "{n}: 0 plików", "1 plik", "2 pliki", "{n}: 5 plików", "{n}: 12 plików", "22 pliki",
        "{n}: 112 plików", "1002 pliki", "{n}: 1012 plików",
    ]  # fmt: skip
    assert said["html"] == "<b>&lt;i&gt;7&lt;/i&gt;</b> of 9"
