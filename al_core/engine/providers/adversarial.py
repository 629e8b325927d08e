"""How far images are from being taken for another class: DeepFool and BIM, on whole batches.

Distances are those of pixels in 0..1, since normalising is part of the network. All images of a chunk step
together, in evaluation mode and in fp32; one that has crossed keeps its place but moves no more. No gradient
is taken with respect to a weight.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Final

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from al_core.data.dataset import Dataset
from al_core.engine.inference import Control, evaluating, no_control, run_chunks
from al_core.engine.network import ImageClassifier, Network
from al_core.engine.providers import EvidenceContext
from al_core.types import Images, SampleIds

NAMES: Final = ("deepfool_distance", "bim_distance")

log = logging.getLogger(__name__)

Logits = Callable[[Tensor], Tensor]

# DeepFool: steps, classes that are tried (the likeliest ones), and how far beyond the border a point is
# tested.
_STEPS: Final = 20
_CLASSES: Final = 10
_OVERSHOOT: Final = 0.02
# How much larger a perturbation may become to survive rounding to bytes.
_ENLARGED: Final = (1.0, 1.1, 1.3, 1.6, 2.0, 3.0, 4.5, 7.0, 10.0, 15.0, 25.0)
# BIM: size and number of steps, halvings of the last one.
_ALPHA: Final = 1 / 255
_BIM_STEPS: Final = 50
_HALVINGS: Final = 10
# Images of a chunk: each keeps all activations for the way back.
CHUNK: Final = 64


def provide(names: Collection[str], context: EvidenceContext) -> dict[str, np.ndarray]:
    """Those of NAMES that are asked for; images without a way out get the pixel cube's diagonal."""
    network = context.trained(next(iter(names)))
    searches = {"deepfool_distance": deepfool, "bim_distance": bim}
    found: dict[str, np.ndarray] = {}
    for name in names:

        def distances(module: ImageClassifier, x: Tensor, search: Callable = searches[name]) -> Tensor:
            with torch.autocast(x.device.type, enabled=False):
                return search(module, x)

        out = np.empty(len(context.candidate_ids), np.float32)
        with evaluating(network.module), torch.enable_grad():
            run_chunks(
                network, context.dataset.train, context.candidate_ids, distances, out, chunk=CHUNK,
                progress=context.progress, control=context.control,
            )  # fmt: skip
        stuck = ~np.isfinite(out)
        if stuck.any():
            log.warning(
                "%s: no way out found for %d of %d images; they come last", name, stuck.sum(), len(out)
            )
        # a longer way than the diagonal leaves the cube of all images
        found[name] = np.minimum(out, np.float32(np.sqrt(3.0) * context.dataset.image_size))
    return found


def adversarial_copies(
    network: Network, dataset: Dataset, ids: SampleIds, *, control: Control = no_control
) -> tuple[Images, Bool[np.ndarray, " n"]]:
    """Train images moved just beyond the border of their predicted class, and which of them have one.

    Bytes are coarser than DeepFool's steps: a perturbation is enlarged until it also turns the class over
    once it is rounded.
    """
    size = dataset.image_size
    out = np.empty((len(ids), 3 * size * size + 1), np.uint8)

    def rows(module: ImageClassifier, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            copies, crossed = _crossing_bytes(module, x)
        return torch.cat([copies.flatten(1), crossed[:, None].float()], dim=1)

    with evaluating(network.module), torch.enable_grad():
        run_chunks(network, dataset.train, ids, rows, out, chunk=CHUNK, control=control)
    images = out[:, :-1].reshape(len(ids), 3, size, size).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), out[:, -1] > 0


def _crossing_bytes(logits: Logits, x: Tensor) -> tuple[Tensor, Tensor]:
    """Perturbed images in 0..255, and which of them are of another class than before."""
    length, moved = _deepfool(logits, x, _STEPS)
    with torch.no_grad():
        predicted = logits(x).argmax(1)
        copies, crossed = (x * 255).round(), torch.zeros_like(predicted, dtype=torch.bool)
        open_ = length.isfinite()
        for times in _ENLARGED:
            tried = ((x + times * (1 + _OVERSHOOT) * moved).clamp(0, 1) * 255).round()
            now = open_ & ~crossed & (logits(tried / 255).argmax(1) != predicted)
            copies = torch.where(_wide(now), tried, copies)
            crossed |= now
    return copies, crossed


