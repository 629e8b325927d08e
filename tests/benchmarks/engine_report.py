"""The page of the engine's figures, from the JSON files of cells and rows; nothing on it is typed by hand."""

from __future__ import annotations

import json
import os
import platform
import statistics
from pathlib import Path

import torch

FLAGS = ("avx2", "avx512_f", "avx512_vnni", "avx512_bf16", "amx_bf16", "bf16")
KEPT = Path(__file__).resolve().parents[2] / "docs" / "engine.json"
"""What was measured before, as the page had it: it stands until the same row or cell is measured anew."""
SIDES = ("reference", "product")
EARLIER = "AMD EPYC, 2 cores, torch 2.14.1+cu130, avx2, avx512_f, avx512_vnni, avx512_bf16"
"""Where those cells were measured that name no machine."""
BUDGETS = (1000, 2000, 3000, 4000, 5000)


def processor() -> str:
    """The model's name, as Linux tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "unknown")


def header() -> str:
    has = torch.cpu.get_capabilities()
    flags = ", ".join(name for name in FLAGS if has.get(name))
    return f"{processor()}, {os.cpu_count()} cores, torch {torch.__version__}, {flags}"


def verdict(value: float, floor: float, aim: float, *, at_most: bool = False) -> str:
    """In words, whether a figure reaches its floor and its aim."""
    reached = [(value <= goal) if at_most else (value >= goal) for goal in (floor, aim)]
    return "aim reached" if reached[1] else "floor reached" if reached[0] else "not reached"


def line(row: dict) -> str:
    """A row of the table of short comparisons."""
    checks = "; ".join(f"{'' if ok else 'FAILED: '}{text}" for text, ok in row["checks"].items())
    middle = statistics.median(row["product"])
    if row["row"] == "instant":
        figure = f"{middle:.3f} CPU-s | {min(row['product']):.3f} to {max(row['product']):.3f}"
        goal = f"at most {row['floor']:g}; {row['aim']:g}"
        word, before = verdict(middle, row["floor"], row["aim"], at_most=True), "–"
    else:
        before = f"{statistics.median(row['reference']):.3g} {row['unit']}"
        low, high = row["spread"]
        figure = f"{row['ratio']:.2f} x ({middle:.3g} {row['unit']}) | {low:.2f} to {high:.2f}"
        goal = f"{row['floor']:g}; {row['aim']:g}"
        word = verdict(row["ratio"], row["floor"], row["aim"])
    place = f"on {row['machine']}" if row.get("machine", EARLIER) != EARLIER else ""
    notes = ". ".join(text for text in (checks, row["note"], place) if text).replace("|", "\\|")
    return (
        f"| {row['what']} | {before} | {figure} | {goal} | {word} | {row['n']}, {row['load']:.1f} | {notes} |"
    )


def cells(folder: Path, row: str, side: str) -> dict[int, dict]:
    """Finished cells by seed: those of this folder, and before them what is kept."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{row}-*-{side}.json"))]
    return kept_cells(row, side) | {cell["seed"]: cell for cell in found}


def kept_cells(row: str, side: str) -> dict[int, dict]:
    """Cells measured before, by seed; each says that it is one."""
    known = json.loads(KEPT.read_text())["cells"]
    return {c["seed"]: c | {"kept": True} for c in known if (c["row"], c["side"]) == (row, side)}


def rows(folder: Path) -> list[dict]:
    """Short comparisons: those of this folder in place of what is kept."""
    found = {row["row"]: row for row in json.loads(KEPT.read_text())["rows"]}
    found |= {r["row"]: r for r in (json.loads(p.read_text()) for p in folder.glob("row-*.json"))}
    return [found[name] for name in sorted(found)]


