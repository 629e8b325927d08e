"""Strategies side by side over paired seeds: means, intervals, differences and tests.

A seed's runs share initial set, splits, weights and order, so that differences are taken within a seed before
anything is averaged (Werner et al., 2024, arXiv:2408.00426: three unpaired runs rank a method above random
and below it). Intervals are Student's t: with the usual five seeds a percentile bootstrap is too narrow, and
Wilcoxon's smallest two-sided p is 1/16, so that it can never speak; both are given all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from al_core.results.analysis import Curve, against
from al_core.results.looks import adjusted as repeated
from al_core.results.looks import level
from al_core.seeds import generator
from al_core.words import english, kept, kept_n, noted

CONFIDENCE: Final = 0.95
FEW_SEEDS: Final = 5
"""Below this many seeds a comparison is called indicative."""
_RESAMPLES: Final = 10_000
_FEWEST_PLACES: Final = 20  # of an even grid
_SATURATED: Final = 0.99  # share of the ceiling
_POWER: Final = 0.8
_MOST_SEEDS: Final = 1000  # beyond this the two cannot sensibly be told apart


@dataclass(frozen=True)
class Interval:
    """A mean over seeds; `low` and `high` are None where one value says nothing about spread."""

    mean: float
    low: float | None
    high: float | None
    deviation: float | None  # of the sample, n - 1
    n: int

    @property
    def half(self) -> float | None:
        """Half the width."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """Mean of independent values with Student's t interval.

    Raises:
        ValueError: there is no value.
    """
    x = np.asarray(values, float)
    n = len(x)
    if n == 0:
        raise ValueError("a mean needs at least one value")
    mean = float(x.mean())
    if n == 1:
        return Interval(mean, None, None, None, 1)
    from scipy import stats  # noqa: PLC0415 - half a second, and pages that only list need none of it

    deviation = float(x.std(ddof=1))
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * deviation / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, deviation, n)


@dataclass(frozen=True)
class Arm:
    """One strategy (or any other setting): its learning curve for each seed."""

    name: str
    curves: Mapping[int, Curve]

    def values(self, read: Callable[[Curve], float | None]) -> dict[int, float]:
        """What is read off each seed's curve, without the seeds where there is nothing to read."""
        found = {seed: read(curve) for seed, curve in self.curves.items()}
        return {seed: value for seed, value in found.items() if value is not None}

    def mean_curve(self, labels: Sequence[float]) -> list[Interval | None]:
        """Mean and interval at each number of labels; None where no seed was measured."""
        return [
            mean_interval(list(found.values())) if (found := self.values(lambda c, n=n: c.at(n))) else None
            for n in labels
        ]


def span(arms: Sequence[Arm]) -> tuple[float, float]:
    """From where to where all curves of these arms were measured; of no length where they share no range."""
    curves = [curve for arm in arms for curve in arm.curves.values() if len(curve.labels)]
    return max(float(c.labels[0]) for c in curves), min(float(c.labels[-1]) for c in curves)


def shared_labels(arms: Sequence[Arm]) -> list[float]:
    """Numbers of labels at which some arm was measured, within the range that all curves cover.

    Where curves do not share their places (seconds, or queries of changing sizes): as many, evenly spaced.
    """
    curves = [curve for arm in arms for curve in arm.curves.values() if len(curve.labels)]
    if not curves:
        return []
    low, high = span(arms)
    places = sorted({float(n) for curve in curves for n in curve.labels if low <= n <= high})
    longest = max(len(curve.labels) for curve in curves)
    if len(places) <= 2 * longest:
        return places
    return np.linspace(low, high, max(longest, _FEWEST_PLACES)).tolist()


def unsaturated(
    arms: Sequence[Arm], labels: Sequence[float], ceiling: float, *, higher_is_better: bool = True
) -> list[float]:
    """The places up to where every arm's mean has come within 1 % of the ceiling (that one included).

    Beyond, all curves lie on each other and an average over them only hides what came before.
    """
    for place, number in enumerate(labels):
        means = [m.mean for arm in arms if (m := arm.mean_curve([number])[0]) is not None]
        there = (m >= _SATURATED * ceiling if higher_is_better else m <= ceiling / _SATURATED for m in means)
        if place > 0 and means and all(there):
            return list(labels[: place + 1])
    return list(labels)


def area(
    curve: Curve, until: float | None = None, since: float | None = None, *, log: bool = False
) -> float | None:
    """Normalised area under a curve; with `log` over log labels, so that early labels weigh as much."""
    part = curve.between(since, until)
    if not log or part is None:
        return None if part is None else part.aulc()
    return Curve(np.log(part.labels), part.values).aulc() if part.labels[0] > 0 else None