def deepfool(logits: Logits, x: Tensor, *, steps: int = _STEPS) -> Tensor:
    """Length of the perturbation at which each image's class turns over, infinite where none was found."""
    return _deepfool(logits, x, steps)[0]


def _deepfool(logits: Logits, x: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Lengths, and the perturbations themselves.

    Each step goes to the nearest border of the network's linearisation at the point reached. An image stops
    where it has crossed, or where no gradient is left to follow.
    """
    moved = torch.zeros_like(x)
    length = x.new_full((len(x),), torch.inf)
    active = torch.ones(len(x), dtype=torch.bool, device=x.device)
    order: Tensor | None = None
    for step in range(steps + 1):
        point = (x + (1 + _OVERSHOOT) * moved).detach().requires_grad_()
        out = logits(point)
        if order is None:
            order = out.detach().argsort(dim=1, descending=True, stable=True)[:, :_CLASSES]
        crossed = active & (out.detach().argmax(1) != order[:, 0])
        length = torch.where(crossed, _norms(moved), length)
        active &= ~crossed
        if step == steps or order.shape[1] < 2 or not active.any():
            break
        push = _to_nearest_border(out, order, point)
        active &= push.flatten(1).ne(0).any(1)
        moved = torch.where(_wide(active), moved + push, moved)
    return length, moved


def _to_nearest_border(out: Tensor, order: Tensor, point: Tensor) -> Tensor:
    """The shortest step to where another class is as likely, to first order; 0 where there is none."""
    values = out.gather(1, order)
    gradients = [
        torch.autograd.grad(values[:, c].sum(), point, retain_graph=c + 1 < order.shape[1])[0]
        for c in range(order.shape[1])
    ]
    nearest = out.new_full((len(out),), torch.inf)
    step = torch.zeros_like(gradients[0])
    for c in range(1, order.shape[1]):
        towards = gradients[c] - gradients[0]
        gap, steepness = (values[:, 0] - values[:, c]).detach(), _norms(towards)
        distance = torch.where(steepness > 0, gap / steepness, torch.inf)
        # beyond the border by the least there is, as a step of length 0 leads nowhere
        push = towards * _wide((distance + 1e-7) / steepness)
        closer = (distance < nearest) & push.flatten(1).isfinite().all(1)
        nearest = torch.where(closer, distance, nearest)
        step = torch.where(_wide(closer), push, step)
    return step


def bim(logits: Logits, x: Tensor, *, steps: int = _BIM_STEPS, alpha: float = _ALPHA) -> Tensor:
    """Length of the perturbation at which each image's class turns over, infinite where none was found.

    The sign is that of the cross-entropy's gradient, taken from the log odds of the other classes, which do
    not vanish in rounding where the network is sure.
    """
    length = x.new_full((len(x),), torch.inf)
    before, active = x, torch.ones(len(x), dtype=torch.bool, device=x.device)
    predicted: Tensor | None = None
    for _ in range(steps):
        point = before.detach().requires_grad_()
        out = logits(point)
        if out.shape[1] < 2:
            break
        predicted = out.detach().argmax(1) if predicted is None else predicted
        own = out.gather(1, predicted[:, None])[:, 0]
        others = out.scatter(1, predicted[:, None], -torch.inf).logsumexp(1)
        (gradient,) = torch.autograd.grad((others - own).sum(), point)
        after = (before + alpha * gradient.sign()).clamp(0, 1)
        active &= (after != before).flatten(1).any(1)
        if not active.any():
            break
        after = torch.where(_wide(active), after, before)
        with torch.no_grad():
            crossed = active & (logits(after).argmax(1) != predicted)
            if crossed.any():
                exact = _halved(logits, before, after, predicted)
                length = torch.where(crossed, _norms(exact - x), length)
        active &= ~crossed
        before = after
    return length


def _halved(logits: Logits, inside: Tensor, outside: Tensor, predicted: Tensor) -> Tensor:
    """The point on the way from inside to outside where the class turns over."""
    low = inside.new_zeros(len(inside))
    high = torch.ones_like(low)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        out = logits(inside + _wide(middle) * (outside - inside)).argmax(1) != predicted
        low, high = torch.where(out, low, middle), torch.where(out, middle, high)
    return inside + _wide(high) * (outside - inside)


def _norms(images: Tensor) -> Tensor:
    return images.detach().flatten(1).norm(dim=1)


def _wide(rows: Tensor) -> Tensor:
    """A number per image, shaped to combine with images."""
    return rows.view(-1, 1, 1, 1)
