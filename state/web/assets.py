"""Our own scripts and style sheets: given to components as text, or by GET /api/assets/{file}.

What a component is given as text goes through the web socket with every visit and is compiled anew; a script
that is imported from here is fetched and compiled once, and kept by a browser for ever, as its content is in
the address. Each says what a person reads by assets/words.js, with the language's table in front.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Template
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from al_core import words
from state.web import security

_NO_STORE: Final = {"Cache-Control": "no-store"}
_ASSETS: Final = Path(__file__).resolve().parents[2] / "assets"
_GRID: Final = (
    "outbox", "view", "classes", "marks", "lanes", "trail", "lens", "keys", "tour", "seats", "ahead", "swipe",
    "guide", "pins", "grid",
)  # fmt: skip
_SERVED: Final = {
    "plotly-basic.min.js": ("vendor/plotly-basic.min.js",),
    "label-grid.js": (*(f"label_{part}.js" for part in _GRID), "words.js"),
}
"""What may be asked for, and nothing else: each the files that it is made of, in this order."""
_SAYS: Final = re.compile(r"\btrN?\(")


def script(*names: str) -> str:
    """Scripts of a component as one text, `script("label_view", "key_map")`, with the words that they say."""
    text = _joined(f"{name}.js" for name in names)
    if not _SAYS.search(text):
        return text
    text = f"{text}\n{_joined(['words.js'])}"
    return _language(text) + text


def style(*names: str) -> str:
    """Style sheets of a component as one text."""
    return _joined(f"{name}.css" for name in names)


def drawing(name: str, **texts: str) -> str:
    """A drawing of ours as HTML, with a text for each `$name` in it."""
    return Template(_joined([f"{name}.html"])).substitute({n: html.escape(text) for n, text in texts.items()})


def _joined(files: Iterable[str]) -> str:
    return "\n".join((_ASSETS / file).read_text("utf-8") for file in files)


def _language(text: str) -> str:
    """What stands in front of a script: of the chosen language, all that the script says; else nothing.

    Its messages are plain strings in double quotes there (a test holds it), so each is found as JSON has it.
    """
    if (catalogue := words.catalogue()) is None:
        return ""
    table = {one: told for one, told in catalogue.messages.items() if _json(one) in text}
    forms = "".join(str(form) for form in catalogue.plural)
    return f"tr.table = {_safe(_json(table))};\ntr.forms = {_json(forms)};\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _safe(text: str) -> str:
    """JSON that ends no script element and no line of a script, wherever it is put."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def _asset(name: str) -> tuple[bytes, bytes, str]:
    """An asset as it is, gzip'd, and the hash of its content."""
    parts = _SERVED[name]
    data = b"\n".join((_ASSETS / part).read_bytes() for part in parts)
    if "words.js" in parts:
        data = _language(data.decode()).encode() + data
    return data, gzip.compress(data, 9, mtime=0), hashlib.sha256(data).hexdigest()[:16]


def asset_url(name: str) -> str:
    """The address of an asset, with the hash of its content, so that a browser may keep it for ever."""
    return f"{security.prefix()}/api/assets/{name}?h={_asset(name)[2]}"


def assets(request: Request) -> Response:
    """Serve one of our own files, gzip'd where the browser takes it."""
    name = request.path_params["file"]
    if name not in _SERVED:
        return PlainTextResponse("There is no such file.", 404, headers=_NO_STORE)
    data, packed, digest = _asset(name)
    fresh = request.query_params.get("h") == digest
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable" if fresh else "no-cache",
        "ETag": f'"{digest}"',
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if _takes_gzip(request.headers.get("accept-encoding", "")):
        data, headers["Content-Encoding"] = packed, "gzip"
    return Response(data, media_type="text/javascript", headers=headers)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.split(","):
        coding, _, quality = part.partition(";")
        if coding.strip().lower() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def component_script(name: str) -> str:
    """A component's script that only imports an asset.

    Streamlit runs it from a `blob:` address, below which no relative one means anything.
    """
    place = _safe(_json(asset_url(name)))
    return f"const asset = await import(location.origin + {place});\nexport default asset.default;\n"


def assets_route() -> Route:
    """GET /api/assets/..."""
    return Route(f"{security.prefix()}/api/assets/{{file}}", assets, methods=["GET"])
