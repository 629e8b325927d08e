"""Forks: a session that leaves another one after a round, with another strategy, model or the like.

A fork begins with all that its parent had up to that round: rounds, epochs, queries and labels; artefacts are
named by content, so they are shared. What may not change is what sample ids and splits rest upon. From there
it goes its own way. Where a person labels, an image that a related session has an answer for is answered from
there: `share`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from al_core import own_files
from al_core.check import require_valid
from al_core.classes import Classes
from al_core.config import ExperimentConfig, options
from al_core.errors import ConfigError, Problem
from al_core.experiment import Experiment
from al_core.oracle import fingerprint
from al_core.records import (
    ExperimentRecord,
    ExperimentStatus,
    JobLease,
    LabelEvent,
    LabelOp,
    LabelSource,
    Mark,
    Query,
    RoundRecord,
)
from al_core.settings import Settings
from al_core.store.base import Store
from al_core.types import EXCLUDE
from al_core.words import tr

FIXED: Final = ("seed", "data", "init", "query.holdback", "query.baseline")
"""Options and sections that stay in a fork: sample ids, splits and the initial set rest on them."""
INHERITED: Final = "inherited"
"""In the manifest of a round that a fork has from its parent: the parent's id and name."""

Redo = Literal["train", "ask", "nothing"]


@dataclass(frozen=True)
class Origin:
    """Where a fork comes from. `round` is the last that it shares with its parent, None without one."""

    id: str
    name: str
    round: int | None


def fork_name(config: ExperimentConfig, parent: str, number: int) -> str:
    """What a fork is called where nobody says: its parent, its strategy, and where it left."""
    return f"{parent[:80]} · {config.query.chooser} from round {number}"[:120]


def redo(parent: ExperimentConfig, config: ExperimentConfig) -> Redo:
    """What a fork does anew of its last round: train it (another model), ask after it (another query)."""
    if parent.model != config.model or parent.train != config.train:
        return "train"
    if parent.query != config.query or parent.stop != config.stop:
        return "ask"
    return "nothing"


def fork(
    store: Store,
    settings: Settings,
    source_id: str,
    number: int,
    config: ExperimentConfig,
    *,
    idempotency_key: str | None = None,
) -> ExperimentRecord:
    """A session that leaves `source_id` after round `number`, and goes on by `config`.

    Raises:
        NotFound: there is no such session.
        ConfigError: it has no such round, the config changes what a fork cannot change, or it cannot run.
    """
    source = store.experiment(source_id)
    rounds = store.rounds(source_id)
    _require(_problems(source, rounds, number, config))
    require_valid(config, settings)
    record = rounds[number]
    again = redo(source.config, config)
    if again == "nothing" and store.query(source_id, number) is None:
        again = "ask"
    return store.fork_experiment(
        source_id,
        config,
        rounds=number if again == "train" else number + 1,
        queries=number + 1 if again == "nothing" else number,
        until=record.label_event_id,
        status=ExperimentStatus.AWAITING_LABELS if again == "nothing" else ExperimentStatus.TRAINING,
        manifest=_manifest(source, record, config),
        idempotency_key=idempotency_key,
    )


def _require(problems: Iterator[Problem]) -> None:
    found = list(problems)
    if found:
        raise ConfigError(found)


def _problems(
    source: ExperimentRecord, rounds: list[RoundRecord], number: int, config: ExperimentConfig
) -> Iterator[Problem]:
    if source.ghost or source.config.query.baseline != "none":
        yield Problem("session", source.id, tr("is a baseline, which goes no way of its own; fork a session"))
    if not 0 <= number < len(rounds):
        if rounds:
            there = tr("{name!r} has rounds 0 to {last}", name=source.name, last=len(rounds) - 1)
        else:
            there = tr("{name!r} has no round yet", name=source.name)
        yield Problem("round", number, there)
    was, now = source.config.model_dump(), config.model_dump()
    for option in options():
        if option.path in FIXED or option.section in FIXED:
            before, after = (_value(values, option.path) for values in (was, now))
            if before != after:
                allowed = tr(
                    "stays {before!r} in a fork: images, splits and the initial set rest on it", before=before
                )
                yield Problem(option.path, after, allowed)


def _value(values: dict[str, Any], path: str) -> Any:
    for name in path.split("."):
        values = values[name]
    return values


def _manifest(source: ExperimentRecord, record: RoundRecord, config: ExperimentConfig) -> dict[str, Any]:
    """What the rounds that a fork has from its parent say beside what they said."""
    told: dict[str, Any] = {INHERITED: {"experiment": source.id, "name": source.name}}
    known = record.manifest.get("own_files")
    if known:  # an own strategy that the fork does not use need not be there for it
        used = own_files.used_by(config)
        told["own_files"] = {name: sha for name, sha in known.items() if name in used}
    if "answers" in record.manifest and record.manifest["answers"] != fingerprint(config):
        told["answers"] = None
    return told


