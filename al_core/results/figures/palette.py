"""One fixed look per strategy: the same colour, marker and dash in every chart, page and report.

Eight hues (the theme's chart colours, after Okabe and Ito), darker for light pages and lighter for dark ones.
Colour is never the only cue: marker and dash differ too once the hues are used up.
"""

from __future__ import annotations

import hashlib
import html
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from al_core.baselines import ONCE


@dataclass(frozen=True)
class Look:
    """How one curve is drawn, on a light and on a dark page."""

    light: str
    dark: str
    symbol: str
    dash: str

    def color(self, *, dark: bool) -> str:
        """The colour for that kind of page."""
        return self.dark if dark else self.light


RANDOM: Final = Look("#6b7275", "#9aa5a6", "circle-open", "dash")
"""The baseline is grey and dashed wherever it is drawn."""

INK: Final = {False: "#1d2628", True: "#e6e9e4"}
"""Words and error bars on a light page and (True) on a dark one, as the theme has them."""

_HUES: Final = (
    ("#0b6468", "#4fb8b1"),  # teal
    ("#c8741a", "#eba55a"),  # orange
    ("#3a78b5", "#74aee6"),  # blue
    ("#b1568f", "#df94c3"),  # pink
    ("#6b7a1f", "#b3c25a"),  # olive
    ("#a3352c", "#ee8a80"),  # red
    ("#6b5aa6", "#a99ae0"),  # violet
    ("#7a4a2b", "#d6ab8b"),  # brown
)
_SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross", "x")
_VARIANT: Final = "#"
_DASHES: Final = ("solid", "dot", "dashdot", "longdash", "longdashdot", "solid")

# Fixed places, so that a new strategy changes nobody's colour: append, never insert.
_PLACES: Final = {
    name.replace("_", ""): place
    for place, name in enumerate(
        (
            "margin", "least_confidence", "entropy", "badge", "kcenter", "kmeans", "bald", "typiclust",
            "qbc_kl", "mc_margin", "mc_entropy", "mc_least_confidence", "power_bald", "batch_bald",
            "egl", "probcover", "maxherding", "uherding", "dropquery", "falcun", "alfa_mix", "bait",
            "qbc_vote_entropy", "qbc_consensus", "adversarial_deepfool", "adversarial_bim", "mean_std",
            "cluster_margin", "texture_kmeans", "hierarchical_kmeans", "bandit_albl", "dcom",
        )
    )
}  # fmt: skip


_BASELINES: Final = {
    "full": Look("#2a3133", "#dfe7f1", "diamond", "dot"),
    "subset": Look("#6b7275", "#9aa5a6", "diamond-open", "dot"),
    "selection": Look("#2a3133", "#dfe7f1", "star", "dot"),
    "balanced": Look("#2a3133", "#dfe7f1", "square-open", "dashdot"),
}
"""Grey as random is: what strategies are measured against."""


def look(strategy: str) -> Look:
    """The look of a strategy or baseline by its name; an unknown name gets one from its hash, for ever.

    A key that `look_keys` made is a look of its own: "margin#1" has margin's colour, "#1" the second colour.
    """
    name, _, variant = strategy.partition(_VARIANT)
    if variant.isdecimal():
        number = int(variant)
        if not name:
            light, dark = _HUES[number % len(_HUES)]
            return Look(light, dark, *_marks(number // len(_HUES) + number))
        first = look(name)
        return replace(
            first, symbol=_marks(_SYMBOLS.index(first.symbol.removesuffix("-open")) + number)[0],
            dash=_DASHES[(_DASHES.index(first.dash) + number if first.dash in _DASHES else number) % 5],
        )  # fmt: skip
    if strategy == "random":
        return RANDOM
    if strategy in _BASELINES:
        return _BASELINES[strategy]
    place = _PLACES.get(strategy.replace("_", ""))
    if place is None:
        place = int.from_bytes(hashlib.sha256(strategy.encode()).digest()[:2], "big")
    light, dark = _HUES[place % len(_HUES)]
    return Look(light, dark, *_marks(place // len(_HUES)))


def _marks(series: int) -> tuple[str, str]:
    return _SYMBOLS[series % len(_SYMBOLS)], _DASHES[series % len(_DASHES)]


def look_keys(strategies: Sequence[str]) -> list[str]:
    """What to call `look` with, so that arms of one strategy, which differ in other options, differ too.

    Several strategies: each keeps its colour, and a repetition takes the next marker and dash. One strategy
    only: a colour each.
    """
    arms = [name for name in strategies if name not in ONCE]  # the others are no curves
    if len(set(arms)) == 1 < len(arms):
        places = itertools.count()
        return [name if name in ONCE else f"{_VARIANT}{next(places)}" for name in strategies]
    seen: Counter[str] = Counter()
    keys = []
    for name in strategies:
        keys.append(f"{name}{_VARIANT}{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return keys


def plain(text: str, limit: int = 28) -> str:
    """A name from outside as Plotly text: its tags shown and not obeyed, its length bounded."""
    short = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return html.escape("".join(c if c.isprintable() else " " for c in short), quote=False)
