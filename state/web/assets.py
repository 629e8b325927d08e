"""GET /api/assets/{file}: our own scripts, kept by a browser for ever, as their content is in the address.

What a component is given as text goes through the web socket with every visit and is compiled anew; a script
that is imported from here is fetched and compiled once.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from state.web import security

_NO_STORE: Final = {"Cache-Control": "no-store"}
_ASSETS: Final = Path(__file__).resolve().parents[2] / "assets"
_GRID: Final = (
    "outbox", "view", "classes", "marks", "lanes", "trail", "lens", "keys", "tour", "seats", "ahead", "swipe",
    "guide", "pins", "grid",
)  # fmt: skip
_SERVED: Final = {
    "plotly-basic.min.js": ("vendor/plotly-basic.min.js",),
    "label-grid.js": tuple(f"label_{part}.js" for part in _GRID),
}
"""What may be asked for, and nothing else: each the files that it is made of, in this order."""


@cache
def _asset(name: str) -> tuple[bytes, bytes, str]:
    """An asset as it is, gzip'd, and the hash of its content."""
    data = b"\n".join((_ASSETS / part).read_bytes() for part in _SERVED[name])
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
    place = json.dumps(asset_url(name)).replace("<", "\\u003c")
    return f"const asset = await import(location.origin + {place});\nexport default asset.default;\n"


def assets_route() -> Route:
    """GET /api/assets/..."""
    return Route(f"{security.prefix()}/api/assets/{{file}}", assets, methods=["GET"])
