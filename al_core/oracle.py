"""Who answers where nobody labels: ground truth, truth with drawn mistakes, or people's recorded answers.

The answer to an image depends on the seed and its sample id alone: strategies of a seed get the same answer
to the same image, and so does a round that is done again. Mistakes are nested: what is wrong at a small noise
rate is wrong, in the same way, at every larger one. Only label events carry them; the truth stays as it is.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from al_core.config import AnswersConfig, ExperimentConfig
from al_core.data.dataset import Dataset
from al_core.errors import ConfigError, DataError, Problem
from al_core.initial import class_number, read_labels_file
from al_core.records import LabelSource
from al_core.seeds import generator
from al_core.types import UNKNOWN, Labels, SampleIds
from al_core.words import noted, tr

MATRIX: Final = "answers.noise_matrix"
RECORDED: Final = "answers.recorded_file"
COLUMN: Final = "answers.recorded_column"
USES: Final[Mapping[str, tuple[str, ...]]] = {
    "noisy": ("noise_rate", "noise_matrix"), "recorded": ("recorded_file", "recorded_column"),
}  # fmt: skip
"""The options in `answers` that each oracle reads; others read none."""
SOURCES: Final = {"noisy": LabelSource.NOISY, "recorded": LabelSource.RECORDED}
_MOST_BYTES: Final = 1 << 30

Matrix = Float[np.ndarray, "C C"]


def source_of(config: ExperimentConfig) -> LabelSource:
    """What a label event says of where its answer came from."""
    return SOURCES.get(config.oracle, LabelSource.ORACLE)


def annotator_of(config: ExperimentConfig) -> str:
    """Whose answers they are, as far as it is known: a recorded column is somebody's."""
    if config.oracle == "recorded" and config.answers.recorded_column:
        return config.answers.recorded_column[:200]
    return source_of(config).value


def oracle_words(config: ExperimentConfig) -> str:
    """An oracle that errs, in words: '10 % of the answers wrong'; empty for ground truth and a person."""
    given = config.answers
    if config.oracle == "recorded":
        place = Path(given.recorded_file or "").name
        column = f", {given.recorded_column}" if given.recorded_column else ""
        return tr("answers from {place}", place=place + column)
    if config.oracle != "noisy":
        return ""
    return (
        tr("mistakes by a matrix")
        if given.noise_matrix
        else tr("{share:g} % of answers wrong", share=100 * (given.noise_rate or 0))
    )


def answers(config: ExperimentConfig, dataset: Dataset, ids: SampleIds) -> Labels:
    """The oracle's answer to each image; UNKNOWN where nobody has recorded one. A person's is the truth.

    Raises:
        DataError: the answer rests on labels that are not known.
        ConfigError: a file of the oracle cannot be used any more.
    """
    if config.oracle == "recorded":
        return _recorded(config.answers, dataset)[ids]
    truth = dataset.train.labels[ids]
    if (truth < 0).any():
        raise DataError(tr("the labels of this data set are not known; a person must answer"))
    if config.oracle != "noisy" or len(ids) == 0:
        return truth
    return mistaken(truth, ids, _matrix(config.answers, dataset.classes), config.seed)


def mistaken(truth: Labels, ids: SampleIds, matrix: Matrix, seed: int) -> Labels:
    """True classes as an annotator gives them who errs as `matrix` says (rows: true class, shares)."""
    # one stream for all images, read at the sample id
    right, which = generator(seed, "answers").random((int(ids.max()) + 1, 2))[ids].T
    given = truth.copy()
    for class_id in np.unique(truth):
        row = matrix[class_id]
        wrong = np.flatnonzero((truth == class_id) & (right >= row[class_id]))
        others = np.cumsum(np.where(np.arange(len(row)) == class_id, 0.0, row))
        if len(wrong) and others[-1] > 0:
            given[wrong] = np.searchsorted(others / others[-1], which[wrong], side="right")
    return given


def uniform(rate: float, num_classes: int) -> Matrix:
    """Wrong with this rate, towards each other class alike."""
    matrix = np.full((num_classes, num_classes), rate / max(num_classes - 1, 1))
    np.fill_diagonal(matrix, 1 - rate)
    return matrix


def fingerprint(config: ExperimentConfig) -> str | None:
    """Identity of the file that the oracle reads, as 16 hexadecimal digits; None without one.

    Raises:
        ConfigError: it cannot be read.
    """
    used = USES.get(config.oracle, ())
    path = config.answers.recorded_file if "recorded_file" in used else None
    name = RECORDED
    if "noise_matrix" in used and config.answers.noise_matrix and not _inline(config.answers.noise_matrix):
        path, name = config.answers.noise_matrix, MATRIX
    if path is None:
        return None
    return hashlib.sha256(_bytes(path, name)).hexdigest()[:16]


