"""What a page gives away that takes work: reports and pictures, made in processes of their own.

The server's threads share one interpreter: a second of computing in one of them stalls every session, and a
browser that draws would fill its memory. One such process runs at a time; the next one waits for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from al_core.errors import FigureError
from al_core.results.figures.sheets import Sheet
from al_core.results.rendering import Format, render
from al_core.words import tr
from state import handles

_PROJECT: Final = Path(__file__).resolve().parents[1]
_REPORT_SECONDS: Final = 180
_turn = threading.Lock()


def picture(sheet: Sheet, form: Format, note: str = "") -> bytes:
    """A figure as a file's content.

    Raises:
        FigureError: it cannot be drawn here.
    """
    with _turn:
        return render(sheet.alone(note), form)


def report(
    ids: Sequence[str], *, metric: str | None = None, labels: Sequence[str] = (), title: str = ""
) -> bytes:
    """The HTML report of a study, a run, or several runs.

    Raises:
        FigureError: it could not be made; the message says why.
    """
    with _turn, tempfile.TemporaryDirectory(prefix="askwell-") as folder:
        page = Path(folder) / "report.html"
        command = [sys.executable, "-m", "al_core", "report", *ids, f"--html={page}"]
        command += [f"--metric={metric}"] if metric else []
        command += [f"--title={title}"] if title else []
        command += ["--label", *labels] if labels else []
        settings = handles.settings()
        env = os.environ | {"AL_HOME": str(settings.home), "DATABASE_URL": settings.database_url}
        try:
            done = subprocess.run(
                command, cwd=_PROJECT, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, timeout=_REPORT_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise FigureError(tr("the report took too long; the machine may be busy: try again")) from None
        if done.returncode != 0:
            raise FigureError(done.stderr.decode("utf-8", "replace").strip()[-500:])
        return page.read_bytes()
