"""GET /api/queried/{session}: queried images as a zip, by signed address, sent while it is made.

At no moment is more of it in memory than an image: the zip is written into the answer. What it holds is what
fits the filter at that moment.
"""

from __future__ import annotations

import time
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from al_core.errors import DataError, NotFound
from al_core.words import tr
from state import queried
from state.queried import Wanted
from state.web import security
from state.web.labels import refusal_text


def queried_url(experiment_id: str, wanted: Wanted, name: str) -> str:
    """The address of the zip, good for a day; `name` is what the browser calls it."""
    end = security.expiry()
    values = _values(wanted)
    signature = security.sign("queried", experiment_id, *values.values(), name, end)
    asked = urlencode({**values, "n": name, "e": end, "t": signature})
    return f"{security.prefix()}/api/queried/{quote(experiment_id, safe='')}?{asked}"


def _values(wanted: Wanted) -> dict[str, str]:
    def text(number: int | None) -> str:
        return "" if number is None else str(number)

    return {
        "round": text(wanted.round), "class": text(wanted.class_id), "state": wanted.state,
        "tag": wanted.tag, "by": "round" if wanted.by_round else "",
    }  # fmt: skip


def _wanted(query: dict[str, str]) -> Wanted:
    """From an address whose signature has been found good."""

    def number(name: str) -> int | None:
        return int(query[name]) if query[name] else None

    return Wanted(number("round"), number("class"), query["state"], query["tag"], query["by"] == "round")


def archive(request: Request) -> Response:
    """A plain function, so that Starlette runs it, and each piece of the zip, in its pool of threads."""
    experiment_id, headers = request.path_params["experiment_id"], {"Cache-Control": "no-store"}
    given = {name: request.query_params.get(name, "") for name in _values(Wanted())}
    name, text = request.query_params.get("n", ""), request.query_params.get("e", "")
    end = int(text) if text.isdecimal() and len(text) <= 12 else 0
    sign = request.query_params.get("t", "")
    if not security.verify(sign, "queried", experiment_id, *given.values(), name, end) or end <= time.time():
        return PlainTextResponse(tr("This address has expired; reload the page."), 403, headers=headers)
    try:
        pieces = queried.archive(experiment_id, _wanted(given))
    except (NotFound, DataError) as error:
        return PlainTextResponse(refusal_text(error), 404, headers=headers)
    headers |= {
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}",
    }
    return StreamingResponse(pieces, media_type="application/zip", headers=headers)


def queried_route() -> Route:
    """GET /api/queried/..."""
    return Route(f"{security.prefix()}/api/queried/{{experiment_id}}", archive, methods=["GET"])