@dataclass(frozen=True)
class Difference:
    """One arm minus another, seed by seed."""

    by_seed: Mapping[int, float]
    interval: Interval
    p_value: float | None  # paired t, two-sided
    p_wilcoxon: float | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero."""
        low, high = self.interval.low, self.interval.high
        return low is not None and high is not None and (low > 0 or high < 0)

    @property
    def bootstrap(self) -> tuple[float, float] | None:
        """The percentile bootstrap's interval, beside Student's; None with one seed."""
        return bootstrap_interval(np.array(list(self.by_seed.values()))) if len(self.by_seed) > 1 else None

    def seeds_needed(self, level: float = 1 - CONFIDENCE) -> int | None:
        """Seeds after which a difference of this size has a p below `level` in four of five studies.

        None: too many. From the normal approximation of the paired t test's power with the term that makes
        good for the unknown spread (Guenther, 1981); at least the seeds that there are.
        """
        spread, mean = self.interval.deviation, self.interval.mean
        if spread is None or self.p_value is None or mean == 0:
            return None
        if self.p_value < level:
            return self.interval.n
        quantile = NormalDist().inv_cdf(1 - level / 2)
        power = NormalDist().inv_cdf(_POWER)
        wanted = math.ceil(((quantile + power) * spread / mean) ** 2 + quantile**2 / 2)
        return max(wanted, self.interval.n + 1) if wanted <= _MOST_SEEDS else None


def paired(
    own: Mapping[int, float], other: Mapping[int, float], confidence: float = CONFIDENCE
) -> Difference | None:
    """Own minus other over the seeds that both have; None if they share none."""
    seeds = sorted(own.keys() & other.keys())
    if not seeds:
        return None
    by_seed = {seed: own[seed] - other[seed] for seed in seeds}
    gaps = np.array(list(by_seed.values()))
    interval = mean_interval(gaps.tolist(), confidence)
    if len(gaps) < 2:
        return Difference(by_seed, interval, None, None)
    return Difference(by_seed, interval, _t_test(gaps), _wilcoxon(gaps))


def bootstrap_interval(
    values: Float[np.ndarray, " n"], confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Percentile interval of the mean (Efron, 1979); the same for the same values."""
    rng = generator(0, "bootstrap of a difference")
    means = rng.choice(values, (_RESAMPLES, len(values))).mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _t_test(gaps: Float[np.ndarray, " n"]) -> float:
    """Two-sided p of the paired t test; no spread at all: certain, one way or the other."""
    if np.ptp(gaps) == 0:
        return 1.0 if gaps[0] == 0 else 0.0
    from scipy import stats  # noqa: PLC0415 - as above

    found: Any = stats.ttest_1samp(gaps, 0)  # scipy's stubs know no fields
    return float(found.pvalue)


