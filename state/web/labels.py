"""POST /api/labels: answers from the labelling grid. What it acknowledges is committed, nothing else."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError, field_validator
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from al_core.errors import DataError, NotFound, StoreError
from al_core.records import LabelAck, LabelOp, LabelSource
from al_core.types import EXCLUDE, SKIP, UNLABEL
from state import handles
from state.web import security

MAX_BODY: Final = 256 * 1024
MAX_OPS: Final = 2000
_MAX_ID: Final = 2**53 - 1  # what a browser can count to
_log = logging.getLogger(__name__)


class Op(BaseModel):
    """One numbered answer: image `id` becomes `to`, after `ms` milliseconds of looking."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    n: StrictInt = Field(ge=1, le=_MAX_ID)
    id: StrictInt = Field(ge=0, le=_MAX_ID)
    to: StrictInt
    ms: StrictInt | None = Field(None, ge=0, le=86_400_000)


class Post(BaseModel):
    """The body: which query, which browser tab, and its answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    batch: str = Field(max_length=200, pattern=r"^[\w-]{1,64}/-?[0-9]{1,9}/[\w-]{1,128}$")
    client: str = Field(pattern=r"^[\w-]{8,64}$")
    ops: tuple[Op, ...] = Field(min_length=1, max_length=MAX_OPS)

    @field_validator("ops")
    @classmethod
    def _in_order(cls, ops: tuple[Op, ...]) -> tuple[Op, ...]:
        if any(later.n <= earlier.n for earlier, later in pairwise(ops)):
            raise ValueError("answers are sent in the order of their numbers")
        return ops


class RefusedError(Exception):
    """An answer other than 200: status, and a sentence for the person."""

    def __init__(self, status: int, error: str) -> None:
        self.status, self.error = status, error
        super().__init__(error)


@dataclass(frozen=True)
class Asked:
    """What a query allows: its ids and the number of classes. Frozen with the query, so cached."""

    ids: frozenset[int]
    num_classes: int


@lru_cache(maxsize=64)
def _asked(batch: str) -> Asked:
    experiment_id, round_text, hash_ = batch.split("/")
    try:
        record = handles.store().experiment(experiment_id)
        query = handles.store().query(experiment_id, int(round_text))
    except NotFound:
        raise RefusedError(409, "This experiment is gone; nothing was saved.") from None
    if query is None or query.hash != hash_ or record.dataset_key is None:
        raise RefusedError(409, "These images are no longer the ones that are asked; reload the page.")
    num_classes = handles.dataset(record.dataset_key).num_classes
    return Asked(frozenset(item.sample_id for item in query.items), num_classes)


@lru_cache(maxsize=64)
def _followed(experiment_id: str, round: int) -> bool:
    if handles.store().query(experiment_id, round + 1) is None:
        raise LookupError  # not cached: the next query may come any time
    return True


def _source(experiment_id: str, round: int) -> LabelSource:
    """An answer to the newest query is a label; to an older one, a correction."""
    try:
        _followed(experiment_id, round)
    except LookupError:
        return LabelSource.HUMAN
    return LabelSource.CORRECTION


def save(post: Post) -> LabelAck:
    """Check the answers against their query and commit them.

    Raises:
        RefusedError: the query is unknown (409), an answer does not fit it (422), or the store fails (503).
    """
    try:
        asked = _asked(post.batch)
        for op in post.ops:
            if op.id not in asked.ids:
                raise RefusedError(422, f"Image {op.id} is not among the images that were asked.")
            if not (0 <= op.to < asked.num_classes or op.to in (SKIP, EXCLUDE, UNLABEL)):
                raise RefusedError(422, f"{op.to} is no class: there are {asked.num_classes}, from 0 on.")
        experiment_id, round_text, _ = post.batch.split("/")
        ops = [LabelOp(op.n, op.id, op.to, op.ms) for op in post.ops]
        source = _source(experiment_id, int(round_text))
        return handles.store().add_labels(
            experiment_id, ops, client=post.client, source=source, round=int(round_text)
        )
    except NotFound:
        _asked.cache_clear()
        raise RefusedError(409, "This experiment is gone; nothing was saved.") from None
    except (StoreError, DataError) as error:
        raise RefusedError(503, str(error)) from error


async def _body(request: Request) -> bytes:
    """The body, read no further than the cap: a length that is announced may be a lie."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise RefusedError(413, f"More than {MAX_BODY} bytes at once; send fewer answers.")
    return bytes(body)


async def _handle(request: Request) -> LabelAck:
    if not security.same_origin(request):
        raise RefusedError(403, "Labels are accepted from this program's own pages only.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, "The body must be JSON.")
    try:
        post = Post.model_validate_json(await _body(request))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RefusedError(422, f"{place or 'body'}: {first['msg']}") from None
    experiment_id = post.batch.partition("/")[0]
    if not security.check_token(request.headers.get("x-al-token", ""), "labels", experiment_id):
        raise RefusedError(403, "The page's right to save has ended; reload the page.")
    return await run_in_threadpool(save, post)


async def labels(request: Request) -> Response:
    """Commit, then answer {n, rev}; or {error} and a status, with nothing of it acknowledged."""
    headers = {"Cache-Control": "no-store"}
    try:
        ack = await _handle(request)
    except RefusedError as refused:
        return JSONResponse({"error": refused.error}, refused.status, headers=headers)
    except Exception:  # whatever the database's driver raises: the browser must keep its answers
        _log.exception("saving labels failed")
        error = "The store failed; the answers are kept in the browser."
        return JSONResponse({"error": error}, 503, headers=headers)
    return JSONResponse({"n": ack.n, "rev": ack.rev}, headers=headers)


def labels_route() -> Route:
    """POST /api/labels."""
    return Route(labels_url(), labels, methods=["POST"])


def labels_url() -> str:
    """Where the labelling grid sends its answers."""
    return f"{security.prefix()}/api/labels"


def forget() -> None:
    """Drop what is cached about queries (tests, and after an experiment is deleted)."""
    _asked.cache_clear()
    _followed.cache_clear()
