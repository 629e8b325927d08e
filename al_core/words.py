"""Every word that a person reads in the browser, looked up by its English: `tr("Undo")`.

The English in the code is the key and the fallback. What is kept (stored, compared, exported) stays English
(`noted`, `kept`) and is looked up where it is shown (`tr`, `told`). A language is a gettext file,
`locale/<language>/askwell.po`, chosen by AL_LANGUAGE for the whole process; without one nothing is looked up
and Babel is not imported. `make words` collects the English into `locale/askwell.pot`.
"""

from __future__ import annotations

import logging
import os
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, cached_property
from gettext import c2py
from pathlib import Path

from al_core.errors import ConfigError, Problem
from al_core.settings import language_file

_LOG = logging.getLogger(__name__)
_PERIOD = 100
"""Rules of plurals look at small numbers and at the last two digits (no further in any language we know)."""
_LETTERS, _LETTERS_AT_NUMBERS = 8, 2
"""By fewer letters between its values no kept sentence is recognised; beside numbers fewer will do."""
_NUMBERS = ("n", "number")
"""Values that are numbers, as those are that are formed as one (`{size:,}`)."""
_WORDS = 2
"""A value of fewer words is a name or a number, of more it may be a sentence in the sentence."""
_english: ContextVar[bool] = ContextVar("whether nothing is looked up", default=False)


@dataclass(frozen=True)
class Catalogue:
    """A language: English to its text, or to the forms of its plural, of which `plural` says which.

    `plural` holds the form for 0 to 199; larger numbers go by their last two digits, as 100 to 199 do.
    `many` leads from the English of a plural to that of its singular, which is the key.
    """

    messages: Mapping[str, str | tuple[str, ...]]
    plural: tuple[int, ...]
    many: Mapping[str, str] = field(default_factory=dict)

    def form(self, n: int) -> int:
        """Which form of a plural stands with this number."""
        return self.plural[abs(n) if abs(n) < 2 * _PERIOD else _PERIOD + abs(n) % _PERIOD]

    @cached_property
    def patterns(self) -> tuple[_Pattern, ...]:
        """Messages with values, each as what its English looks like once filled; the most telling first."""
        keys = {**dict.fromkeys(self.messages), **self.many}
        found = [_pattern(english, key or english) for english, key in keys.items()]
        kept = [pattern for pattern in found if pattern is not None]
        return tuple(sorted(kept, key=lambda pattern: -pattern.letters))

    def told(self, text: str) -> str | None:
        """A filled English message in this language; None where it is none that is known."""
        found = self.messages.get(text)
        if found is not None:
            return found if isinstance(found, str) else found[self.form(1)]
        for pattern in self.patterns:
            if pattern.longest in text and (match := pattern.filled.fullmatch(text)) is not None:
                values = match.groupdict()
                said = self.messages[pattern.key]
                if not isinstance(said, str):
                    digits = re.sub(r"\D", "", values.get("n", ""))
                    said = said[self.form(int(digits) if digits else 1)]
                told = {name: self._value(value) for name, value in values.items()}
                parts = string.Formatter().parse(said)
                return "".join(
                    literal + (told[name] if name is not None else "") for literal, name, *_ in parts
                )
        return None

    def _value(self, text: str) -> str:
        return (self.told(text) if len(text.split()) >= _WORDS else None) or text


@dataclass(frozen=True)
class _Pattern:
    """How a message's English looks once it is filled; `longest` is in every text that it fits."""

    key: str
    filled: re.Pattern[str]
    longest: str
    letters: int


def _pattern(english: str, key: str) -> _Pattern | None:
    """None for what has no values, or too few letters of its own to be recognised by."""
    try:
        parts = list(string.Formatter().parse(english))
    except ValueError:
        return None
    literals = [literal for literal, *_ in parts]
    letters = sum(letter.isalpha() for letter in "".join(literals))
    seen: dict[str, bool] = {}
    filled = ""
    for literal, name, form, _ in parts:
        filled += re.escape(literal)
        if name is not None:
            number = name in _NUMBERS or (form or "")[-1:] in tuple(",dfg")
            what = r"-?\d[\d,.]*" if number else ".+?"
            filled += f"({what})" if name in seen else f"(?P<{name}>{what})"
            seen[name] = number
    least = _LETTERS_AT_NUMBERS if all(seen.values()) else _LETTERS
    if not seen or not all(name.isidentifier() for name in seen) or letters < least:
        return None
    return _Pattern(key, re.compile(filled, re.DOTALL), max(literals, key=len), letters)


def tr(message: str, /, **values: object) -> str:
    """The message in the process's language, with its placeholders filled: `tr("{n:,} images", n=9)`.

    Without values braces stand for themselves.
    """
    if (table := _table()) is not None:
        found = table.messages.get(message, message)
        message = found if isinstance(found, str) else found[table.form(1)]
    return message.format(**values) if values else message


def tr_n(one: str, many: str, n: int, /, **values: object) -> str:
    """As `tr`, in the form that goes with a number, which is there as `{n}`."""
    table = _table()
    found = None if table is None else table.messages.get(one)
    if table is None or found is None:
        message = one if n == 1 else many
    else:
        message = found if isinstance(found, str) else found[table.form(n)]
    return message.format(n=n, **values)


def noted(message: str) -> str:
    """The message as it is, put into the template: for what is compared or kept, and looked up when shown."""
    return message


def kept(message: str, /, **values: object) -> str:
    """As `tr`, in English: for what is stored, compared or written to a file. `told` looks it up."""
    return message.format(**values) if values else message


def kept_n(one: str, many: str, n: int, /, **values: object) -> str:
    """As `tr_n`, in English."""
    return (one if n == 1 else many).format(n=n, **values)


def told(text: str) -> str:
    """What was kept in English, with its values in it, in the process's language; line by line.

    What is in no catalogue stays as it is, as a name in the sentence does.
    """
    table = _table()
    if table is None:
        return text
    whole = table.told(text)
    return whole if whole is not None else "\n".join(table.told(line) or line for line in text.split("\n"))


@contextmanager
def english() -> Iterator[None]:
    """Within it nothing is looked up: for work whose messages are kept, as a job's errors are."""
    token = _english.set(True)
    try:
        yield
    finally:
        _english.reset(token)


def _table() -> Catalogue | None:
    return None if _english.get() else catalogue()


@cache
def catalogue() -> Catalogue | None:
    """The language that AL_LANGUAGE names, read at first use; none: the English in the code.

    Raises:
        ConfigError: there is no such language, or its file cannot be read.
    """
    with english():  # a language that cannot be read says so in English
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
    many: dict[str, str] = {}
    for entry in entries:
        said, texts = _forms(entry.id), _forms(entry.string)
        if not any(said) or entry.fuzzy or not any(texts):
            continue
        reason = _fault(said, texts)
        if not all(texts) or (len(said) > 1 and len(texts) <= max(plural)):
            reason = "its plural lacks a form"
        key = said[0]
        if reason:
            _LOG.warning("%s: %r is left out: %s", path, key, reason)
            continue
        messages[key] = tuple(texts) if len(said) > 1 else texts[0]
        if len(said) > 1:
            many[said[1]] = key
    return Catalogue(messages, plural, many)


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
