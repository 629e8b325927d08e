"""Selection side by side with its peers: `python -m tests.benchmarks.selection [--quick] [--rows ...]`.

Each row runs all sides on the same arrays in one process, in turn, after a warm-up, and prints medians of
processor seconds (on a shared machine fairer than wall time, which is there too) with the range, and each
side's memory beyond the inputs, measured in a process of its own. Sides that are not installed are said to
be missing. `million` runs every strategy on a million images instead (tests/benchmarks/million.py).
`--write docs/selection.md` keeps what was measured, with the command and the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from tests.benchmarks.measuring import forget_memory, highest_memory, in_turn, load_of_machine
from tests.benchmarks.selection_page import page
from tests.benchmarks.selection_rows import ROWS, Row, Side, rows_of

MEGABYTE = 2**20


@dataclass(frozen=True)
class SideResult:
    name: str
    n: int
    median: float
    low: float
    high: float
    wall: float
    megabytes: float | None


@dataclass(frozen=True)
class Result:
    """A row as it is shown and kept: ours first."""

    row: str
    title: str
    sides: list[SideResult]
    missing: list[str]
    aims: list[tuple[str, bool]]
    notes: list[str] = field(default_factory=list)


def memory_of(row: str, side: str, quick: bool) -> float | None:
    """Megabytes beyond the inputs, of one run in a process of its own; None where Linux does not say."""
    command = [sys.executable, "-m", "tests.benchmarks.selection", "--memory-of", row, side]
    done = subprocess.run(command + ["--quick"] * quick, capture_output=True, text=True, check=False)
    return float(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout else None


def print_memory(row: Row, side: Side) -> None:
    """What the child does: a small run first, so that libraries and their buffers do not count."""
    arrays, small = row.arrays(), row.small()
    side.run(small)
    before = forget_memory()
    side.run(arrays)
    print((highest_memory() - before) / MEGABYTE)


def measured(row: Row, repeats: int, quick: bool, memory: bool) -> Result:
    arrays = row.arrays()
    there = [side for side in row.sides if side.available()]

    def bound(side: Side) -> Callable[[], object]:
        return lambda: side.run(arrays)

    times = in_turn(
        [bound(side) for side in there], [min(repeats, side.at_most or repeats) for side in there]
    )
    sides = [
        SideResult(
            side.name, len(spent.processor), spent.median, min(spent.processor), max(spent.processor),
            sorted(spent.wall)[len(spent.wall) // 2],
            memory_of(row.name, side.name, quick) if memory and side.with_memory else None,
        )
        for side, spent in zip(there, times, strict=True)
    ]  # fmt: skip
    by_name = {result.name: result for result in sides}
    answers = {side.name: spent.answer for side, spent in zip(there, times, strict=True)}
    aims, notes = judged(row, by_name, answers)
    missing = [side.name for side in row.sides if not side.available()]
    return Result(row.name, row.title, sides, missing, aims, [*notes, *row.check(arrays, answers)])


def judged(
    row: Row, sides: dict[str, SideResult], answers: dict[str, object]
) -> tuple[list[tuple[str, bool]], list[str]]:
    """What was to be reached, and whether it was."""
    ours, aims = sides["ours"], []
    for goal in row.goals:
        against = [sides[name] for name in goal.against if name in sides]
        if not against:
            continue
        fastest = min(against, key=lambda side: side.median)
        share = fastest.median / ours.median
        aims.append((f"{goal.times:g} times as fast as {fastest.name}: {share:.1f}", share >= goal.times))
    if row.megabytes and ours.megabytes is not None:
        aims.append((f"under {row.megabytes} MB: {ours.megabytes:.0f}", ours.megabytes < row.megabytes))
    quality = row.quality(answers)
    return aims + quality, []


def show(result: Result) -> None:
    print(f"\n{result.title}")
    for side in result.sides:
        memory = "" if side.megabytes is None else f"{side.megabytes:8.0f} MB"
        print(
            f"  {side.name:<34}{side.median:>10.4f} s  ({side.low:.4f} to {side.high:.4f}, n = {side.n}; "
            f"wall {side.wall:.4f}){memory}"
        )
    for name in result.missing:
        print(f"  {name}: not installed")
    for text, reached in result.aims:
        print(f"  {'reached' if reached else 'NOT REACHED'}: {text}")
    for note in result.notes:
        print(f"  {note}")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["million"]:
        from tests.benchmarks import million

        million.main(arguments[1:])
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="*", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--quick", action="store_true", help="a tenth of the size")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--skip", nargs="*", default=[], metavar="SIDE", help="sides to leave out")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", type=Path, help="a page of Markdown, from --json's rows and these")
    parser.add_argument("--memory-of", nargs=2, metavar=("ROW", "SIDE"), help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    rows = rows_of(args.quick)
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if args.memory_of:
        row = rows[args.memory_of[0]]
        print_memory(row, next(side for side in row.sides if side.name == args.memory_of[1]))
        return 0
    print(load_of_machine())
    results = []
    for name in args.rows:
        left = tuple(side for side in rows[name].sides if side.name not in args.skip)
        rows[name] = replace(rows[name], sides=left)
        results.append({"machine": load_of_machine()} | asdict(
            found := measured(rows[name], args.repeats, args.quick, not args.no_memory)
        ))  # fmt: skip
        show(found)
        if args.json:
            kept = json.loads(args.json.read_text()) if args.json.exists() else {}
            args.json.write_text(json.dumps({**kept, name: results[-1]}, indent=1))
    if args.write:
        rows_kept = json.loads(args.json.read_text()) if args.json else {r["row"]: r for r in results}
        args.write.write_text(page(rows_kept))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
