"""The initial set: which images are labeled before a model exists."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from al_core.config import InitConfig
from al_core.errors import ConfigError, Problem
from al_core.query.geometry import kcenter
from al_core.seeds import generator
from al_core.types import Labels, SampleIds


def draw_initial(
    init: InitConfig,
    pool_ids: SampleIds,
    labels: Labels,
    seed: int,
    features: Callable[[SampleIds], np.ndarray],
) -> SampleIds:
    """Sample ids of the initial set, in drawing order; `labels` are the train split's, where known.

    `features` gives an (n, D) array for sample ids; only "kcenter" asks for it.

    Raises:
        ConfigError: per_class without known labels.
    """
    rng = generator(seed, "initial")
    if init.init == "per_class":
        classes = np.unique(labels[pool_ids])
        if len(classes) == 0 or classes[0] < 0:
            allowed = "the labels are not known; use random or kcenter and label the first images yourself"
            raise ConfigError([Problem("init.init", init.init, allowed)])
        parts = [rng.permutation(pool_ids[labels[pool_ids] == c])[: init.n_start] for c in classes]
        return rng.permutation(np.concatenate(parts))
    n = min(init.n_start, len(pool_ids))
    if init.init == "kcenter":
        return pool_ids[kcenter(features(pool_ids), n)]
    return rng.permutation(pool_ids)[:n]


def read_labels_file(
    path: Path, classes: tuple[str, ...], num_samples: int, ids_by_file: Callable[[], Mapping[str, int]]
) -> dict[int, int]:
    """Labels of a CSV file with the columns `sample_id` or `file`, and `label` (class name or number).

    Raises:
        ConfigError: naming the first lines that cannot be used, and why.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem("init.import_labels", str(path), f"cannot be read: {error}")]) from None
    columns = set(rows[0]) if rows else set()
    if "label" not in columns or not columns & {"sample_id", "file"}:
        allowed = "needs a header with the columns label, and sample_id or file"
        raise ConfigError([Problem("init.import_labels", str(path), allowed)])
    by_file = ids_by_file() if "sample_id" not in columns else {}
    class_ids = {name: i for i, name in enumerate(classes)}
    labels: dict[int, int] = {}
    problems: list[Problem] = []
    for number, row in enumerate(rows, start=2):
        where = f"init.import_labels, line {number}"
        text = (row.get("sample_id") or "").strip()
        sample_id = int(text) if text.isdecimal() else by_file.get(row.get("file") or "", -1)
        if not 0 <= sample_id < num_samples:
            named = text or row.get("file")
            problems.append(Problem(where, named, "no such image in the train split"))
        elif (class_id := _class_id(row["label"] or "", class_ids)) is None:
            problems.append(Problem(where, row["label"], f"known classes: {', '.join(classes[:20])}"))
        elif labels.setdefault(sample_id, class_id) != class_id:
            problems.append(Problem(where, row["label"], f"sample {sample_id} has another label above"))
    if problems:
        raise ConfigError(problems[:20])
    return labels


def _class_id(label: str, class_ids: Mapping[str, int]) -> int | None:
    """A class by name; the quote that our CSV files put before "=", "+", "-" and "@" is taken off."""
    return class_ids.get(label, class_ids.get(label.removeprefix("'")))
