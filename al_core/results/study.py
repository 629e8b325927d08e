"""A study's cells as arms, and what is compared with what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from al_core.baselines import ONCE
from al_core.records import ExperimentRecord, ExperimentStatus, RoundRecord
from al_core.results import comparison
from al_core.results.analysis import METRICS, Curve, Metric, measured
from al_core.results.axes import AXES, Over, Prices, spent
from al_core.results.caveats import different_machines, much_validation
from al_core.results.comparison import Arm, Interval, Verdict
from al_core.results.passive import passives, references_beside
from al_core.results.references import Reference
from al_core.store.base import Store
from al_core.study import BASELINE, StudyConfig
from al_core.study import Arm as StudyArm
from al_core.types import INITIAL_ROUND
from al_core.words import kept, noted, tr


@dataclass(frozen=True)
class StudyResult:
    """What the store holds of a study for one metric: arms in the study's order, measured or not."""

    study_id: str
    name: str
    metric: Metric
    arms: tuple[Arm, ...]
    strategies: tuple[str, ...]  # that decides each arm's look
    offered: tuple[Metric, ...] = ()  # what else was measured
    finished: frozenset[str] = frozenset()  # arms that have finished any seed
    done: frozenset[int] = frozenset()  # seeds that all of those have finished
    over: Over = "labels"  # what the curves are over
    ceiling: float | None = None  # compare only until every mean has come within 1 % of it
    references: tuple[Reference, ...] = ()  # those that are measured; they are no arms
    looks: tuple[int, int] | None = None  # seeds at the first and last look of a study that goes on
    caveats: tuple[str, ...] = ()  # what makes the comparison less than it looks
    against: Mapping[str, str] = field(default_factory=dict)  # by arm its baseline, where they have several
    num_runs: int = 0  # of all arms, with those that are not finished or not even begun

    def strategy(self, name: str) -> str:
        """The strategy of the arm of that name."""
        return next(s for arm, s in zip(self.arms, self.strategies, strict=True) if arm.name == name)

    @cached_property
    def settled(self) -> StudyResult:
        """Only the seeds that are done: what a study that still runs can be judged by; all where none is."""
        if not self.done:
            return self
        seeds = {arm.name: self.done if arm.name in self.finished else () for arm in self.arms}
        return replace(
            self,
            arms=tuple(
                Arm(arm.name, {seed: c for seed, c in arm.curves.items() if seed in seeds[arm.name]})
                for arm in self.arms
            ),
        )

    @property
    def unfinished(self) -> str | None:
        """English: which runs `settled` leaves out, or that nothing is settled; None where all are in."""
        settled = self.settled
        used = sum(len(arm.curves) for arm in settled.arms)
        if not self.num_runs or (self.done and used == self.num_runs):
            return None
        if not self.done:
            return kept("No seed is finished in every configuration: runs are compared as they are.")
        seeds = ", ".join(map(str, sorted(self.done)))
        missing = ", ".join(arm.name for arm in settled.arms if not arm.curves)
        text = (
            noted(
                "Compared are {used} of {runs} runs: those of the seeds {seeds}, which every configuration "
                "but {missing} has finished."
            )
            if missing
            else noted(
                "Compared are {used} of {runs} runs: those of the seeds {seeds}, which every configuration "
                "has finished."
            )
        )
        return kept(text, used=used, runs=self.num_runs, seeds=seeds, missing=missing)

    @property
    def measured(self) -> list[Arm]:
        """Arms that have a point at least."""
        return [arm for arm in self.arms if any(len(c.labels) for c in arm.curves.values())]

    @cached_property
    def compared(self) -> list[Arm]:
        """The most arms with a range in common, random among them if it can be; all where no two have one."""
        arms = self.measured
        spans = [(arm, comparison.span([arm])) for arm in arms]
        found = [[arm for arm, (low, high) in spans if low <= start < high] for _, (start, _) in spans]
        best = max(
            found,
            key=lambda some: (len(some), any(self.strategy(arm.name) == "random" for arm in some)),
            default=arms,
        )
        return best if len(best) > 1 else arms

    @property
    def baseline(self) -> Arm | None:
        """The arm that others are compared with: random where it is one, else the first."""
        known = self.compared
        return next(
            (
                arm
                for arm, s in zip(self.arms, self.strategies, strict=True)
                if s == "random" and arm in known
            ),
            known[0] if known else None,
        )

    def baseline_of(self, arm: Arm) -> Arm | None:
        """The arm that this one is compared with: random that shares its other options, where it is there."""
        if not self.against:
            return self.baseline
        return next((a for a in self.compared if a.name == self.against.get(arm.name)), None)

    @property
    def baseline_title(self) -> str:
        """What arms are compared with, for the head of a column."""
        if self.against:
            return tr("its random")
        return self.baseline.name if self.baseline else ""

    def full_pool(self, arm: str) -> Reference | None:
        """What the whole pool gives, for the arm of that name."""
        return next((r for r in self.references if r.kind == "full" and arm in r.measures), None)

    def share_of_full_pool(self, arm: Arm, until: float) -> Interval | None:
        """How much of the whole pool's value an arm has at that many labels, seed by seed.

        None where there is no such ceiling, or the metric has no share (a loss at the ceiling is not 100 %).
        """
        top = self.full_pool(arm.name)
        if top is None or not (self.metric.share and self.metric.higher_is_better):
            return None
        tops = {seed: float(curve.values[-1]) for seed, curve in top.arm.curves.items()}
        own = arm.values(lambda curve: curve.at(until))
        shares = [own[seed] / tops[seed] for seed in own if tops.get(seed)]
        return comparison.mean_interval(shares) if shares else None

    @property
    def num_seeds(self) -> int:
        """Seeds that every arm has that is compared."""
        return min((len(arm.curves) for arm in self.compared), default=0)

    @cached_property
    def places(self) -> list[float]:
        """Where arms are compared: what all of them cover, without the saturated end where it is cut."""
        arms, higher = self.compared, self.metric.higher_is_better
        found = comparison.shared_labels(arms)
        if self.ceiling is None:
            return found
        return comparison.unsaturated(arms, found, self.ceiling, higher_is_better=higher)

    @property
    def cut(self) -> bool:
        """Whether a saturated end was cut."""
        return self.ceiling is not None and len(self.places) < len(comparison.shared_labels(self.compared))

    @property
    def apart(self) -> bool:
        """Whether no two arms have a range in common, so that nothing can be compared."""
        return len(self.measured) > 1 and len(self.places) < 2

    @property
    def left_out(self) -> list[str]:
        """English: which arms are not compared, and why; empty where all are."""
        axis, known = AXES[self.over].title, {arm.name for arm in self.compared}
        if self.apart:
            text = noted(
                "The curves have no range of {axis} in common: their mean heights cannot be compared."
            )
            return [kept(text, axis=axis)]
        said = []
        if names := ", ".join(arm.name for arm in self.measured if arm.name not in known):
            text = noted("Not compared: {names}. There is no range of {axis} in common with the others.")
            said.append(kept(text, names=names, axis=axis))
        if names := ", ".join(arm.name for arm in self.compared if self.baseline_of(arm) is None):
            text = noted(
                "No verdict on {names}: no random one that is compared has the same further options."
            )
            said.append(kept(text, names=names))
        return said

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """Every arm against its baseline."""
        base = self.baseline
        own = {arm.name: self.baseline_of(arm) for arm in self.compared}
        return [] if base is None else self._judged(self.compared, base, own)

    def _judged(
        self, arms: Sequence[Arm], other: Arm, own: Mapping[str, Arm | None] | None = None
    ) -> list[Verdict]:
        return comparison.verdicts(
            arms, other, higher_is_better=self.metric.higher_is_better, labels=self.places,
            place=AXES[self.over].text, looks=self.looks, own=own,
        )  # fmt: skip

    @cached_property
    def at_the_top(self) -> Verdict | None:
        """The best arm against the second best, where both are ahead of the same baseline.

        The pair is picked by what it came to, and the best of several is partly lucky: p is too small.
        """
        higher, best = self.metric.higher_is_better, self.verdicts[:2]
        if (
            len(best) < 2
            or best[0].other != best[1].other
            or any((v.difference.interval.mean > 0) is not higher for v in best)
        ):
            return None
        known = {arm.name: arm for arm in self.compared}
        first, second = (known[verdict.arm] for verdict in best)
        return replace(self._judged([first], second)[0], picked=True)


def study_result(
    store: Store,
    study_id: str,
    metric: str | None = None,
    *,
    over: Over = "labels",
    prices: Prices | None = None,
    ceiling: float | None = None,
    title: Callable[[StudyArm], str] = lambda arm: arm.title,
    rounds_of: Callable[[ExperimentRecord], Sequence[RoundRecord]] | None = None,
) -> StudyResult:
    """Read a study's rounds; the first metric that was measured where none is named.

    `over` and `prices` decide what the curves are over; `ceiling` cuts what is compared where all curves have
    come to it. `title` names the arms; `rounds_of` reads a cell's rounds in the store's place (from a cache).
    """
    record = store.study(study_id)
    config = StudyConfig.from_json(record.config)
    known = {e.cell: e for e in store.study_experiments(study_id)}
    read = rounds_of or (lambda experiment: store.rounds(experiment.id))
    rounds = {n: read(e) for n, e in known.items()}
    offered = measured([r for some in rounds.values() for r in some]) or METRICS[:1]
    chosen = next((m for m in offered if m.key == metric), offered[0])
    curves: dict[str, dict[int, Curve]] = {}
    strategies: dict[str, str] = {}
    finished: dict[str, set[int]] = {}
    once: dict[str, tuple[StudyArm, dict[int, Curve]]] = {}
    choices: dict[str, StudyArm] = {}
    names: dict[str, str] = {}
    for cell in config.cells():
        name = title(cell.arm)
        if cell.number in known:
            names[known[cell.number].id] = name
        known_rounds = rounds.get(cell.number, [])
        curve = Curve.of(known_rounds, chosen.key, spent(known_rounds, over, prices))
        if cell.arm.baseline in ONCE:
            if len(curve.labels):
                once.setdefault(name, (cell.arm, {}))[1][cell.seed] = curve
            continue
        choices[name] = cell.arm
        strategies[name] = cell.config.query.chooser
        by_seed = curves.setdefault(name, {})
        if len(curve.labels):
            by_seed[cell.seed] = curve
        if cell.number in known and known[cell.number].status is ExperimentStatus.FINISHED:
            finished.setdefault(name, set()).add(cell.seed)
    return StudyResult(
        study_id, record.name, chosen, tuple(Arm(name, by_seed) for name, by_seed in curves.items()),
        tuple(strategies.values()), offered, frozenset(finished),
        frozenset(set.intersection(*finished.values()) if finished else ()), over, ceiling,
        (
            *(_reference(name, arm, by_seed, choices) for name, (arm, by_seed) in once.items()),
            *references_beside(
                passives(known.values(), reversed(store.experiments(of=study_id))), chosen, read, names=names,
                over=over, prices=prices,
            ),
        ),
        config.looks, _caveats(store, known, rounds),
        _against(choices, strategies), sum(cell.arm.baseline not in ONCE for cell in config.cells()),
    )  # fmt: skip


