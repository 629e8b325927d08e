"""What a file of labels says, whatever its format: rows that are understood, and rows that are refused."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from al_core.records import STANDING_MARKS, Mark
from al_core.results.export import uncell
from al_core.words import kept, noted

Format = Literal["folders", "csv", "json", "parquet", "coco", "label-studio", "hf"]
FORMATS: Final[dict[Format, str]] = {
    "folders": noted("Class folders"),
    "csv": "CSV",
    "json": "JSON",
    "parquet": "Parquet",
    "coco": "COCO",
    "label-studio": noted("Label Studio JSON"),
    "hf": noted("Hugging Face on disk"),
}
Answer = Literal["", "class", "skip", "exclude"]
Several = Literal["refuse", "first", "most", "largest"]
SEVERAL: Final[dict[Several, str]] = {
    "refuse": noted("refuse the image"),
    "first": noted("take the first"),
    "most": noted("take the most frequent"),
    "largest": noted("take the one with the largest area"),
}
MAX_ROWS: Final = 10_000_000
MOST_BESIDE: Final = 1000  # tags, asks or opinions of one image
MOST_LETTERS: Final = 200  # of a person's name
_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "sample_id": ("sample_id",),
    "file": ("file", "name", "file_name", "filename", "path", "filepath", "image_path", "image"),
    "label": ("label", "class", "class_name", "category", "target", "labels"),
    "answer": ("answer",),
    "split": ("split", "subset"),
    "annotator": ("annotator",),
    "held_back": ("held_back",),
    "source": ("source",),
}  # fmt: skip
_ANSWERS: Final[dict[str, Answer]] = {
    "skipped": "skip", "(skipped)": "skip", "skip": "skip", "excluded": "exclude", "(excluded)": "exclude",
    "exclude": "exclude", "labeled": "class", "class": "class", "": "",
}  # fmt: skip
_WORDS: Final = {"(skipped)", "(excluded)"}
_YES: Final = ("1", "yes", "true", "y", "x")
_OLD_MARKS: Final = {"flagged": Mark.FLAG.value}  # what the manifest of queried images calls it
_SPLITS: Final = {
    "train": "train", "training": "train", "test": "test", "testing": "test", "valid": "valid",
    "validation": "valid", "val": "valid", "dev": "valid", "": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A further answer, beside the label; `again`: to a blind question about a label of one's own."""

    by: str
    label: str | None
    answer: Answer
    again: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One image's word. `place` says where it stands in the file, as a person counts: "row 2", "task 7"."""

    place: str
    sample_id: int | None = None
    file: str | None = None
    label: str | None = None
    answer: Answer = ""
    marks: Mapping[Mark, str] = field(default_factory=dict)
    held_back: bool = False
    annotator: str = ""
    split: str = ""
    source: str = ""
    tags: tuple[str, ...] = ()
    asked: tuple[tuple[int, int], ...] = ()  # by hand: the round, and the place in its query
    opinions: tuple[Word, ...] = ()

    @property
    def beside(self) -> bool:
        """Whether it says anything but a label and marks."""
        return bool(self.tags or self.asked or self.opinions)


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not taken, and why."""

    place: str
    what: str
    reason: str


@dataclass(frozen=True)
class Content:
    """A file that was read. `root`: the folder in which its file names lie, where it brings pictures.

    `classes` are those that it declares, in its order; `fingerprint` is of the data set that it was
    written for.
    """

    format: Format
    rows: list[Row]
    refused: list[Refused]
    classes: tuple[str, ...] = ()
    fingerprint: str | None = None
    root: Path | None = None
    notes: tuple[str, ...] = ()


def nfc(text: str) -> str:
    """A name in one form: macOS writes the same letters otherwise."""
    return unicodedata.normalize("NFC", text)


def row_of(place: str, fields: Mapping[str, Any], *, csv: bool = False) -> Row | Refused:
    """A table's row. `fields` by column name; with `csv` texts may bear the quote against formulas."""
    values = {str(name).strip().lower(): _plain(value, csv) for name, value in fields.items()}

    def first(kind: str) -> Any:
        return next((values[n] for n in _NAMES[kind] if values.get(n) not in (None, "")), None)

    number, file, label = first("sample_id"), first("file"), first("label")
    what = str(file if file is not None else number if number is not None else "")[:200]
    if number is not None and whole(number) is None:
        return Refused(place, what, kept("sample_id {number!r} is no whole number", number=str(number)[:40]))
    said = str(first("answer") or "").strip().lower()
    word = "" if label is None else str(label)
    if said not in _ANSWERS:
        return Refused(
            place, what, kept("answer {said!r} is none of labeled, skipped, excluded", said=said[:40])
        )
    answer = _ANSWERS[said]
    if not answer and word:
        answer = _ANSWERS[word] if word in _WORDS else "class"
    if answer == "class" and not word:
        return Refused(place, what, noted("it says that it is labeled, and has no label"))
    split = str(first("split") or "").strip().lower()
    try:
        beside = (
            tags_in(values.get("tags")),
            asked_in(values.get("asked_for")),
            words_in(values.get("opinions")),
        )
    except ValueError as error:
        return Refused(place, what, str(error))
    return Row(
        place, None if number is None else whole(number), None if file is None else str(file),
        word if answer == "class" else None, answer, _marks(values), yes(first("held_back")),
        str(first("annotator") or ""), _SPLITS.get(split, split), str(first("source") or ""), *beside,
    )  # fmt: skip


