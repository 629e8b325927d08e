"""From evidence to picks: what every strategy is held to, in one place.

A strategy sees only the evidence that its signature names, as arrays that it cannot write to. What it
returns is checked before it is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from al_core.errors import ConfigError, StrategyError
from al_core.query.evidence import KINDS
from al_core.query.picks import Picks
from al_core.query.ranking import top_k
from al_core.query.strategies import Strategy
from al_core.types import Positions, SampleIds, Scores
from al_core.words import noted, tr


@dataclass(frozen=True)
class Selection:
    """Positions among the candidates in picking order, and what each was worth when it was picked.

    `values` are in the strategy's own terms, nan where there is no number; `scores` are those of all
    candidates, of a strategy that scores them.
    """

    positions: Positions
    scores: Scores | None = None
    values: Scores | None = None


def pick_candidates(unlabeled_ids: SampleIds, cap: int | None, rng: np.random.Generator) -> SampleIds:
    """The ids that are offered to the strategy, sorted: all, or a uniform draw of `cap`."""
    ids = np.sort(np.asarray(unlabeled_ids, np.int64))
    if cap is None or cap >= len(ids):
        return ids
    return np.sort(rng.choice(ids, size=max(cap, 0), replace=False))


def select(
    strategy: Strategy,
    evidence: Mapping[str, Any],
    *,
    num_candidates: int,
    k: int,
    rng: np.random.Generator,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Selection:
    """Let a strategy choose min(k, num_candidates) of the candidates.

    Raises:
        StrategyError: evidence is missing, misshapen or not finite, or the strategy's answer is unusable.
        ConfigError: the strategy has no such option, or refuses its value.
    """
    if problems := strategy.check_options(options):
        raise ConfigError(problems)
    k = max(0, min(k, num_candidates))
    if num_candidates <= 0:
        return Selection(np.empty(0, np.int64), None if strategy.is_selector else np.empty(0))
    arrays = usable(strategy, {"num_candidates": num_candidates, **evidence}, num_candidates)
    if strategy.is_selector:
        if k == 0:
            return Selection(np.empty(0, np.int64))
        picks = strategy.function(*arrays, k=k, rng=rng, **options)
        positions = _checked_positions(strategy, picks, num_candidates, k)
        return Selection(positions, values=_checked_values(strategy, picks, k))
    scores = _checked_scores(strategy, strategy.function(*arrays, **options), num_candidates)
    positions = top_k(scores, k, rng)
    return Selection(positions, scores, scores[positions])


def usable(strategy: Strategy, evidence: Mapping[str, Any], num_candidates: int) -> list[Any]:
    """What the strategy asked for, in its order: checked, and read-only.

    Raises:
        StrategyError: something is missing, unknown, misshapen or not finite.
    """
    if unknown := sorted(evidence.keys() - KINDS.keys()):
        raise StrategyError(
            tr(
                "{unknown}: not evidence; known: {kinds}",
                unknown=", ".join(unknown),
                kinds=", ".join(sorted(KINDS)),
            )
        )
    if missing := [name for name in strategy.evidence if name not in evidence]:
        raise StrategyError(
            tr(
                "strategy {strategy!r} needs {missing}, which was not gathered",
                strategy=strategy.name,
                missing=", ".join(missing),
            )
        )
    sizes = {"n": num_candidates}
    return [_checked(strategy, name, evidence[name], sizes) for name in strategy.evidence]


def _checked(strategy: Strategy, name: str, value: Any, sizes: dict[str, int]) -> Any:
    letters = KINDS[name].shape.split()
    if letters == ["()"]:
        return int(value)
    array = np.asarray(value).view()
    # features and embeddings differ in width, but each agrees with its labeled counterpart
    names = [f"D of {name.removeprefix('labeled_')}" if letter == "D" else letter for letter in letters]
    expected = tuple(sizes.get(key, -1) for key in names)
    fits = array.ndim == len(names) and all(
        want in (-1, got) for want, got in zip(expected, array.shape, strict=True)
    )
    if not fits:
        want = " x ".join(
            letter if size < 0 else str(size) for letter, size in zip(letters, expected, strict=True)
        )
        raise StrategyError(
            tr(
                "strategy {strategy!r}: {name} has shape {shape}, needed is {want}",
                strategy=strategy.name,
                name=name,
                shape=array.shape,
                want=want,
            )
        )
    sizes.update(zip(names, array.shape, strict=True))
    _check_values(strategy, name, array)
    array.flags.writeable = False
    return array


_WHOLE: Final = noted("strategy {strategy!r}: {name} is {dtype}, needed are whole numbers")
_FLOATING: Final = noted("strategy {strategy!r}: {name} is {dtype}, needed are floating-point numbers")


def _check_values(strategy: Strategy, name: str, array: np.ndarray) -> None:
    kind = "i" if name == "labeled_classes" else "f"
    if array.dtype.kind != kind:
        text = _WHOLE if kind == "i" else _FLOATING
        raise StrategyError(tr(text, strategy=strategy.name, name=name, dtype=array.dtype))
    # the extremes are finite only if all is: no array of flags is made
    if array.size and not np.isfinite([array.min(), array.max()]).all():
        bad = int(array.size - np.isfinite(array).sum())
        raise StrategyError(
            tr(
                "strategy {strategy!r}: {bad} of {size} values of {name} are not finite; the "
                "training has probably diverged: try a lower learning rate",
                strategy=strategy.name,
                bad=bad,
                size=array.size,
                name=name,
            )
        )
    # wide enough for softmax in bfloat16, narrow enough to notice logits
    off = np.abs(np.einsum("...c->...", array) - 1).max(initial=0) if name.endswith("probs") else 0
    if off > 0.05 or (name.endswith("probs") and array.min(initial=0) < 0):
        raise StrategyError(
            tr(
                "strategy {strategy!r}: {name} are not probabilities that sum to 1",
                strategy=strategy.name,
                name=name,
            )
        )


def _checked_scores(strategy: Strategy, value: Any, num_candidates: int) -> Scores:
    scores = np.asarray(value)
    if scores.shape != (num_candidates,) or scores.dtype.kind not in "fiu":
        raise StrategyError(
            tr(
                "strategy {strategy!r} gave {dtype} scores of shape {shape}; needed is a number for "
                "each of the {num_candidates} candidates",
                strategy=strategy.name,
                dtype=scores.dtype,
                shape=scores.shape,
                num_candidates=num_candidates,
            )
        )
    if bad := int(num_candidates - np.isfinite(scores).sum()):
        raise StrategyError(
            tr(
                "strategy {strategy!r} gave {bad} of {num_candidates} scores that are not finite; "
                "nothing was asked: its formula must give a number for every candidate",
                strategy=strategy.name,
                bad=bad,
                num_candidates=num_candidates,
            )
        )
    return scores.astype(np.float64)


def _checked_positions(strategy: Strategy, value: Any, num_candidates: int, k: int) -> Positions:
    picks = np.asarray(value)
    name = strategy.name
    if picks.dtype.kind not in "iu":
        raise StrategyError(
            tr(
                "strategy {strategy!r} gave unusable positions: {dtype} where whole numbers are needed",
                strategy=name,
                dtype=picks.dtype,
            )
        )
    if picks.shape != (k,):
        raise StrategyError(
            tr(
                "strategy {strategy!r} gave unusable positions: shape {shape} where {k} were asked for",
                strategy=name,
                shape=picks.shape,
                k=k,
            )
        )
    if picks.min() < 0 or picks.max() >= num_candidates:
        outside = int(((picks < 0) | (picks >= num_candidates)).sum())
        raise StrategyError(
            tr(
                "strategy {strategy!r} gave unusable positions: {outside} of {k} lie outside the "
                "{num_candidates} candidates",
                strategy=name,
                outside=outside,
                k=k,
                num_candidates=num_candidates,
            )
        )
    if repeated := k - len(np.unique(picks)):
        raise StrategyError(
            tr(
                "strategy {strategy!r} gave unusable positions: {repeated} of {k} repeat another",
                strategy=name,
                repeated=repeated,
                k=k,
            )
        )
    return picks.astype(np.int64)


def _checked_values(strategy: Strategy, picks: Any, k: int) -> Scores | None:
    values = picks.values if isinstance(picks, Picks) else None
    if values is not None and values.shape != (k,):
        raise StrategyError(
            tr(
                "strategy {strategy!r} gave values of shape {shape} with {k} picks; one each is needed",
                strategy=strategy.name,
                shape=values.shape,
                k=k,
            )
        )
    return values
