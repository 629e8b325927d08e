"""GET /api/transfer/{token}/{what}: an export's zip or an import's refused rows, by signed address."""

from __future__ import annotations

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from al_core.errors import NotFound
from al_core.words import tr
from state import transfers
from state.web import security

_FILES: Final = {"export": ("export.zip", "application/zip"), "refused": ("refused.csv", "text/csv")}


def transfer_url(token: str, what: str, name: str) -> str:
    """The address of a file, good for a day; `name` is what the browser calls it."""
    end = security.expiry()
    signature = security.sign("transfer", token, what, name, end)
    return f"{security.prefix()}/api/transfer/{token}/{what}?e={end}&n={name}&t={signature}"


def transfer(request: Request) -> Response:
    """The file, streamed from the disk: it never enters this process's memory whole."""
    token, what = request.path_params["token"], request.path_params["what"]
    name, text = request.query_params.get("n", ""), request.query_params.get("e", "")
    end = int(text) if text.isdecimal() and len(text) <= 12 else 0
    signed = security.verify(request.query_params.get("t", ""), "transfer", token, what, name, end)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if not signed or end <= time.time() or what not in _FILES:
        return PlainTextResponse(tr("This address has expired; reload the page."), 403, headers=headers)
    file, mime = _FILES[what]
    try:
        path = transfers.folder(token) / file
    except NotFound as error:
        return PlainTextResponse(str(error), 404, headers=headers)
    if not path.is_file():
        return PlainTextResponse(tr("This file is gone; make it again on the page."), 404, headers=headers)
    return FileResponse(path, media_type=mime, filename=name or file, headers=headers)


def transfer_routes() -> list[Route]:
    """GET /api/transfer/..."""
    path = f"{security.prefix()}/api/transfer/{{token}}/{{what}}"
    return [Route(path, transfer, methods=["GET"])]