def _listed(value: Any, name: str) -> list[Any] | None:
    """A list, or the text of one as JSON; None where a text is something else."""
    if value in (None, ""):
        return []
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, list):
        return None
    if len(value) > MOST_BESIDE:
        raise ValueError(kept(_TOO_MANY[name], n=len(value), most=MOST_BESIDE))
    return value


_TOO_MANY: Final = {
    "tags": noted("it has {n} tags; at most {most} are taken of one image"),
    "rounds": noted("it has {n} rounds; at most {most} are taken of one image"),
    "opinions": noted("it has {n} opinions; at most {most} are taken of one image"),
}


def tags_in(value: Any) -> tuple[str, ...]:
    """Tags: a list of texts, or texts with semicolons between.

    Raises:
        ValueError: they are something else.
    """
    found = _listed(value, "tags")
    if found is None:
        found = [part.strip() for part in str(value).split(";") if part.strip()]
    if not all(isinstance(tag, str) for tag in found):
        raise ValueError(noted("tags are a list of texts"))
    return tuple(dict.fromkeys(found))


def asked_in(value: Any) -> tuple[tuple[int, int], ...]:
    """When a person asked for the image: a list of [round, place in its query].

    Raises:
        ValueError: it is something else.
    """
    found = _listed(value, "rounds")
    pairs = [tuple(pair) for pair in found or [] if isinstance(pair, list) and len(pair) == 2]
    good = [pair for pair in pairs if all(type(n) is int for n in pair) and -1 <= pair[0] < 2**31 > pair[1]]
    if found is None or len(good) != len(found):
        raise ValueError(noted("asked_for is a list of [round, place], such as [[0, 2]]"))
    return tuple((number, place) for number, place in good)


def words_in(value: Any) -> tuple[Word, ...]:
    """Further answers: a list of objects with `by`, and `label` or `answer`.

    Raises:
        ValueError: they are something else.
    """
    found = _listed(value, "opinions")
    if found is None or not all(isinstance(item, dict) for item in found):
        raise ValueError(noted('opinions are a list such as [{"by": "Ada", "label": "cat"}]'))
    words: dict[tuple[str, bool], Word] = {}
    for item in found:
        by, label, said = item.get("by", ""), item.get("label"), str(item.get("answer", "") or "").lower()
        if not isinstance(by, str) or len(by) > MOST_LETTERS or not by.isprintable():
            raise ValueError(
                kept("an opinion is somebody's, by a name of at most {n} letters", n=MOST_LETTERS)
            )
        answer = "class" if isinstance(label, str) and label else _ANSWERS.get(said, "")
        if answer not in ("class", "skip", "exclude") or (answer == "class" and not isinstance(label, str)):
            raise ValueError(
                kept("the opinion of {by!r} has neither a label nor skipped or excluded", by=by[:40])
            )
        word = Word(by, label if answer == "class" else None, answer, yes(item.get("again", False)))
        if words.setdefault((by, word.again), word) != word:
            raise ValueError(kept("there are two opinions of {by!r}", by=by[:40]))
    return tuple(words.values())


def _marks(values: Mapping[str, Any]) -> dict[Mark, str]:
    for old, new in _OLD_MARKS.items():
        if old in values:
            values = {new: values[old], **values}
    found: dict[Mark, str] = {}
    for mark in STANDING_MARKS:
        value = values.get(mark.value)
        if mark is Mark.NOTE:
            if value not in (None, ""):
                found[mark] = str(value)
        elif yes(value):
            found[mark] = ""
    return found


def _plain(value: Any, csv: bool) -> Any:
    if isinstance(value, str):
        return uncell(value) if csv else value
    return None if isinstance(value, float) and value != value else value


def yes(value: Any) -> bool:
    """Whether a cell says yes."""
    return value is True or str(value).strip().lower() in _YES


def whole(value: Any) -> int | None:
    """A whole number that is not negative, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 2**63 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and 0 <= value < 2**53 else None
    text = str(value).strip()
    return int(text) if re.fullmatch(r"[0-9]{1,18}(\.0)?", text) and "." not in text else None


def agreed(choices: Iterable[tuple[str, float]], several: Several) -> tuple[str | None, str]:
    """The one class of an image that bears several (class, area), by the rule; or None and the reason."""
    given = list(choices)
    names = list(dict.fromkeys(name for name, _ in given))
    if len(names) == 1:
        return names[0], ""
    shown = ", ".join(repr(name) for name in names[:5])
    if several == "refuse":
        return None, kept(
            "it has {n} classes ({shown}); choose a rule for such images", n=len(names), shown=shown
        )
    if several == "first":
        return names[0], ""
    weights = {name: 0.0 for name in names}
    for name, area in given:
        weights[name] += area if several == "largest" else 1.0
    best = max(weights.values())
    top = [name for name in names if weights[name] == best]
    if len(top) > 1:
        if several == "largest":
            return None, kept("its classes ({shown}) are equal by area", shown=shown)
        return None, kept("its classes ({shown}) are equal by count", shown=shown)
    return top[0], ""
