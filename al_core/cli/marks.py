"""What an --out folder remembers: the id of the run or the study whose files it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from al_core.errors import NotFound


def marked(mark: Path, kind: Literal["experiment", "study"]) -> str:
    """The id in a folder's run.json or study.json.

    Raises:
        NotFound: it names none, or cannot be read.
    """
    try:
        return str(json.loads(mark.read_text(encoding="utf-8"))[kind])
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = "run" if kind == "experiment" else "study"
        raise NotFound(f"{mark} does not name a {what} ({error})") from None
