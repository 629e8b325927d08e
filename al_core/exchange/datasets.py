"""A new data set from pictures with labels: checked in a folder of its own, and kept when it is confirmed.

Pictures of a zip or of Hugging Face files are written below AL_HOME/imports; those of a folder are read where
they are. Nothing is prepared, and no data set seen, before `keep`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from al_core.data.checking import Checker
from al_core.data.names import display
from al_core.data.roots import resolve_inside
from al_core.data.sources.imported import FORMAT, MANIFEST
from al_core.errors import DataError, PathRefused
from al_core.exchange.content import Content, Refused, Row
from al_core.exchange.reading import Progress
from al_core.settings import Settings
from al_core.words import kept, kept_n, noted, told, tr, tr_n

CHECKING: Final = "checking"
_STALE_SECONDS: Final = 24 * 3600
_LOOK: Final = 8  # pixels: only whether it can be decoded


@dataclass(frozen=True)
class Found:
    """What would become a data set: (file, class, split) of each good row, "" where not said; the refused."""

    rows: list[tuple[str, str, str]]
    refused: list[Refused]
    classes: tuple[str, ...]
    notes: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Pictures by class; "" are those without a label."""
        return dict(Counter(class_name for _, class_name, _ in self.rows))


def begin(settings: Settings, token: str) -> Path:
    """A new folder to check an import in; those of yesterday go."""
    place = settings.imports / CHECKING
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():
        if time.time() - old.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    folder = place / token
    folder.mkdir(mode=0o700)
    return folder


def check(content: Content, progress: Progress) -> Found:
    """Hold every row against the pictures: there, readable, named once, with one class.

    Raises:
        DataError: no picture is left, or there are fewer than two classes.
    """
    if content.root is None:
        raise DataError(tr("this file names no pictures; import it into a session, or give the folder"))
    refused = list(content.refused)
    taken: dict[str, Row] = {}
    conflicting: set[str] = set()
    for row in content.rows:
        name = _inside(content.root, row)
        if not isinstance(name, str):
            refused.append(name)
        elif (first := taken.setdefault(name, row)) is not row:
            same = (first.label, first.split) == (row.label, row.split)
            refused.append(
                Refused(
                    row.place, display(name)[:200], kept("{place} names the same picture", place=first.place)
                )
            )
            if not same:
                conflicting.add(name)
    for name in conflicting:
        row = taken.pop(name)
        refused.append(
            Refused(row.place, display(name)[:200], noted("another row gives it another class or split"))
        )
    good = dict(taken)
    for name, reason in _unreadable(content.root, list(taken), progress):
        row = good.pop(name)
        refused.append(Refused(row.place, display(name)[:200], reason))
    return _found(content, good, refused)


def _inside(root: Path, row: Row) -> str | Refused:
    """The picture's name below the root, or why there is none."""
    if row.file is None:
        return Refused(row.place, kept("sample {n}", n=row.sample_id), noted("it names no file"))
    name = row.file.removeprefix("./")
    if row.split not in ("", "train", "test", "valid"):
        return Refused(
            row.place,
            display(name)[:200],
            kept("{split!r} is none of train, test, valid", split=row.split[:40]),
        )
    if row.answer == "exclude":
        return Refused(row.place, display(name)[:200], noted("it was excluded"))
    try:
        path = resolve_inside(root, name)
    except PathRefused as error:
        return Refused(row.place, display(name)[:200], error.why)
    if not path.is_file():
        return Refused(row.place, display(name)[:200], noted("there is no such file"))
    return name


def _unreadable(root: Path, names: list[str], progress: Progress) -> Iterator[tuple[str, str]]:
    if not names:
        return
    with ExitStack() as stack:
        checker = stack.enter_context(Checker(root, len(names)))
        for done, checked in enumerate(checker.check(names, _LOOK), start=1):
            if not done % 64 or done == len(names):
                progress(done, len(names))
            if checked.reason is not None:
                yield names[checked.position], checked.reason


def _found(content: Content, good: dict[str, Row], refused: list[Refused]) -> Found:
    rows = [(name, row.label or "", row.split) for name, row in good.items()]
    given = sorted({class_name for _, class_name, _ in rows if class_name})
    extra = [name for name in given if name not in content.classes]
    classes = (*content.classes, *extra) if content.classes else tuple(given)
    if not rows:
        reasons = "; ".join(f"{told(r.place)}: {told(r.reason)}" for r in refused[:3])
        raise DataError(
            tr_n(
                "no picture is left of {n} row ({reasons})",
                "no picture is left of {n} rows ({reasons})",
                len(refused),
                reasons=reasons,
            )
        )
    if len(classes) < 2:
        found = ", ".join(classes) or tr("none")
        raise DataError(tr("there must be two classes at least; found: {classes}", classes=found))
    unlabeled = sum(not class_name for _, class_name, _ in rows)
    notes = (
        (kept_n("{n:,} picture has no label", "{n:,} pictures have no label", unlabeled),)
        if unlabeled
        else ()
    )
    said = sum(row.beside or bool(row.marks) for row in content.rows)
    if said:
        notes += (
            kept_n(
                "{n:,} row has marks, tags or further answers, which belong to a session and not to its "
                "images: import the same file into a session of this data set, and they are there too",
                "{n:,} rows have marks, tags or further answers, which belong to a session and not to its "
                "images: import the same file into a session of this data set, and they are there too",
                said,
            ),
        )
    return Found(rows, refused, classes, (*content.notes, *notes))


def keep(
    settings: Settings, folder: Path, content_root: Path, found: Found, title: str, *, trusted: bool = False
) -> Path:
    """Make the checked folder an imported data set; gives its folder, for `imported:PATH`.

    Raises:
        DataError: the title is empty.
    """
    if not title.strip():
        raise DataError(tr("a name is needed for the data set"))
    own = content_root == folder or folder in content_root.parents
    manifest = {
        "format": FORMAT, "title": title.strip()[:100], "root": None if own else str(content_root),
        "trusted": trusted, "classes": list(found.classes), "rows": [list(row) for row in found.rows],
        "refused": [[r.place, r.what, r.reason] for r in found.refused[:10_000]],
    }  # fmt: skip
    if own and content_root != folder / "pictures":
        content_root.rename(folder / "pictures")
    text = json.dumps(manifest, ensure_ascii=True)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:24] or "import"
    digest = hashlib.sha256(text.encode() + folder.name.encode()).hexdigest()[:10]
    target = settings.imports / f"{slug}-{digest}"
    folder.rename(target)
    return target


def report(found: Found) -> dict[str, Any]:
    """What was found, as plain values for a page."""
    counts = found.counts()
    return {
        "images": len(found.rows),
        "classes": [[name, counts.get(name, 0)] for name in found.classes],
        "unlabeled": counts.get("", 0),
        "splits": dict(Counter(split or "not said" for _, _, split in found.rows)),
        "refused": [[r.place, r.what, r.reason] for r in found.refused],
        "notes": list(found.notes),
    }