def check_oracle(config: ExperimentConfig, dataset: Dataset | None) -> Iterator[Problem]:
    """What is wrong with the oracle's options; with the data set also what only that can tell."""
    given = config.answers
    for name in unused_answers(given, (config.oracle,)):
        allowed = tr(
            "oracle={oracle} does not read it; leave it out, or take another oracle", oracle=config.oracle
        )
        yield Problem(f"answers.{name}", getattr(given, name), allowed)
    if config.oracle == "noisy":
        if given.noise_rate is None and not given.noise_matrix:
            yield Problem("answers.noise_rate", None, tr("noisy answers need a rate (0 to 1) or a matrix"))
        elif given.noise_rate is not None and given.noise_matrix:
            yield Problem(MATRIX, given.noise_matrix, tr("there is a noise rate too; give one of them"))
        elif given.noise_matrix:
            yield from _tried(lambda: _matrix(given, None if dataset is None else dataset.classes))
    elif config.oracle == "recorded":
        if not given.recorded_file:
            yield Problem(RECORDED, None, tr("recorded answers need the path of their file"))
        elif dataset is None:
            yield from _tried(lambda: _bytes(given.recorded_file or "", RECORDED))
        else:
            yield from _tried(lambda: _recorded(given, dataset))


def unused_answers(given: AnswersConfig, oracles: Sequence[str]) -> list[str]:
    """Names of the options that are set, and that none of these oracles reads."""
    read = {name for oracle in oracles for name in USES.get(oracle, ())}
    return [name for name, value in given.model_dump().items() if value is not None and name not in read]


def _tried(read: Callable[[], Any]) -> Iterator[Problem]:
    try:
        read()
    except ConfigError as error:
        yield from error.problems


# -- files -----------------------------------------------------------------------------------------


def _refused(option: str, value: object, allowed: str) -> ConfigError:
    return ConfigError([Problem(option, value, allowed)])


def _bytes(path: str, option: str) -> bytes:
    place = Path(path).expanduser()
    try:
        if not place.is_file():
            raise _refused(option, path, tr("is no file"))
        if place.stat().st_size > _MOST_BYTES:
            raise _refused(option, path, tr("is larger than 1 GB"))
        return place.read_bytes()
    except (OSError, ValueError) as error:
        raise _refused(option, path, tr("cannot be read: {error}", error=error)) from None


