"""Published learning curves: figures, where they are from, and as much of each protocol as is known.

Accuracies are shares of the test images. A protocol is written in our own options where we have them
(`settings`) and in words where we have not (`beyond`): what is in `beyond` is never matched by a run of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final


@dataclass(frozen=True)
class PublishedCurve:
    """One line: the name that its authors give it, our strategy where it is one, and (labels, accuracy)."""

    name: str
    strategy: str | None
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Anchor:
    """Curves of one source under one protocol."""

    key: str
    title: str
    source: str
    runs: str
    dataset: str
    num_classes: int
    settings: Mapping[str, Any]
    beyond: tuple[str, ...]
    curves: tuple[PublishedCurve, ...]


_PLAIN: Final = MappingProxyType(
    {
        "oracle": "truth", "data.image_size": None, "data.imbalance": None, "data.epoch_validation": 0.0,
        "data.round_validation": 0.0, "init.init": "random", "model.pretrained": False, "model.frozen": False,
        "model.dropout": 0.0, "train.min_steps": 0, "train.label_smoothing": 0.0, "train.start": "cold",
        "train.adversarial_copies": False, "train.labeled_validation": 0.0, "train.early_stopping": None,
        "query.candidates": None, "query.second": "", "query.balance": False, "query.min_distance": 0.0,
        "query.holdback": 0.0, "query.power": 0.0, "query.size_schedule": "fixed",
    }
)  # fmt: skip
"""What every source does that does not say otherwise."""

_RESNET_SGD: Final = {"model.model": "resnet18", "train.epochs": 200, "train.optimizer": "sgd"}
_EVAL_AL: Final = MappingProxyType(
    _PLAIN | _RESNET_SGD | {
        "init.n_start": 1000, "query.n_new": 2000, "train.learning_rate": 0.1, "train.momentum": 0.9,
        "train.weight_decay": 5e-4, "train.batch_size": 128,
    }
)  # fmt: skip
_EVAL_AL_BEYOND: Final = (
    "the learning rate falls in steps (milestones 160 and 240)", "augmentation as in its own code",
)  # fmt: skip
_EVAL_AL_SOURCE: Final = (
    "Ji et al., Randomness is the Root of All Evil, WACV 2023; raw results of intellisec/eval-al"
)
_BATCH_BALD_SOURCE: Final = (
    "Kirsch et al., BatchBALD, NeurIPS 2019, arXiv:1906.08158; raw results of BlackHC/BatchBALD"
)
_BATCH_BALD_BEYOND: Final = (
    "a network of its own: two convolutions and a dense layer of 128, each with dropout 0.5",
    "an epoch is 5,056 images drawn again from the labeled ones",
    "1,024 balanced validation images, which cost no label, end a round; the best weights are restored",
)
_FLEX_MATCH: Final = "unlabeled images are trained on too (FlexMatch)"
_TYPICLUST_BEYOND: Final = (
    _FLEX_MATCH, "strategies look at SimCLR features of 500 epochs", "a validation share of 0.1",
)  # fmt: skip


def _batch_bald(size: int, passes: int, **more: Any) -> Mapping[str, Any]:
    return MappingProxyType(
        _PLAIN | {
            "init.init": "per_class", "init.n_start": 2, "query.n_new": size, "query.passes": passes,
            "train.epochs": 30, "train.early_stopping": 3, "train.optimizer": "adam", "train.batch_size": 64,
        } | more
    )  # fmt: skip


def _line(name: str, strategy: str | None, labels: tuple[int, ...], *values: float) -> PublishedCurve:
    """Values in per cent where any is above 1."""
    scale = 100 if max(values) > 1 else 1
    points = tuple((n, round(value / scale, 6)) for n, value in zip(labels, values, strict=True))
    return PublishedCurve(name, strategy, points)


_EVAL_LABELS: Final = (1000, 3000, 5000, 9000, 13000, 17000, 25000)
_CLIP_LABELS: Final = (200, 400, 1000, 2000, 3000, 4000)
_BALD_LABELS: Final = (20, 40, 60, 100, 140, 200)

ANCHORS: Final = (
    Anchor(
        "eval-al-cifar10", "eval-al, CIFAR-10, queries of 2,000", _EVAL_AL_SOURCE, "mean of 3 runs",
        "cifar10", 10, _EVAL_AL, _EVAL_AL_BEYOND,
        (
            _line("Random", "random", _EVAL_LABELS, 47.0, 65.0, 76.5, 85.7, 88.7, 90.2, 92.1),
            _line("Least confidence", "least_confidence", _EVAL_LABELS,
                  47.0, 66.8, 79.4, 89.0, 92.1, 93.6, 94.6),
            _line("Entropy", "entropy", _EVAL_LABELS, 47.0, 66.7, 79.6, 88.5, 92.0, 93.7, 94.6),
            _line("BADGE", "badge", _EVAL_LABELS, 47.0, 66.9, 79.2, 88.8, 91.8, 93.5, 94.1),
            _line("BALD", "bald", _EVAL_LABELS, 47.0, 66.2, 79.0, 88.7, 91.8, 93.3, 94.2),
            _line("ISAL", None, _EVAL_LABELS, 47.0, 66.3, 78.8, 88.6, 91.8, 93.5, 94.3),
            _line("LL4AL", None, _EVAL_LABELS, 46.4, 68.2, 80.8, 89.3, 92.0, 92.9, 92.6),
            _line("CoreSet", "k_center", _EVAL_LABELS, 47.0, 65.7, 77.8, 87.8, 90.9, 92.6, 93.7),
        ),
    ),
    Anchor(
        "eval-al-cifar100", "eval-al, CIFAR-100, queries of 2,000", _EVAL_AL_SOURCE, "mean of 3 runs",
        "cifar100", 100, _EVAL_AL, _EVAL_AL_BEYOND,
        (_line("Random", "random", (5000,), 33.1), _line("Entropy", "entropy", (5000,), 30.9)),
    ),
    Anchor(
        "labelbench-cifar10", "LabelBench, CIFAR-10, linear head on CLIP", "Zhang et al., LabelBench, "
        "arXiv:2306.09910; raw results of EfficientTraining/LabelBench", "mean of 4 runs", "cifar10", 10,
        MappingProxyType(
            _PLAIN | {
                "model.pretrained": True, "model.frozen": True, "init.n_start": 200, "query.n_new": 200,
                "train.epochs": 20, "train.early_stopping": 3, "train.optimizer": "adam",
                "train.learning_rate": 3e-3, "train.weight_decay": 1e-4, "train.schedule": "cosine",
                "train.batch_size": 128,
            }
        ),
        ("features of CLIP ViT-B/32, trained on 400 million pictures and their captions", _FLEX_MATCH,
         "500 warm-up steps"),
        (
            _line("Random", "random", _CLIP_LABELS, 91.76, 92.81, 93.36, 93.75, 93.72, 93.95),
            _line("Margin", "margin", _CLIP_LABELS, 91.76, 93.20, 93.88, 94.27, 94.51, 94.58),
            _line("BADGE", "badge", _CLIP_LABELS, 91.76, 92.98, 93.88, 94.44, 94.60, 94.47),
            _line("GALAXY", None, _CLIP_LABELS, 91.76, 93.28, 93.83, 94.26, 94.48, 94.62),
            _line("Least confidence", "least_confidence", _CLIP_LABELS,
                  91.76, 93.01, 93.70, 94.32, 94.50, 94.67),
            _line("Entropy", "entropy", _CLIP_LABELS, 91.76, 93.11, 93.55, 94.16, 94.34, 94.59),
            _line("CoreSet", "k_center", _CLIP_LABELS, 91.76, 92.36, 93.27, 93.73, 93.95, 94.05),
        ),
    ),
    Anchor(
        "batchbald-mnist-5", "BatchBALD, MNIST, queries of 5", _BATCH_BALD_SOURCE, "mean of 6 runs", "mnist",
        10, _batch_bald(5, 100), _BATCH_BALD_BEYOND,
        (_line("BatchBALD", "batch_bald", _BALD_LABELS, .662, .781, .859, .904, .927, .949),),
    ),
    Anchor(
        "batchbald-mnist-10", "BatchBALD, MNIST, queries of 10", _BATCH_BALD_SOURCE, "mean of 6 runs",
        "mnist", 10, _batch_bald(10, 100), _BATCH_BALD_BEYOND,
        (
            _line("BatchBALD", "batch_bald", _BALD_LABELS, .663, .783, .841, .892, .926, .945),
            _line("BALD", "bald", _BALD_LABELS, .660, .758, .784, .857, .896, .919),
        ),
    ),
    Anchor(
        "batchbald-mnist-1", "BatchBALD, MNIST, BALD one by one", _BATCH_BALD_SOURCE, "mean of 6 runs",
        "mnist", 10, _batch_bald(1, 20), _BATCH_BALD_BEYOND,
        (_line("BALD", "bald", _BALD_LABELS, .635, .765, .825, .894, .925, .947),),
    ),
    Anchor(
        "batchbald-emnist", "BatchBALD, EMNIST balanced, queries of 5", _BATCH_BALD_SOURCE, "several runs",
        "emnist_balanced", 47, _batch_bald(5, 10), _BATCH_BALD_BEYOND,
        (
            _line("BatchBALD", "batch_bald", (100, 200), .302, .424),
            _line("Random", "random", (100, 200), .282, .409),
            _line("BALD", "bald", (100, 200), .256, .379),
        ),
    ),
    Anchor(
        "acl21-cifar10", "acl21 toolkit, CIFAR-10 at 60 %", "README of acl21/deep-active-learning-pytorch",
        "mean of 3 runs", "cifar10", 10,
        MappingProxyType(
            _PLAIN | _RESNET_SGD | {
                "init.n_start": 5000, "query.n_new": 5000, "data.round_validation": 0.1,
                "train.learning_rate": 0.025, "train.schedule": "cosine", "train.batch_size": 96,
                "train.weight_decay": 3e-4, "train.augment": True,
            }
        ),
        ("augmentation by mirroring alone",),
        (
            _line("DBAL", None, (30000,), 91.67), _line("Margin", "margin", (30000,), 91.33),
            _line("Least confidence", "least_confidence", (30000,), 91.51),
            _line("BALD", "bald", (30000,), 91.47), _line("CoreSet", "k_center", (30000,), 91.43),
            _line("Entropy", "entropy", (30000,), 91.37), _line("Random", "random", (30000,), 89.80),
        ),
    ),
    Anchor(
        "torchal-cifar10", "TorchAL, CIFAR-10, VGG-16", "Munjal et al., CVPR 2022, figure 1",
        "5 initial sets, 5 runs of each", "cifar10", 10,
        MappingProxyType(_PLAIN | {"model.model": "vgg16", "init.n_start": 5000, "query.n_new": 5000}),
        ("hyper-parameters found by AutoML in each round", "augmentation as in its own code",
         "the second value is read off a figure"),
        (_line("Random", "random", (5000, 20000), 68.58, 83.0),),
    ),
    *(
        Anchor(
            f"typiclust-{dataset}", f"TypiClust, {title}, one label a class",
            "Hacohen et al., TypiClust, arXiv:2202.02794, and Yehuda et al., ProbCover, arXiv:2205.11320",
            "printed in the authors' figure", dataset, classes,
            MappingProxyType(
                _PLAIN | _RESNET_SGD | {
                    "query.n_new": classes, "train.learning_rate": 0.025, "train.schedule": "cosine",
                    "train.weight_decay": 3e-4, "train.batch_size": 100,
                }
            ),
            _TYPICLUST_BEYOND,
            tuple(
                _line(name, strategy, (classes,), value)
                for (name, strategy), value in zip(
                    (("Random", "random"), ("CoreSet", "k_center"), ("TypiClust", "typiclust"),
                     ("ProbCover", "prob_cover")), values, strict=True,
                )
            ),
        )
        for dataset, title, classes, values in (
            ("cifar10", "CIFAR-10", 10, (53.80, 56.57, 93.19, 94.10)),
            ("cifar100", "CIFAR-100", 100, (17.91, 15.76, 22.86, 32.48)),
        )
    ),
    Anchor(
        "dcom-cifar100", "DCoM, CIFAR-100, few labels", "Mishal and Weinshall, DCoM, arXiv:2407.01804",
        "printed in the authors' figure", "cifar100", 100,
        MappingProxyType(_PLAIN | _RESNET_SGD), _TYPICLUST_BEYOND,
        (
            _line("Random", "random", (400, 1000), 29.93, 49.24),
            _line("CoreSet", "k_center", (400, 1000), 30.77, 42.93),
            _line("BADGE", "badge", (400, 1000), 27.93, 43.47),
            _line("ProbCover", "prob_cover", (400, 1000), 40.83, 50.03),
            _line("DCoM", None, (400, 1000), 40.73, 52.93),
        ),
    ),
)  # fmt: skip
