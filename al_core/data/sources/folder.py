"""A person's own pictures: class folders, with or without a train/test split, or unlabeled pictures.

Layouts: train/<class>/ with test/<class>/ or without, or <class>/ alone; a class may lie deeper, and is then
named by the whole path of the folder that holds its pictures. Pictures in valid/ are the test side where
there is no test/, and otherwise more of the train side: the program sets its own validation aside.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from al_core.data.checking import Checked, Checker
from al_core.data.dataset import Augmentation, Refusal
from al_core.data.material import Material, Part, Request
from al_core.data.names import display
from al_core.data.partition import (
    Picture,
    class_map,
    copies,
    divide,
    fingerprint,
    labels_of,
    moments_of,
    side_of,
    sizes_of,
)
from al_core.data.scan import Placed, Skipped, place, walk
from al_core.data.sources import SOURCES, Source
from al_core.errors import DataError
from al_core.words import kept_n, noted, told, tr, tr_n

PHOTO_SIZE: Final = 128
"""Side in pixels at which photos are seen where nothing else is asked: what a CPU can train on."""
MAX_PIXELATED: Final = 64
"""Square pictures of one size up to this are kept as they are, and shown with crisp pixels."""
_MAX_ROWS: Final = 4 * 10**9
_PROBES: Final = 64


def load(request: Request) -> Material:
    """Your own pictures, in a folder for each class or without labels."""
    root = _root(request)
    found, skipped, hidden = walk(root, lambda count: request.progress("scan", count, 0))
    if not found:
        raise DataError(
            tr("there are no files in {root}; put pictures into class folders there", root=display(str(root)))
        )
    placed, stray = _take_part(place(found, root), request.classes)
    notes = (
        (
            kept_n(
                "{n} hidden file or folder was passed over",
                "{n} hidden files or folders were passed over",
                hidden,
            ),
        )
        if hidden
        else ()
    )
    return load_placed(request, root, placed, [*skipped, *stray], notes)


def load_placed(
    request: Request,
    root: Path,
    placed: Sequence[Placed],
    refused: list[Skipped],
    notes: tuple[str, ...] = (),
) -> Material:
    """Files whose class and side are settled, decoded and checked.

    Raises:
        DataError: none of them is a picture.
    """
    size, rows, checked = _check(root, placed, request)
    pictures = []
    for item, result in zip(placed, checked, strict=True):
        if result.reason is None:
            pictures.append(Picture(item, result))
        else:
            refused.append(Skipped(item.file.name, result.reason))
    if not pictures:
        reasons = "; ".join(f"{display(r.name)}: {told(r.reason)}" for r in refused[:3])
        raise DataError(
            tr_n(
                "none of {n} file in {root} is a readable picture ({reasons})",
                "none of {n} files in {root} is a readable picture ({reasons})",
                len(refused),
                root=display(str(root)),
                reasons=reasons,
            )
        )
    material = _material(request, root, pictures, rows, size)
    refused.sort(key=lambda item: item.name)
    return replace(
        material,
        refused=tuple(Refusal(display(r.name), side_of(r.name), r.reason) for r in refused),
        notes=material.notes + notes,
    )


def _root(request: Request) -> Path:
    if request.path is None:
        raise DataError(tr("folder needs a path: write folder:PATH"))
    return request.path


def revision(request: Request) -> str:
    """Digest of names, sizes and times: whether something in the folder may have changed."""
    found, skipped, _ = walk(_root(request))
    digest = hashlib.sha256()
    for file in sorted(found, key=lambda file: file.name):
        digest.update(os.fsencode(file.name) + f"\0{file.size}\0{file.changed}\n".encode())
    for item in sorted(skipped, key=lambda item: item.name):
        digest.update(os.fsencode(item.name) + b"\0\n")
    return digest.hexdigest()


def _take_part(
    placed: Sequence[Placed], classes: tuple[str, ...] | None
) -> tuple[list[Placed], list[Skipped]]:
    """What takes part, validation pictures joined to a side; and stray files with the reason."""
    roles = {item.role for item in placed}
    stray: list[Skipped] = []
    kept = list(placed)
    if "train" in roles:
        outside = [p for p in kept if p.role == "all"]
        stray += [Skipped(p.file.name, noted("outside the train, test and valid folders")) for p in outside]
        side = "train" if "test" in roles else "test"
        kept = [replace(p, role=side) if p.role == "valid" else p for p in kept if p.role != "all"]
    if classes is not None and not {p.class_name for p in kept if p.class_name} <= set(classes):
        # the person named the classes, and these folders are not they: pictures without labels
        kept = [replace(p, class_name="") for p in kept]
    labeled = any(p.class_name for p in kept if p.role != "test")
    homeless = [p for p in kept if not p.class_name and (labeled or p.role == "test")]
    stray += [Skipped(p.file.name, noted("outside any class folder")) for p in homeless]
    return [p for p in kept if p.class_name or not (labeled or p.role == "test")], stray


def _check(root: Path, placed: Sequence[Placed], request: Request) -> tuple[int, Path | None, list[Checked]]:
    """Decode everything: the size that fits, the file of pixels at that size, and the facts by position."""
    names = [item.file.name for item in placed]
    if not names:
        return PHOTO_SIZE, None, []
    probes = np.linspace(0, len(names) - 1, min(_PROBES, len(names))).astype(int)
    with Checker(root, len(names)) as checker:
        seen = list(checker.check([names[i] for i in probes], 8))
        side = _one_side(seen)
        if side:
            rows, checked = _decode_all(checker, names, side, request)
            if _one_side(checked) == side:
                return side, rows, checked
            seen = checked
        shorter = [c.short for c in seen if c.reason is None]
        size = int(np.clip(np.median(shorter), 8, PHOTO_SIZE)) if shorter else PHOTO_SIZE
        return size, *_decode_all(checker, names, size, request)


def _one_side(checked: Sequence[Checked]) -> int:
    """The side of small square pictures that all have the same; 0 otherwise."""
    sides = {c.side for c in checked if c.reason is None}
    side = sides.pop() if len(sides) == 1 else 0
    return side if side <= MAX_PIXELATED else 0


def _decode_all(
    checker: Checker, names: Sequence[str], size: int, request: Request
) -> tuple[Path | None, list[Checked]]:
    results: list[Checked | None] = [None] * len(names)
    length = size * size * 3
    rows = request.workspace / f"rows-{size}" if len(names) * length <= _MAX_ROWS else None
    with (rows or Path(os.devnull)).open("wb") as file:
        for done, checked in enumerate(checker.check(names, size)):
            request.progress("check", done, len(names))
            if rows is not None and checked.pixels:
                os.pwrite(file.fileno(), checked.pixels, checked.position * length)
            results[checked.position] = replace(checked, pixels=b"")
        if rows is not None:
            file.truncate(len(names) * length)
    request.progress("check", len(names), len(names))
    return rows, [checked for checked in results if checked is not None]


def _material(
    request: Request, root: Path, pictures: Sequence[Picture], rows: Path | None, size: int
) -> Material:
    sides = divide(pictures, request.data.test_fraction)
    classes, notes = class_map(sides, request.classes)
    pixelated = rows is not None and _one_side([p.checked for p in pictures]) == size
    images = None if rows is None else np.memmap(rows, np.uint8, "r").reshape(-1, size, size, 3)
    train, test = (
        Part(
            labels_of(side, classes),
            images,
            np.array([p.checked.position for p in side], np.int64),
            [p.name for p in side],
            None if pixelated else sizes_of(side),
        )
        for side in (sides.train, sides.test)
    )
    return Material(
        title=display(root.name) or "folder",
        classes=classes,
        train=train,
        test=test,
        # mirrored photos keep their class; whoever has pictures of text switches augmentation off
        augmentation=Augmentation(max(1, size // 8), True, 15.0, 0.1, 0.1),
        image_size=size,
        pixelated=pixelated,
        kind="memmap" if pixelated else "files",
        root=None if pixelated else root,
        fingerprint=None if pixelated else fingerprint(classes, sides),
        moments=moments_of(sides.train, size),
        notes=sides.notes + notes + copies(sides),
    )


SOURCES.add(
    Source(
        name="folder", title="Your own pictures", load=load, aliases=("imagefolder",),
        description="Your own pictures, in a folder for each class or without labels.",
        path="required", splits_itself=False, revision=revision,
    )
)  # fmt: skip
