"""docs/selection.md from what the benchmark kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HEAD = """# Selection, side by side with its peers

Made by `python -m tests.benchmarks.selection --json FILE --write docs/selection.md` (rows) and
`python -m tests.benchmarks.selection million --json FILE` (the last table); not written by hand.

Same arrays, one process, sides in turn after a warm-up (sides with n = 1 run once, without). Seconds are
processor time on one thread: median and range of n runs. Memory is the most that a run holds beyond its
inputs, in a process of its own. "Loop" means that project's way restated in the libraries that it uses;
others are the installed libraries. The data are synthetic and made by a seed: 50 groups of different width,
of low rank and not negative, as a network's embeddings are.
"""


def page(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page; a row that was not measured is not there."""
    parts = [_HEAD]
    for name, row in rows.items():
        if name != "million":
            parts.append(section(row))
    if "million" in rows:
        parts.append(million(rows["million"]))
    return "\n".join(parts)


def section(row: Mapping[str, Any]) -> str:
    """One row's table, what was to be reached, and the machine's state."""
    lines = [
        f"## {row['title']}", "",
        "| side | n | CPU seconds | range | wall | memory |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for side in row["sides"]:
        memory = "" if side["megabytes"] is None else f"{side['megabytes']:.0f} MB"
        lines.append(
            f"| {side['name']} | {side['n']} | {seconds(side['median'])} | {seconds(side['low'])} to "
            f"{seconds(side['high'])} | {seconds(side['wall'])} | {memory} |"
        )
    lines += [f"| {name} | not installed | | | | |" for name in row["missing"]]
    lines += [
        "",
        *(f"- {'Reached' if reached else '**Not reached**'}: {text}." for text, reached in row["aims"]),
    ]
    lines += [f"- {note[:1].upper()}{note[1:]}." for note in row["notes"]]
    lines += [f"- {row['machine']}.", ""]
    return "\n".join(lines)


def seconds(value: float) -> str:
    """Three figures."""
    return f"{1e3 * value:.2f} ms" if value < 0.1 else f"{value:.3g} s"


def million(kept: Mapping[str, Any]) -> str:
    """Every strategy on a million images."""
    lines = [
        f"## Every strategy: {kept['title']}", "",
        "One run each in a process of its own, through `select` with all checks. Memory is the most that the",
        "process held, evidence included. Time to gather evidence (networks' passes) is not part of it.", "",
        "| strategy | CPU seconds | wall | memory |", "|---|---|---|---|",
    ]  # fmt: skip
    for line in kept["lines"]:
        if "failed" in line:
            lines.append(f"| {line['strategy']} | {line['failed']} | | |")
        else:
            lines.append(
                f"| {line['strategy']} | {line['processor']:.1f} | {line['wall']:.1f} | "
                f"{line['gigabytes']:.1f} GB |"
            )
    return "\n".join([*lines, "", f"- {kept['machine']}.", ""])
