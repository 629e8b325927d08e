"""Which published curves can stand behind one's own, and in what their protocols differ, in words.

A curve is offered where data set and range of labels agree. That makes it a neighbour and no match: every
difference of the protocols is listed, and only an empty list is called the same protocol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from al_core.config import ExperimentConfig, Option, options
from al_core.models import MODELS
from al_core.query.strategies import STRATEGIES
from al_core.results.published import ANCHORS, Anchor, PublishedCurve
from al_core.words import tr

METRIC: Final = "test_accuracy"
_BEYOND: Final = 1.25
"""A published point up to so many times one's own labels is drawn: the axis is not theirs."""


@dataclass(frozen=True)
class Fit:
    """A source beside some runs: the lines to draw, and every difference of the protocols."""

    anchor: Anchor
    curves: tuple[PublishedCurve, ...]
    differences: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the protocols are the same, as far as both are known."""
        return not self.differences


def fits(configs: Sequence[ExperimentConfig], least: float, most: float) -> list[Fit]:
    """Sources for runs that have between `least` and `most` labels; the nearest protocol first."""
    datasets = {config.data.dataset.partition(":")[0] for config in configs}
    own = {_strategy(config) for config in configs} | {"random"}
    found = []
    for anchor in ANCHORS:
        if datasets != {anchor.dataset}:
            continue
        drawn = [cut for curve in anchor.curves if curve.strategy in own and (cut := _cut(curve, most))]
        if any(labels >= least / _BEYOND for curve in drawn for labels, _ in curve.points):
            found.append(Fit(anchor, tuple(drawn), tuple(differences(anchor, configs))))
    return sorted(found, key=lambda fit: len(fit.differences))


def _strategy(config: ExperimentConfig) -> str:
    name = config.query.strategy
    return STRATEGIES.get(name).name if name in STRATEGIES else name


def _cut(curve: PublishedCurve, most: float) -> PublishedCurve | None:
    """The curve up to the end of one's own; None where it begins later."""
    points = tuple(point for point in curve.points if point[0] <= most * _BEYOND)
    return PublishedCurve(curve.name, curve.strategy, points) if points else None


def differences(anchor: Anchor, configs: Sequence[ExperimentConfig]) -> list[str]:
    """Each difference between the source's protocol and these runs', in words."""
    known = {option.path: option for option in options()}
    found = []
    for path, theirs in anchor.settings.items():
        ours = {_value(config, path, anchor.num_classes) for config in configs}
        wanted = _total(anchor) if path == "init.n_start" else theirs
        if ours != {wanted}:
            found.append(
                tr(
                    "{option}: {theirs} there, {ours} here",
                    option=_label(known[path]),
                    theirs=_words(wanted),
                    ours=_several(ours),
                )
            )
    return found + [tr("only there: {words}", words=tr(words)) for words in anchor.beyond]


def _label(option: Option) -> str:
    return tr("Initial labels, in all") if option.path == "init.n_start" else tr(option.label)


def _total(anchor: Anchor) -> int:
    number = int(anchor.settings["init.n_start"])
    return number * (anchor.num_classes if anchor.settings["init.init"] == "per_class" else 1)


def _value(config: ExperimentConfig, path: str, num_classes: int) -> Any:
    if path == "init.n_start":
        return config.init.n_start * (num_classes if config.init.init == "per_class" else 1)
    if path == "oracle":
        return "truth" if config.oracle == "human" else config.oracle
    place: Any = config
    for part in path.split("."):
        place = getattr(place, part)
    if path == "model.model" and place in MODELS:
        return MODELS.get(place).name
    if path == "train.learning_rate" and place is None and config.model.model in MODELS:
        return MODELS.get(config.model.model).learning_rate
    return place


def _words(value: object) -> str:
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    if value is None or value == "":
        return tr("none")
    return (
        f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
    )


def _several(values: set[Any]) -> str:
    shown = sorted(map(_words, values))
    if len(shown) == 1:
        return shown[0]
    return tr("{first} or {last}", first=", ".join(shown[:-1]), last=shown[-1])


def as_mapping(fit: Fit) -> Mapping[str, Any]:
    """For a browser: what a chart draws of it."""
    return {
        "title": fit.anchor.title,
        "source": f"{fit.anchor.source} ({tr(fit.anchor.runs)})",
        "curves": [
            {"name": curve.name, "strategy": curve.strategy, "points": [list(p) for p in curve.points]}
            for curve in fit.curves
        ],
    }
