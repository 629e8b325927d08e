"""Passive labeling beside a run: what was trained once, on the pool, a random part of it, or a selection.

Such a training has the run (or a cell of a study) as its parent and is measured on the same test images; it
is a point, or a line for the whole pool, on the chart of what it is beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from al_core.baselines import TITLES, once, passive_kind
from al_core.config import ExperimentConfig, flat
from al_core.records import ExperimentRecord, RoundRecord
from al_core.results.analysis import Curve, Metric
from al_core.results.axes import Over, Prices, spent
from al_core.results.comparison import Arm
from al_core.results.references import Reference
from al_core.store.base import Store
from al_core.study import Arm as Choices
from al_core.words import kept

Rounds = Callable[[ExperimentRecord], Sequence[RoundRecord]]
_OWN = ("name", "seed", "oracle", "share_labels", "train.threads", "train.device", "train.start",
        "train.adversarial_copies")  # fmt: skip
"""Options that such a training sets for itself, or that decide nothing of what it is worth."""


@dataclass(frozen=True)
class Passive:
    """One training beside a run. `kind` is of ONCE, or SELECTION; `title` says what else differs."""

    kind: str
    title: str
    record: ExperimentRecord
    parent: ExperimentRecord

    @property
    def same(self) -> bool:
        """Whether nothing but what it trained on tells it from its parent."""
        return self.title == TITLES[self.kind]


def passives(parents: Iterable[ExperimentRecord], children: Iterable[ExperimentRecord]) -> list[Passive]:
    """The trainings beside these runs that are done and comparable, in the order of `children`.

    Those on other images (a folder of one's own) are left out: other test images measure something else.
    """
    known = {record.id: record for record in parents}
    found = []
    for record in children:
        parent, kind = known.get(record.parent_id or ""), _kind(record.config)
        if parent is None or kind is None or not record.num_rounds:
            continue
        if record.fingerprint == parent.fingerprint:
            found.append(Passive(kind, _title(kind, record, parent), record, parent))
    return found


def _kind(config: ExperimentConfig) -> str | None:
    return passive_kind(config.query.baseline, config.init.init, config.stop.n_rounds)


def _title(kind: str, record: ExperimentRecord, parent: ExperimentRecord) -> str:
    """'Selection, model resnet18': what it trains on, and how it differs from its run."""
    theirs = flat(once(parent.config))
    apart = {
        path: value
        for path, value in flat(record.config).items()
        if path not in _OWN
        and not path.startswith(("query.", "init.", "stop.", "answers."))
        and theirs[path] != value
    }
    words = Choices({path: None if isinstance(v, dict | list) else v for path, v in apart.items()}).title
    return f"{TITLES[kind]}, {words}" if apart else TITLES[kind]


def references_beside(
    found: Sequence[Passive], metric: Metric, rounds_of: Rounds, *, names: Mapping[str, str] | None = None,
    over: Over = "labels", prices: Prices | None = None,
) -> list[Reference]:  # fmt: skip
    """What a chart draws of them. `names` gives, by a parent's id, the arm of a study that it belongs to.

    Trainings that differ in the seed alone are one reference; of two with the same seed the newer stands.
    """
    points: dict[tuple[str, str, str], dict[int, dict[int, Curve]]] = {}
    for one in found:
        rounds = rounds_of(one.record)
        curve = Curve.of(rounds, metric.key, spent(rounds, over, prices))
        if len(curve.labels):
            key = (one.kind, one.title, "" if names is None else names[one.parent.id])
            sizes = points.setdefault(key, {})
            sizes.setdefault(rounds[-1].num_labeled, {})[one.parent.config.seed] = curve
    return [
        Reference(kind, Arm(_name(title, arm, n if len(sizes) > 1 else None), by_seed),
                  frozenset({arm} if arm else ()))
        for (kind, title, arm), sizes in points.items()
        for n, by_seed in sorted(sizes.items())
    ]  # fmt: skip


def _name(title: str, arm: str, num_labeled: int | None) -> str:
    """'Selection (margin, 160 labels)': the arm where there are several, the labels where they differ."""
    apart = [arm] if arm else []
    apart += [] if num_labeled is None else [kept("{n:,} labels", n=num_labeled)]
    return f"{title} ({', '.join(apart)})" if apart else title


def beside_run(store: Store, record: ExperimentRecord) -> list[Passive]:
    """The trainings beside one run, oldest first."""
    return passives([record], reversed(store.experiments(of=record.id)))
