"""What the Errors page reads, cached by what it was read from; and the audit of labels."""

from __future__ import annotations

import uuid
from functools import lru_cache

import numpy as np
import pandas as pd

from al_core.data.looks import looks, shapes
from al_core.experiment import Experiment
from al_core.records import JobRecord, LabelSource, RoundRecord
from al_core.results.audit import Audit, latest
from al_core.results.mistakes import Predictions
from al_core.seeds import generator
from al_core.store.objects import Objects
from state import handles, jobs, person

MOST_LOOKS = 5000
"""Test images whose looks are measured: beyond that a random sample of as many."""


@lru_cache(maxsize=8)
def _predictions(experiment_id: str, number: int, sha: str) -> Predictions | None:
    experiment = Experiment.open(handles.store(), handles.settings(), experiment_id)
    record = next(r for r in handles.store().rounds(experiment_id) if r.number == number)
    arrays = Objects(handles.settings().objects).get_arrays(sha)
    # the true classes as that round knew them: what was merged since does not make it right
    return Predictions.of(arrays, experiment.dataset_of(record).test.labels)


def predictions(experiment: Experiment, record: RoundRecord) -> Predictions | None:
    """What the round's network said of the test images; None where their labels are not known."""
    sha = record.artefacts.get("arrays")
    return None if sha is None else _predictions(experiment.id, record.number, sha)


@lru_cache(maxsize=4)
def _looks(
    experiment_id: str, number: int, sha: str, dataset_key: str
) -> tuple[Predictions, dict[str, np.ndarray]] | None:
    found = _predictions(experiment_id, number, sha)
    if found is None:
        return None
    rows = np.arange(len(found.ids))
    if len(rows) > MOST_LOOKS:
        rows = np.sort(generator(0, "looks").choice(rows, MOST_LOOKS, replace=False))
    part = Predictions(found.ids[rows], found.probs[rows], found.labels[rows])
    test = handles.dataset(dataset_key).test
    return part, looks(test, part.ids) | shapes(test.sizes(part.ids))


def looks_of(experiment: Experiment, record: RoundRecord) -> tuple[Predictions, dict[str, np.ndarray]] | None:
    """Predictions of the test images (a sample of many), and how those look and of what size they came."""
    sha = record.artefacts.get("arrays")
    return None if sha is None else _looks(experiment.id, record.number, sha, experiment.prepared.key)


# -- doubtful labels --------------------------------------------------------------------------------------


def audit_job(experiment_id: str) -> JobRecord | None:
    """The audit of this session that is queued or running, or the last one."""
    return jobs.newest("audit", experiment=experiment_id)


def ask_audit(experiment_id: str) -> None:
    """Let the worker look for doubtful labels."""
    jobs.ask("audit", experiment=experiment_id)


def doubtful(experiment: Experiment) -> tuple[Audit, pd.DataFrame] | None:
    """The newest audit and its doubtful labels that nobody has decided since; None: no audit."""
    found = latest(handles.settings(), experiment.id)
    if found is None:
        return None
    rev, audit = found
    frame = audit.suspects()
    current = experiment.store.current_labels(experiment.id)
    open_ = [i in current and current[i].id <= rev for i in frame["sample_id"].tolist()]
    given = dict(zip(audit.ids.tolist(), audit.given.tolist(), strict=True))
    frame["given"] = [given[i] for i in frame["sample_id"].tolist()]
    # a merge or a new class since: what an audit says of a class that is gone is no question any more
    # and a class that is retired cannot be given; a label that is of one, and was kept, may stay
    classes = experiment.classes()
    open_ = [
        still and other in classes.open and classes.effects.value(int(then)) == then
        for still, other, then in zip(open_, frame["suggested"], frame["given"], strict=True)
    ]
    return audit, pd.DataFrame(frame[open_]).reset_index(drop=True)


def decide(experiment: Experiment, sample_id: int, value: int) -> None:
    """A person's word on a doubtful label: the class, the same one to keep it, or EXCLUDE.

    Raises:
        ClassError: the class cannot be given; nothing was written.
    """
    asked = experiment.store.current_labels(experiment.id)[sample_id].round
    experiment.tell(
        [(sample_id, value)],
        client=f"audit-{uuid.uuid4().hex[:12]}",
        source=LabelSource.CORRECTION,
        round=asked,
        annotator=person.name(),
    )
