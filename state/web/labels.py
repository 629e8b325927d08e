"""POST /api/labels: answers from the labelling grid. What it acknowledges is committed, nothing else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import groupby, pairwise
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError, field_validator
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from al_core.by_hand import own_hash, query_of
from al_core.classes import Classes
from al_core.errors import ALError, ClassError, DataError, NotFound, StoreError
from al_core.experiment import Experiment
from al_core.records import STANDING_MARKS, LabelAck, LabelOp, LabelSource, Mark
from al_core.types import EXCLUDE, SKIP, UNLABEL
from al_core.words import tr
from state import handles
from state.web import security

MAX_BODY: Final = 256 * 1024
MAX_OPS: Final = 2000
MAX_NOTE: Final = 1000
REVIEW: Final = "review"
"""In place of a query's hash: the answers come from the Review page."""
_MAX_ID: Final = 2**53 - 1  # what a browser can count to
_log = logging.getLogger(__name__)
Sent = TypeVar("Sent", bound=BaseModel)

# Letters of ASCII alone: a repeated class of all the world's letters is an automaton of 6 MB, and more
# for each thread that matches.
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
"""A name that a page gives itself: a tab's, a browser's, one act's."""
BatchKey = Annotated[
    str, Field(max_length=200, pattern=r"^[A-Za-z0-9_-]{1,64}/-?[0-9]{1,9}/[A-Za-z0-9_-]{1,128}$")
]
"""Which query: session / round / hash of its images."""


class Bulk(BaseModel):
    """What the person was told before confirming many guesses at once; the same on each of its answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    group: Token
    of: StrictInt = Field(ge=1, le=_MAX_ID)
    checked: StrictInt = Field(ge=0, le=_MAX_ID)
    found: StrictInt = Field(ge=0, le=_MAX_ID)  # wrong ones among the checked
    expected: StrictInt = Field(ge=0, le=_MAX_ID)
    low: StrictInt = Field(ge=0, le=_MAX_ID)
    high: StrictInt = Field(ge=0, le=_MAX_ID)


class Op(BaseModel):
    """One numbered answer: image `id` becomes `to`, after `ms` milliseconds of looking.

    With a `mark`, `to` is 1 (set) or 0 (taken back) and the label stays; a note brings its `text`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    n: StrictInt = Field(ge=1, le=_MAX_ID)
    id: StrictInt = Field(ge=0, le=_MAX_ID)
    to: StrictInt
    ms: StrictInt | None = Field(None, ge=0, le=86_400_000)
    mark: Mark | None = None
    text: str | None = Field(None, max_length=MAX_NOTE)
    how: Literal["blind", "lane", "bulk", "checked", "reask", "undone"] | None = None
    bulk: Bulk | None = None
    shown: StrictBool | None = None  # whether the image's guesses were to be seen
    name: str | None = Field(None, max_length=200)  # of a class whose id the browser does not know yet

    def refusal(self, classes: Classes, had: Callable[[Op], bool]) -> str | None:
        """Why `to` means nothing, or None. `had`: whether it leaves or gives back a label of the image."""
        if self.mark not in (None, Mark.OPINION):
            fits = self.mark in STANDING_MARKS and self.to in (0, 1)
            return None if fits else tr("{to} is no mark: 1 sets one, 0 takes it back.", to=self.to)
        if self.name is not None or self.to in (SKIP, EXCLUDE, UNLABEL):
            return None
        if not 0 <= self.to < len(classes):
            return tr("{to} is no class: there are {classes}, from 0 on.", to=self.to, classes=len(classes))
        counted = classes.effects.canonical(self.to)
        if counted in classes.effects.retired and not had(self):
            return tr(
                "The class “{name}” is retired: nothing is given it any more.", name=classes.names[counted]
            )
        return None

    @property
    def names_class(self) -> bool:
        """Whether its class is the one of that name, and not the one of that number."""
        return self.name is not None and self.mark in (None, Mark.OPINION)

    def as_label(self, named: Mapping[str, int]) -> LabelOp:
        """As the store takes it; `named` gives the ids of named classes."""
        to = named[self.name] if self.names_class and self.name is not None else self.to
        detail: dict[str, Any] = {}
        if self.mark is Mark.NOTE and self.to and self.text:
            detail["text"] = self.text
        if self.mark in (None, Mark.OPINION) and self.how is not None:
            detail["how"] = self.how
        if self.mark is None and self.bulk is not None:
            detail["bulk"] = self.bulk.model_dump()
        if self.mark is None and self.shown is not None:
            detail["shown"] = self.shown
        return LabelOp(self.n, self.id, to, self.ms, self.mark, detail or None)


