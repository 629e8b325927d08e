"""Cards of which one is chosen: data sets, models, strategies. All strings are drawn as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from streamlit.components.v2 import component

from pages.components.notes import heard
from state.web.assets import script, style

_cards = component(
    "askwell_choice_cards",
    html='<div class="host"></div>',
    css=style("choice_cards"),
    js=script("choice_cards"),
)


@dataclass(frozen=True)
class Choice:
    """One card. `refused` greys it out and says why; `tone` colours the badge: good, warn or nothing."""

    id: str
    title: str
    text: str = ""
    facts: tuple[str, ...] = ()
    badge: str = ""
    tone: str = ""
    group: str = ""
    refused: str = ""
    search: str = ""


def choice_cards(
    label: str,
    choices: Sequence[Choice],
    chosen: str,
    on_choice: Callable[[str], None],
    *,
    key: str,
    search: str = "",
    wide: bool = False,
) -> None:
    """Draw the cards; `on_choice` is called, before the page runs again, with the id that was chosen."""
    allowed = {choice.id for choice in choices if not choice.refused}

    def choose(note: Mapping[str, Any]) -> None:
        # The browser is not trusted: only a card that could be chosen counts.
        if (card := str(note.get("id"))) in allowed:
            on_choice(card)

    data = {
        "label": label,
        "items": [asdict(choice) for choice in choices],
        "chosen": chosen,
        "filter": search,
        "wide": wide,
    }
    _cards(data=data, key=key, on_chosen_change=heard(key, "chosen", choose))
