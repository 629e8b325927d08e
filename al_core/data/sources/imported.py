"""An imported data set: pictures in a folder, and a manifest that says which class and side each belongs to.

The import (al_core/exchange) writes the manifest; names of classes may be any text, for no folder bears them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

from al_core.data.material import Material, Request
from al_core.data.roots import resolve_folder
from al_core.data.scan import Found, Placed, Role, Skipped, walk
from al_core.data.sources import SOURCES, Source
from al_core.data.sources.folder import load_placed
from al_core.errors import DataError
from al_core.words import noted, tr

MANIFEST: Final = "askwell-import.json"
FORMAT: Final = 1


def read_manifest(folder: Path) -> dict[str, Any]:
    """What the import wrote.

    Raises:
        DataError: there is none, or it is damaged.
    """
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8", errors="surrogatepass"))
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            tr("{folder} is no imported data set ({error}); import it again", folder=folder, error=error)
        ) from None
    return found


def imported_sets(imports: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The imported data sets below a folder, by title, each with its manifest."""
    found = []
    for path in imports.glob(f"*/{MANIFEST}"):
        try:
            found.append((path.parent, read_manifest(path.parent)))
        except DataError:
            continue  # whoever opens it is told
    return sorted(found, key=lambda item: (item[1]["title"], item[0].name))


def _folder(request: Request) -> Path:
    if request.path is None:
        raise DataError(tr("imported needs a path: write imported:PATH"))
    return request.path


def _root(request: Request, manifest: dict[str, Any]) -> Path:
    """Where the pictures are: in the import's own folder, or where they were."""
    if manifest["root"] is None:
        return _folder(request) / "pictures"
    return resolve_folder(request.settings, manifest["root"], trusted=request.trusted or manifest["trusted"])


def load(request: Request) -> Material:
    """Pictures and labels that were imported."""
    manifest = read_manifest(_folder(request))
    root = _root(request, manifest)
    there = {file.name: file for file in walk(root)[0]}
    placed: list[Placed] = []
    refused: list[Skipped] = []
    for name, class_name, split in manifest["rows"]:
        found = there.get(name)
        if found is None:
            refused.append(Skipped(name, noted("the file is gone since it was imported")))
        else:
            placed.append(Placed(found, cast(Role, split or "all"), class_name))
    sides = {item.role for item in placed}
    if "train" in sides or "all" in sides:
        # validation pictures are more to learn from, unless they are all that there is to test on
        valid = "train" if "test" in sides else "test"
        joined = {"valid": valid, "all": "train" if sides - {"all", "valid"} else "all"}
        placed = [replace(item, role=joined.get(item.role, item.role)) for item in placed]
    classes = tuple(manifest["classes"]) or None
    wanted = request.at(request.workspace) if request.classes else replace(request, classes=classes)
    return replace(load_placed(wanted, root, placed, refused), title=manifest["title"])


def revision(request: Request) -> str:
    """Digest of the manifest, and of names, sizes and times of the pictures."""
    folder = _folder(request)
    manifest = read_manifest(folder)
    digest = hashlib.sha256((folder / MANIFEST).read_bytes())
    wanted = {row[0] for row in manifest["rows"]}
    for file in sorted(walk(_root(request, manifest))[0], key=_name):
        if file.name in wanted:
            digest.update(repr(file).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _name(file: Found) -> str:
    return file.name


SOURCES.add(
    Source(
        name="imported", title="Imported images", load=load,
        description="Images and labels that were imported on the Data page or with import-data.",
        path="required", splits_itself=False, revision=revision,
    )
)  # fmt: skip
