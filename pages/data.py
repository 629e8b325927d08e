"""Data: look through all images, bring labels and images in, take them out."""

from __future__ import annotations

from functools import partial
from typing import Literal

import streamlit as st

from al_core.data.dataset import DatasetSummary
from al_core.data.prepare import list_prepared
from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.words import tr
from pages.components.browse_panel import BROWSE, browse_panel, survey_panel
from pages.components.empty_state import HOME, SET_UP, empty_state
from pages.components.export_panel import export_panel
from pages.components.import_panel import import_panel
from pages.components.shield import shielded
from state import browsing, handles, session
from state.browsing import View
from state.text import sentence

_SESSION = "session"


def _choice(opened: bool) -> str:
    """What is looked at: the open session, or the key of a prepared data set; "" where there is neither."""
    prepared = {item.key: item for item in list_prepared(handles.settings())}
    options = [*([_SESSION] if opened else []), *prepared]
    if not options:
        return ""
    if st.session_state.get("data-of") not in options:
        st.session_state["data-of"] = options[0]
    return st.selectbox(
        tr("Images of"), options, key="data-of", width=360, persist_state="session",
        format_func=lambda key: tr("The open session") if key == _SESSION else _words(prepared[key]),
    )  # fmt: skip


def _words(item: DatasetSummary) -> str:
    return tr(
        "{title} · {train:,} + {test:,} images ({key})",
        title=item.title,
        train=item.num_train,
        test=item.num_test,
        key=item.key,
    )


def _browse() -> None:
    """A fragment: whatever is turned, filtered or chosen here draws this anew, and not the shell."""
    with shielded("the images"):
        _images(session.opened())


def _images(experiment: Experiment | None) -> None:
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="data-what")
    with row:
        chosen = _choice(experiment is not None)
        looked_at = experiment if chosen == _SESSION else None
        reveal = looked_at is not None and _reveal(looked_at)
        side = _side() if chosen and looked_at is None else "train"
    if not chosen:
        promise = tr(
            "All images can be looked through here. Set up a session, or import some beside this tab."
        )
        empty_state(tr("No images are prepared yet."), promise, SET_UP, HOME, key="data-empty")
    elif looked_at is None:
        look = partial(_prepared, chosen, side)
        browse_panel(look(), look, None)
    elif looked_at.record.dataset_key is None:
        text = tr("The images are prepared when the session starts: the button is below.")
        st.info(text, icon=":material/info:")
    else:
        look = partial(browsing.session_view, looked_at, reveal=reveal)
        view = look()
        survey_panel(view, looked_at, row)
        browse_panel(view, look, looked_at)


def _reveal(experiment: Experiment) -> bool:
    """Whether the truth of what waits for a person's label is shown."""
    return experiment.config.oracle != "human" or st.toggle(
        tr("Reveal what is not labeled"),
        key="data-reveal",
        persist_state="session",
        help=tr(
            "Shows the truth and the folders of images that wait for a label. Off, so that it sways "
            "nobody who labels."
        ),
    )


def _prepared(key: str, side: Literal["train", "test"]) -> View:
    return browsing.dataset_view(handles.dataset(key), side)


def _side() -> Literal["train", "test"]:
    asked = st.segmented_control(
        tr("Split"), ["train", "test"], default="train", required=True, key="data-split", format_func=tr
    )  # fmt: skip
    return "test" if asked == "test" else "train"


_VIEWS = (tr("Browse"), tr("Import"), tr("Export"))


def _page(experiment: Experiment | None) -> None:
    for tab, name in zip(st.tabs(_VIEWS, key="data-view", on_change="rerun"), _VIEWS, strict=True):
        if not tab.open:
            continue
        with tab:
            if name == tr("Browse"):
                st.fragment(_browse, key=BROWSE)()
            elif name == tr("Import"):
                import_panel(experiment)
            elif experiment is None or experiment.record.dataset_key is None:
                promise = tr("Labels and images are exported here, in all formats that can be read back.")
                empty_state(
                    tr("No session that has begun is open."), promise, HOME, SET_UP, key="export-empty"
                )
            else:
                export_panel(experiment)


session.guard()
st.title(tr("Data"), anchor=False)
try:
    _page(session.opened())
except ALError as error:
    st.error(sentence(error), icon=":material/error:")
