"""What an import has done, and where to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components import config_form


def labels_done(report: Mapping[str, Any]) -> None:
    """Labels are in the session."""
    counts, beside = report["counts"], sum(report["beside"].values())
    more = f", {beside:,} tags, asks and further answers" if beside else ""
    st.success(
        f"{counts['added'] + counts['changed']:,} labels and {report['marks']:,} marks{more} are saved, "
        "as one commit. The next training uses them; Undo is below “Another import”.",
        icon=":material/check_circle:",
    )


def dataset_done(report: Mapping[str, Any]) -> None:
    """A data set is prepared."""
    st.success(f"{report['images']:,} pictures are a data set now.", icon=":material/check_circle:")
    if st.button("Set up a session with it", type="primary", icon=":material/tune:", key="import-setup"):
        config_form.put("data.dataset", report["dataset"])
        st.switch_page("setup.py")
