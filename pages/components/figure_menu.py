"""The menu beside a figure: save it as PDF, PNG, SVG or as a page that zooms."""

from __future__ import annotations

import streamlit as st

from al_core.results.export import safe_name
from al_core.results.figures.sheets import Sheet
from al_core.results.rendering import FORMATS, MIME, missing
from al_core.words import tr
from state import outputs
from state.text import plain, sentence


def figure_menu(sheet: Sheet, *, key: str, note: str = "") -> None:
    """Mount it; `note` is written below the picture. Nothing is drawn before a format is chosen."""
    stem = safe_name(f"{sheet.key}-{note}" if note else sheet.key).replace(" ", "-").lower()
    with st.popover(tr("Save figure"), icon=":material/download:", type="tertiary", key=f"{key}-menu"):
        reason = missing()
        with st.container(horizontal=True, gap="small"):
            for form in FORMATS:
                st.download_button(
                    form.upper(), lambda form=form: outputs.picture(sheet, form, note),
                    file_name=f"{stem}.{form}", mime=MIME[form], on_click="ignore",
                    disabled=form != "html" and reason is not None, key=f"{key}-{form}",
                )  # fmt: skip
        words = tr("HTML zooms and needs no network.") if reason is None else sentence(reason) + "."
        st.caption(f"{plain(sheet.title)}. {words}")
