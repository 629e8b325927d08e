"""What is trained once beside a session, by a click: the whole pool, a random part, or the selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from al_core.baselines import SELECTION, as_baseline, on_selection, once, passive_kind
from al_core.check import require_valid
from al_core.config import ExperimentConfig, InitConfig
from al_core.deploy.selection import Selection
from al_core.experiment import Experiment
from al_core.records import ExperimentRecord, ExperimentStatus
from al_core.results.figures.palette import look
from al_core.results.passive import Passive, passives
from al_core.words import tr_n
from state import cache, handles, jobs

FULL, SUBSET = "full", "subset"
KINDS: Final = (FULL, SUBSET, SELECTION)


def possible(experiment: Experiment) -> tuple[str, ...]:
    """What can be trained: the first two need somebody who knows every label, ground truth or a file.

    A selection is read back by the data set's own classes, so one with classes of the session's own is not.
    """
    config = experiment.config
    if config.query.baseline != "none" or is_passive(config):
        return ()
    known = experiment.dataset.has_truth or config.oracle == "recorded"
    pool = experiment.pool()
    own = len(pool.labeled_ids) and int(pool.labeled_classes.max()) >= len(experiment.prepared.classes)
    return (*((FULL, SUBSET) if known else ()), *(() if own or not len(pool.labeled_ids) else (SELECTION,)))


def is_passive(config: ExperimentConfig) -> bool:
    """Whether this is such a training itself."""
    return passive_kind(config.query.baseline, config.init.init, config.stop.n_rounds) is not None


def children(record: ExperimentRecord) -> list[ExperimentRecord]:
    """What was begun beside a session, trained or not; oldest first."""
    made = handles.store().experiments(of=record.id)
    return [child for child in reversed(made) if is_passive(child.config)]


def trained(record: ExperimentRecord, begun: Sequence[ExperimentRecord]) -> list[Passive]:
    """Those of `begun` that are done and can be compared with the session."""
    return passives([record], begun)


def waiting(begun: Sequence[ExperimentRecord]) -> list[ExperimentRecord]:
    """Those that are being trained, or will be."""
    return [child for child in begun if not child.num_rounds and child.status is not ExperimentStatus.FAILED]


def levels(found: Sequence[Passive]) -> list[dict[str, Any]]:
    """Level lines of the live chart: each full pool's name and its value of every metric."""
    lines = {}
    for one in found:
        if one.kind == FULL:
            last = cache.rounds(one.record)[-1]
            name = tr_n("{title}, {n:,} label", "{title}, {n:,} labels", last.num_labeled, title=one.title)
            lines[one.title] = {"name": name, "metrics": dict(last.metrics)}
    return list(lines.values())


def points(found: Sequence[Passive]) -> list[dict[str, Any]]:
    """Points of the live chart, those of a kind and model together, as `state.forks.lines` gives curves."""
    groups: dict[str, dict[str, Any]] = {}
    for one in found:
        if one.kind == FULL:
            continue
        style = look(one.kind)
        group = groups.setdefault(
            one.title,
            {"id": one.title, "name": one.title, "light": style.light, "dark": style.dark,
             "symbol": style.symbol, "dash": style.dash, "once": True, "points": []},
        )  # fmt: skip
        group["points"] += [
            {"n": r.number, "x": r.num_labeled, "metrics": dict(r.metrics)} for r in cache.rounds(one.record)
        ]
    return list(groups.values())


def begin(experiment: Experiment, kind: str, model: str | None = None) -> ExperimentRecord:
    """Have it trained in the background; again: the one that is there.

    Raises:
        ConfigError: such a model cannot be trained with the session's settings.
    """
    record, named = experiment.record, model or experiment.config.model.model
    config, what = _config(experiment, kind)
    if named != config.model.model:
        config = config.changed(model__model=named, train__learning_rate=None)
    words = {FULL: "full pool", SUBSET: "random subset", SELECTION: "selection"}[kind]
    beside = "" if named == experiment.config.model.model else f", {named}"
    config = config.changed(name=f"{record.name[:90]} ({words}{beside})"[:120])
    require_valid(config, handles.settings())
    found = handles.store().create_experiment(
        config, parent_id=record.id, idempotency_key=f"passive/{record.id}/{kind}/{what}/{named}"
    )
    jobs.advance(found.id)
    return found


def _config(experiment: Experiment, kind: str) -> tuple[ExperimentConfig, str]:
    """The training's config, and what tells it from another of its kind."""
    config, pool = experiment.config, experiment.pool()
    oracle = "truth" if config.oracle == "human" else config.oracle
    if kind == SELECTION:
        names, ids = experiment.prepared.classes, pool.labeled_ids
        labels = {str(i): names[c] for i, c in zip(ids.tolist(), pool.labeled_classes.tolist(), strict=True)}
        file = Selection("sample_id", labels, experiment.id).keep(handles.settings())
        answers = "truth" if experiment.dataset.has_truth else "human"  # nobody is asked
        return on_selection(config, str(file)).changed(oracle=answers), file.stem
    config = config.changed(oracle=oracle, train__adversarial_copies=False)
    if kind == FULL:
        return as_baseline(config, FULL), ""
    size = int(np.size(pool.labeled_ids))
    stop = once(config).stop.model_dump() | {"n_rounds": None, "budget": size}
    init = InitConfig(init="random", n_start=size).model_dump()  # the draw is as large as either says
    return as_baseline(config.changed(stop=stop, init=init), SUBSET), str(size)
