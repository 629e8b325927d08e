"""A network as one ONNX file, from bytes as decoded to probabilities, and the proof that it says the same.

Written by torch's own exporter (torch.export, translated by onnxscript): it follows the traced graph of any
model here, so that nothing is written per model. Resizing and normalising are inside, as in the network.
"""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from al_core.engine.augment import to_floats
from al_core.engine.folding import folded
from al_core.engine.inference import evaluating
from al_core.engine.network import ImageClassifier, Network
from al_core.errors import ModelError
from al_core.words import tr

INPUT, OUTPUT = "images", "probabilities"
TOLERANCE = 1e-4
"""Largest difference of a probability that is let through."""
_AT_ONCE = 16


class _Portable(nn.Module):
    """Bytes (n, S, S, 3) to probabilities (n, C)."""

    def __init__(self, module: ImageClassifier) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        return self.module(to_floats(images)).softmax(1)


def write_onnx(network: Network, path: Path, size: int, about: Mapping[str, str]) -> None:
    """Write the network for pictures of side `size`; `about` becomes the file's own metadata.

    Raises:
        ModelError: the packages are missing, or the exporter cannot translate the network.
    """
    _needed("onnx", "onnxscript")
    example = torch.zeros((2, size, size, 3), dtype=torch.uint8, device=network.plan.device)
    with evaluating(network.module), torch.inference_mode(False), torch.no_grad(), _quiet():
        portable = _Portable(folded(network.module)).eval()
        try:
            program = torch.onnx.export(
                portable, (example,), dynamo=True, input_names=[INPUT], output_names=[OUTPUT],
                dynamic_shapes={"images": {0: torch.export.Dim("n")}}, verbose=False, external_data=False,
            )  # fmt: skip
        except torch.onnx.errors.OnnxExporterError as error:
            first = str(error).strip().partition("\n")[0]
            raise ModelError(
                tr(
                    "{model} cannot be written as ONNX ({first}); leave ONNX out, the safetensors file "
                    "holds the same network",
                    model=network.spec.model,
                    first=first,
                )
            ) from error
    if program is None:
        raise ModelError(tr("torch.onnx gave no program; take torch 2.14 or newer"))
    program.model.metadata_props.update(about)
    program.save(path)


def check_onnx(
    path: Path, images: UInt8[np.ndarray, "n S S 3"], expected: Float32[np.ndarray, "n C"]
) -> float:
    """Run the file on pictures; the largest difference from `expected`, which are our own probabilities.

    Raises:
        ModelError: it is larger than TOLERANCE, or onnxruntime is missing.
    """
    runtime = _needed("onnxruntime")[0]
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    worst = 0.0
    for start in range(0, len(images), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        found = session.run([OUTPUT], {INPUT: np.ascontiguousarray(images[part])})[0]
        worst = max(worst, float(np.abs(found - expected[part]).max()))
    if not worst <= TOLERANCE:
        raise ModelError(
            tr(
                "the ONNX file gives other probabilities than the network (by up to {worst:.2g}, "
                "{tolerance:g} is allowed); leave ONNX out and report this model",
                worst=worst,
                tolerance=TOLERANCE,
            )
        )
    return worst


def metadata(classes: tuple[str, ...], size: int, **more: Any) -> dict[str, str]:
    """What the file says of itself: all that is needed to use it without any other file."""
    lines = "\n".join(" ".join(name.split("\n")) for name in classes)
    return {"classes": lines, "size": str(size), **{k: json.dumps(v) for k, v in more.items()}}


def _needed(*names: str) -> list[ModuleType]:
    try:
        return [importlib.import_module(name) for name in names]
    except ImportError as error:
        raise ModelError(
            tr(
                "an ONNX file needs the packages onnx, onnxscript and onnxruntime ({error}): install "
                "them, or leave ONNX out (--no-onnx)",
                error=error,
            )
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of its own future and logs each pass: nobody here can act on it."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir", "torch.onnx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
