"""Strategies at work on points of a plane (al_core.query.toy), computed by a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from al_core.errors import ALError
from al_core.words import tr

_PROJECT: Final = Path(__file__).resolve().parents[1]
_SECONDS: Final = 90


@lru_cache(maxsize=128)
def toy(strategies: tuple[str, ...], seed: int) -> dict[str, Any]:
    """The world of this seed and the rounds of these strategies in it; about a second, then kept.

    Raises:
        ALError: it could not be computed.
    """
    command = [sys.executable, "-m", "al_core.query.toy", str(seed), *strategies]
    try:
        done = subprocess.run(
            command, cwd=_PROJECT, env=os.environ | {"OMP_NUM_THREADS": "1"}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ALError(
            tr("The example took more than {seconds} s; this machine is busy: try again.", seconds=_SECONDS)
        ) from error
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [tr("no reason was given")]
        raise ALError(tr("The example could not be computed: {reason}", reason=last[0]))
    return json.loads(done.stdout)
