"""GET and POST /api/classes/{experiment}: the classes as they are now, their guidelines, and changes of them.

The labelling grid asks for what it has not seen, so that every open tab follows a change made in another.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import asdict
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, StrictInt
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from al_core.by_hand import query_of
from al_core.classes import MOST_WORDS, Classes
from al_core.data.dataset import Dataset
from al_core.errors import ClassError, NotFound
from al_core.experiment import Experiment
from al_core.guidelines import Guideline, Typical, guidelines, typical
from al_core.records import ClassAct, ClassChange, ClassEvent
from al_core.words import tr
from state import handles
from state.web import security
from state.web.images import image_url
from state.web.labels import RefusedError, parsed, read_body, refusal_text, writer

_WIDTH: Final = 176  # as the tiles of a large query, so that most are there already
_NO_STORE: Final = {"Cache-Control": "no-store"}
_log = logging.getLogger(__name__)


class Change(BaseModel):
    """The body of a POST: one change of a class."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    act: ClassAct
    class_id: StrictInt = Field(0, ge=0, le=10**6)
    name: str = Field("", max_length=200)
    into: StrictInt | None = Field(None, ge=0, le=10**6)
    labels: str = Field("", pattern="^(keep|ask|)$")
    text: str = Field("", max_length=MOST_WORDS + 1)
    sample_id: StrictInt | None = Field(None, ge=0, le=2**53 - 1)


def classes_url(experiment_id: str) -> str:
    """Where the grid asks and tells."""
    return f"{security.prefix()}/api/classes/{experiment_id}"


def classes_data(classes: Classes, said: int) -> dict[str, Any]:
    """What the browser is told of the classes: names by id, those that cannot be given, what they count as.

    `said` is the id of the last event, guidelines included.
    """
    return {
        "rev": classes.last,
        "said": said,
        "names": list(classes.names),
        "closed": sorted(classes.merged | classes.effects.retired),
        "into": {str(i): classes.effects.canonical(i) for i in sorted(classes.merged)},
        "begun": classes.begun,
    }


def given_data(classes: Classes) -> dict[str, Any]:
    """What a component is given of the classes, for their buttons and keys."""
    found = classes_data(classes, classes.last)
    kept = {name: found[name] for name in ("closed", "into", "begun")}
    return {"classes": found["names"], "classesRev": classes.last} | kept


def told(names: tuple[str, ...], events: list[ClassEvent]) -> dict[str, Any]:
    """`classes_data` of a data set's classes and their changes."""
    return classes_data(Classes.of(names, events), events[-1].id if events else 0)


def _experiment(request: Request) -> Experiment:
    return Experiment.open(handles.store(), handles.settings(), request.path_params["experiment_id"])


def _refuse(status: int, error: str) -> JSONResponse:
    return JSONResponse({"error": error}, status, headers=_NO_STORE)


def _may(request: Request) -> bool:
    token = request.headers.get("x-al-token", "")
    return security.check_token(token, "labels", request.path_params["experiment_id"])


def classes(request: Request) -> Response:
    """The classes; 204 where `after` is the last event already.

    With `guides`, a round's number, their guidelines too (`_guides`). A plain function, so that Starlette
    runs it in its pool of threads.
    """
    if not _may(request):
        return _refuse(403, tr("The page's right to read has ended; reload the page."))
    query = request.query_params
    if not re.fullmatch(r"[0-9]{1,15}", query.get("after", "0")):
        return _refuse(422, "after is a whole number from 0 on.")
    if not re.fullmatch(r"-1|[0-9]{1,9}", query.get("guides", "0")):
        return _refuse(422, "guides is the number of a round, from -1 on.")
    try:
        experiment = _experiment(request)
        events = experiment.class_events()
        if "after" in query and int(query["after"]) == (events[-1].id if events else 0):
            return Response(status_code=204, headers=_NO_STORE)
        found = told(experiment.prepared.classes, events)
        if "guides" in query:
            found["guides"] = _guides(experiment, events, int(query["guides"]))
        return JSONResponse(found, headers=_NO_STORE)
    except NotFound:
        return _refuse(404, tr("This experiment is gone."))
    except ClassError as error:
        return _refuse(422, refusal_text(error))


def _guides(experiment: Experiment, events: list[ClassEvent], round: int) -> list[dict[str, Any]]:
    """Of each class that can be given: its words, pictures that show it, and how many labels it has.

    Labels of the images of that round's query are left out of the count: the grid, which shows these, counts
    them itself and is ahead of what is committed.
    """
    classes, said = Classes.of(experiment.prepared.classes, events), guidelines(events)
    current = experiment.store.current_labels(experiment.id)
    query = query_of(experiment.store, experiment.id, round)
    here = {item.sample_id for item in query.offered} if query else set()
    counts = Counter(event.value for i, event in current.items() if i not in here)
    shows = typical(experiment, current)
    return [
        _guide(experiment.prepared, i, said.get(i, Guideline()), shows.get(i, Typical((), False)))
        | {"labels": counts[i]}
        for i in classes.open
    ]


def _guide(dataset: Dataset, class_id: int, said: Guideline, shows: Typical) -> dict[str, Any]:
    """Words and pictures of one class: what was pinned, and of other labels those that show it best."""
    pinned = {pin.sample_id for pin in said.pins}
    return {
        "class_id": class_id,
        "text": said.text,
        "by": said.by,
        "at": said.at,
        "pins": [_picture(dataset, pin.sample_id) | asdict(pin) for pin in said.pins],
        "typical": [_picture(dataset, i) | {"sample_id": i} for i in shows.ids if i not in pinned],
        "by_model": shows.by_model,
    }


def _picture(dataset: Dataset, sample_id: int) -> dict[str, Any]:
    width = None if dataset.pixelated else _WIDTH
    return {"src": image_url(dataset.key, "train", sample_id, width)}


async def change(request: Request) -> Response:
    """Make one change; answers the classes as they are then, and what was written."""
    try:
        wanted = parsed(Change, await read_body(request))
        person = writer(request, request.path_params["experiment_id"])
        return await run_in_threadpool(_make, request, wanted, person)
    except RefusedError as refused:
        return _refuse(refused.status, refused.error)
    except NotFound:
        return _refuse(404, tr("This experiment is gone."))
    except ClassError as error:
        return _refuse(422, refusal_text(error))
    except Exception:  # whatever the database's driver raises: the browser keeps what was typed
        _log.exception("changing a class failed")
        return _refuse(503, tr("The store failed; nothing was changed. Try again."))


def _make(request: Request, wanted: Change, person: str) -> Response:
    experiment = _experiment(request)
    made = experiment.change_class(ClassChange(**wanted.model_dump()), annotator=person)
    body = told(experiment.prepared.classes, experiment.class_events())
    return JSONResponse(body | {"class_id": made.class_id}, headers=_NO_STORE)


def classes_routes() -> list[Route]:
    """GET and POST /api/classes/{experiment}."""
    path = f"{security.prefix()}/api/classes/{{experiment_id}}"
    return [Route(path, classes, methods=["GET"]), Route(path, change, methods=["POST"])]
