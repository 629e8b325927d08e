"""The part of the conformance kit that needs a network: evidence, model and hidden labels, on made-up images.

Kept apart from `al_core.testing`, which is NumPy alone. Each check takes a Strategy and raises StrategyError.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from al_core.config import ExperimentConfig
from al_core.engine.network import Network
from al_core.engine.providers import EvidenceContext, gather
from al_core.engine.speed import made_up_dataset
from al_core.engine.trainer import TrainData, fit
from al_core.errors import StrategyError
from al_core.query.evidence import KINDS
from al_core.query.selection import select
from al_core.query.strategies import Strategy
from al_core.settings import Settings
from al_core.testing import Check, Evidence
from al_core.types import Positions
from al_core.words import tr

_LABELED: Final = np.arange(12)
_CANDIDATES: Final = np.arange(12, 52)
_PICKS: Final = 6


@dataclass(frozen=True)
class _Case:
    """A small trained network, and what a query of it is made from."""

    context: EvidenceContext
    network: Network

    def evidence(self, strategy: Strategy, ids: np.ndarray = _CANDIDATES) -> Evidence:
        return gather(strategy.evidence, replace(self.context, candidate_ids=ids))

    def picks(self, strategy: Strategy, evidence: Evidence) -> Positions:
        rng = np.random.default_rng(0)
        return select(strategy, evidence, num_candidates=len(_CANDIDATES), k=_PICKS, rng=rng).positions


@contextmanager
def _case() -> Iterator[_Case]:
    with tempfile.TemporaryDirectory(prefix="askwell-check-") as folder:
        settings = Settings(Path(folder), "", ())
        config = ExperimentConfig().changed(
            train__epochs=3, train__min_steps=12, train__batch_size=12, train__threads=1, train__device="cpu",
            query__members=2, query__passes=4,
        )  # fmt: skip
        dataset = made_up_dataset(8, 3, 64)
        classes = dataset.train.labels[_LABELED]
        network = fit(
            config, dataset, TrainData(_LABELED, classes), round=0, checkpoints=settings.home / "c",
            settings=settings,
        )  # fmt: skip
        context = EvidenceContext(
            config=config, dataset=dataset, network=network, candidate_ids=_CANDIDATES,
            labeled_ids=_LABELED, labeled_classes=classes, settings=settings,
            members=2, passes=4,
        )  # fmt: skip
        yield _Case(context, network)


def leaves_the_model_alone(strategy: Strategy) -> None:
    """A query changes no weight, no buffer and no mode of the network."""
    with _case() as case:
        before, modes = case.network.state_hash(), [m.training for m in case.network.module.modules()]
        case.picks(strategy, case.evidence(strategy))
        if case.network.state_hash() != before:
            raise StrategyError(
                tr("strategy {strategy!r} changed the network's weights or buffers", strategy=strategy.name)
            )
        if [m.training for m in case.network.module.modules()] != modes:
            raise StrategyError(
                tr("strategy {strategy!r} left the network in another mode", strategy=strategy.name)
            )


def does_not_depend_on_chunks(strategy: Strategy) -> None:
    """Evidence about an image is the same whichever images it is computed beside, and so are the picks."""
    with _case() as case:
        whole = case.evidence(strategy)
        parts = [case.evidence(strategy, ids) for ids in np.array_split(_CANDIDATES, [1, 8, 29])]
        joined = dict(whole)
        for name in strategy.evidence:
            letters = KINDS[name].shape.split()
            if "n" not in letters:
                continue
            joined[name] = np.concatenate([part[name] for part in parts], axis=letters.index("n"))
            if not np.allclose(joined[name], whole[name], rtol=1e-4, atol=1e-5):
                worst = float(np.abs(joined[name] - whole[name]).max())
                raise StrategyError(
                    tr(
                        "{name} of an image moves by {worst:.2g} with the images beside it",
                        name=name,
                        worst=worst,
                    )
                )
        if set(case.picks(strategy, joined)) != set(case.picks(strategy, whole)):
            raise StrategyError(
                tr("strategy {strategy!r} picks others when evidence comes in chunks", strategy=strategy.name)
            )


def does_not_move_with_hidden_labels(strategy: Strategy) -> None:
    """Other labels of the unlabeled images change no pick."""
    with _case() as case:
        expected = case.picks(strategy, case.evidence(strategy))
        labels = case.context.dataset.train.labels.copy()
        hidden = np.setdiff1d(np.arange(len(labels)), _LABELED)
        labels[hidden] = (labels[hidden] + 1) % case.context.dataset.num_classes
        train = copy.copy(case.context.dataset.train)
        train.labels = labels
        context = replace(case.context, dataset=replace(case.context.dataset, train=train))
        found = _Case(context, case.network)
        if not np.array_equal(found.picks(strategy, found.evidence(strategy)), expected):
            raise StrategyError(
                tr(
                    "strategy {strategy!r} picks others when hidden labels are other ones",
                    strategy=strategy.name,
                )
            )


MODEL_CHECKS: Final[tuple[Check, ...]] = (
    leaves_the_model_alone,
    does_not_depend_on_chunks,
    does_not_move_with_hidden_labels,
)
"""Every check that trains a small network first (on one thread; a second or so)."""