def _arrays(path: str, option: str) -> Mapping[str, np.ndarray]:
    """The arrays of an .npz or .npy file; what would have to be unpickled is refused."""
    try:
        loaded = np.load(Path(path).expanduser(), allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise _refused(option, path, tr("cannot be read as arrays: {error}", error=error)) from None


def _recorded(given: AnswersConfig, dataset: Dataset) -> Labels:
    """The recorded answer to every image of the train split, UNKNOWN where there is none."""
    path, column = given.recorded_file or "", given.recorded_column
    _bytes(path, RECORDED)
    if path.lower().endswith((".npz", ".npy")):
        return _class_ids(_column(_arrays(path, RECORDED), path, column), path, dataset)
    train = dataset.train
    found = read_labels_file(
        Path(path).expanduser(), dataset.classes, len(train),
        lambda: {train.file_name(i): i for i in range(len(train))},
        column=column or "label", option=RECORDED, blanks=True,
    )  # fmt: skip
    labels = np.full(len(train), UNKNOWN, np.int64)
    labels[np.fromiter(found, np.int64, len(found))] = np.fromiter(found.values(), np.int64, len(found))
    return labels


def _column(arrays: Mapping[str, np.ndarray], path: str, column: str | None) -> np.ndarray:
    names = ", ".join(arrays)
    if column is None:
        if len(arrays) != 1:
            raise _refused(
                COLUMN, None, tr("{path} holds several; one of {names}", path=Path(path).name, names=names)
            )
        return next(iter(arrays.values()))
    if column not in arrays:
        raise _refused(
            COLUMN, column, tr("is not in {path}; one of {names}", path=Path(path).name, names=names)
        )
    return arrays[column]


def _class_ids(values: np.ndarray, path: str, dataset: Dataset) -> Labels:
    if values.shape != (len(dataset.train),):
        train = {"dataset": dataset.title, "images": len(dataset.train)}
        if values.ndim == 1:
            text = noted("holds {n:,} answers; the train split of {dataset} has {images:,} images")
            allowed = tr(text, n=len(values), **train)
        else:
            text = noted(
                "holds an array of shape {shape}; the train split of {dataset} has {images:,} images"
            )
            allowed = tr(text, shape=values.shape, **train)
        raise _refused(RECORDED, path, allowed)
    if values.dtype.kind == "U":
        by_name = {name: i for i, name in enumerate(dataset.classes)}
        names, places = np.unique(values, return_inverse=True)
        numbers = [UNKNOWN if not name else class_number(str(name), by_name) for name in names.tolist()]
        strange = [name for name, number in zip(names.tolist(), numbers, strict=True) if number is None]
        if strange:
            known = ", ".join(dataset.classes[:20])
            raise _refused(
                RECORDED,
                path,
                tr("the class {name!r} is not known; known classes: {known}", name=strange[0], known=known),
            )
        return np.array(numbers, np.int64)[places]
    if values.dtype.kind not in "iu":
        raise _refused(
            RECORDED, path, tr("holds {dtype} values; class numbers or names are needed", dtype=values.dtype)
        )
    labels = values.astype(np.int64)
    outside = labels[(labels < UNKNOWN) | (labels >= dataset.num_classes)]
    if len(outside):
        allowed = tr(
            "the class {number} is not known; classes are 0 to {last}, -1: none",
            number=outside[0],
            last=dataset.num_classes - 1,
        )
        raise _refused(RECORDED, path, allowed)
    return labels


# -- matrices --------------------------------------------------------------------------------------


def _inline(text: str) -> bool:
    return text.lstrip()[:1] in ("[", "{")


def _matrix(given: AnswersConfig, classes: tuple[str, ...] | None) -> Matrix:
    """Row-wise shares; without classes only what the text itself can tell is checked."""
    if not given.noise_matrix:
        return uniform(given.noise_rate or 0.0, len(classes or ()))
    shown = given.noise_matrix[:200]
    read = _read_matrix(given.noise_matrix)
    if isinstance(read, dict):
        read = _by_name(read, tuple(read) if classes is None else classes, shown, known=classes is not None)
    try:
        table = np.asarray(read, float)
    except (TypeError, ValueError):
        raise _refused(MATRIX, shown, tr("its rows hold numbers, all the same count")) from None
    if table.ndim != 2 or table.shape[0] != table.shape[1]:
        raise _refused(
            MATRIX,
            shown,
            tr("has the shape {shape}; a row and a column a class are needed", shape=table.shape),
        )
    if classes is not None and len(table) != len(classes):
        raise _refused(
            MATRIX, shown, tr("has {n} classes; the data set has {known}", n=len(table), known=len(classes))
        )
    if not np.isfinite(table).all() or (table < 0).any() or (table.sum(1) <= 0).any():
        raise _refused(MATRIX, shown, tr("holds counts or shares: not below 0, and some above 0 in each row"))
    return table / table.sum(1, keepdims=True)


def _read_matrix(text: str) -> Any:
    """Lists of rows, or a mapping true class -> given class -> number."""
    shown = text[:200]
    try:
        if _inline(text):
            return json.loads(text)
        if text.lower().endswith(".npy"):
            return _arrays(text, MATRIX)[""]
        data = _bytes(text, MATRIX).decode("utf-8-sig")
        if text.lower().endswith(".json"):
            return json.loads(data)
        rows = [row for row in csv.reader(data.splitlines()) if row]
    except (ValueError, RecursionError, KeyError, csv.Error) as error:
        raise _refused(MATRIX, shown, tr("cannot be read: {error}", error=error)) from None
    if not rows:
        raise _refused(MATRIX, shown, tr("is empty"))
    if all(_is_number(cell) for cell in rows[0]):
        return rows
    # names in the first row and the first column, as our confusion matrices have them
    head = [name.removeprefix("'") for name in rows[0][1:]]
    return {row[0].removeprefix("'"): dict(zip(head, row[1:], strict=False)) for row in rows[1:]}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _by_name(
    read: Mapping[str, Any], classes: tuple[str, ...], shown: str, *, known: bool
) -> list[list[Any]]:
    """Rows in the order of the classes; a class without a row is never mistaken."""
    if not all(isinstance(row, Mapping) for row in read.values()):
        raise _refused(MATRIX, shown, tr("has the form {true class: {given class: number}}"))
    if not known:
        classes = tuple(dict.fromkeys([*read, *(name for row in read.values() for name in row)]))
    strange = [name for name in [*read, *(n for row in read.values() for n in row)] if name not in classes]
    if strange:
        allowed = tr(
            "the class {name!r} is not known; known classes: {classes}",
            name=strange[0],
            classes=", ".join(classes[:20]),
        )
        raise _refused(MATRIX, shown, allowed)
    return [[read.get(name, {name: 1}).get(other, 0) for other in classes] for name in classes]
