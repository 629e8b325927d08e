"""Where errors become words: around each part of the shell, around the page, inside each fragment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from al_core.errors import ALError, ConfigError
from al_core.words import tr
from state import faults
from state.text import plain


@contextmanager
def shielded(where: str) -> Iterator[None]:
    """Show what a person can act on; write the rest to the log under an id. Never a traceback on a page."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            st.error(plain(problem), icon=":material/tune:")
    except ALError as error:
        st.error(plain(error), icon=":material/error:")
    except Exception as error:  # the outermost handler: nothing unforeseen may reach a page
        error_id = faults.report(error, where)
        st.error(
            tr(
                "Something went wrong that we did not foresee; your labels are safe in the store. "
                "Reload the page to try again. Error id **{error_id}**: logs/app.log in the server's "
                "home has the rest.",
                error_id=error_id,
            ),
            icon=":material/error:",
        )
