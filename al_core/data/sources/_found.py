"""Where a downloadable data set lies on this machine, and how it is brought here when a person asks."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from al_core.data.material import Request
from al_core.data.names import display
from al_core.errors import DataError
from al_core.words import tr

_PIECE: Final = 1 << 20


def places(request: Request) -> list[Path]:
    """The folders that are searched: the named one only, or downloads, AL_DOWNLOADS and TORCH_DATA."""
    if request.path is not None:
        return [request.path]
    more = [os.environ.get(name, "") for name in ("AL_DOWNLOADS", "TORCH_DATA")]
    return [request.settings.downloads, *(Path(place).expanduser() for place in more if place)]


def candidates(request: Request, below: Sequence[str]) -> Iterator[Path]:
    """Existing folders, each place itself and then the given folders below it."""
    for place in places(request):
        for name in ("", *below):
            folder = place / name
            if folder.is_dir():
                yield folder


def absent(request: Request, title: str, megabytes: float, files: str) -> DataError:
    """The error that names every way to the data set."""
    looked = ", ".join(display(str(place)) for place in places(request))
    if request.path is not None:
        return DataError(
            tr("{title} is not in {looked}: {files} belong there", title=title, looked=looked, files=files)
        )
    return DataError(
        tr(
            "{title} is not on this machine (looked in {looked}). Download it, about "
            "{megabytes:.0f} MB, with the Download button or --download; or put {files} into "
            "{folder}",
            title=title,
            looked=looked,
            megabytes=megabytes,
            files=files,
            folder=display(str(places(request)[0])),
        )
    )


def fetch(request: Request, url: str, md5: str, title: str, folder: Path | None = None) -> Path:
    """Download a file into a folder (by default the downloads) unless it is there; whole, or absent.

    Raises:
        DataError: it cannot be had, or is not what was expected.
    """
    # only reached when a person asked for a download
    import urllib.error
    import urllib.request

    folder = folder or request.settings.downloads
    target = folder / url.rpartition("/")[2]
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{target.name}.{os.getpid()}"
    digest = hashlib.md5(usedforsecurity=False)
    done = 0
    try:
        with urllib.request.urlopen(url, timeout=30) as answer, partial.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            while piece := answer.read(_PIECE):
                file.write(piece)
                digest.update(piece)
                done += len(piece)
                request.progress("download", done, max(total, done))
        if digest.hexdigest() != md5:
            raise DataError(
                tr(
                    "the download of {title} is damaged ({done} bytes from {url}); try again",
                    title=title,
                    done=done,
                    url=url,
                )
            )
        partial.replace(target)
    except (urllib.error.URLError, OSError) as error:
        why = getattr(error, "reason", None) or error
        raise DataError(
            tr(
                "{title} cannot be downloaded ({why}); check the network, or put {target} into "
                "{folder} yourself",
                title=title,
                why=why,
                target=target.name,
                folder=display(str(folder)),
            )
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return target
