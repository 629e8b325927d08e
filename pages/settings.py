"""Settings: what this browser remembers of a person, and what this server was started with."""

from __future__ import annotations

import os

import pandas as pd
import streamlit as st

from pages.components.key_map import key_map
from pages.components.person_name import name_field
from pages.components.settings_form import settings_form
from state import handles, jobs, person, selectors, session
from state.text import plain


def _server() -> None:
    """Where things are kept and what is allowed: only whoever starts the server changes it."""
    settings = handles.settings()
    roots = os.pathsep.join(str(root) for root in settings.data_roots)
    where = "SQLite, in the home folder" if settings.on_sqlite else settings.database_url.partition(":")[0]
    rows = [
        ("Home folder", settings.home, "AL_HOME", "database, prepared images, models, logs"),
        ("Folders with images", roots, "AL_DATA_ROOTS", "images are read only below these"),
        ("Database", where, "DATABASE_URL", "SQLite, or PostgreSQL for several machines"),
        ("Trainings at once", settings.workers, "AL_WORKERS", "studies use them all, a session one"),
        ("Cluster", settings.ray_address or "none", "AL_RAY_ADDRESS", "trains studies on several machines"),
        ("Own strategies", len(settings.own_files) or "none", "AL_STRATEGIES", "Python files of your own"),
        ("Language", settings.language or "English", "AL_LANGUAGE", "a folder of locale/"),
        ("Device", selectors.worker_words(jobs.worker_state()), "CUDA_VISIBLE_DEVICES",
         "a GPU is used where torch finds one"),
        ("Upload limit", f"{st.get_option('server.maxUploadSize')} MB", "server.maxUploadSize",
         "in .streamlit/config.toml"),
    ]  # fmt: skip
    st.table(
        pd.DataFrame(
            [(name, plain(value), f"`{variable}`", about) for name, value, variable, about in rows],
            columns=["What", "Now", "Set by", "About"],
        ),
        hide_index=True,
    )
    st.caption(
        "These are read when the server starts: stop it, set the variable, start it again, as in "
        "`AL_HOME=/data/askwell streamlit run app.py`."
    )


session.guard()
st.title("Settings", anchor=False)
st.caption("What you choose here is kept in this browser, for this address. It takes effect at once.")
who, _ = st.columns([1, 2])
with who:
    name_field("settings:name")
settings_form(key="settings-form")
st.header("Keys", anchor=False)
st.caption("Click a key to change it. A key means one thing only: a conflict is refused and named.")
key_map(edit=True, person=person.name(), key="settings-keys")
st.header("This server", anchor=False)
_server()
st.header("Privacy", anchor=False)
st.markdown(
    "Nothing leaves this machine: no telemetry, no account, no font or script from elsewhere; a policy that "
    "the browser enforces forbids it. Streamlit's own usage statistics are "
    f"**{'on' if st.get_option('browser.gatherUsageStats') else 'off'}**. The network is used only when you "
    "press a download button for a data set or for ImageNet weights."
)