def keep(folder: Path) -> None:
    """Let what is in this folder stand from now on."""
    known = {_key(c): c for c in json.loads(KEPT.read_text())["cells"]}
    for path in [*folder.glob("deepal-*.json"), *folder.glob("seed1-*.json")]:
        cell = json.loads(path.read_text())
        key = _key(cell)
        alone = not (folder / f"deepal-{cell['seed']}-reference.json").exists()
        if (key[0], key[2]) == ("deepal", "product") and key in known and alone:
            cell["before"] = known[key].get("before", known[key]["cpu"])  # under the usual side's load
        known[key] = cell
    found = {"rows": rows(folder), "cells": [known[key] for key in sorted(known)]}
    KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _numbers(values: list[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


def whole_of(cell: dict) -> float:
    """CPU-seconds of a DeepAL cell, had it not been cut off after some budgets."""
    done, s = len(cell["accuracy"]), cell["seconds"]
    train = s["train"] * sum(BUDGETS) / sum(cell["labels"])
    return train + s["score"] * 4 / min(done, 4) + s["test"] * 5 / done


def deepal(folder: Path) -> list[str]:
    theirs, ours = cells(folder, "deepal", "reference"), cells(folder, "deepal", "product")
    for path in sorted(folder.glob("deepal-*-reference.part")):  # a run that was cut off after some budgets
        state = json.loads(path.read_text())
        theirs.setdefault(
            int(path.stem.split("-")[1]), state | {"cpu": sum(state["seconds"].values()), "cut": True}
        )
    lines = [
        "| seed | side | accuracy at 1,000 ... 5,000 labels | CPU-s | train, score, test |",
        "|---|---|---|---|---|",
    ]
    for seed in sorted(set(theirs) | set(ours)):
        for name, side in (("usual", theirs), ("`fast`", ours)):
            if seed in side:
                cell, s = side[seed], side[seed]["seconds"]
                cut = f" (cut off after {len(cell['accuracy'])} budgets)" if cell.get("cut") else ""
                parts = ", ".join(f"{s.get(part, 0):.0f}" for part in ("train", "score", "test"))
                curve, cpu = _numbers(cell["accuracy"]), cell["cpu"]
                lines.append(f"| {seed} | {name}{cut} | {curve} | {cpu:.0f} | {parts} |")
    both = sorted(set(theirs) & set(ours))
    whole = [seed for seed in both if not theirs[seed].get("cut")]
    above = all(
        b >= a
        for seed in both
        for a, b in zip(theirs[seed]["accuracy"], ours[seed]["accuracy"], strict=False)
    )
    lines.append("")
    if whole:
        ratios = [theirs[seed]["cpu"] / _beside(theirs[seed], seed, ours[seed]) for seed in whole]
        middle = statistics.median(ratios)
        if any(theirs[seed].get("kept") and _newer(ours[seed]) for seed in whole):
            lines.append(
                "Our accuracies and times in the table are newer than the usual way's. The ratio is of the "
                "runs that shared one machine and its load."
            )
        lines.append(
            f"Ratio of CPU time, whole seeds ({len(whole)}): {middle:.1f} "
            f"({min(ratios):.1f} to {max(ratios):.1f}); floor 4, aim 6: {verdict(middle, 4, 6)}."
        )
    cut = [seed for seed in both if theirs[seed].get("cut")]
    for seed in cut:
        ratio = whole_of(theirs[seed]) / ours[seed]["cpu"]
        lines.append(
            f"Seed {seed} was cut off after {len(theirs[seed]['accuracy'])} budgets. Its training grows with "
            "the labels and its other passes are alike, so that the whole would take "
            f"{whole_of(theirs[seed]):.0f} CPU-s: {ratio:.1f} times ours; floor 4, aim 6: "
            f"{verdict(ratio, 4, 6)} (estimated)."
        )
    lines.append(
        f"At least the usual accuracy at every budget measured on both sides ({len(both)} seeds): "
        f"{'yes' if above else 'NO'}."
    )
    return lines


def _newer(ours: dict) -> bool:
    """Whether our side was measured after the usual one that stands beside it."""
    return "before" in ours or not ours.get("kept")


def _beside(theirs: dict, seed: int, ours: dict) -> float:
    """Our processor time from when the usual way was measured: another load is another time."""
    if not theirs.get("kept"):
        return ours["cpu"]
    before = kept_cells("deepal", "product").get(seed, ours)
    return before.get("before", before["cpu"])


def _parts(runs) -> dict[str, float]:
    """Median seconds of each part."""
    runs = list(runs)
    return {part: statistics.median(run[part] for run in runs) for part in runs[0]}


def seed1_cells(folder: Path) -> list[dict]:
    """Finished cells of the row, those of this folder last: they stand for those of the same machine."""
    found = {_key(c): c for c in json.loads(KEPT.read_text())["cells"] if c["row"] == "seed1"}
    found |= {_key(c): c for c in (json.loads(p.read_text()) for p in sorted(folder.glob("seed1-*.json")))}
    return list(found.values())


def _key(cell: dict) -> tuple:
    """What a cell is told by. Times of two machines are never set against each other."""
    return cell["row"], cell["seed"], cell["side"], cell.get("machine", EARLIER)


PRESETS = ("fast", "sprint")
SEED1_SIDES = {
    "reference": "usual, whole",
    "unvalidated": "usual, without the validation after each epoch (it changes no weight)",
    "product": "ours, equal protocol (`seed1`)",
    **{name: f"ours, `{name}`" for name in PRESETS},
}


def seed1(folder: Path) -> list[str]:
    """A table and its ratios for each machine, then the accuracies over all seeds."""
    found = seed1_cells(folder)
    lines = []
    for machine in dict.fromkeys(cell.get("machine", EARLIER) for cell in found):
        lines += _on_machine(machine, [c for c in found if c.get("machine", EARLIER) == machine])
    quick = {c["seed"]: c["accuracy"] for c in found if c["side"] == "unvalidated"}
    for name in PRESETS:
        ours = {c["seed"]: c["accuracy"] for c in found if c["side"] == name}
        if both := sorted(set(quick) & set(ours)):
            wins = sum(ours[seed] > quick[seed] for seed in both)
            lines.append(f"`{name}` has the higher test accuracy in {wins} of {len(both)} seeds.")
    return lines


def _on_machine(machine: str, found: list[dict]) -> list[str]:
    sides = {side: {c["seed"]: c for c in found if c["side"] == side} for side in (*SEED1_SIDES, "short")}
    lines = [f"On {machine}:", "", "| side | seeds | test accuracy by seed | mean | CPU-s (median) |"]
    lines.append("|---|---|---|---|---|")
    for side, name in SEED1_SIDES.items():
        if cells_of := sides[side].values():
            values = [cell["accuracy"] for cell in cells_of]
            seconds = statistics.median(cell["cpu"] for cell in cells_of)
            lines.append(
                f"| {name} | {len(values)} | {_numbers(values)} | {statistics.mean(values):.3f} "
                f"| {seconds:.0f} |"
            )
    lines.append("")
    if short := sides["short"]:
        lines += _short(short)
    return [*lines, *_whole(sides), ""]


def _short(short: dict[int, dict]) -> list[str]:
    """A tenth of the epochs of either side, and what all of them would take."""
    ratios = [cell["reference"]["cpu"] / cell["product"]["cpu"] for cell in short.values()]
    middle = statistics.median(ratios)
    lines = [
        f"Equal protocol with 5 of the 50 epochs, both sides in turn ({len(ratios)} times): {middle:.2f} "
        f"times ({min(ratios):.2f} to {max(ratios):.2f}); floor 3, aim 4: {verdict(middle, 3, 4)}."
    ]
    theirs, ours = (_parts(cell[side]["seconds"] for cell in short.values()) for side in SIDES)
    whole = 10 * (theirs["train"] + theirs["validate"]) + theirs["score"] + theirs["test"]
    equal_whole = 10 * ours["train"] + ours["score"] + ours["test"]
    for name, parts in zip(("The usual way's parts there", "Ours"), (theirs, ours), strict=True):
        lines.append(f"{name}, CPU-s: " + ", ".join(f"{k} {v:.1f}" for k, v in parts.items()) + ".")
    ratio = whole / equal_whole
    lines.append(
        f"With all 50 epochs, ten times training and validation, that is {whole:.0f} against "
        f"{equal_whole:.0f} CPU-s: {ratio:.2f} times: {verdict(ratio, 3, 4)} (estimated; our validation "
        "is part of our training)."
    )
    return lines


def _whole(sides: dict[str, dict[int, dict]]) -> list[str]:
    """Ratios of runs that were measured to their end, on one machine."""
    usual, equal = sides["reference"], sides["product"]
    lines, paired = [], sorted(set(usual) & set(equal))
    if paired:
        ratios = [usual[seed]["cpu"] / equal[seed]["cpu"] for seed in paired]
        middle = statistics.median(ratios)
        lines.append(
            f"Equal protocol, all 50 epochs measured ({len(ratios)} seeds): {middle:.2f} times "
            f"({min(ratios):.2f} to {max(ratios):.2f}); floor 3, aim 4: {verdict(middle, 3, 4)}."
        )
    for name in PRESETS:
        if usual and sides[name]:
            theirs = statistics.median(cell["cpu"] for cell in usual.values())
            ratio = theirs / statistics.median(cell["cpu"] for cell in sides[name].values())
            lines.append(
                f"`{name}` against the usual way, whole: {ratio:.1f} times; {verdict(ratio, 12, 12)} (12)."
            )
    return lines


def page(folder: Path) -> str:
    """docs/engine.md."""
    found = rows(folder)
    table = [
        "| what | usual | ours: ratio (time) | min to max | floor; aim | | n, load | checked in that run |",
        "|---|---|---|---|---|---|---|---|",
        *(line(row) for row in found),
    ]
    if not any(row["row"].startswith("gpu") for row in found):
        table.append("\nNo GPU here: the rows with CUDA events were not run.")
    if not any(row["row"] == "two-arms" for row in found):
        table.append("\nTwo arms side by side were not measured: that needs two idle cores.")
    return "\n".join([INTRODUCTION.format(machine=EARLIER), *table, "", LOOPS, *deepal(folder), "",
                      SEED1, *seed1(folder), ""])  # fmt: skip


INTRODUCTION = """# The engine, measured

Made by `python -m tests.benchmarks.engine report --write docs/engine.md`; do not edit. The usual way
(`tests/benchmarks/engine_references.py`) is torchvision's networks, PIL transforms, DataLoader without
workers, fp32, NCHW. Ours is the program's own path. Real CIFAR-10, one thread, unless said. Reference and
product run in turn in one process, after one warm-up each; ratios are of the medians of processor time; min
to max is over pairs of runs.

Machine, unless a row names another: {machine}.
**It was shared with other heavy work while this was measured**: processor time rises on busy cores, for both
sides alike, and wall times mean little. What is not measured again stands as it was (`docs/engine.json`).

    OMP_NUM_THREADS=1 python -m tests.benchmarks.engine rows --out FOLDER --data FOLDER
    OMP_NUM_THREADS=1 python -m tests.benchmarks.engine loop --cells CELL ... --out FOLDER --data FOLDER

## Short comparisons
"""

LOOPS = """## CIFAR-10, 1,000 to 5,000 labels, entropy: ResNet-18 as DeepAL+ trains it, against `fast`

Usual: torchvision's ResNet-18 (its ImageNet stem), Adam 1e-3, 30 epochs, batch 128, from scratch at each
budget, the pool scored with the training transform. Ours: the preset `fast`, entropy, same first labels.
Cells `deepal:SEED:reference` and `deepal:SEED:product`. Nothing was tuned on test images
(`al_core/models/fast_net.py` has what was tried). DeepAL+'s published code
has a 3x3 first layer with stride 1 instead, which trains 89 images a second here in place of 319; that
heavier network was not run, and nothing is said here about its accuracy. On record from a run of DeepAL+'s
own program, 3 seeds on an idle machine: .405 .495 .533 .575 .591 and 924 CPU-s; this stem reproduces the
accuracies.
"""

SEED1 = """## The first seed's default run: SqueezeNet 1.1, 3 rounds of 50 epochs

Usual: Adam 1e-4, batch 50, weights kept from round to round, 10,000 images validated after each epoch, least
confidence, 100 labels a class and 100 a query. Cells `seed1:SEED:` and `reference`, `unvalidated`, `product`,
`fast`, `sprint`, `short`. A ratio is of times on one machine.
"""
