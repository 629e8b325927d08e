"""Words of our own scripts: all go through assets/words.js, and a language reaches the browser whole.

The scripts are read here by a small scanner of strings; tests/e2e/test_language.py runs them.
"""

import io
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from babel.messages.extract import extract

from al_core import words
from state.web import assets

ASSETS = Path(__file__).resolve().parents[3] / "assets"
SCRIPTS = sorted(ASSETS.glob("*.js"))
_KEYWORDS = {"tr": None, "trN": (1, 2)}

# What looks like English and is none that a person reads: keys, classes of style sheets, values.
KEYS = {"Alt", "Arrow", "Enter", "Escape", "Home", "End", "Shift", "Tab"}
CLASSES = {
    "answer ${}", "askwell key-map", "askwell review", "badge ${}", "fact accuracy", "fact labels",
    "fact note", "fact round", "find note-field", "guide-cell none", "mark right", "mark wrong",
    "person mine", "point labeled", "quiet guide-opener", "segments size", "sheet audit",
    "sign sign-${}", "sign sign-pin",
}  # fmt: skip
VALUES = {
    "(pointer: coarse)", "(prefers-reduced-motion: no-preference)", "(prefers-reduced-motion: reduce)",
    "Content-Type", "Dark", "Light", "edit ${}", "status ${}", "unpin ${} ${}", "x unified",
    'figure[data-id="${}"] .open', "${}=${}; Path=/; Max-Age=${}; SameSite=Strict",
    "${}=${}; path=/; max-age=${}; SameSite=Strict",
}  # fmt: skip
LIBRARY = {  # English by which Plotly looks up what it says
    "Double-click to zoom back out", "Download plot as a PNG", "Image download succeeded",
    "Preparing image - this may take a few seconds", "Reset axes",
    "Sorry, there was a problem downloading your image!",
}  # fmt: skip
STYLES = re.compile(r"^(hsl|translate|brightness)\(|^[\d${}]+px auto|^\*, \*::|^transition-")


@dataclass(frozen=True)
class Found:
    """A string or template of a script: its text with `${}` for what is put in, and whether tr has it."""

    text: str
    line: int
    said: bool


def strings(code):
    """Every string, template and call of tr in a script."""
    return list(_Scanner(code).run())


class _Scanner:
    def __init__(self, code, line=1):
        self.code, self.at, self.line = code, 0, line
        self.open = []  # brackets, each with whether it is a call of tr
        self.before = ""  # the last token, to tell a regular expression from a division

    def run(self, until=""):
        """Until the bracket that ends a template's `${`, where it is given."""
        code = self.code
        while self.at < len(code):
            sign = code[self.at]
            if until and sign == until and not self.open:
                return
            if sign == "\n":
                self.line += 1
            if code.startswith("//", self.at):
                self.at = code.find("\n", self.at) % (len(code) + 1)
                continue
            if code.startswith("/*", self.at):
                end = code.index("*/", self.at) + 2
                self.line += code.count("\n", self.at, end)
                self.at = end
                continue
            if sign in "\"'":
                yield self._string(sign)
            elif sign == "`":
                yield from self._template()
            elif sign == "/" and (self.before in "(,=:[!&|?{};+" or self.before == "return"):
                self.at = re.compile(r"/(?:\[(?:\\.|[^\]\\])*\]|\\.|[^/\\\n\[])+/").match(code, self.at).end()
                self.before = "regex"
            elif name := re.compile(r"[\w$]+").match(code, self.at):
                self.at, self.before = name.end(), name.group()
            else:
                if sign in "([{":
                    self.open.append(sign == "(" and self.before in ("tr", "trN"))
                elif sign in ")]}":
                    self.open.pop()
                self.at += 1
                self.before = self.before if sign.isspace() else sign

    def _string(self, quote):
        match = re.compile(rf"{quote}((?:\\.|[^\\{quote}])*){quote}").match(self.code, self.at)
        self.at, self.before = match.end(), "string"
        return Found(match.group(1), self.line, bool(self.open) and self.open[-1])

    def _template(self):
        line, parts, found = self.line, [], []
        self.at += 1
        while self.code[self.at] != "`":
            if self.code.startswith("${", self.at):
                inner = _Scanner(self.code, self.line)
                inner.at = self.at + 2
                found += inner.run("}")
                self.at, self.line = inner.at + 1, inner.line
                parts.append("${}")
            else:
                step = 2 if self.code[self.at] == "\\" else 1
                parts.append(self.code[self.at : self.at + step])
                self.line += self.code[self.at] == "\n"
                self.at += step
        self.at, self.before = self.at + 1, "string"
        return [Found("".join(parts), line, said=False), *(replace(each) for each in found)]


def english(text):
    """Whether it looks like words: two letters or more beside a space, or a capitalised word."""
    parts = re.split(r"\s", text.replace("${}", "0"))
    return any(
        re.fullmatch(r"[A-Z][a-z’'-]+", part) or (len(parts) > 1 and re.fullmatch(r"[A-Za-z’'-]{2,}", part))
        for part in (part.strip(".,:;!?…()“”·/") for part in parts)
    )


def unsaid(code):
    """Strings that look like words and that tr does not have, and short ones put where one reads."""
    allowed = KEYS | CLASSES | VALUES | LIBRARY
    for found in strings(code):
        text = found.text
        if found.said or text in allowed or STYLES.match(text) or not english(text):
            continue
        yield found.line, text
    for match in _SINK.finditer(code):
        yield code.count("\n", 0, match.start()) + 1, match.group()