def _wilcoxon(gaps: Float[np.ndarray, " n"]) -> float:
    """Two-sided p of the signed-rank test (Wilcoxon, 1945)."""
    if not gaps.any():
        return 1.0
    from scipy import stats  # noqa: PLC0415 - as above

    found: Any = stats.wilcoxon(gaps)  # as above
    return float(found.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """P values adjusted for being several (Holm, 1979), in the order given."""
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted.tolist()


def penalty_matrix(
    arms: Sequence[Arm], labels: Sequence[float], *, higher_is_better: bool = True
) -> Float[np.ndarray, "a a"]:
    """Entry (i, j): share of budgets at which arm i clearly loses to arm j (Ash et al., 2020, 1906.03671).

    "Clearly": paired t over seeds, two-sided, p below .05, at each number of labels.
    """
    table = np.zeros((len(arms), len(arms)))
    if not len(labels):
        return table
    for number in labels:
        heights = [arm.values(lambda curve: curve.at(number)) for arm in arms]  # noqa: B023 - used at once
        for i, own in enumerate(heights):
            for j, other in enumerate(heights):
                gap = paired(own, other) if i != j else None
                table[i, j] += gap is not None and gap.clear and (gap.interval.mean < 0) is higher_is_better
    return table / len(labels)


@dataclass(frozen=True)
class Verdict:
    """What a study says of one arm against another, in words and in numbers."""

    arm: str
    other: str
    difference: Difference  # of the normalised areas
    p_adjusted: float | None  # Holm, over all arms that are compared
    labels_from: float | None  # from here to the end the arm is clearly above (below) at every budget
    text: str
    picked: bool = False  # the two were chosen by what they came to


@english()
def verdicts(
    arms: Sequence[Arm],
    baseline: Arm,
    *,
    higher_is_better: bool = True,
    labels: Sequence[float] | None = None,
    place: Callable[[float], str] = "{:,.0f} labels".format,
    looks: tuple[int, int] | None = None,
    own: Mapping[str, Arm | None] | None = None,
) -> list[Verdict]:
    """Every other arm against the baseline, the best difference first.

    An arm is said to differ where the paired difference of its normalised area does, all areas over the same
    range, after Holm's correction for the number of arms; where curves have no range in common there are no
    verdicts. What is said of it is English, and told in a language where it is shown. `labels`
    are the places to compare at (all that are shared); `place` says one. `looks`: seeds at the first and the
    last look of a study that goes on until it is clear. `own`: by name, what an arm is compared with in the
    baseline's place; None: with nothing.
    """
    labels = shared_labels([baseline, *arms]) if labels is None else labels
    if not labels:
        return []
    since, until = labels[0], labels[-1]
    sign = 1 if higher_is_better else -1
    confidence = CONFIDENCE if looks is None else 1 - level(*looks, 1 - CONFIDENCE)
    found = []
    for arm in arms:
        other = (own or {}).get(arm.name, baseline)
        if other is None or other is arm:
            continue
        areas, theirs = (a.values(lambda curve: area(curve, until, since)) for a in (arm, other))
        gap = paired(areas, theirs, confidence)
        if gap is not None:
            found.append((arm, other, gap))
    known = [gap.p_value for *_, gap in found if gap.p_value is not None]
    known = known if looks is None else [repeated(p, *looks) for p in known]
    adjusted = iter(holm(known))
    # the strictest step of Holm's: what is needed for sure, whatever the other arms come to
    each = (1 - CONFIDENCE) / max(len(known), 1)
    each = each if looks is None else level(*looks, each)
    judged = []
    for arm, other, gap in found:
        p = next(adjusted) if gap.p_value is not None else None
        better = sign * gap.interval.mean > 0
        differs = p is not None and p < 1 - CONFIDENCE
        clear_from = _clear_from(arm, other, labels, sign if better else -sign) if differs else None
        where = None if clear_from is None else place(clear_from)
        judged.append(
            Verdict(arm.name, other.name, gap, p, clear_from, _words(arm, other, gap, p, where, sign, each))
        )
    return sorted(judged, key=lambda verdict: -sign * verdict.difference.interval.mean)


def _clear_from(arm: Arm, other: Arm, labels: Sequence[float], sign: int) -> float | None:
    """The fewest labels from which on the arm is clearly ahead at every budget that was measured."""
    since = None
    for number in reversed(labels):
        gap = paired(arm.values(lambda c: c.at(number)), other.values(lambda c: c.at(number)))  # noqa: B023
        if gap is None or not gap.clear or sign * gap.interval.mean <= 0:
            break
        since = number
    return since


_AHEAD: Final = noted("{arm} beats {other} on the whole.")
_BEHIND: Final = noted("{arm} is behind {other} on the whole.")
_AHEAD_FROM: Final = noted("{arm} beats {other} from {place} on.")
_BEHIND_FROM: Final = noted("{arm} is behind {other} from {place} on.")


def _words(
    arm: Arm, other: Arm, gap: Difference, p: float | None, where: str | None, sign: int, level: float
) -> str:
    names = {"arm": arm.name, "other": other.name}
    if p is None:
        return kept(
            "{arm} and {other} were run with one seed: nothing can be said of their difference.", **names
        )
    if p < 1 - CONFIDENCE:
        ahead = sign * gap.interval.mean > 0
        if where is None:
            return kept(_AHEAD if ahead else _BEHIND, **names)
        return kept(_AHEAD_FROM if ahead else _BEHIND_FROM, place=where, **names)
    needed = gap.seeds_needed(level)
    if needed is None:
        return kept("{arm} and {other} cannot be told apart; more seeds would hardly help.", **names)
    return kept_n(
        "{arm} and {other} cannot be told apart; a difference of this size takes about {n} more seed.",
        "{arm} and {other} cannot be told apart; a difference of this size takes about {n} more seeds.",
        max(needed - gap.interval.n, 1),
        **names,
    )


def saving(
    arm: Arm, baseline: Arm, *, target: float | None = None, higher_is_better: bool = True
) -> Difference | None:
    """Share of the baseline's labels that the arm saves on the way to a target; negative: needs more.

    Both count by their first crossing. Without a target: to the worse of both last values, which both reach
    (to the baseline's own last value, arms that are no better would count by their luckiest seeds alone).
    Seeds of which one does not get to a target are left out; `interval.n` says how many count. Labels saved
    are divided by the mean of what the baseline needs: a mean of shares would call equal arms slower.
    """
    own, theirs = {}, {}
    for seed, curve in arm.curves.items():
        other = baseline.curves.get(seed)
        found = None if other is None else against(curve, other, higher_is_better=higher_is_better)
        if other is None or found is None:
            continue
        goal = found.goal if target is None else target
        first, last = (c.labels_to(goal, higher_is_better=higher_is_better) for c in (curve, other))
        if first is not None and last is not None:
            own[seed], theirs[seed] = first, last
    needed = float(np.mean(list(theirs.values()))) if theirs else 0.0
    if needed <= 0:  # minutes or money begin at nothing, and then there is nothing to save
        return None
    return paired(_divided(theirs, needed), _divided(own, needed))


def _divided(values: Mapping[int, float], by: float) -> dict[int, float]:
    return {seed: value / by for seed, value in values.items()}
