"""Unpacking a zip that comes from anybody: regular files only, below one new folder, within limits.

A member with a bad name, a link, an encrypted or a repeated one is refused by itself; an archive that would
fill the disk, or that is made to look smaller than it is, is refused whole.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import IO, Final

from al_core.data.roots import check_relative
from al_core.errors import DataError, PathRefused
from al_core.exchange.content import Refused
from al_core.words import kept, noted, tr, tr_n

MAX_MEMBERS: Final = 1_000_000
MAX_TOTAL: Final = 200 * 2**30
MAX_RATIO: Final = 200
"""Bytes unpacked for each packed one, in the whole; JPEG and PNG are near 1, text near 10."""
_FREE: Final = 2**20  # below that no ratio is judged
_BLOCK: Final = 1 << 20
_LONGEST: Final = 255  # bytes of a name's part
DAMAGED: Final = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, RuntimeError)
"""What zipfile raises for a hostile archive, beside OSError."""


def unpack(
    source: Path | IO[bytes],
    target: Path,
    *,
    wanted: Callable[[str], bool] = lambda name: True,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[str], list[Refused]]:
    """Unpack what is wanted below `target`, an empty folder; gives all good names, and those refused.

    Raises:
        DataError: it is no zip, is damaged, or is larger than is allowed.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            return _unpack(archive, target, wanted, progress)
    except DAMAGED as error:
        raise DataError(tr("the zip cannot be read ({error}); make it anew", error=error)) from None
    except OSError as error:
        raise DataError(tr("the zip cannot be unpacked ({reason})", reason=error.strerror or error)) from None


def _unpack(
    archive: zipfile.ZipFile,
    target: Path,
    wanted: Callable[[str], bool],
    progress: Callable[[int, int], None],
) -> tuple[list[str], list[Refused]]:
    infos = archive.infolist()
    _judge(infos, target)
    names: dict[str, None] = {}
    refused: list[Refused] = []
    written = packed = 0
    for done, info in enumerate(infos):
        if not done % 256:
            progress(done, len(infos))
        name = info.filename
        if info.is_dir() or _passed_over(name):
            continue
        reason = _bad(info) or (noted("it is in the zip twice") if name in names else None)
        if reason:
            refused.append(Refused(kept("member {n}", n=done + 1), name[:200], reason))
            continue
        names[name] = None
        if not wanted(name):
            continue
        packed += info.compress_size
        try:
            with archive.open(info) as inner:
                written = _write(inner, target / name, written, packed)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            refused.append(
                Refused(
                    kept("member {n}", n=done + 1), name[:200], noted("a file and a folder have its name")
                )
            )
            del names[name]
        except DAMAGED as error:
            (target / name).unlink(missing_ok=True)
            refused.append(
                Refused(
                    kept("member {n}", n=done + 1),
                    name[:200],
                    kept("damaged in the zip ({error})", error=error),
                )
            )
            del names[name]
    progress(len(infos), len(infos))
    return list(names), refused


def _judge(infos: list[zipfile.ZipInfo], target: Path) -> None:
    """Refuse an archive by what it announces; what it holds is counted again while it is unpacked."""
    if len(infos) > MAX_MEMBERS:
        raise DataError(
            tr_n(
                "the zip has {n:,} member; at most {most:,} are unpacked",
                "the zip has {n:,} members; at most {most:,} are unpacked",
                len(infos),
                most=MAX_MEMBERS,
            )
        )
    total = sum(info.file_size for info in infos)
    free = shutil.disk_usage(target).free
    if total > MAX_TOTAL or total > free:
        raise DataError(
            tr(
                "the zip holds {total:,.1f} GB unpacked; {free:,.1f} GB fit",
                total=total / 2**30,
                free=min(free, MAX_TOTAL) / 2**30,
            )
        )
    ends = sorted((info.header_offset, info.header_offset + info.compress_size) for info in infos)
    if any(end > start for (_, end), (start, _) in pairwise(ends)):
        raise DataError(tr("the zip's members lie over each other: it is made to burst, and is refused"))


def _write(inner: IO[bytes], path: Path, written: int, packed: int) -> int:
    """Copy one member, never through a link and never over a file; gives the bytes so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        while block := inner.read(_BLOCK):
            written += len(block)
            if written > MAX_TOTAL or (written > _FREE and written > MAX_RATIO * max(packed, 1)):
                raise DataError(tr("the zip unpacks to far more than it holds: it is made to burst"))
            file.write(block)
    return written


def _passed_over(name: str) -> bool:
    """Hidden files, and what macOS adds."""
    parts = name.split("/")
    return "__MACOSX" in parts or any(part.startswith(".") and part.strip(".") for part in parts)


def _bad(info: zipfile.ZipInfo) -> str | None:
    """Why a member is not unpacked."""
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return noted("it is a link or a device")
    if info.flag_bits & 1:
        return noted("it is encrypted")
    return bad_name(info.filename)


def bad_name(name: str) -> str | None:
    """Why a name that comes from outside is not written, or None."""
    try:
        check_relative(name)
        parts = [os.fsencode(part) for part in name.split("/")]
    except PathRefused as error:
        return error.why
    except UnicodeEncodeError:
        return noted("its name is no text")
    if any(part in (b"", b".") for part in parts):
        return noted("its name has an empty part")
    if any(len(part) > _LONGEST for part in parts) or len(name) > 2000:
        return noted("its name is too long")
    return None
