"""What an import has done, and where to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from al_core.words import noted, tr
from pages.components import config_form


def labels_done(report: Mapping[str, Any]) -> None:
    """Labels are in the session."""
    counts, beside = report["counts"], sum(report["beside"].values())
    if beside:
        text = noted(
            "{changed:,} labels and {marks:,} marks, {beside:,} tags, asks and further answers are saved, as "
            "one commit. The next training uses them; Undo is below “Another import”."
        )
    else:
        text = noted(
            "{changed:,} labels and {marks:,} marks are saved, as one commit. The next training uses them; "
            "Undo is below “Another import”."
        )
    changed = counts["added"] + counts["changed"]
    st.success(
        tr(text, changed=changed, marks=report["marks"], beside=beside), icon=":material/check_circle:"
    )


def dataset_done(report: Mapping[str, Any]) -> None:
    """A data set is prepared."""
    st.success(
        tr("{images:,} pictures are a data set now.", images=report["images"]), icon=":material/check_circle:"
    )
    if st.button(tr("Set up a session with it"), type="primary", icon=":material/tune:", key="import-setup"):
        config_form.put("data.dataset", report["dataset"])
        st.switch_page("setup.py")
