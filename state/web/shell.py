"""The page that every address serves, with the place of the server and the person's look written into it.

Without the place Streamlit's own script guesses: opened below /compare it first asks /compare/_stcore/health,
which is not there, and the browser's console fills with errors. The look (assets/frame.js: theme, motion)
must be known before anything is drawn. Everything else of the page stays as it is.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

import streamlit
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from state.web import security


class _PageName(Convertor[str]):
    """Names of pages: files of the static folder have a dot, Streamlit's own routes further segments."""

    regex = "[a-z_]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


_FRAME: Final = Path(__file__).resolve().parents[2] / "assets" / "frame.js"


def base_script() -> str:
    """What runs before Streamlit's script: where its server is, and how the person wants it to look."""
    base = json.dumps(security.prefix()).replace("<", "\\u003c")
    place = f"window.__streamlit={{BACKEND_BASE_URL:window.location.origin+{base}}};"
    return f"{place}\n{_FRAME.read_text('utf-8')}"


@cache
def _shell() -> str:
    text = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    head, mark, rest = text.partition("<head>")
    return f"{head}{mark}<script>{base_script()}</script>{rest}" if mark else text


async def page(request: Request) -> Response:
    """The same for every page: which one it is, the script reads off the address."""
    del request
    return HTMLResponse(_shell(), headers={"Cache-Control": "no-cache"})


def shell_route() -> Route:
    """Of every page's address; behind all other routes."""
    register_url_convertor("page_name", _PageName())
    return Route(f"{security.prefix()}/{{name:page_name}}", page, methods=["GET"])
