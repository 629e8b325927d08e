"""Which parts of an image a round's network goes by, as a picture that a page can show."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from PIL import Image

from al_core.experiment import Experiment
from al_core.results.saliency import Saliency, SaliencyRequest
from state.artefacts import Artefacts

SIDE: Final = 320
_HOT: Final = np.array([232, 89, 12], np.float32)


heats: Final = Artefacts[SaliencyRequest, Saliency]("saliency", Saliency.read, keep=32)


def picture(experiment: Experiment, request: SaliencyRequest, found: Saliency) -> bytes:
    """The image in grey with what mattered glowing, as PNG; square, as the network sees it."""
    pixels = experiment.dataset.train.read(np.array([request.sample_id]))[0]
    how = Image.Resampling.NEAREST if experiment.dataset.pixelated else Image.Resampling.LANCZOS
    grey = Image.fromarray(pixels).convert("L").resize((SIDE, SIDE), how)
    base = np.repeat(np.asarray(grey, np.float32)[..., None], 3, axis=2) * 0.75 + 32
    heat = Image.fromarray(np.round(255 * found.heat).astype(np.uint8))
    share = np.asarray(heat.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)[..., None] / 255
    glow = base * (1 - 0.75 * share) + _HOT * 0.75 * share
    out = io.BytesIO()
    Image.fromarray(np.clip(glow, 0, 255).astype(np.uint8)).save(out, "PNG")
    return out.getvalue()
