"""Strings that came from people or files, made safe for Streamlit's markdown."""

from __future__ import annotations

import re

from al_core.baselines import TITLES
from al_core.errors import StrategyError
from al_core.query.strategies import STRATEGIES
from al_core.words import tr, tr_n

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_JOINER = "\u2060"


def plain(text: object) -> str:
    r"""The text, literally, wherever Streamlit would read markdown (labels, captions, messages).

    Every ASCII punctuation mark is escaped, line ends become blanks, and an invisible joiner keeps addresses
    from becoming links. Where the whole element is a foreign string, prefer `st.text`.
    """
    line = " ".join(str(text).split())
    escaped = _PUNCTUATION.sub(r"\\\1", line)
    return re.sub(r"(?i)\bwww\b", "ww" + _JOINER + "w", escaped).replace("\\:\\/", "\\:" + _JOINER + "\\/")


def sentence(text: object) -> str:
    """`plain`, beginning with a capital: for errors, which are written to stand behind other words."""
    words = str(text)
    return plain(words[:1].upper() + words[1:])


def percent(share: float | None, *, digits: int = 1) -> str:
    """0.8649 as '86.5 %'; nothing known as a dash."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def value_words(value: object) -> str:
    """An option's value as a person writes it."""
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    return tr("not set") if value is None else str(value)


def ago(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    if seconds >= 86_400:
        return tr_n("{n} day ago", "{n} days ago", int(seconds // 86_400))
    if seconds >= 3_600:
        return tr_n("{n} hour ago", "{n} hours ago", int(seconds // 3_600))
    if seconds >= 60:
        return tr_n("{n} minute ago", "{n} minutes ago", int(seconds // 60))
    return tr("just now")


def duration(seconds: float) -> str:
    """A length of time for planning: '40 s', '12 min', '2 h 05 min'."""
    if seconds < 90:
        return tr("{seconds} s", seconds=round(seconds))
    minutes = round(seconds / 60)
    return (
        tr("{minutes} min", minutes=minutes)
        if minutes < 120
        else tr("{hours} h {minutes:02d} min", hours=minutes // 60, minutes=minutes % 60)
    )


def strategy_title(name: str) -> str:
    """A strategy's or baseline's title; its name where nobody knows it any more."""
    try:
        return tr(TITLES.get(name) or STRATEGIES.get(name).title)
    except StrategyError:
        return name