_LETTERS = r"""["`](?:\$\{[^}]*\}|[^"`A-Za-z$])*[A-Za-z]{2}"""
_SINK = re.compile(
    rf"""\.(?:textContent|title|ariaLabel|placeholder|alt)\s*=\s*(?!=){_LETTERS}"""
    rf"""|setAttribute\("(?:aria-label|aria-valuetext|title|placeholder|alt)",\s*{_LETTERS}"""
    rf"""|\bmake\("\w+", "[^"]*", {_LETTERS}"""
    rf"""|\badd\(\w+, "\w+", "[^"]*", {_LETTERS}"""
    rf"""|\bnode\("\w+", [\w.]+, "[^"]*", {_LETTERS}"""
    rf"""|\bnode\("\w+", "[^"]*", \w+, {_LETTERS}"""
    rf"""|\bbutton\("[^"]*", {_LETTERS}"""
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_word_of_a_script_goes_through_tr(path):
    assert list(unsaid(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        'button.textContent = "Undo";',
        'input.placeholder = "name";',
        'node.title = `${count} labels`;',
        'element.setAttribute("aria-label", "Close");',
        'this.say(`${left} left.`);',
        'make("span", "hint", "none");',
        'const words = { train: "Training it" };',
        'const text = open ? tr("Open") : "Shut it";',
        'tr("{x} here", { x: "Some thing" });',
        'const text = `${done ? `Done with ${name}` : ""}`;',
    ],
)  # fmt: skip
def test_the_guard_finds_what_is_not_said_by_tr(code):
    assert list(unsaid(code))


@pytest.mark.parametrize(
    "code",
    [
        'button.textContent = tr("Undo");',
        'const x = a / b; // a comment with words\nthis.say(tr("{left} left.", { left }));',
        'if (/^[a-z] "it/.test(key)) make("span", "sign sign-pin");',
        'const text = trN("{n} label", "{n} labels", count);',
        'if (event.key === "Enter") element.className = `badge ${tone}`;',
    ],
)
def test_the_guard_lets_pass_what_is_none_or_said(code):
    assert list(unsaid(code)) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_message_is_a_plain_string_that_the_template_gets(path):
    code = path.read_text("utf-8")
    if path.name == "words.js":
        return
    said = [found.text for found in strings(code) if found.said]
    calls = re.findall(r'\btr\("(?:[^"\\])*"[,)]|\btrN\(\s*"[^"\\]*",\s*"[^"\\]*",', code)
    assert len(calls) == len(re.findall(r"\btrN?\(", code)), (
        "a message that is put together reaches no catalogue"
    )
    assert not [text for text in said if "\\" in text]
    extracted = []
    for _, message, _, _ in extract("javascript", io.BytesIO(code.encode()), _KEYWORDS):
        extracted += [message] if isinstance(message, str) else message
    assert sorted(said) == sorted(extracted)


def test_values_that_a_message_names_are_given_to_it():
    for path in SCRIPTS:
        if path.name == "words.js":
            continue
        for match in re.finditer(r'\btr\("([^"]*\{[^"]*)"\)', path.read_text("utf-8")):
            assert path.read_text("utf-8")[: match.start()].endswith("among("), (
                f"{path.name}: {match.group()}"
            )


# -- a language ----------------------------------------------------------------------------------------------


@pytest.fixture
def language(monkeypatch):
    """Choose a language with these messages."""

    def choose(**messages):
        catalogue = words.Catalogue({**messages}, tuple(int(n != 1) for n in range(200)))
        monkeypatch.setattr(words, "catalogue", lambda: catalogue)
        assets._asset.cache_clear()

    yield choose
    assets._asset.cache_clear()


def test_without_a_language_a_script_holds_no_table():
    text = assets.script("toy")
    assert "tr.table =" not in text
    assert text.count("function tr(") == 1
    assert "function tr(" not in assets.script("name_keeper")


def test_the_words_are_small():
    assert (ASSETS / "words.js").stat().st_size < 1500


def test_a_script_gets_what_it_says_and_nothing_else(language):
    language(**{"Play": "Los", "Undo": "Zurück"})
    text = assets.script("toy")
    assert text.startswith('tr.table = {"Play": "Los"};\ntr.forms = "1011')


def test_nothing_in_a_language_ends_the_script(language):
    language(**{"Play": "</script>\u2028<!--"})
    first, _, _ = assets.script("toy").partition("\n")
    assert first == r'tr.table = {"Play": "\u003c/script>\u2028\u003c!--"};'


def test_the_address_of_a_script_changes_with_the_language(language):
    assets._asset.cache_clear()
    english_url = assets.asset_url("label-grid.js")
    language(**{"Undo": "Zurück", "Never said": "Nie"})
    assert assets.asset_url("label-grid.js") != english_url
    served = assets._asset("label-grid.js")[0].decode()
    assert served.startswith('tr.table = {"Undo": "Zurück"};')
    plotly = assets._asset("plotly-basic.min.js")[0]
    assert plotly == (ASSETS / "vendor" / "plotly-basic.min.js").read_bytes()


def test_the_drawings_say_what_the_page_gives_them():
    text = assets.drawing("hero", label='two "kinds" & <more>')
    assert 'aria-label="two &quot;kinds&quot; &amp; &lt;more&gt;"' in text


@pytest.mark.parametrize("path", sorted(ASSETS.glob("*.html")), ids=lambda path: path.name)
def test_a_drawing_holds_no_words_of_its_own(path):
    text = path.read_text("utf-8")
    said = re.findall(r'(?:aria-label|title|alt)="([^"]*)"', text) + re.split(r"<[^>]*>", text)
    assert [
        part for part in said if re.search("[A-Za-z]{2}", part) and not re.fullmatch(r"\$\w+", part)
    ] == []