def is_fork(record: ExperimentRecord, parent: ExperimentRecord) -> bool:
    """Whether it is a fork of that parent, not its baseline, its ceiling or a training on its selection."""
    return record.parent_id == parent.id and _alike(record, parent)


def _alike(one: ExperimentRecord, other: ExperimentRecord) -> bool:
    """Whether both speak of the same images by the same ids, and ask for them."""
    if one.ghost or other.ghost or one.fingerprint != other.fingerprint:
        return False
    a, b = one.config, other.config
    same = a.seed == b.seed and a.data == b.data and a.init == b.init
    return same and a.query.holdback == b.query.holdback and a.query.baseline == b.query.baseline == "none"


def origin(store: Store, record: ExperimentRecord, rounds: list[RoundRecord]) -> Origin | None:
    """Where a session was forked from; None where it was not. The parent may be gone by now."""
    shared = [r for r in rounds if INHERITED in r.manifest]
    if shared:
        said = shared[-1].manifest[INHERITED]
        return Origin(said["experiment"], said["name"], shared[-1].number)
    if record.parent_id is None:
        return None
    parent = store.experiment(record.parent_id)
    return Origin(parent.id, parent.name, None) if is_fork(record, parent) else None


def relatives(store: Store, record: ExperimentRecord) -> list[ExperimentRecord]:
    """The sessions that forks link this one to: parents, siblings, children and theirs; oldest first."""
    return [one for one in store.family(record.id) if one.id != record.id and _alike(one, record)]


# -- labels that relatives have -----------------------------------------------------------------------------


def share(experiment: Experiment, *, lease: JobLease | None = None) -> int:
    """Answer what the pending query asks, and nobody has answered here, from relatives; gives how many.

    Of several answers the newest counts, with its mark of doubt. Skipped images are asked again. An answer
    that was taken back here is not given again.
    """
    config, query = experiment.config, experiment.pending()
    if query is None or config.oracle != "human" or not config.share_labels:
        return 0
    asked = [item.sample_id for item in query.items]
    wanted = set(asked) - experiment.store.current_labels(experiment.id, of=asked).keys()
    if not wanted:
        return 0
    found: dict[int, LabelEvent] = {}
    unsure: set[int] = set()
    for other in relatives(experiment.store, experiment.record):
        relative = Experiment(experiment.store, experiment.settings, other)
        marks, same = relative.marks(), _same_classes(relative.classes(), experiment.classes())
        for i, event in experiment.store.current_labels(other.id, of=sorted(wanted)).items():
            usable = event.value == EXCLUDE or event.value in same
            if i in wanted and usable and (i not in found or event.id > found[i].id):
                found[i] = replace(event, value=same.get(event.value, event.value))
                (unsure.add if Mark.UNSURE in marks.get(i, {}) else unsure.discard)(i)
    return _take(experiment, query, [found[i] for i in sorted(found)], unsure, lease)


def _same_classes(there: Classes, here: Classes) -> dict[int, int]:
    """What a relative's classes are here: the data set's own by id, later ones by name; only what is open."""
    found: dict[int, int] = {}
    for class_id, name in enumerate(there.names):
        own = class_id if class_id < here.begun else here.find(name)
        if own is not None and here.effects.canonical(own) in here.open:
            found[class_id] = here.effects.canonical(own)
    return found


def _take(
    experiment: Experiment, query: Query, events: list[LabelEvent], unsure: set[int], lease: JobLease | None
) -> int:
    """Write them, those of each annotator under that name."""
    for annotator in dict.fromkeys(event.annotator for event in events):
        client = f"shared-{query.round}-{annotator}"[:200]
        n = experiment.store.last_number(experiment.id, client)
        ops: list[LabelOp] = []
        for event in events:
            if event.annotator != annotator:
                continue
            n += 1
            ops.append(LabelOp(n, event.sample_id, event.value, detail={"shared": _source(event)}))
            if event.sample_id in unsure:
                n += 1
                ops.append(LabelOp(n, event.sample_id, 1, mark=Mark.UNSURE))
        experiment.store.add_labels(
            experiment.id, ops, client=client, source=LabelSource.SHARED, round=query.round,
            annotator=annotator, lease=lease,
        )  # fmt: skip
    return len(events)


def _source(event: LabelEvent) -> dict[str, Any]:
    """Which answer it was: the first one, where that was shared itself."""
    shared = (event.detail or {}).get("shared")
    if event.source is LabelSource.SHARED and shared:
        return shared
    return {"experiment": event.experiment_id, "event": event.id, "source": event.source.value}
