"""The key map of the Label page on another page: the cheat sheet of Help, the editor of Settings.

One table, assets/label_keys.js, is behind all three; the browser keeps what was changed.
"""

from __future__ import annotations

from streamlit.components.v2 import component

from state.web.assets import script, style

_map = component(
    "askwell_key_map",
    css=style("key_map"),
    js=script("label_view", "label_keys", "label_tour", "key_map"),
)


def key_map(*, edit: bool, person: str, key: str) -> bool:
    """Mount the map of this person; True in the run in which the Label page's tour is asked for again."""
    asked = _map(data={"edit": edit, "person": person}, key=key, on_replay_change=lambda: None)
    return asked.get("replay") is not None
