"""GET /api/metrics/{experiment}: what a live curve has not seen yet.

A poll of an unchanged experiment costs one or two reads of a version and is answered 204. Otherwise the
answer holds only the points beyond those that the browser says it has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from al_core.errors import NotFound
from al_core.records import EpochRecord, ExperimentRecord, JobRecord, RoundRecord
from state import handles
from state.web import security

_NO_STORE = {"Cache-Control": "no-store"}


def metrics_url(experiment_id: str) -> str:
    """Where a live curve of this experiment asks, its right to ask included; equal within the hour."""
    return f"{security.prefix()}/api/metrics/{experiment_id}?t={security.token('metrics', experiment_id)}"


def metrics(request: Request) -> Response:
    """Answer one poll; a plain function, so that Starlette runs it in its pool of threads.

    Query: `v` the version seen last; `r` and `g` how many rounds of the experiment and of its random baseline
    are known; `e` the round whose epochs are wanted ("last", a number, or absent for none); `k` the round
    whose epochs are known, and `n` how many of them.
    """
    experiment_id, query = request.path_params["experiment_id"], request.query_params
    if not security.check_token(query.get("t", ""), "metrics", experiment_id):
        return PlainTextResponse("This page's right to read has ended; reload it.", 403, headers=_NO_STORE)
    known = _numbers(query)
    if known is None or query.get("e", "last") not in ("last", *_digits(query.get("e"))):
        error = 'r, g, k and n must be whole numbers; e too, or "last".'
        return PlainTextResponse(error, 422, headers=_NO_STORE)
    try:
        version = _version(experiment_id)
        if query.get("v") == version:
            return Response(status_code=204, headers=_NO_STORE)
        return JSONResponse(_payload(experiment_id, query.get("e"), known), headers=_NO_STORE)
    except NotFound:
        return PlainTextResponse("This experiment is gone.", 404, headers=_NO_STORE)


def _digits(text: str | None) -> tuple[str, ...]:
    return (text,) if text is not None and text.isascii() and text.isdigit() and len(text) < 7 else ()


def _numbers(query: Mapping[str, str]) -> dict[str, int] | None:
    texts = {name: query.get(name, "0") for name in "rgkn"}
    if not all(_digits(text) for text in texts.values()):
        return None
    return {name: int(text) for name, text in texts.items()}


_ghosts: dict[str, str] = {}
"""Baseline of each experiment: made once and never another, so that a poll need not look for it."""


def _ghost(experiment_id: str) -> str | None:
    if experiment_id not in _ghosts:
        ghost = handles.store().ghost_of(experiment_id)
        if ghost is not None:
            _ghosts[experiment_id] = ghost.id
    return _ghosts.get(experiment_id)


def _version(experiment_id: str) -> str:
    """Changes with the experiment or its baseline."""
    store = handles.store()
    version = str(store.version(experiment_id))
    ghost = _ghosts.get(experiment_id)
    if ghost is None:
        return version
    try:
        return f"{version}.{store.version(ghost)}"
    except NotFound:  # the baseline alone was deleted
        _ghosts.pop(experiment_id, None)
        return version


def _payload(experiment_id: str, epochs_of: str | None, known: Mapping[str, int]) -> dict[str, Any]:
    store = handles.store()
    ghost = _ghost(experiment_id)
    version = _version(experiment_id)  # read before the data: what comes between is sent again, never missed
    record = store.experiment(experiment_id)
    body: dict[str, Any] = {"version": version, "status": str(record.status), "num_rounds": record.num_rounds}
    body |= {"rounds_from": known["r"], "rounds": _points(record, known["r"])}
    body |= {"ghost_from": known["g"], "ghost": []}
    if ghost is not None:
        body["ghost"] = _points(store.experiment(ghost), known["g"])
    if epochs_of is not None:
        body |= _epochs(record, epochs_of, known)
    jobs = store.jobs(experiment_id=experiment_id, limit=1)
    body["job"] = _job(jobs[0]) if jobs else None
    return body


def _points(record: ExperimentRecord, known: int) -> list[dict[str, Any]]:
    if record.num_rounds <= known:
        return []
    return [_point(r) for r in handles.store().rounds(record.id)[known:]]


def _finite(value: float | None) -> float | None:
    return round(value, 6) if value is not None and math.isfinite(value) else None


def _point(record: RoundRecord) -> dict[str, Any]:
    values = {name: _finite(value) for name, value in record.metrics.items()}
    return {"n": record.number, "x": record.num_labeled, "metrics": values}


def _epochs(record: ExperimentRecord, wanted: str, known: Mapping[str, int]) -> dict[str, Any]:
    """Epochs of the wanted round, "last" being the one that trains now, or trained last."""
    store = handles.store()
    number = record.num_rounds if wanted == "last" else int(wanted)
    rows: Sequence[EpochRecord] = store.epochs(record.id, round=number)
    if not rows and wanted == "last" and number > 0:
        number -= 1
        rows = store.epochs(record.id, round=number)
    first = known["n"] if known["k"] == number else 0
    return {"epochs_round": number, "epochs_from": first, "epochs": [_epoch(e) for e in rows[first:]]}


def _epoch(record: EpochRecord) -> dict[str, Any]:
    return {
        "round": record.round,
        "epoch": record.epoch,
        "steps": record.steps,
        "loss": _finite(record.train_loss),
        "accuracy": _finite(record.train_accuracy),
        "validation_loss": _finite(record.validation_loss),
        "validation_accuracy": _finite(record.validation_accuracy),
        "rate": _finite(record.learning_rate),
        "seconds": round(record.seconds, 2),
    }


def _job(job: JobRecord) -> dict[str, Any]:
    progress = {name: job.progress.get(name) for name in _PROGRESS}
    return {"id": job.id, "state": str(job.state), "paused": job.paused, **progress}


_PROGRESS: Final = ("phase", "round", "epoch", "epochs", "done", "total", "eta_seconds")


def metrics_routes() -> list[Route]:
    """/api/metrics."""
    return [Route(f"{security.prefix()}/api/metrics/{{experiment_id}}", metrics, methods=["GET"])]
