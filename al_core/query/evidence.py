"""The names of evidence: what a strategy may ask for, with shapes and meaning.

Evidence is always about the candidates (n rows, in the order of their sorted sample ids) or about the labeled
samples (m rows). It never contains a label of the pool: `labeled_classes` are the labels that were paid for.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class EvidenceKind:
    """One kind of evidence. `needs` says what must have happened before: nothing, a model, dropout ..."""

    name: str
    shape: str
    meaning: str
    needs: str  # "" | "model" | "dropout" | "committee" | "gradients"


_KINDS = (
    EvidenceKind("num_candidates", "()", "how many candidates there are (int)", ""),
    EvidenceKind("num_classes", "()", "how many classes the data set has (int)", ""),
    EvidenceKind("probs", "n C", "softmax probabilities, evaluation mode", "model"),
    EvidenceKind("embeddings", "n D", "input of the last linear layer", "model"),
    EvidenceKind("labeled_embeddings", "m D", "the same, of the labeled samples", "model"),
    EvidenceKind("head_weights", "C D", "weights of the last linear layer", "model"),
    EvidenceKind("head_bias", "C", "its bias", "model"),
    EvidenceKind("labeled_classes", "m", "classes of the labeled samples, as labeled", ""),
    EvidenceKind("features", "n D", "frozen features that no round changes", ""),
    EvidenceKind("labeled_features", "m D", "the same, of the labeled samples", ""),
    EvidenceKind("texture", "n D", "colours and patterns of the pixels, which no model is needed for", ""),
    EvidenceKind("mc_probs", "T n C", "probabilities of T passes with dropout active", "dropout"),
    EvidenceKind("committee_probs", "M n C", "probabilities of M committee members", "committee"),
    EvidenceKind(
        "deepfool_distance", "n",
        "norm of the smallest perturbation found in [0,1] pixel space (DeepFool); the diagonal if none was",
        "gradients",
    ),
    EvidenceKind(
        "bim_distance", "n",
        "norm of the smallest perturbation found in [0,1] pixel space (BIM); the diagonal if none was",
        "gradients",
    ),
)  # fmt: skip

KINDS: Final = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Every evidence name that a strategy's positional parameters may use."""
