"""Using a trained model: what was asked and answered, and the zip of a model. Computed by the worker."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from al_core.classes import last_naming
from al_core.data.roots import resolve_folder
from al_core.deploy.asked import ask_about_folder, ask_about_uploads, place, read_result
from al_core.deploy.card import export_path
from al_core.errors import NotFound
from al_core.records import JobRecord
from state import jobs
from state.handles import settings, store


def upload(experiment_id: str, number: int, files: Iterable[tuple[str, IO[bytes]]]) -> str:
    """Have uploaded pictures classified; the token of the request.

    Raises:
        DataError: nothing can be made of the files.
    """
    return _submit(ask_about_uploads(settings(), experiment_id, number, files).token)


def folder(experiment_id: str, number: int, path: str) -> str:
    """Have the pictures of a folder below the data roots classified; the token of the request.

    Raises:
        DataError: there is no such folder, or it is below no data root.
    """
    found = resolve_folder(settings(), path)
    return _submit(ask_about_folder(settings(), experiment_id, number, found).token)


def _submit(token: str) -> str:
    jobs.ask("predict", token=token)
    return token


def job_of(token: str) -> JobRecord | None:
    """The newest job of a request."""
    return jobs.newest("predict", token=token)


def again(token: str) -> None:
    """Try a request that failed once more."""
    _submit(token)


def result(token: str) -> dict[str, Any] | None:
    """What the model said, or None while there is nothing; written once, so cached."""
    try:
        return _result(token)
    except (LookupError, NotFound):
        return None


@lru_cache(maxsize=4)
def _result(token: str) -> dict[str, Any]:
    found = read_result(settings(), token)
    if found is None:
        raise LookupError(token)  # not cached: it may come any time
    return found


def table(token: str) -> bytes:
    """predictions.csv of a request: every probability of every picture."""
    return (place(settings(), token) / "predictions.csv").read_bytes()


def export(experiment_id: str, number: int) -> JobRecord:
    """Have the zip of a round's model written."""
    return jobs.ask("export", experiment=experiment_id, round=number)


def export_job(experiment_id: str, number: int) -> JobRecord | None:
    """The newest job that writes it."""
    return jobs.newest("export", experiment=experiment_id, round=number)


def exported(experiment_id: str, number: int) -> Path | None:
    """The zip, once it is there."""
    named = last_naming(store().class_events(experiment_id))
    path = export_path(settings(), experiment_id, number, named)
    return path if path.is_file() else None
