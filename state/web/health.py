"""GET /healthz (the process answers) and /readyz (it could save a label now)."""

from __future__ import annotations

import shutil
import time
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from al_core.errors import ALError
from state import handles
from state.web import security

MIN_FREE_BYTES: Final = 512 * 2**20
_NO_STORE = {"Cache-Control": "no-store"}


async def healthz(request: Request) -> Response:
    """The event loop turns."""
    return JSONResponse({"status": "ok"}, headers=_NO_STORE)


def readyz(request: Request) -> Response:
    """The store can be read and written, and the disk has room; 503 names what is wrong."""
    problems: list[str] = []
    begun = time.perf_counter()
    try:
        store = handles.store()
        store.workers()
        # Deletes nothing, but takes the write lock and so proves that a write would pass.
        store.remove_worker("readyz-probe")
    except ALError as error:
        problems.append(str(error))
    except Exception as error:  # a database driver's own errors are no reason to die here
        problems.append(f"store: {type(error).__name__}")
    milliseconds = round((time.perf_counter() - begun) * 1000, 1)
    try:
        free = shutil.disk_usage(handles.settings().home).free
        if free < MIN_FREE_BYTES:
            problems.append(f"disk: {free // 2**20} MiB left in AL_HOME; free some space")
    except (OSError, ALError) as error:
        problems.append(f"disk: {error}")
    body = {"status": "unready" if problems else "ok", "problems": problems, "store_ms": milliseconds}
    return JSONResponse(body, 503 if problems else 200, headers=_NO_STORE)


def health_routes() -> list[Route]:
    """/healthz and /readyz."""
    base = security.prefix()
    return [
        Route(f"{base}/healthz", healthz, methods=["GET"]),
        Route(f"{base}/readyz", readyz, methods=["GET"]),
    ]
