"""POST /api/seats: a page says that its person is here, and learns who else is and what is theirs."""

from __future__ import annotations

import logging
import time
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, StrictInt
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from al_core.errors import NotFound, StoreError
from al_core.records import Seat, Share
from al_core.sharing import overlap_ids
from al_core.words import tr
from state import handles
from state.web import security
from state.web.labels import BatchKey, RefusedError, Token, asked_of, parsed, read_body, writer

_log = logging.getLogger(__name__)
_DAY_MS: Final = 86_400_000


class Word(BaseModel):
    """The body: which query, which browser, how long its person has done nothing, and what they share."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    batch: BatchKey
    browser: Token
    idle: StrictInt = Field(0, ge=0, le=_DAY_MS)  # milliseconds
    pace: StrictInt | None = Field(None, ge=0, le=10_000)  # answers a minute, if the person shares it
    leave: bool = False


@lru_cache(maxsize=64)
def overlap_of(batch: str) -> frozenset[int]:
    """The images of a batch that two people are asked; of the strategy's picks alone. Raises NotFound."""
    experiment_id, round_text, _ = batch.split("/")
    query = handles.store().query(experiment_id, int(round_text))
    if query is None:
        raise NotFound(batch)
    return overlap_ids(handles.store().experiment(experiment_id).config, query)


def share_of(
    batch: str, person: str, *, idle: float = 0.0, pace: int | None = None, browser: str = ""
) -> Share:
    """What a person is asked of a batch, now that they are here. Raises NotFound, StoreError."""
    experiment_id, round_text, _ = batch.split("/")
    return handles.store().take_seat(
        experiment_id, person, round=int(round_text), overlap=overlap_of(batch), idle=idle, pace=pace,
        browser=browser,
    )  # fmt: skip


def as_json(share: Share, person: str) -> dict[str, Any]:
    """A share as the labelling grid reads it."""
    return {
        "people": [_person(seat, person) for seat in share.people],
        "leased": None if share.leased is None else list(share.leased),
        "seconds": list(share.seconds),
        "left": share.left,
        "labeled": share.labeled,
    }


def _person(seat: Seat, me: str) -> dict[str, Any]:
    said: dict[str, Any] = {"name": seat.annotator, "answered": seat.answered}
    if seat.annotator == me:
        said |= {"me": True, "twin": seat.twin}
    return said if seat.pace is None else said | {"pace": seat.pace}


def take(word: Word, person: str) -> dict[str, Any]:
    """Sit down, or leave.

    Raises:
        RefusedError: the query is gone (409), or the store fails (503).
    """
    try:
        asked_of(word.batch)
        if word.leave:
            handles.store().leave_seat(word.batch.partition("/")[0], person)
            return {}
        share = share_of(word.batch, person, idle=word.idle / 1000, pace=word.pace, browser=word.browser)
    except NotFound:
        raise RefusedError(409, tr("This experiment is gone.")) from None
    except StoreError as error:
        raise RefusedError(503, str(error)) from error
    return as_json(share, person)


async def _handle(request: Request) -> dict[str, Any]:
    word = parsed(Word, await read_body(request))
    return await run_in_threadpool(take, word, writer(request, word.batch))


async def seats(request: Request) -> Response:
    """Answer {people, leased, seconds, left}; or {error} and a status."""
    began, headers = time.perf_counter(), {"Cache-Control": "no-store"}
    try:
        reply = await _handle(request)
        headers["Server-Timing"] = f"app;dur={1000 * (time.perf_counter() - began):.2f}"
        return JSONResponse(reply, headers=headers)
    except RefusedError as refused:
        return JSONResponse({"error": refused.error}, refused.status, headers=headers)
    except Exception:  # whatever the database's driver raises: the page goes on as it is
        _log.exception("taking a seat failed")
        return JSONResponse({"error": tr("The store failed.")}, 503, headers=headers)


def seats_url() -> str:
    """Where the labelling grid says that its person is here."""
    return f"{security.prefix()}/api/seats"


def seats_route() -> Route:
    """POST /api/seats."""
    return Route(seats_url(), seats, methods=["POST"])


def forget() -> None:
    """Drop what is cached about queries (tests)."""
    overlap_of.cache_clear()
