"""A run's tables: predictions of a round, sample ids and files, classes by round, confusion, queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from al_core.data.dataset import Dataset
from al_core.errors import NotFound
from al_core.experiment import Experiment
from al_core.records import ClassAct, LabelEvent, Query, RoundRecord
from al_core.results.analysis import confusion_of
from al_core.results.export import MANIFEST_COLUMNS, Standing, manifest_rows
from al_core.results.metrics import class_report
from al_core.store.objects import Objects
from al_core.types import EXCLUDE, SKIP, UNKNOWN, UNLABEL
from al_core.words import tr

_WORDS: Final = {SKIP: "(skipped)", EXCLUDE: "(excluded)", UNLABEL: "(withdrawn)"}


def predictions_frame(experiment: Experiment, number: int) -> pd.DataFrame:
    """One row a test image: id, file, truth, prediction, its probability, and that of every class.

    Raises:
        NotFound: the round is not there, or kept no predictions (no label of a test image is known).
        StoreError: what it kept is damaged.
    """
    rounds = experiment.store.rounds(experiment.id)
    record = next((r for r in rounds if r.number == number), None)
    if record is None:
        raise NotFound(
            tr(
                "experiment {experiment} has no round {number}; it has {n}, from 0",
                experiment=experiment.id,
                number=number,
                n=len(rounds),
            )
        )
    sha = record.artefacts.get("arrays")
    arrays = {} if sha is None else Objects(experiment.settings.objects).get_arrays(sha)
    if "test_probs" not in arrays:
        raise NotFound(
            tr("round {number} kept no predictions: no label of the test images is known", number=number)
        )
    dataset = experiment.dataset_of(record)
    classes, test = dataset.classes, dataset.test
    ids, probs = arrays["test_ids"], arrays["test_probs"]
    truth, predicted = test.labels[ids], probs.argmax(axis=1)
    names = np.array(classes, object)
    frame = pd.DataFrame(
        {
            "sample_id": ids,
            "file": [test.file_name(int(i)) for i in ids],
            "truth": names[truth],
            "prediction": names[predicted],
            "right": truth == predicted,
            "probability": probs.max(axis=1),
        }
    )
    # classes may share a name, and a name may be a column's: the class id makes it one of its own
    each = {f"p{i} {classes[i]}": probs[:, i] for i in record.class_ids}
    return pd.concat([frame, pd.DataFrame(each)], axis=1)


def samples_frame(dataset: Dataset) -> pd.DataFrame:
    """One row an image: split, sample id, file and true class. Ids are what every other table uses."""
    parts = []
    for split in (dataset.train, dataset.test):
        names = [None if label == UNKNOWN else dataset.classes[label] for label in split.labels.tolist()]
        files = [split.file_name(i) for i in range(len(split))]
        parts.append(
            pd.DataFrame({"split": split.name, "sample_id": range(len(split)), "file": files, "truth": names})
        )
    return pd.concat(parts, ignore_index=True)


def queries_frame(
    dataset: Dataset,
    queries: Sequence[Query],
    labels: Mapping[int, LabelEvent],
    marks: Standing | None = None,
) -> pd.DataFrame:
    """One row a queried image, in the order in which it was asked: what `selected.zip` holds, in words."""
    columns = [name for name in MANIFEST_COLUMNS if name != "path"]
    rows = [row for query in queries for row in manifest_rows(query, labels, dataset, marks)]
    return pd.DataFrame([[row.get(name) for name in columns] for row in rows], columns=columns)


def labels_frame(experiment: Experiment) -> pd.DataFrame:
    """Every label event, in order; `sample_id` and `label` make a file that `--init import` reads.

    A label is told as its class counts now; what was renamed, merged or retired is in `class_changes_frame`.
    """
    dataset, effects = experiment.dataset, experiment.classes().effects
    rows = [
        [
            event.id, event.sample_id, dataset.train.file_name(event.sample_id),
            dataset.classes[value] if (value := effects.value(event.value)) >= 0 else _WORDS[value],
            event.source.value, event.annotator, event.round, f"{event.at:.3f}",
        ]
        for event in experiment.store.label_events(experiment.id)
    ]  # fmt: skip
    header = ["event", "sample_id", "file", "label", "source", "annotator", "round", "at"]
    return pd.DataFrame(rows, columns=header)


def marks_frame(experiment: Experiment) -> pd.DataFrame:
    """Every mark set and taken back, in order: unsure, flag, note."""
    train = experiment.dataset.train
    rows = [
        [
            event.id, event.sample_id, train.file_name(event.sample_id), event.mark.value,
            "set" if event.on else "taken back", event.text, event.annotator, event.round, f"{event.at:.3f}",
        ]
        for event in experiment.store.mark_events(experiment.id)
    ]  # fmt: skip
    header = ["event", "sample_id", "file", "mark", "change", "note", "annotator", "round", "at"]
    return pd.DataFrame(rows, columns=header)


def class_changes_frame(experiment: Experiment) -> pd.DataFrame:
    """Every change of the classes, in order, guidelines and examples included."""
    names = list(experiment.prepared.classes)
    rows = []
    for event in experiment.class_events():
        change = event.change
        if change.act is ClassAct.ADD:
            names.append(change.name)
        said = change.name or change.text or change.labels
        into = None if change.into is None else names[change.into]
        rows.append(
            [
                event.id, change.class_id, names[change.class_id], change.act.value, said, into,
                change.sample_id, event.annotator, event.round, f"{event.at:.3f}",
            ]
        )  # fmt: skip
        if change.act is ClassAct.RENAME:
            names[change.class_id] = change.name
    header = ["event", "class_id", "class", "change", "said", "into", "sample_id", "annotator", "round", "at"]
    return pd.DataFrame(rows, columns=header)


def quality_frame(rounds: Sequence[RoundRecord], classes: Sequence[str]) -> pd.DataFrame:
    """One row a round and class: precision, recall, F1 and test images, from the confusion matrix."""
    parts = []
    for record in rounds:
        if record.confusion is None:
            continue
        matrix, names = confusion_of(record, classes)
        report = class_report(matrix)
        parts.append(
            pd.DataFrame(
                {
                    "round": record.number,
                    "labels": record.num_labeled,
                    "class_id": list(record.class_ids),
                    "class": list(names),
                    "precision": report.precision,
                    "recall": report.recall,
                    "f1": report.f1,
                    "images": report.support,
                }
            )
        )
    columns = ["round", "labels", "class_id", "class", "precision", "recall", "f1", "images"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def confusion_frame(record: RoundRecord, classes: Sequence[str]) -> pd.DataFrame:
    """The matrix as a table: a row a true class, a column a predicted one."""
    matrix, names = confusion_of(record, classes)
    counted = pd.DataFrame(matrix, columns=[f"as {name}" for name in names])
    counted.insert(0, "true", list(names), allow_duplicates=True)
    return counted
