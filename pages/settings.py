"""Settings: what this browser remembers of a person, and what this server was started with."""

from __future__ import annotations

import os

import pandas as pd
import streamlit as st

from al_core.words import tr
from pages.components.key_map import key_map
from pages.components.person_name import name_field
from pages.components.settings_form import settings_form
from state import handles, jobs, person, selectors, session
from state.text import plain, value_words


def _server() -> None:
    """Where things are kept and what is allowed: only whoever starts the server changes it."""
    settings = handles.settings()
    roots = os.pathsep.join(str(root) for root in settings.data_roots)
    where = (
        tr("SQLite, in the home folder") if settings.on_sqlite else settings.database_url.partition(":")[0]
    )
    rows = [
        (tr("Home folder"), settings.home, "AL_HOME", tr("database, prepared images, models, logs")),
        (tr("Folders with images"), roots, "AL_DATA_ROOTS", tr("images are read only below these")),
        (tr("Database"), where, "DATABASE_URL", tr("SQLite, or PostgreSQL for several machines")),
        (tr("Trainings at once"), settings.workers, "AL_WORKERS", tr("studies use them all, a session one")),
        (
            tr("Cluster"),
            settings.ray_address or "none",
            "AL_RAY_ADDRESS",
            tr("trains studies on several machines"),
        ),
        (
            tr("Own strategies"),
            len(settings.own_files) or "none",
            "AL_STRATEGIES",
            tr("Python files of your own"),
        ),
        (tr("Language"), settings.language or tr("English"), "AL_LANGUAGE", tr("a folder of locale/")),
        (
            tr("Device"),
            selectors.worker_words(jobs.worker_state()),
            "CUDA_VISIBLE_DEVICES",
            tr("a GPU is used where torch finds one"),
        ),
        (
            tr("Upload limit"),
            f"{st.get_option('server.maxUploadSize')} MB",
            "server.maxUploadSize",
            "in .streamlit/config.toml",
        ),
    ]
    st.table(
        pd.DataFrame(
            [(name, plain(value), f"`{variable}`", about) for name, value, variable, about in rows],
            columns=[tr("What"), tr("Now"), tr("Set by"), tr("About")],
        ),
        hide_index=True,
    )
    st.caption(
        tr(
            "These are read when the server starts: stop it, set the variable, start it again, as in "
            "`AL_HOME=/data/askwell streamlit run app.py`."
        )
    )


session.guard()
st.title(tr("Settings"), anchor=False)
st.caption(tr("What you choose here is kept in this browser, for this address. It takes effect at once."))
who, _ = st.columns([1, 2])
with who:
    name_field("settings:name")
settings_form(key="settings-form")
st.header(tr("Keys"), anchor=False)
st.caption(tr("Click a key to change it. A key means one thing only: a conflict is refused and named."))
key_map(edit=True, person=person.name(), key="settings-keys")
st.header(tr("This server"), anchor=False)
_server()
st.header(tr("Privacy"), anchor=False)
st.markdown(
    tr(
        "Nothing leaves this machine: no telemetry, no account, no font or script from elsewhere; a "
        "policy that the browser enforces forbids it. Streamlit's own usage statistics are "
        "**{state}**. The network is used only when you press a download button for a data set or "
        "for ImageNet weights.",
        state=value_words(bool(st.get_option("browser.gatherUsageStats"))),
    )
)
