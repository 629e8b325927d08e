"""What `import-labels` and `import-data` share: the source and how it is read."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from al_core.errors import ConfigError, Problem
from al_core.exchange.content import SEVERAL, Content, Refused
from al_core.exchange.reading import read
from al_core.results.export import write_csv

_SHOWN = 20


def add_source(parser: argparse.ArgumentParser, *, needed: bool) -> None:
    """The arguments that say what is read, and how."""
    parser.add_argument(
        "source", type=Path, nargs=None if needed else "?",
        help="a folder, zip, .csv, .json, .parquet or .arrow; which format it is, its content says",
    )  # fmt: skip
    parser.add_argument(
        "--several", choices=tuple(SEVERAL), default="refuse",
        help="an image with several classes (COCO, Label Studio): " + "; ".join(
            f"{name}: {words}" for name, words in SEVERAL.items()
        ),
    )  # fmt: skip
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="a class of the file under another name; more than once for several",
    )
    parser.add_argument("--refused", type=Path, metavar="FILE.csv", help="write every refused row there")
    parser.add_argument("--progress", type=Path, help=argparse.SUPPRESS)


def mapping_of(pairs: Sequence[str]) -> dict[str, str]:
    """OLD=NEW as a mapping.

    Raises:
        ConfigError: a pair has no "=".
    """
    found = {}
    for pair in pairs:
        old, equals, new = pair.rpartition("=")
        if not equals or not old:
            raise ConfigError([Problem("--map", pair, "write OLD=NEW")])
        found[old] = new
    return found


def read_source(
    arguments: argparse.Namespace, place: Path, *, whole: bool, bar: Any, pictures: Path | None = None
) -> Content:
    """Read what the arguments name; `place` is an empty folder for what a zip holds.

    Raises:
        DataError: it cannot be read.
    """
    tell = teller(arguments.progress, bar)
    return read(
        arguments.source.expanduser(), several=arguments.several, workspace=place, pictures=pictures,
        whole=whole, progress=lambda done, total: tell("reading", done, total),
    )  # fmt: skip


def teller(path: Path | None, bar: Any) -> Any:
    """Tells the terminal's bar, and a file that a page looks at."""

    def tell(phase: str, done: int, total: int) -> None:
        bar.total, bar.n = total, done
        bar.refresh()
        if path is not None:
            new = path.with_suffix(".new")
            new.write_text(f"{phase}\n{done}\n{total}\n", encoding="utf-8")
            new.replace(path)

    return tell


def write_refused(path: Path | None, refused: Sequence[Refused]) -> None:
    """Every refused row as CSV."""
    if path is not None:
        text = write_csv([(r.place, r.what, r.reason) for r in refused], ("place", "what", "reason"))
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")


def tell_refused(refused: Sequence[Refused]) -> None:
    """Name the first rows that are not taken, and say how many more there are."""
    for item in refused[:_SHOWN]:
        sys.stdout.write(f"  refused {item.place}: {item.what!r}: {item.reason}\n")
    if len(refused) > _SHOWN:
        sys.stdout.write(f"  and {len(refused) - _SHOWN:,} more; --refused FILE.csv writes all\n")