class Post(BaseModel):
    """The body: which query, which browser tab, and its answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    batch: BatchKey
    client: Token
    ops: tuple[Op, ...] = Field(min_length=1, max_length=MAX_OPS)

    @field_validator("ops")
    @classmethod
    def _in_order(cls, ops: tuple[Op, ...]) -> tuple[Op, ...]:
        if any(later.n <= earlier.n for earlier, later in pairwise(ops)):
            raise ValueError("answers are sent in the order of their numbers")
        return ops


def refusal_text(error: ALError) -> str:
    """An error as it stands on a page."""
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


class RefusedError(Exception):
    """An answer other than 200: status, and a sentence for the person."""

    def __init__(self, status: int, error: str) -> None:
        self.status, self.error = status, error
        super().__init__(error)


@dataclass(frozen=True)
class Asked:
    """What a query allows, and the data set's own classes. Frozen with the query, so cached."""

    ids: frozenset[int]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Saved:
    """What was committed, and the last change of the classes that the server knows of (0: none)."""

    ack: LabelAck
    classes: int


@lru_cache(maxsize=64)
def asked_of(batch: str) -> Asked:
    """What a batch asks. Raises RefusedError (409) where it is gone."""
    experiment_id, round_text, hash_ = batch.split("/")
    try:
        record = handles.store().experiment(experiment_id)
        query = query_of(handles.store(), experiment_id, int(round_text))
    except NotFound:
        raise RefusedError(409, tr("This experiment is gone; nothing was saved.")) from None
    # an older tab may not know yet what a person has asked for since: its images are among these too
    if query is None or own_hash(query.hash) != own_hash(hash_) or record.dataset_key is None:
        raise RefusedError(409, tr("These images are no longer the ones that are asked; reload the page."))
    names = handles.dataset(record.dataset_key).classes
    return Asked(frozenset(item.sample_id for item in query.offered), names)


def _looked_at_again(batch: str, ids: set[int]) -> Asked:
    """What the Review page may say something of: any image that somebody has answered, whatever the query."""
    experiment_id = batch.partition("/")[0]
    record = handles.store().experiment(experiment_id)
    if record.dataset_key is None:
        raise RefusedError(409, tr("This session has no images yet."))
    answered = handles.store().current_labels(experiment_id, of=sorted(ids))
    return Asked(frozenset(answered), handles.dataset(record.dataset_key).classes)


@lru_cache(maxsize=64)
def _followed(experiment_id: str, round: int) -> bool:
    if not handles.store().has_query(experiment_id, round + 1):
        raise LookupError  # not cached: the next query may come any time
    return True


def _is_followed(experiment_id: str, round: int) -> bool:
    try:
        return _followed(experiment_id, round)
    except LookupError:
        return False


def _by_source(
    experiment_id: str, ops: Sequence[LabelOp], *, newest: bool, review: bool
) -> Iterator[tuple[LabelSource, list[LabelOp]]]:
    """Runs of answers of one source.

    An answer to the newest query is a label. One to an older query is a correction, but for images that
    nobody had answered: those were open, or ahead, when the next query came. The Review page's are verdicts.
    """
    if review:
        yield LabelSource.ADJUDICATION, list(ops)
        return
    if newest:
        yield LabelSource.HUMAN, list(ops)
        return
    known = set(handles.store().current_labels(experiment_id))

    def source(op: LabelOp) -> LabelSource:
        late = op.mark is None and op.sample_id not in known
        if op.mark is None:
            known.add(op.sample_id)
        return LabelSource.HUMAN if late else LabelSource.CORRECTION

    for found, run in groupby(ops, source):
        yield found, list(run)


def _had(experiment_id: str, classes: Classes, op: Op) -> bool:
    """Whether it keeps the label that stands, or takes a decision back to one that the image had."""
    store, value = handles.store(), classes.effects.value(op.to)
    if op.mark is not None or value < 0:  # an opinion, or a class whose labels are asked again
        return False
    if op.how == "undone":
        answers = store.log(experiment_id, sample_id=op.id, kind="answer")
        return any(classes.effects.value(event.value) == value for event in answers)
    current = store.current_labels(experiment_id, of=[op.id]).get(op.id)
    return current is not None and current.value == value


def _named(experiment_id: str, names: Iterable[str], annotator: str) -> dict[str, int]:
    """The ids of classes that are given by name; those that are not there yet are made.

    By name, so that a class is made once however often the browser has to send it, and two people who find
    the same one at the same time share it.
    """
    wanted = dict.fromkeys(names)
    if not wanted:
        return {}
    experiment = Experiment.open(handles.store(), handles.settings(), experiment_id)
    return {name: experiment.class_named(name, annotator=annotator) for name in wanted}


