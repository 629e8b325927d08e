"""Studies that go on until they are clear: after the planned seeds, whole seeds are added one by one.

Ends when every verdict speaks or the cap is reached; results/looks.py makes good for the looks after every
seed. Whoever ends the last run of a study asks `grow` (the worker, the command line, the page); the store
takes one growth only, however many ask.
"""

from __future__ import annotations

from al_core.errors import ConfigError, Problem
from al_core.records import ExperimentStatus
from al_core.results.comparison import CONFIDENCE
from al_core.results.looks import MOST_SEEDS
from al_core.results.study import study_result
from al_core.store.base import Store
from al_core.study import StudyConfig
from al_core.study_running import queue
from al_core.words import tr


def usual_cap(planned: int) -> int:
    """A cap that is worth the time: four times what was planned."""
    return min(4 * planned, MOST_SEEDS)


def grow(store: Store, study_id: str) -> bool:
    """Add a seed to a study whose runs are all finished but not clear; whether there is more to run."""
    record = store.study(study_id)
    config = StudyConfig.from_json(record.config)
    if config.most_seeds is None:
        return False
    experiments = store.study_experiments(study_id)
    if len(experiments) < config.num_cells:  # grown a moment ago by somebody who has not queued it yet
        queue(store, record)
        return True
    if any(e.status is not ExperimentStatus.FINISHED for e in experiments):
        return False
    if len(config.seeds) >= config.most_seeds or is_clear(store, study_id):
        return False
    if store.change_study(study_id, config.with_another_seed().to_json(), was=record.config):
        queue(store, store.study(study_id))
    return True


def is_clear(store: Store, study_id: str) -> bool:
    """Whether every arm is told apart from the baseline, by the first metric that was measured."""
    found = study_result(store, study_id).settled.verdicts
    return all(v.p_adjusted is not None and v.p_adjusted < 1 - CONFIDENCE for v in found)


def declare(store: Store, study_id: str, most: int) -> None:
    """Name the cap of a study, once: it may not move after a look.

    Raises:
        ConfigError: it has another one, or this one is out of range.
    """
    record = store.study(study_id)
    config = StudyConfig.from_json(record.config)
    if config.most_seeds == most:
        return
    if config.most_seeds is not None:
        allowed = tr(
            "stands at {most_seeds}: moved after a look, the verdicts would err more often",
            most_seeds=config.most_seeds,
        )
        raise ConfigError([Problem("most_seeds", most, allowed)])
    changed = StudyConfig.parse(config.model_dump() | {"most_seeds": most})
    if not store.change_study(study_id, changed.to_json(), was=record.config):
        declare(store, study_id, most)
