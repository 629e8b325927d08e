"""A strategy beside random sampling on points of a plane: each round drawn as its own function chose."""

from __future__ import annotations

from streamlit.components.v2 import component

from state.text import strategy_title
from state.toys import toy
from state.web.assets import script, style

_toy = component(
    "askwell_toy",
    html='<div class="host"></div>',
    css=style("toy"),
    js=script("toy"),
)


def strategy_toy(strategy: str, *, seed: int, key: str) -> None:
    """Mount it; nothing moves until it is told to.

    Raises:
        ALError: the example could not be computed.
    """
    names = (strategy,) if strategy == "random" else (strategy, "random")
    shown = toy(names, seed)
    _toy(data={**shown, "seed": seed, "titles": [strategy_title(name) for name in names]}, key=key)
