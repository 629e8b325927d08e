"""Pictures by signed address: GET /api/img/{dataset}/{split}/{sample id} with w, e and t."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import Final, cast, get_args
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from al_core.errors import DataError, ImageRefused
from al_core.types import SplitName
from state import handles
from state.web import security

MAX_WIDTH: Final = 2048
_KEPT_BYTES: Final = 32 * 2**20

Thumbnail = tuple[bytes, str]


class Thumbnails:
    """Encoded pictures, the least recently asked dropped first; bounded by bytes, safe for threads."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[tuple[object, ...], Thumbnail] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...]) -> Thumbnail | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: tuple[object, ...], picture: Thumbnail) -> None:
        with self._lock:
            replaced = self._kept.pop(key, None)
            self._bytes += len(picture[0]) - (len(replaced[0]) if replaced else 0)
            self._kept[key] = picture
            while self._bytes > self._max_bytes:
                _, (dropped, _) = self._kept.popitem(last=False)
                self._bytes -= len(dropped)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._bytes = 0


_thumbnails = Thumbnails(_KEPT_BYTES)


def image_url(dataset_key: str, split: SplitName, sample_id: int, width: int | None = None) -> str:
    """The address of a picture, good for a day and equal within the hour; `width` None is the full size."""
    end, asked = security.expiry(), width or 0
    signature = security.sign("img", dataset_key, split, sample_id, asked, end)
    path = f"{security.prefix()}/api/img/{quote(dataset_key, safe='')}/{split}/{sample_id}"
    return f"{path}?w={asked}&e={end}&t={signature}"


def _refuse(status: int, text: str) -> Response:
    return PlainTextResponse(text, status, headers={"Cache-Control": "no-store"})


def image(request: Request) -> Response:
    """Serve one picture; a plain function, so that Starlette runs it in its pool of threads."""
    key, split = request.path_params["dataset_key"], request.path_params["split"]
    sample_id, query = request.path_params["sample_id"], request.query_params
    try:
        width, end = int(query.get("w", "")), int(query.get("e", ""))
    except ValueError:
        return _refuse(422, "w and e must be whole numbers.")
    if not security.verify(query.get("t", ""), "img", key, split, sample_id, width, end):
        return _refuse(403, "The signature does not fit this address; reload the page.")
    left = end - int(time.time())
    if left <= 0:
        return _refuse(403, "This address has expired; reload the page.")
    if split not in get_args(SplitName) or not 0 <= width <= MAX_WIDTH:
        return _refuse(422, f"The split is train or test, the width at most {MAX_WIDTH}.")
    try:
        data, mime = _picture(key, cast(SplitName, split), sample_id, width or None)
    except (LookupError, FileNotFoundError):
        return _refuse(404, f"There is no image {sample_id} in {split}.")
    except ImageRefused as error:
        return _refuse(422, str(error))
    except DataError as error:
        return _refuse(404, str(error))
    headers = {"Cache-Control": f"private, max-age={left}, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type=mime, headers=headers)


def _picture(key: str, split_name: SplitName, sample_id: int, width: int | None) -> Thumbnail:
    dataset = handles.dataset(key)
    place = (key, dataset.fingerprint, split_name, sample_id, width)
    found = _thumbnails.get(place)
    if found is None:
        split = dataset.train if split_name == "train" else dataset.test
        if not 0 <= sample_id < len(split):
            raise LookupError(sample_id)
        found = split.encoded(sample_id, width)
        _thumbnails.put(place, found)
    return found


def image_route() -> Route:
    """GET /api/img/..."""
    path = "/api/img/{dataset_key}/{split}/{sample_id:int}"
    return Route(security.prefix() + path, image, methods=["GET"])


def forget() -> None:
    """Drop the pictures that are kept in memory."""
    _thumbnails.clear()
