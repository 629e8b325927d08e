"""The server: `streamlit run app.py`, `uvicorn app:app` or `python app.py`.

It shows pages and serves pictures, labels and metrics; it never trains. Training happens in a worker process
that shares nothing with this one but the store, so torch is never imported here.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from al_core import words
from al_core.errors import ALError
from state import faults, jobs
from state.web.routes import middleware, routes

words.catalogue()  # a language that is not there is said before anything is served
_HEAVY = (pd.DataFrame, go.Figure)
"""What the first chart would import: paid here once, before the first visitor."""


@asynccontextmanager
async def _lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Warm the worker while the person is still choosing, and see to it that waiting work finds one."""
    stop = threading.Event()
    watch = threading.Thread(target=jobs.supervise, args=(stop,), name="supervise", daemon=True)
    try:
        jobs.ensure_worker()
        watch.start()
    except ALError as error:
        # The pages say it too, to the person who can mend it: a server that does not start could not.
        faults.note(f"no worker at the start: {error}")
    yield {}
    stop.set()


app = st.App(
    Path(__file__).resolve().parent / "pages" / "main.py",
    routes=routes(),
    middleware=middleware(),
    lifespan=_lifespan,
)

# Streamlit collects garbage after every run: without the freeze each one walks all that was imported
# (9 ms against 40).
gc.collect()
gc.freeze()

if __name__ == "__main__":
    app.run()
