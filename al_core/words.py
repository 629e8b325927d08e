"""Every word that a person reads in the browser, looked up by its English: `tr("Undo")`.

The English in the code is the key and the fallback. A language is a gettext file,
`locale/<language>/askwell.po`, chosen by AL_LANGUAGE for the whole process; without one nothing is looked up
and Babel is not imported. `make words` collects the English into `locale/askwell.pot`.
"""

from __future__ import annotations

import logging
import os
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from gettext import c2py
from pathlib import Path

from al_core.errors import ConfigError, Problem
from al_core.settings import language_file

_LOG = logging.getLogger(__name__)
_PERIOD = 100
"""Rules of plurals look at small numbers and at the last two digits (no further in any language we know)."""


@dataclass(frozen=True)
class Catalogue:
    """A language: English to its text, or to the forms of its plural, of which `plural` says which.

    `plural` holds the form for 0 to 199; larger numbers go by their last two digits, as 100 to 199 do.
    """

    messages: Mapping[str, str | tuple[str, ...]]
    plural: tuple[int, ...]

    def form(self, n: int) -> int:
        """Which form of a plural stands with this number."""
        return self.plural[abs(n) if abs(n) < 2 * _PERIOD else _PERIOD + abs(n) % _PERIOD]


def tr(message: str, /, **values: object) -> str:
    """The message in the process's language, with its placeholders filled: `tr("{n:,} images", n=9)`.

    Without values braces stand for themselves.
    """
    if (table := catalogue()) is not None:
        found = table.messages.get(message, message)
        message = found if isinstance(found, str) else found[table.form(1)]
    return message.format(**values) if values else message


def tr_n(one: str, many: str, n: int, /, **values: object) -> str:
    """As `tr`, in the form that goes with a number, which is there as `{n}`."""
    table = catalogue()
    found = None if table is None else table.messages.get(one)
    if table is None or found is None:
        message = one if n == 1 else many
    else:
        message = found if isinstance(found, str) else found[table.form(n)]
    return message.format(n=n, **values)


def noted(message: str) -> str:
    """The message as it is, put into the template: for what is compared or kept, and looked up when shown."""
    return message


@cache
def catalogue() -> Catalogue | None:
    """The language that AL_LANGUAGE names, read at first use; none: the English in the code.

    Raises:
        ConfigError: there is no such language, or its file cannot be read.
    """
    path = language_file(os.environ)
    return None if path is None else read(path)


def read(path: Path) -> Catalogue:
    """A language's file. What is not translated, unsure (fuzzy) or faulty is left out, so it stays English.

    Raises:
        ConfigError: the file cannot be read as a catalogue.
    """
    from babel.messages.pofile import PoFileError, read_po  # noqa: PLC0415 (40 ms, for those who have a language)

    try:
        with path.open("rb") as file:
            entries = read_po(file, abort_invalid=True)
        rule = c2py(entries.plural_expr)
        plural = tuple(rule(n) for n in range(2 * _PERIOD))
    except (OSError, ValueError, PoFileError) as error:
        raise ConfigError([Problem("AL_LANGUAGE", str(path), f"it cannot be read: {error}")]) from error
    messages: dict[str, str | tuple[str, ...]] = {}
    for entry in entries:
        english, texts = _forms(entry.id), _forms(entry.string)
        if not any(english) or entry.fuzzy or not any(texts):
            continue
        reason = _fault(english, texts)
        if not all(texts) or (len(english) > 1 and len(texts) <= max(plural)):
            reason = "its plural lacks a form"
        key = english[0]
        if reason:
            _LOG.warning("%s: %r is left out: %s", path, key, reason)
            continue
        messages[key] = tuple(texts) if len(english) > 1 else texts[0]
    return Catalogue(messages, plural)


def _forms(text: str | Sequence[str] | None) -> list[str]:
    return [text or ""] if text is None or isinstance(text, str) else list(text)


def _fault(english: list[str], texts: list[str]) -> str:
    """Why a translation could not be filled as its English is; empty where it can."""
    try:
        fields = [set(placeholders(text)) for text in english]
    except ValueError:
        return ""  # braces that stand for themselves: such a message is never filled
    allowed = set().union(*fields)
    names = {name for name, _ in allowed}
    needed = {name for name, _ in set.intersection(*fields)} - ({"n"} if len(english) > 1 else set())
    for text in texts:
        try:
            found = placeholders(text)
        except ValueError as error:
            return str(error)
        for name, form in found:
            if name not in names:
                return f"it has {{{name}}}, the English has not"
            if form and (name, form) not in allowed:
                return f"{{{name}{form}}} is formed otherwise than in the English"
        if lost := needed - {name for name, _ in found}:
            return f"it lacks {', '.join(f'{{{name}}}' for name in sorted(lost))}"
    return ""


def placeholders(text: str) -> list[tuple[str, str]]:
    """Names in braces, each with how it is formed: `{n:,}` is ('n', ':,').

    Raises:
        ValueError: braces that do not match.
    """
    parts = string.Formatter().parse(text)
    return [
        (name, (f"!{how}" if how else "") + (f":{form}" if form else ""))
        for _, name, form, how in parts
        if name is not None
    ]
