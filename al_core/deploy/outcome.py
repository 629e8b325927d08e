"""What a model said of pictures, for files and for pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from al_core.data.names import display
from al_core.deploy.pictures import Refused
from al_core.errors import ConfigError, Problem
from al_core.results.export import write_csv
from al_core.results.metrics import class_report, confusion, evaluate
from al_core.results.records_file import write_json
from al_core.types import Labels
from al_core.words import tr

TOP: Final = 3
Guesses = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Outcome:
    """Rows are pictures in the order of `names`; `refused` are files that could not be classified.

    `milliseconds` is the network's time for a picture: that of its batch, divided by the pictures in it.
    """

    model: str
    classes: tuple[str, ...]
    names: tuple[str, ...]
    probs: Float[np.ndarray, "n C"]
    milliseconds: Float[np.ndarray, " n"]
    refused: tuple[Refused, ...] = ()

    def top(self, row: int, count: int = TOP) -> Guesses:
        """The likeliest classes of a picture with their probabilities."""
        best = np.argsort(-self.probs[row], kind="stable")[:count]
        return tuple((int(c), float(self.probs[row, c])) for c in best)


def check_table_name(path: Path) -> None:
    """Refuse a name that `write_outcome` would not know what to do with, before anything is computed.

    Raises:
        ConfigError: not .csv or .json, or in a folder that is not there.
    """
    if path.suffix.lower() not in (".csv", ".json"):
        raise ConfigError([Problem("--out", str(path), tr("must end in .csv or .json"))])
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ConfigError([Problem("--out", str(path), tr("must be a file in a folder that is there"))])


def write_outcome(outcome: Outcome, path: Path, truth: Labels | None = None) -> None:
    """A table with a row a picture, refused files last: CSV with every probability, or JSON."""
    if path.suffix.lower() == ".json":
        write_json(path, outcome_json(outcome))
    else:
        path.write_text(outcome_csv(outcome, truth), encoding="utf-8", newline="")


def outcome_csv(outcome: Outcome, truth: Labels | None = None) -> str:
    """Guesses and all probabilities; with `truth` also the true class and whether the guess is right."""
    known = () if truth is None else ("true", "right")
    shown = min(TOP, len(outcome.classes))
    guesses = [part for n in range(2, shown + 1) for part in (f"class_{n}", f"confidence_{n}")]
    header = ["file", *known, "class", "confidence", *guesses, "milliseconds", "problem"]
    rows: list[list[Any]] = []
    for row, name in enumerate(outcome.names):
        top = outcome.top(row)
        said = [part for c, p in top for part in (outcome.classes[c], f"{p:.6f}")]
        true = [] if truth is None else [outcome.classes[truth[row]], int(truth[row] == top[0][0])]
        probs = [f"{p:.6g}" for p in outcome.probs[row]]
        rows.append([display(name), *true, *said, f"{outcome.milliseconds[row]:.3f}", "", *probs])
    width = len(known) + 2 * shown + 1
    rows += [[r.name, *[""] * width, r.reason, *[""] * len(outcome.classes)] for r in outcome.refused]
    return write_csv(rows, [*header, *(f"p({name})" for name in outcome.classes)])


def outcome_json(outcome: Outcome) -> dict[str, Any]:
    """Plain values: what a page shows and `predict --out x.json` writes."""
    names = outcome.classes
    return {
        "model": outcome.model,
        "classes": list(names),
        "predictions": [
            {
                "file": display(name),
                "class": names[top[0][0]],
                "confidence": round(top[0][1], 6),
                "top": [[names[c], round(p, 6)] for c, p in top],
                "milliseconds": round(float(outcome.milliseconds[row]), 3),
            }
            for row, name in enumerate(outcome.names)
            for top in (outcome.top(row),)
        ],
        "refused": [{"file": r.name, "reason": r.reason} for r in outcome.refused],
    }


def score(outcome: Outcome, truth: Labels) -> dict[str, Any]:
    """How good the model is on pictures whose classes are known: summary, per class, confusion matrix."""
    table = confusion(outcome.probs.argmax(1), truth, len(outcome.classes))
    report = class_report(table)
    columns: Mapping[str, Sequence[Any]] = {
        "class": outcome.classes, "precision": report.precision.tolist(), "recall": report.recall.tolist(),
        "f1": report.f1.tolist(), "pictures": report.support.tolist(),
    }  # fmt: skip
    return {
        "model": outcome.model,
        "pictures": len(outcome.names),
        "metrics": evaluate(outcome.probs, truth),
        "per_class": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        "classes": list(outcome.classes),
        "confusion": table.tolist(),
        "milliseconds_per_picture": float(outcome.milliseconds.mean()) if len(outcome.names) else None,
        "refused": [{"file": r.name, "reason": r.reason} for r in outcome.refused],
    }


def write_score(outcome: Outcome, truth: Labels, folder: Path) -> None:
    """results.json, predictions.csv and confusion.csv (rows: true class, columns: predicted)."""
    folder.mkdir(parents=True, exist_ok=True)
    scored = score(outcome, truth)
    write_json(folder / "results.json", scored)
    write_outcome(outcome, folder / "predictions.csv", truth)
    rows = [[name, *row] for name, row in zip(outcome.classes, scored["confusion"], strict=True)]
    text = write_csv(rows, ["true \\ predicted", *outcome.classes])
    (folder / "confusion.csv").write_text(text, encoding="utf-8", newline="")
