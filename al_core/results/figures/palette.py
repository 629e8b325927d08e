"""One fixed look per strategy: the same colour, marker and dash in every chart, page and report.

Nine hues that stay apart for the common kinds of colour blindness (after Okabe and Ito), each in a darker
version for light pages and a lighter one for dark pages. Colour is never the only cue: marker and dash differ
too once the hues are used up.
"""

from __future__ import annotations

import hashlib
import html
from dataclasses import dataclass
from typing import Final


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


RANDOM: Final = Look("#6b7280", "#a3aab8", "circle-open", "dash")
"""The baseline is grey and dashed wherever it is drawn."""

_HUES: Final = (
    ("#0067b1", "#5cb0ff"),  # blue
    ("#c2410c", "#ff9057"),  # vermilion
    ("#00805c", "#34cfa0"),  # green
    ("#a13d84", "#eb9fce"),  # red-purple
    ("#946200", "#f2ba3c"),  # amber
    ("#0e7f9e", "#72d4f0"),  # cyan
    ("#5446b8", "#b0a4ff"),  # violet
    ("#7a4a2b", "#d6ab8b"),  # brown
)
_SYMBOLS: Final = ("circle", "square", "diamond", "triangle-up", "cross", "x")
_DASHES: Final = ("solid", "dot", "dashdot", "longdash", "longdashdot", "solid")

# Fixed places, so that a new strategy changes nobody's colour: append, never insert.
_PLACES: Final = {
    name: place
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


def look(strategy: str) -> Look:
    """The look of a strategy by its canonical name; an unknown name gets one from its hash, for ever."""
    if strategy == "random":
        return RANDOM
    place = _PLACES.get(strategy)
    if place is None:
        place = int.from_bytes(hashlib.sha256(strategy.encode()).digest()[:2], "big")
    light, dark = _HUES[place % len(_HUES)]
    series = place // len(_HUES) % len(_SYMBOLS)
    return Look(light, dark, _SYMBOLS[series], _DASHES[series])


def plain(text: str, limit: int = 28) -> str:
    """A name from outside as Plotly text: its tags shown and not obeyed, its length bounded."""
    short = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return html.escape("".join(c if c.isprintable() else " " for c in short), quote=False)
