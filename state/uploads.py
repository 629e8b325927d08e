"""Files that a person uploads: read as JSON, within bounds, or refused in words."""

from __future__ import annotations

import json
from typing import Any

from al_core.errors import ConfigError, Problem


def json_object(data: bytes, *, most: int, wanted: str) -> dict[str, Any]:
    """The JSON object in an uploaded file of at most so many bytes; `wanted` says which file it should be.

    Raises:
        ConfigError: it is none.
    """
    if len(data) > most:
        raise ConfigError([Problem("file", f"{len(data):,} bytes", wanted)])
    try:
        values = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError):
        raise ConfigError([Problem("file", data[:40], wanted)]) from None
    if not isinstance(values, dict):
        raise ConfigError([Problem("file", type(values).__name__, wanted)])
    return values
