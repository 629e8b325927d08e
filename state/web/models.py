"""GET /api/predicted/{token}/{row}: a classified picture; GET /api/model/{run}/{round}: a model's zip.

Both by signed address. Pictures are opened by the one opener, with its limits, at the width asked for.
"""

from __future__ import annotations

import time
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from al_core.data.images import encode, open_image
from al_core.data.roots import resolve_inside
from al_core.deploy.asked import read_asked
from al_core.errors import DataError, NotFound
from al_core.words import tr
from state import handles, predictions
from state.web import security
from state.web.images import Thumbnail, Thumbnails

WIDTH: Final = 320
_SMALL: Final = 64  # pixels: sent as they are
_thumbnails = Thumbnails(8 * 2**20)


def predicted_url(token: str, row: int) -> str:
    """The address of a classified picture, good for a day."""
    end = security.expiry()
    signature = security.sign("predicted", token, row, end)
    return f"{security.prefix()}/api/predicted/{token}/{row}?e={end}&t={signature}"


def model_url(experiment_id: str, number: int) -> str:
    """The address of a model's zip, good for a day."""
    end = security.expiry()
    signature = security.sign("model", experiment_id, number, end)
    return f"{security.prefix()}/api/model/{experiment_id}/{number}?e={end}&t={signature}"


def _refuse(status: int, text: str) -> Response:
    return PlainTextResponse(text, status, headers={"Cache-Control": "no-store"})


def _left(request: Request, *parts: str | int) -> int:
    """Seconds for which the address is good; 0 where it is not."""
    text = request.query_params.get("e", "")
    end = int(text) if text.isdecimal() and len(text) <= 12 else 0
    good = security.verify(request.query_params.get("t", ""), *parts, end)
    return max(0, end - int(time.time())) if good else 0


def predicted(request: Request) -> Response:
    """One picture; a plain function, so that Starlette runs it in its pool of threads."""
    token, row = request.path_params["token"], request.path_params["row"]
    left = _left(request, "predicted", token, row)
    if not left:
        return _refuse(
            403, tr("The signature does not fit this address, or it has expired; reload the page.")
        )
    try:
        data, mime = _picture(token, row)
    except (NotFound, LookupError):
        return _refuse(404, tr("This picture is gone."))
    except DataError as error:
        return _refuse(422, str(error))
    headers = {"Cache-Control": f"private, max-age={left}, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type=mime, headers=headers)


def _picture(token: str, row: int) -> Thumbnail:
    found = _thumbnails.get((token, row))
    if found is None:
        result = predictions.result(token)
        if result is None:
            raise LookupError(token)
        name = result["predictions"][row]["file"]
        path = resolve_inside(read_asked(handles.settings(), token).root, name)
        image = open_image(path, name=name, at_least=WIDTH)
        found = encode(image, WIDTH, lossless=max(image.size) <= _SMALL)
        _thumbnails.put((token, row), found)
    return found


def model(request: Request) -> Response:
    """The zip, streamed from the disk: it never enters this process's memory whole."""
    experiment_id, number = request.path_params["experiment_id"], request.path_params["round"]
    if not _left(request, "model", experiment_id, number):
        return _refuse(
            403, tr("The signature does not fit this address, or it has expired; reload the page.")
        )
    path = predictions.exported(experiment_id, number)
    if path is None:
        return _refuse(404, tr("This model is not written (any more); make it again on the page."))
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type="application/zip", filename=path.name, headers=headers)


def model_routes() -> list[Route]:
    """GET /api/predicted/... and /api/model/..."""
    base = security.prefix()
    return [
        Route(f"{base}/api/predicted/{{token}}/{{row:int}}", predicted, methods=["GET"]),
        Route(f"{base}/api/model/{{experiment_id}}/{{round:int}}", model, methods=["GET"]),
    ]
