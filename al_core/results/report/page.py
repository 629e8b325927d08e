"""The page: what a report is made of, and its HTML."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from al_core import __version__
from al_core.results.figures.sheets import Sheet
from al_core.results.verdict_words import Tone
from al_core.words import english

_HERE: Final = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Statement:
    """A sentence that the report makes, and the numbers that it rests on."""

    text: str
    numbers: str = ""
    tone: Tone = "even"


@dataclass(frozen=True)
class Tile:
    """One number that is read first."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Text cells. The first column is a row's name; the others are numbers unless `prose`."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    prose: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the report. `folded`: opened by whoever wants it; on paper it is open."""

    key: str
    title: str
    words: Sequence[str] = ()
    sheets: Sequence[Sheet] = ()
    tables: Sequence[Table] = ()
    folded: bool = False
    pairs: bool = False  # two figures side by side


@dataclass(frozen=True)
class Page:
    """A whole report."""

    kind: str
    title: str
    subtitle: str
    caution: str
    statements: Sequence[Statement]
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    command: str
    command_note: str
    attachment: tuple[str, str] | None  # a file's name and text that the command needs
    facts: Sequence[tuple[str, str]]


@english()
def page_html(page: Page) -> str:
    """The file. The same page gives the same bytes."""
    plotly, script = get_plotlyjs(), _script()
    template = _environment().get_template("report.html.j2")
    return template.render(
        page=page, version=__version__, style=Markup(_read("report.css")),
        plotly=Markup(plotly), script=Markup(script),
        hashes=[_hash(plotly), _hash(script)], figure_data=_figure_data,
    )  # fmt: skip


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _script() -> str:
    return _read("report.js")


def _hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _figure_data(sheet: Sheet) -> Markup:
    """Both looks of a figure as JSON that cannot end the element it stands in."""
    light, dark = (sheet.inline(dark=dark).to_json() or "{}" for dark in (False, True))
    text = f'{{"light":{light},"dark":{dark}}}'
    escaped = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(escaped)
