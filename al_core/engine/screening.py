"""Two-stage scoring: the pool in bf16, and in fp32 whatever could still be asked for. The picks are fp32's.

bf16 costs half of fp32 and rounds scores, so that the k best of one are not the k best of the other: of 100
smallest margins only a fifth agreed. So the error is measured, first on a random sample and on the k best of
the screening, then on every image scored again; it is widened, and every image whose screened score could
reach the k-th best exact one is scored in fp32, until there is none left. What is left out lies below the
k-th best by more than the widened error. The bound is empirical: `facts` keep it, and how many were scored
twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32

from al_core.data.dataset import Split
from al_core.engine.device import multiplies_bf16
from al_core.engine.inference import Control, Progress, no_control, no_progress, predict
from al_core.engine.network import Network
from al_core.engine.providers import EvidenceContext, gather
from al_core.query.composition import Composition
from al_core.query.strategies import Strategy
from al_core.seeds import generator
from al_core.types import SampleIds, Scores

SAMPLE = 1000  # images on which the error is measured at first
WIDEN = 1.5  # times the largest error seen
LEAST_ERROR = 1e-6  # fp32's own rounding: an image's last bits may differ with its place in a batch
# Fewer candidates than this, or a query of a larger share of them, are scored in fp32 at once.
MIN_CANDIDATES = 4096
MAX_SHARE = 0.25
# Scoring more than this share again costs what screening saves (SqueezeNet: 12,300 and 7,800 images/s).
MAX_AGAIN = 0.3


@dataclass(frozen=True)
class Screened:
    """Probabilities, exact (fp32) where `exact` says so, and what a manifest keeps of it."""

    probs: Float32[np.ndarray, "n C"]
    exact: np.ndarray
    facts: dict[str, Any] = field(default_factory=dict)


def gather_for_query(
    composition: Composition, context: EvidenceContext, k: int
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The evidence for one query of k, screened where that leaves the picks as they are; and facts of it."""
    network, strategy = context.network, composition.strategies[0]
    found = None
    if (
        network is not None
        and composition.is_plain
        and screens(strategy, network, len(context.candidate_ids), k)
    ):
        found = screen(
            network, context.dataset.train, context.candidate_ids, strategy, k=k,
            options=composition.options, rng=generator(context.config.seed, "screening", context.round),
            progress=context.progress, control=context.control,
        )  # fmt: skip
    if found is None:
        return gather(composition.evidence, context), {}
    return {"probs": found.probs}, found.facts


def screens(strategy: Strategy, network: Network, num_candidates: int, k: int) -> bool:
    """Whether screening is sound (a score of probabilities alone) and may pay here."""
    return (
        strategy.evidence == ("probs",)
        and not strategy.is_selector
        and not network.spec.frozen  # its features are cached
        and network.plan.reduced
        and multiplies_bf16(network.plan.device)
        and num_candidates >= MIN_CANDIDATES
        and 0 < k <= MAX_SHARE * num_candidates
    )


def screen(
    network: Network,
    split: Split,
    ids: SampleIds,
    strategy: Strategy,
    *,
    k: int,
    options: Mapping[str, Any],
    rng: np.random.Generator,
    progress: Progress = no_progress,
    control: Control = no_control,
) -> Screened | None:
    """Probabilities that lead to fp32's picks.

    None where a score depends on other rows than its own, or where too many would have to be scored again.
    """
    ids, n = np.asarray(ids, np.int64), len(ids)
    sample = np.sort(rng.choice(n, min(SAMPLE, n), replace=False))
    low, high = (
        predict(network, split, ids[sample], reduced=reduced, control=control).probs
        for reduced in (True, False)
    )
    alone = _scores(strategy, low, options)
    if not np.isfinite(alone).all():
        return None
    error = max(LEAST_ERROR, float(np.abs(_scores(strategy, high, options) - alone).max()))
    if (alone + WIDEN * error >= np.quantile(alone, 1 - k / n)).mean() > MAX_AGAIN:
        return None
    rest, probs = np.setdiff1d(np.arange(n), sample), np.empty((n, low.shape[1]), np.float32)
    probs[sample] = low
    probs[rest] = predict(network, split, ids[rest], reduced=True, progress=progress, control=control).probs
    screened = _scores(strategy, probs, options)
    if not np.isfinite(screened).all() or not np.allclose(alone, screened[sample], rtol=1e-9, atol=1e-12):
        return None
    probs[sample] = high
    scores, exact = screened.copy(), np.zeros(n, bool)
    scores[sample], exact[sample] = _scores(strategy, high, options), True
    again = np.setdiff1d(np.argpartition(-screened, k - 1)[:k], sample)  # of a small k perhaps none
    while True:
        if len(again):
            probs[again] = predict(network, split, ids[again], control=control).probs
            scores[again], exact[again] = _scores(strategy, probs[again], options), True
            error = max(error, float(np.abs(scores[again] - screened[again]).max()))
        # at least k exact scores reach it, so the k-th best of all does too
        threshold = np.partition(scores[exact], -k)[-k]
        again = np.flatnonzero(~exact & (screened + WIDEN * error >= threshold))
        if not len(again):
            break
    facts = {"screened": n, "rescored": int(exact.sum()), "score_error": error}
    return Screened(probs, exact, {"screening": facts})


def _scores(strategy: Strategy, probs: np.ndarray, options: Mapping[str, Any]) -> Scores:
    return np.asarray(strategy.function(probs, **options), np.float64)
