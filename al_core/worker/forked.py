"""What a fork's last round becomes when the fork asks its own query after it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from al_core import own_files
from al_core.engine.network import Network, load_network
from al_core.experiment import Experiment
from al_core.query.bandit import ACCURACY, CHANCE
from al_core.records import ExperimentStatus, RoundRecord
from al_core.store.objects import ARRAYS, Objects

MEASURED: Final = ("test_ids", "test_probs", "stop_ids", "stop_predictions")
"""Arrays of a round that came of its training; all others came of its query."""


def lacks_query(experiment: Experiment, rounds: list[RoundRecord]) -> bool:
    """Whether the last round is there without a query and without an end: only a fork leaves one so."""
    return (
        bool(rounds)
        and experiment.record.status in (ExperimentStatus.TRAINING, ExperimentStatus.FAILED)
        and experiment.store.query(experiment.id, rounds[-1].number) is None
    )


def trained_network(experiment: Experiment, record: RoundRecord) -> Network:
    """The round's network, as its training left it."""
    path = Objects(experiment.settings.objects).path(record.artefacts["weights"], ARRAYS)
    return load_network(
        path, experiment.config.train, dataset=experiment.dataset, settings=experiment.settings
    )


def without_query(experiment: Experiment, record: RoundRecord) -> tuple[RoundRecord, dict[str, np.ndarray]]:
    """The round without what its parent's query left in it, and the arrays of its training."""
    objects = Objects(experiment.settings.objects)
    kept = objects.get_arrays(record.artefacts["arrays"]) if "arrays" in record.artefacts else {}
    used = own_files.used_by(experiment.config)
    manifest: dict[str, Any] = {
        name: value for name, value in record.manifest.items() if name not in ("own_files", "screening")
    }
    bare = replace(
        record,
        metrics={k: v for k, v in record.metrics.items() if not k.startswith((CHANCE, ACCURACY))},
        artefacts={kind: sha for kind, sha in record.artefacts.items() if kind != "arrays"},
        manifest=manifest | ({"own_files": used} if used else {}),
    )
    return bare, {name: kept[name] for name in MEASURED if name in kept}
