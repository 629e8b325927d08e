"""A process that decodes pictures for another one, so that a hostile file can crash or stall only this one.

`python -m al_core.data.decoder` reads one JSON line a picture and answers with one JSON line and the pixels;
`checking.py` is the other end.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from al_core.data.images import fit_square, open_measured, read_file
from al_core.data.roots import resolve_inside
from al_core.errors import DataError, ImageRefused
from al_core.words import english

MAX_MEMORY = 3 * 2**30
"""Address space of a decoder, in bytes: 50 megapixels with transparency need about 0.6 GB."""


def limit_memory() -> None:
    """Make a decompression that needs too much memory fail here instead of swapping the machine."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    allowed = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, hard))


@english()  # reasons are kept with the prepared data set
def decode(root: Path, name: str, size: int) -> tuple[dict[str, Any], bytes]:
    """Facts about one file and its pixels at `size`, or the reason why there are none."""
    try:
        data = read_file(resolve_inside(root, name), name=name)
        image, (width, height) = open_measured(data, name=name, at_least=2 * size)
    except ImageRefused as refused:
        return {"reason": refused.reason}, b""
    except DataError as refused:
        return {"reason": str(refused)}, b""
    pixels = fit_square(image, size)
    counts = [np.bincount(pixels[..., c].ravel(), minlength=256) for c in range(3)]
    values = np.arange(256)
    facts = {
        "reason": None,
        "width": width,
        "height": height,
        "bytes": len(data),
        "digest": hashlib.sha256(data).hexdigest(),
        "total": [int(c @ values) for c in counts],
        "squares": [int(c @ values**2) for c in counts],
    }
    return facts, pixels.tobytes()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the other end closes: the first line names the folder, each further one a file."""
    root = Path(json.loads(requests.readline()))
    answers.write(b"{}\n")
    answers.flush()
    for line in requests:
        request = json.loads(line)
        facts, pixels = decode(root, request["name"], request["size"])
        answers.write(json.dumps(facts | {"pixels": len(pixels)}).encode() + b"\n" + pixels)
        answers.flush()


if __name__ == "__main__":
    limit_memory()
    serve(sys.stdin.buffer, sys.stdout.buffer)
