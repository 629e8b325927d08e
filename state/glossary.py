"""The field's terms, each explained once: the Help page lists them, tooltips quote them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from al_core.words import tr


@dataclass(frozen=True)
class Term:
    """A term, what else it is called, and its meaning in two sentences at most; looked up when shown."""

    name: str
    also: tuple[str, ...]
    meaning: str


_TERMS: Final = (
    Term("Active learning", (), "Training in turns with labeling: the model picks which images a person is "
         "asked about, so that fewer labels reach the same accuracy."),
    Term("Initial set", ("seed set", "cold start"), "The images that are labeled before any model exists. "
         "They are drawn without a model, and every strategy of a comparison begins with the same ones."),
    Term("Labeled pool", (), "The images that have a label. The model trains on them."),
    Term("Unlabeled pool", ("pool",), "The images without a label, from which the next query is picked. "
         "Test images are never in it."),
    Term("Query", ("batch",), "The images that are asked about together. Its size is the query size."),
    Term("Query strategy", ("acquisition function",), "The rule that picks a query: by doubt, by variety, or "
         "by both. It never sees a label that nobody gave."),
    Term("Oracle", ("annotator",), "Whoever answers a query: a person, or ground truth in a simulation."),
    Term("Ground truth", (), "The labels that a data set came with. They answer simulations and test the "
         "model; a strategy never sees them."),
    Term("Guideline", ("annotation guideline", "codebook"), "What belongs to a class, in words, with images "
         "pinned to show it. It keeps people, and one person over weeks, drawing the same line."),
    Term("Round", ("iteration", "cycle"), "One turn of the loop: query, label, train, evaluate. Round 0 "
         "trains on the initial set."),
    Term("Budget", (), "The most labels that are to be given in all."),
    Term("Test split", ("hold-out",), "Images that never enter the pool and never stop a training. Accuracy "
         "on the curves is measured on them."),
    Term("Validation split", (), "Labeled images that decide when a training stops. Choosing by the test "
         "split would flatter the model."),
    Term("Hold-back", (), "A random share of each query that measures and never trains: an honest accuracy "
         "where no test images exist."),
    Term("Learning curve", (), "Accuracy over the number of labels. The one that climbs earlier needs fewer "
         "labels for the same accuracy."),
    Term("Random baseline", ("ghost",), "The same session with images drawn at random: the grey curve. A "
         "strategy is worth its labels only above it."),
    Term("Uncertainty", (), "How undecided the model is about an image: the smallest margin, the largest "
         "entropy, or the least confidence."),
    Term("Margin", (), "The gap between the two likeliest classes. A small one means that the model cannot "
         "tell these two apart."),
    Term("Entropy", (), "How evenly the probabilities are spread over all classes: 0 when one is certain."),
    Term("Diversity", ("coverage",), "Asking for images that differ from each other and from what is "
         "labeled, so that a query does not ask the same thing twice."),
    Term("Embedding", ("features",), "What a network makes of an image before its last layer: a list of "
         "numbers in which alike images lie near each other."),
    Term("Frozen features", (), "Embeddings from a network that is no longer trained. A round then takes a "
         "fraction of a second."),
    Term("MC dropout", ("dropout passes",), "Predicting several times with random units switched off. Where "
         "the passes disagree, the model does not know."),
    Term("Committee", ("ensemble",), "Several models trained on the same labels. Where they vote "
         "differently, a label teaches most."),
    Term("Confidence interval", ("95 % band",), "The range that holds the mean of many repetitions, with "
         "95 % certainty. Two bands that overlap prove no difference."),
    Term("Random seed", (), "The number from which every draw of a run follows. The same seed repeats the "
         "run; several seeds show how much was luck."),
    Term("Calibration", ("ECE",), "Whether the model is right as often as it says. With 0 error, 80 % sure "
         "means right in 80 of 100 cases."),
    Term("Macro F1", (), "The mean over classes of the balance between finding all of a class and naming "
         "only those. Rare classes count as much as common ones."),
    Term("Confusion matrix", (), "Rows are true classes, columns are predictions. What lies off the diagonal "
         "is a mistake, and of which kind."),
    Term("Confident learning", (), "Finding labels that are probably wrong, by models that did not train on "
         "them (Northcutt et al., 2021)."),
)  # fmt: skip

TERMS: Final = MappingProxyType({term.name: term for term in _TERMS})


def meaning(name: str) -> str:
    """What a term means, for a tooltip.

    Raises:
        KeyError: it is no term of the glossary.
    """
    return tr(TERMS[name].meaning)


def found(text: str) -> list[Term]:
    """The terms in whose name, other names or meaning the text occurs, those by name first."""
    wanted = text.strip().casefold()
    named = [t for t in _TERMS if any(wanted in name.casefold() for name in (tr(t.name), *map(tr, t.also)))]
    return named + [t for t in _TERMS if t not in named and wanted in tr(t.meaning).casefold()]
