"""2,000 of EMNIST's digits five times over, with a little noise: what batch-aware strategies are for.

After Kirsch et al. (2019, arXiv:1906.08158), who repeat MNIST: every picture occurs five times, each time
with other Gaussian noise, so that the k most informative images are copies of few.
"""

import gzip
from pathlib import Path

import numpy as np

from al_core.seeds import generator

COPIES = 5
PICTURES = 2000
DEVIATION = 0.1 * 255
DIGITS = 10


def _read(folder, name):
    found = next((p for p in sorted(Path(folder).rglob(f"{name}*")) if p.is_file()), None)
    if found is None:
        raise SystemExit(f"{folder} has no {name}")
    data = gzip.decompress(found.read_bytes()) if found.suffix == ".gz" else found.read_bytes()
    dimensions = data[3]
    shape = np.frombuffer(data, ">i4", dimensions, 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def _write(path, array):
    sides = b"".join(int(side).to_bytes(4, "big") for side in array.shape)
    path.write_bytes(b"\0\0\x08" + bytes([array.ndim]) + sides + np.ascontiguousarray(array).tobytes())


def written(source, folder):
    """A folder in EMNIST's own layout (split "digits"): train pictures five times, the test ones once."""
    if (folder / "done").exists():
        return folder
    raw = folder / "EMNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    rng = generator(0, "noise of the copies")
    for part, copies in (("train", COPIES), ("test", 1)):
        images = _read(source, f"emnist-balanced-{part}-images-idx3-ubyte")
        labels = _read(source, f"emnist-balanced-{part}-labels-idx1-ubyte")
        images, labels = images[labels < DIGITS], labels[labels < DIGITS]
        if copies > 1:
            some = np.sort(rng.permutation(len(labels))[:PICTURES])
            images, labels = images[some], labels[some]
        images, labels = np.tile(images, (copies, 1, 1)), np.tile(labels, copies)
        if copies > 1:
            noisy = images + rng.normal(0, DEVIATION, images.shape)
            images = noisy.round().clip(0, 255).astype(np.uint8)
        _write(raw / f"emnist-digits-{part}-images-idx3-ubyte", images)
        _write(raw / f"emnist-digits-{part}-labels-idx1-ubyte", labels)
    (folder / "done").touch()
    return folder
