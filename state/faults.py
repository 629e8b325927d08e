"""Errors on their way to a person: known ones as they are, unknown ones as an id that the log explains."""

from __future__ import annotations

import json
import logging
import logging.handlers
import secrets
import traceback
from functools import cache
from pathlib import Path
from time import gmtime, strftime

from state import handles

_MEGABYTE = 2**20


class _Lines(logging.Formatter):
    """One JSON object a line, so that a log can be searched by error id."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "ts": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(record.created)),
            "level": record.levelname,
            "event": record.getMessage(),
            "error": getattr(record, "error_id", None),
            "traceback": getattr(record, "trace", None),
        }
        return json.dumps({name: value for name, value in entry.items() if value is not None})


@cache
def log(folder: Path) -> logging.Logger:
    """The server's own log in `folder`, rotated; never on a page."""
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        folder / "app.log", maxBytes=20 * _MEGABYTE, backupCount=10, encoding="utf-8", delay=True
    )
    handler.setFormatter(_Lines())
    logger = logging.getLogger(f"askwell.app.{folder}")
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    logger.propagate = False
    return logger


def report(error: BaseException, where: str) -> str:
    """Write an unforeseen error to the log; the id is what the person is told."""
    error_id = secrets.token_hex(4)
    trace = "".join(traceback.format_exception(error))
    extra = {"error_id": error_id, "trace": trace}
    log(handles.settings().logs).error("unforeseen error in %s", where, extra=extra)
    return error_id


def note(event: str) -> None:
    """Write something worth knowing to the server's log."""
    log(handles.settings().logs).warning(event)
