"""One pass over images: probabilities and embeddings, in chunks, the same whatever the chunks are.

Every chunk is run at one fixed size, the last filled up with copies of its first image: kernels and their
order of summation depend on a batch's shape, so an image's result depends on the image alone. Channels_last,
BatchNorm folded; in fp32, because a query ranks differences that bf16 rounds away. Frozen features, which are
no scores, are computed in the plan's precision; `reduced` asks for bf16 (screening.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from al_core.data.dataset import Split
from al_core.engine import folding
from al_core.engine.augment import to_floats
from al_core.engine.device import free_memory, is_out_of_memory
from al_core.engine.network import ImageClassifier, Network
from al_core.errors import DeviceError
from al_core.types import SampleIds
from al_core.words import tr

Progress = Callable[[int, int], None]
Control = Callable[[], None]

# Images of a chunk up to 32 px, and pixels of one above. SqueezeNet on one core: 256 are best at 32 px,
# 32 at 96 px (788 images a second; 256 fall out of the cache: 404).
CHUNK = 256
_PIXELS = 300_000
ROWS = 1024  # of features, for a linear layer


def no_progress(done: int, total: int) -> None:
    """Tell nobody."""


def no_control() -> None:
    """Never stop."""


@dataclass(frozen=True)
class Prediction:
    """Rows in the order of the ids that were asked for."""

    probs: Float32[np.ndarray, "n C"]
    embeddings: Float32[np.ndarray, "n D"] | None


def predict(
    network: Network,
    split: Split,
    ids: SampleIds,
    *,
    embeddings: bool = False,
    reduced: bool = False,
    progress: Progress = no_progress,
    control: Control = no_control,
    chunk: int | None = None,
) -> Prediction:
    """Probabilities, and the embeddings if asked for, in one pass; the network stays as it was.

    `reduced`: in bf16 up to the head, for a first look at many images.

    Raises:
        DeviceError: memory ran out even with few images at a time.
    """
    h = embed(network, split, ids, reduced=reduced, progress=progress, control=control, chunk=chunk)
    with evaluating(network.module), torch.inference_mode():
        probs = head_probs(network, h)
    return Prediction(probs, h if embeddings else None)


def embed(
    network: Network,
    split: Split,
    ids: SampleIds,
    *,
    reduced: bool = False,
    progress: Progress = no_progress,
    control: Control = no_control,
    chunk: int | None = None,
) -> Float32[np.ndarray, "n D"]:
    """Embeddings of images; a frozen network's come from its table where there is one."""
    if network.tables is not None:
        table = network.tables.table(split, progress=progress, control=control)
        if table is not None:
            progress(len(ids), len(ids))
            return np.asarray(table[ids], np.float32)
    out = np.empty((len(ids), network.num_features), np.float32)
    with evaluating(network.module), torch.inference_mode():
        run_chunks(
            network, split, ids, ImageClassifier.forward_features, out,
            reduced=reduced, progress=progress, control=control, chunk=chunk,
        )  # fmt: skip
    return out


def head_probs(network: Network, h: Float32[np.ndarray, "n D"]) -> Float32[np.ndarray, "n C"]:
    """Softmax of the head's logits. The caller sets the mode."""
    probs = np.empty((len(h), network.num_classes), np.float32)
    run_rows(network, h, lambda rows: network.module.forward_head(rows).softmax(1), probs, size=ROWS)
    return probs


def run_rows(
    network: Network,
    rows: np.ndarray,
    function: Callable[[Tensor], Tensor],
    out: np.ndarray,
    *,
    control: Control = no_control,
    size: int = CHUNK,
) -> None:
    """Fill `out` with `function` of rows of features, a fixed number of rows at a time."""
    for start in range(0, len(rows), size):
        control()
        part = rows[start : start + size]
        block = _filled(part, size, network.plan.device)
        out[start : start + len(part)] = function(block)[: len(part)].cpu().numpy()


def run_chunks(
    network: Network,
    split: Split,
    ids: SampleIds,
    function: Callable[[ImageClassifier, Tensor], Tensor],
    out: np.ndarray,
    *,
    reduced: bool = False,
    progress: Progress = no_progress,
    control: Control = no_control,
    chunk: int | None = None,
) -> None:
    """Fill `out` with `function` of the module and the images; halves the chunk when memory runs out.

    The caller sets the mode. The module handed to `function` may be a copy made for evaluation.
    """
    network.plan.pin_threads()
    module = folding.reduced(network.module) if reduced else folding.folded(network.module)
    precision = network.plan.autocast() if network.spec.frozen else nullcontext()
    size = chunk or chunk_of(max(network.spec.image_size, 1))
    start = 0
    while start < len(ids):
        control()
        part = np.asarray(ids[start : start + size])
        try:
            images = _filled(split.read(part), size, network.plan.device)
            with precision:
                found = function(module, to_floats(images))[: len(part)]
            out[start : start + len(part)] = found.float().cpu().numpy()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if size == 1:
                raise DeviceError(
                    tr(
                        "memory ran out on {device} with one image at a time; choose a smaller model or "
                        "image size, or device=cpu",
                        device=network.plan.describe,
                    )
                ) from error
            size //= 2
            free_memory(network.plan.device)
            continue
        start += len(part)
        progress(start, len(ids))


def chunk_of(image_size: int) -> int:
    """Images at a time, so that they and their activations stay in the cache."""
    chunk = CHUNK
    while chunk > 8 and chunk * image_size * image_size > _PIXELS:
        chunk //= 2
    return chunk


def _filled(rows: np.ndarray, size: int, device: torch.device) -> Tensor:
    """Rows on the device, filled up to `size` with the first one.

    Copied into torch's own memory: matrix products round differently where NumPy's is aligned differently.
    """
    block = torch.empty((size, *rows.shape[1:]), dtype=torch.from_numpy(rows[:0]).dtype)
    block[: len(rows)] = torch.from_numpy(np.ascontiguousarray(rows))
    block[len(rows) :] = block[:1]
    return block.to(device)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; every submodule's own mode afterwards."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode
