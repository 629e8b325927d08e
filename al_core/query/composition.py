"""Around any strategy: a second one beside it, balance of classes, no copies, and the power of chance.

In this order: `power` changes each scorer's scores by chance; each strategy lines the candidates up; the
slots of a query are dealt out between the two; `balance` says of which classes a slot may be; and what copies
something labeled or picked is passed over until nothing else is left. A strategy that chooses sets is asked
for more where its picks do not suffice. Nothing here looks at pixels or labels of the pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Int64

from al_core.config import QueryConfig
from al_core.query.bandit import arms_of
from al_core.query.geometry import Points, unit_rows
from al_core.query.picks import Picks
from al_core.query.ranking import powered, top_k
from al_core.query.remaining import of_rows
from al_core.query.selection import Selection, select, usable
from al_core.query.strategies import STRATEGIES, Strategy
from al_core.types import Positions, Scores
from al_core.words import tr

# A selector is asked for twice as many picks, up to so many times its first number, before it is asked for
# picks among the images that still count.
_GROWTH: Final = 8
_BLOCK: Final = 2048


@dataclass(frozen=True)
class Chosen:
    """Positions in picking order, the first strategy's scores if it gives any, and who picked what.

    `values` are what each pick was worth to the strategy that picked it, nan where it gave no number.
    """

    positions: Positions
    scores: Scores | None = None
    members: Int64[np.ndarray, " k"] | None = None  # which strategy picked; None where there is one only
    values: Scores | None = None
    support: Bool[np.ndarray, "k K"] | None = None  # which strategies would have picked that image then


@dataclass(frozen=True)
class Composition:
    """One or more strategies and what is wrapped around them."""

    strategies: tuple[Strategy, ...]
    options: Mapping[str, Any] = field(default_factory=dict)  # of the first strategy, or of the learner
    second_options: Mapping[str, Any] = field(default_factory=dict)
    share: float = 0.0  # of the second strategy
    balance: bool = False
    min_distance: float = 0.0
    power: float = 0.0
    learner: Strategy | None = None  # deals the slots out among the strategies, by what it has learnt

    @classmethod
    def of(cls, query: QueryConfig) -> Composition:
        """What a config asks for.

        Raises:
            StrategyError: a strategy is not known.
        """
        first = STRATEGIES.get(query.strategy)
        around = {"balance": query.balance, "min_distance": query.min_distance, "power": query.power}
        if first.name == "bandit":
            default = next(option.default for option in first.options if option.name == "arms")
            arms = arms_of(str(query.options.get("arms", default)))
            return cls(arms, query.options, learner=first, **around)
        second = (STRATEGIES.get(query.second),) if query.second else ()
        return cls((first, *second), query.options, query.second_options, query.share, **around)

    @property
    def name(self) -> str:
        """The strategy that a query is filed under."""
        return (self.learner or self.strategies[0]).name

    def options_of(self, place: int) -> Mapping[str, Any]:
        """A strategy's options, by its place; a learner's arms have their defaults."""
        if self.learner is not None:
            return {}
        return self.options if place == 0 else self.second_options

    @property
    def evidence(self) -> tuple[str, ...]:
        """The names that have to be gathered, each once."""
        return tuple(dict.fromkeys([*self.read, *(self.learner.evidence if self.learner else ())]))

    @property
    def read(self) -> tuple[str, ...]:
        """The names that a choice reads, each once; a learner reads its own before it."""
        names = [name for strategy in self.strategies for name in strategy.evidence]
        names += ["probs", "labeled_classes"] if self.balance else []
        names += ["features", "labeled_features"] if self.min_distance else []
        return tuple(dict.fromkeys(names))

    @property
    def is_plain(self) -> bool:
        """Whether it is one strategy and nothing else."""
        wrapped = self.balance or self.min_distance or self.power or self.learner
        return len(self.strategies) == 1 and not wrapped

    def as_strategy(self) -> Strategy:
        """The whole as one strategy of arrays, for whatever takes a strategy: the conformance kit, say."""
        names = tuple(dict.fromkeys(("num_candidates", *self.read)))

        def function(*arrays: Any, k: int, rng: np.random.Generator) -> Positions:
            evidence = dict(zip(names, arrays, strict=True))
            found = self._slots(evidence, evidence["num_candidates"], k, rng, None)
            return Picks(found.positions, found.values)

        first = self.strategies[0]
        return Strategy(
            "+".join(strategy.name for strategy in self.strategies), first.title, first.family, (),
            first.idea, first.paper, names, True, (), function,
        )  # fmt: skip

    def choose(
        self,
        evidence: Mapping[str, Any],
        *,
        num_candidates: int,
        k: int,
        rng: np.random.Generator,
        chances: np.ndarray | None = None,
    ) -> Chosen:
        """Choose min(k, num_candidates) candidates; `chances` deal the slots out by lot, one a strategy.

        Raises:
            StrategyError, ConfigError: as `select` does.
        """
        if self.is_plain and chances is None:
            found = select(
                self.strategies[0], evidence, num_candidates=num_candidates, k=k, rng=rng,
                options=self.options,
            )  # fmt: skip
            return Chosen(found.positions, found.scores, values=found.values)
        evidence = {"num_candidates": num_candidates, **evidence}
        k = max(0, min(k, num_candidates))
        if k:
            usable(self.as_strategy(), evidence, num_candidates)
        return self._slots(evidence, num_candidates, k, rng, chances)

    def score_words(self, place: int, k: int) -> str:
        """What the number beside the pick in that place of k says; empty where nothing can be said.

        In a query of several strategies it is that of the one that the place was dealt to.
        """
        if self.learner is not None:
            return tr(self.learner.score)
        member = int(deal(k, self.share)[place]) if len(self.strategies) > 1 else 0
        return tr(self.strategies[member].score)

    def _slots(
        self,
        evidence: Mapping[str, Any],
        n: int,
        k: int,
        rng: np.random.Generator,
        chances: np.ndarray | None,
    ) -> Chosen:
        if k == 0:
            return Chosen(np.empty(0, np.int64))
        groups, counts = np.zeros(n, np.int64), np.zeros(1, np.int64)
        if self.balance:
            groups = evidence["probs"].argmax(axis=1)
            counts = np.bincount(evidence["labeled_classes"], minlength=evidence["probs"].shape[1])
        copies = None
        if self.min_distance:
            copies = _Copies(evidence["features"], evidence["labeled_features"], k, self.min_distance)
        num = len(self.strategies)
        dealt = deal(k, self.share if num > 1 else 0.0)
        if self.learner is not None and chances is None:
            chances = np.full(num, 1 / num)
        if chances is not None:
            dealt = rng.choice(num, size=k, p=chances)
        asked = np.bincount(dealt, minlength=num) if chances is None else None
        state = _Query(evidence, groups, counts, copies)
        for place, strategy in enumerate(self.strategies):
            first = k if asked is None else int(asked[place])
            options = self.options_of(place)
            state.lines.append(_Line(state, strategy, options, first, self.power, rng))
        return state.run(dealt, all_propose=chances is not None)


def deal(k: int, share: float) -> Int64[np.ndarray, " k"]:
    """0 or 1 for each slot; of the first ones, however many, the share of ones is as close as it can be."""
    ends = np.floor(np.arange(k + 1) * share + 0.5)
    return np.diff(ends).astype(np.int64)


class _Copies:
    """What is labeled or picked, and whether a candidate lies too near to any of it, by cosine distance."""

    def __init__(self, features: Points, labeled: Points, k: int, min_distance: float) -> None:
        self._features, self._limit, self._num = features, min_distance, len(labeled)
        self._kept = np.empty((len(labeled) + k, features.shape[1]), np.float32)
        self._kept[: len(labeled)] = unit_rows(labeled)

    def keep(self, position: int) -> None:
        self._kept[self._num] = unit_rows(self._features[position : position + 1])[0]
        self._num += 1

    def of(self, positions: Positions) -> Bool[np.ndarray, " p"]:
        """Which of these are copies; images whose features are all 0 are copies of each other."""
        copies = np.zeros(len(positions), bool)
        kept = self._kept[: self._num]
        if not len(kept):
            return copies
        lengths = np.where(kept.any(axis=1), 1, 0)  # 0 where there are no features at all
        for start in range(0, len(positions), _BLOCK):
            rows = unit_rows(self._features[positions[start : start + _BLOCK]])
            distances = (lengths + np.where(rows.any(axis=1), 1, 0)[:, None]) / 2 - rows @ kept.T
            copies[start : start + len(rows)] = distances.min(axis=1) < self._limit
        return copies


class _Line:
    """One strategy's picking order, asked for as far as it is needed, and split by group."""

    def __init__(
        self, query: _Query, strategy: Strategy, options: Mapping[str, Any], first: int, power: float,
        rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self._query, self._strategy, self._options = query, strategy, options
        self._first = self._asked = max(first, 1)
        # one stream from its beginning each time, so that a greedy strategy goes on where it stopped
        self._seed = int(rng.integers(2**63))
        self._rank = np.full(len(query.groups), -1)
        self._offered = 0
        self._lines: dict[int, Positions] = {}
        self._places: dict[int, int] = {}
        self.scores: Scores | None = None
        self.values = np.full(len(query.groups), np.nan)
        if first == 0 and strategy.is_selector:
            return
        if strategy.is_selector:
            self._offer(self._select(None, self._asked))
            return
        found = self._select(None, 0).scores
        self.scores = scores = np.empty(0) if found is None else found
        lots = np.random.default_rng(self._seed)
        lined = top_k(powered(scores, power, lots) if power else scores, len(scores), lots)
        self._offer(Selection(lined, values=scores[lined]))

    def _select(self, rows: Positions | None, k: int) -> Selection:
        evidence = self._query.evidence if rows is None else of_rows(self._query.evidence, rows)
        n = len(self._query.groups) if rows is None else len(rows)
        return select(
            self._strategy, evidence, num_candidates=n, k=k, rng=np.random.default_rng(self._seed),
            options=self._options,
        )  # fmt: skip

    def _offer(self, found: Selection, rows: Positions | None = None) -> None:
        """Line up what is new of a choice, whose positions may be those among some rows."""
        picks = found.positions if rows is None else rows[found.positions]
        new = self._rank[picks] < 0
        picks = picks[new]
        if found.values is not None:
            self.values[picks] = found.values[new]
        self._rank[picks] = self._offered + np.arange(len(picks))
        self._offered += len(picks)
        groups = self._query.groups[picks]
        for group in np.unique(groups).tolist():
            before = self._lines.get(group, np.empty(0, np.int64))
            self._lines[group] = np.concatenate([before, picks[groups == group]])

    def rewind(self) -> None:
        """Look at everything again."""
        self._places.clear()

    def head(self, allowed: list[int]) -> int | None:
        """The next image of these groups that may be picked; None where there is none at all."""
        while True:
            heads = [head for group in allowed if (head := self._head_of(group)) is not None]
            if heads:
                return min(heads, key=lambda position: self._rank[position])
            if not self._more(allowed):
                return None

    def _head_of(self, group: int) -> int | None:
        line, place = self._lines.get(group, ()), self._places.get(group, 0)
        while place < len(line) and not self._query.may_pick(int(line[place])):
            place += 1
        self._places[group] = place
        return int(line[place]) if place < len(line) else None

    def _more(self, allowed: list[int]) -> bool:
        """Ask for further picks; False where nothing that counts is left."""
        n = len(self._rank)
        if self._offered == n:
            return False
        if self._asked < min(_GROWTH * self._first, n):
            self._asked = min(2 * self._asked, n)
            self._offer(self._select(None, self._asked))
            return True
        rows = np.flatnonzero((self._rank < 0) & np.isin(self._query.groups, allowed))
        rows = rows[self._query.open(rows)]
        if not len(rows):
            return False
        self._offer(self._select(rows, min(self._first, len(rows))), rows)
        return True


class _Query:
    """State of one query: what is picked, how often each group counts, and which groups have images left."""

    def __init__(
        self, evidence: Mapping[str, Any], groups: Int64[np.ndarray, " n"], counts: Int64[np.ndarray, " C"],
        copies: _Copies | None,
    ) -> None:  # fmt: skip
        self.evidence, self.groups, self.counts, self.copies = evidence, groups, counts, copies
        self.taken = np.zeros(len(groups), bool)
        self.lines: list[_Line] = []
        self._groups = np.unique(groups)
        self._left = self._groups

    def may_pick(self, position: int) -> bool:
        """Whether an image is neither picked nor a copy."""
        return bool(self.open(np.array([position]))[0])

    def open(self, positions: Positions) -> Bool[np.ndarray, " p"]:
        """Which of these are neither picked nor copies."""
        free = ~self.taken[positions]
        if self.copies is not None and free.any():
            free[free] = ~self.copies.of(positions[free])
        return free

    def _allowed(self) -> list[int]:
        counts = self.counts[self._left]
        return self._left[counts == counts.min()].tolist()

    def _propose(self, line: _Line) -> tuple[int, list[int]]:
        """The line's next image, and the groups that it was looked for in."""
        while True:
            allowed = self._allowed()
            position = line.head(allowed)
            if position is not None:
                return position, allowed
            self._left = np.setdiff1d(self._left, allowed)
            if not len(self._left):  # only copies are left, and they are better than nothing
                self.copies, self._left = None, self._groups
                for other in self.lines:
                    other.rewind()

    def run(self, dealt: Int64[np.ndarray, " k"], *, all_propose: bool) -> Chosen:
        """Fill the slots; with `all_propose` every strategy says what it would have picked."""
        k, several = len(dealt), len(self.lines) > 1
        picks, support = np.empty(k, np.int64), np.zeros((k, len(self.lines)), bool)
        values = np.empty(k)
        for slot, member in enumerate(dealt.tolist()):
            picks[slot], allowed = self._propose(self.lines[member])
            support[slot, member] = True
            values[slot] = self.lines[member].values[picks[slot]]
            if all_propose:
                for place, line in enumerate(self.lines):
                    support[slot, place] |= line.head(allowed) == picks[slot]
            self.taken[picks[slot]] = True
            self.counts[self.groups[picks[slot]]] += 1
            if self.copies is not None:
                self.copies.keep(int(picks[slot]))
        return Chosen(
            picks,
            None if all_propose else self.lines[0].scores,
            dealt if several else None,
            values,
            support if all_propose else None,
        )