def _caveats(
    store: Store,
    known: Mapping[int | None, ExperimentRecord],
    rounds: Mapping[int | None, Sequence[RoundRecord]],
) -> tuple[str, ...]:
    ends = [some[-1] for some in rounds.values() if some]
    found = [different_machines(ends)]
    for number, experiment in known.items():
        data = experiment.config.data
        if (data.epoch_validation or data.round_validation) and rounds[number]:
            initial = store.query(experiment.id, INITIAL_ROUND)
            num_train = 0 if initial is None else initial.num_candidates
            found.append(much_validation(data, num_train, rounds[number]))
            break  # the others hold as many, but for an axis that is about it
    return tuple(words for words in found if words is not None)


def _against(arms: Mapping[str, StudyArm], strategies: Mapping[str, str]) -> dict[str, str]:
    """By arm, the random arm that shares its other choices; empty where that is one for all, or none is."""
    about = {
        axis
        for arm in arms.values()
        for axis, choice in arm.choices.items()
        if "query.strategy" in StudyArm({axis: choice}).values
    }
    found = {}
    for name, arm in arms.items() if about else ():
        rest = {axis: c for axis, c in arm.choices.items() if axis not in about and axis != BASELINE}
        for other, known in arms.items():
            if strategies[other] == "random" and all(known.choices.get(a) == c for a, c in rest.items()):
                found.setdefault(name, other)
    return found if len(set(found.values())) > 1 else {}


def _reference(name: str, arm: StudyArm, by_seed: dict[int, Curve], arms: dict[str, StudyArm]) -> Reference:
    """It measures the arms whose other choices it shares."""
    shared = {axis: choice for axis, choice in arm.choices.items() if axis != BASELINE}
    measures = {
        other for other, known in arms.items() if all(known.choices.get(a) == c for a, c in shared.items())
    }
    return Reference(str(arm.baseline), Arm(name, by_seed), frozenset(measures))
