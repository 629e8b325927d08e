"""The initial set: which images are labeled before a model exists."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from al_core.config import InitConfig
from al_core.errors import ConfigError, Problem
from al_core.query.geometry import kcenter
from al_core.seeds import generator
from al_core.types import Labels, SampleIds
from al_core.words import tr


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
            allowed = tr(
                "the labels are not known; use random or kcenter and label the first images yourself"
            )
            raise ConfigError([Problem("init.init", init.init, allowed)])
        parts = [rng.permutation(pool_ids[labels[pool_ids] == c])[: init.n_start] for c in classes]
        return rng.permutation(np.concatenate(parts))
    n = min(init.n_start, len(pool_ids))
    if init.init == "kcenter":
        return pool_ids[kcenter(features(pool_ids), n)]
    return rng.permutation(pool_ids)[:n]


def read_labels_file(
    path: Path,
    classes: tuple[str, ...],
    num_samples: int,
    ids_by_file: Callable[[], Mapping[str, int]],
    *,
    column: str = "label",
    option: str = "init.import_labels",
    blanks: bool = False,
    read: Callable[[str], int | str] | None = None,
) -> dict[int, int]:
    """Labels of a CSV file with the columns `sample_id` or `file`, and `label` (or another `column`).

    A label is a class's name, or its number where no name is one; or what `read` makes of it: a class's id,
    or a text that says why there is none. `blanks`: rows without a label are left out instead of refused.

    Raises:
        ConfigError: naming the first lines that cannot be used, and why.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError([Problem(option, str(path), tr("cannot be read: {error}", error=error))]) from None
    columns = set(rows[0]) if rows else set()
    if column not in columns or not columns & {"sample_id", "file"}:
        allowed = tr("needs a header with the columns {column}, and sample_id or file", column=column)
        raise ConfigError([Problem(option, str(path), allowed)])
    by_file = ids_by_file() if "sample_id" not in columns else {}
    class_ids = {name: i for i, name in enumerate(classes)}
    labels: dict[int, int] = {}
    problems: list[Problem] = []

    def numbered(label: str) -> int | str:
        if read is not None:
            return read(label)
        found = class_number(label, class_ids)
        return tr("known classes: {classes}", classes=", ".join(classes[:20])) if found is None else found

    for number, row in enumerate(rows, start=2):
        if blanks and not (row[column] or "").strip():
            continue
        where = tr("{option}, line {number}", option=option, number=number)
        text = (row.get("sample_id") or "").strip()
        sample_id = int(text) if text.isdecimal() else by_file.get(row.get("file") or "", -1)
        if not 0 <= sample_id < num_samples:
            named = text or row.get("file")
            problems.append(Problem(where, named, tr("no such image in the train split")))
        elif isinstance(class_id := numbered(row[column] or ""), str):
            problems.append(Problem(where, row[column], class_id))
        elif labels.setdefault(sample_id, class_id) != class_id:
            problems.append(
                Problem(
                    where, row[column], tr("sample {sample_id} has another label above", sample_id=sample_id)
                )
            )
    if problems:
        raise ConfigError(problems[:20])
    return labels


def class_number(label: str, class_ids: Mapping[str, int]) -> int | None:
    """A class by name, or by its number where no class is named by one.

    The quote that our CSV files put before "=", "+", "-" and "@" is taken off.
    """
    known = class_ids.get(label, class_ids.get(label.removeprefix("'")))
    if known is None and label.isdecimal() and not any(name.isdecimal() for name in class_ids):
        return int(label) if int(label) < len(class_ids) else None
    return known


def class_map(text: str | None) -> dict[str, str]:
    """What init.import_map says: the file's names of classes, and those that they stand for.

    Raises:
        ConfigError: it cannot be read.
    """
    if not text or not text.strip():
        return {}
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if isinstance(found, dict) and all(isinstance(name, str) for name in found.values()):
            return found
    else:
        parts = [part.rpartition("=") for part in text.split(";") if part.strip()]
        pairs = {old.strip(): new.strip() for old, _, new in parts}
        if all(pairs) and all(pairs.values()):
            return pairs
    raise ConfigError([Problem("init.import_map", text, tr("OLD=NEW; OLD=NEW, or a JSON object of names"))])