def save(post: Post, person: str = "") -> Saved:
    """Check the answers against their query and commit them in the person's name, and classes that they name.

    Raises:
        RefusedError: the query is unknown (409), an answer does not fit it (422), or the store fails (503).
    """
    try:
        review = post.batch.endswith(f"/{REVIEW}")
        ids = {op.id for op in post.ops}
        asked = _looked_at_again(post.batch, ids) if review else asked_of(post.batch)
        experiment_id, round_text, _ = post.batch.split("/")
        classes = Classes.of(asked.names, handles.store().class_events(experiment_id))
        had = partial(_had, experiment_id, classes)
        for op in post.ops:
            if op.id not in asked.ids:
                raise RefusedError(422, tr("Image {id} is not among the images that were asked.", id=op.id))
            if (refusal := op.refusal(classes, had)) is not None:
                raise RefusedError(422, refusal)
        named = _named(experiment_id, (op.name for op in post.ops if op.names_class and op.name), person)
        ops = [op.as_label(named) for op in post.ops]
        ack, aside = LabelAck(0, 0), {}
        newest = not review and not _is_followed(experiment_id, int(round_text))
        for source, run in _by_source(experiment_id, ops, newest=newest, review=review):
            ack = handles.store().add_labels(
                experiment_id, run, client=post.client, source=source, round=int(round_text),
                annotator=person, shared=newest,
            )  # fmt: skip
            aside |= ack.aside
        if named:
            classes = Classes.of(asked.names, handles.store().class_events(experiment_id))
        return Saved(replace(ack, aside=aside), classes.last)
    except ClassError as error:
        raise RefusedError(422, refusal_text(error)) from error
    except NotFound:
        asked_of.cache_clear()
        raise RefusedError(409, tr("This experiment is gone; nothing was saved.")) from None
    except (StoreError, DataError) as error:
        raise RefusedError(503, str(error)) from error


async def read_body(request: Request) -> bytes:
    """The body of a write from a page of ours, read no further than the cap: a length may be a lie.

    Raises:
        RefusedError: it comes from elsewhere (403), is no JSON (415) or too long (413).
    """
    if not security.same_origin(request):
        raise RefusedError(403, tr("Labels are accepted from this program's own pages only."))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(415, tr("The body must be JSON."))
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise RefusedError(413, tr("More than {most} bytes at once; send fewer answers.", most=MAX_BODY))
    return bytes(body)


def parsed(kind: type[Sent], body: bytes) -> Sent:
    """The body as a model, or the first thing that is wrong with it as a refusal (422)."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RefusedError(422, f"{place or 'body'}: {first['msg']}") from None


def writer(request: Request, batch: str) -> str:
    """In whose name a request writes to a batch's experiment. Raises RefusedError (403)."""
    experiment_id = batch.partition("/")[0]
    person = security.bearer(request.headers.get("x-al-token", ""), "labels", experiment_id)
    if person is None:
        raise RefusedError(403, tr("The page's right to save has ended; reload the page."))
    return person


async def _handle(request: Request) -> Saved:
    post = parsed(Post, await read_body(request))
    return await run_in_threadpool(save, post, writer(request, post.batch))


async def labels(request: Request) -> Response:
    """Commit, then answer {n, rev}; or {error} and a status, with nothing of it acknowledged.

    `classes` is there too once a class has changed: the id of the last change.
    """
    began, headers = time.perf_counter(), {"Cache-Control": "no-store"}
    try:
        saved = await _handle(request)
    except RefusedError as refused:
        return JSONResponse({"error": refused.error}, refused.status, headers=headers)
    except Exception:  # whatever the database's driver raises: the browser must keep its answers
        _log.exception("saving labels failed")
        error = tr("The store failed; the answers are kept in the browser.")
        return JSONResponse({"error": error}, 503, headers=headers)
    headers["Server-Timing"] = f"app;dur={1000 * (time.perf_counter() - began):.2f}"
    ack, told = saved.ack, {}
    if ack.aside:
        told["taken"] = [{"id": i, "by": who} for i, who in ack.aside.items()]
    if saved.classes:
        told["classes"] = saved.classes
    return JSONResponse({"n": ack.n, "rev": ack.rev} | told, headers=headers)


def labels_route() -> Route:
    """POST /api/labels."""
    return Route(labels_url(), labels, methods=["POST"])


def labels_url() -> str:
    """Where the labelling grid sends its answers."""
    return f"{security.prefix()}/api/labels"


def forget() -> None:
    """Drop what is cached about queries (tests, and after an experiment is deleted)."""
    asked_of.cache_clear()
    _followed.cache_clear()
