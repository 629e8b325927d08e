"""`list`: what the registries hold, and the runs and studies of the store; as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from al_core.config import options
from al_core.data.sources import SOURCES
from al_core.models import MODELS
from al_core.presets import PRESETS
from al_core.query.strategies import STRATEGIES
from al_core.settings import Settings
from al_core.store import open_store


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "list", help="list data sets, models, strategies, options, presets, runs or studies"
    )
    parser.set_defaults(function=main)
    parser.add_argument("what", choices=tuple(ROWS))
    parser.add_argument("--json", action="store_true", help="machine-readable")


def main(arguments: argparse.Namespace) -> int:
    """Print the rows."""
    rows = ROWS[arguments.what]()
    if arguments.json:
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return 0
    columns = list(rows[0]) if rows else []
    widths = {c: max(len(c), *(len(_text(row[c])) for row in rows)) for c in columns}
    for row in [dict(zip(columns, columns, strict=True)), *rows]:
        cells = (_text(row[c]).ljust(widths[c]) for c in columns)
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    return 0


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(v) for v in value)
    return "" if value is None else str(value)


def dataset_rows() -> list[dict[str, Any]]:
    """One row a data source."""
    return [
        {
            "name": s.name, "title": s.title, "train": s.num_train, "test": s.num_test, "size": s.image_size,
            "download_mb": s.download_megabytes, "aliases": list(s.aliases),
        }
        for s in SOURCES
    ]  # fmt: skip


def model_rows() -> list[dict[str, Any]]:
    """One row a model."""
    return [
        {
            "name": m.name, "title": m.title, "parameters": m.num_parameters,
            "imagenet_weights": m.weights is not None, "dropout": m.has_dropout,
            "learning_rate": m.learning_rate, "aliases": list(m.aliases),
        }
        for m in MODELS
    ]  # fmt: skip


def strategy_rows() -> list[dict[str, Any]]:
    """One row a strategy."""
    return [
        {
            "name": s.name, "title": s.title, "family": s.family, "needs": sorted(s.evidence),
            "idea": s.idea, "aliases": list(s.aliases),
        }
        for s in STRATEGIES
    ]  # fmt: skip


def option_rows() -> list[dict[str, Any]]:
    """One row an option of an experiment."""
    return [
        {"flag": o.flag, "default": o.default, "help": o.help, "also": [f for f in o.flags if f != o.flag]}
        for o in options()
    ]


def preset_rows() -> list[dict[str, Any]]:
    """One row a preset; its options as flags."""
    flags = {o.path: o.flag for o in options()}
    return [
        {
            "name": p.name, "title": p.title, "what": p.description,
            "options": [f"{flags[path]} {value}" for path, value in p.overrides.items()],
        }
        for p in PRESETS
    ]  # fmt: skip


def run_rows() -> list[dict[str, Any]]:
    """One row a run of the store, the newest first."""
    store = open_store(Settings.from_env())
    try:
        return [
            {
                "id": r.id, "name": r.name, "status": r.status.value, "rounds": r.num_rounds,
                "labels": r.num_labeled, "dataset": r.config.data.dataset, "model": r.config.model.model,
                "strategy": r.config.query.chooser, "seed": r.config.seed, "study": r.study_id,
            }
            for r in store.experiments(cells=True)
        ]  # fmt: skip
    finally:
        store.close()


def study_rows() -> list[dict[str, Any]]:
    """One row a study of the store, the newest first."""
    store = open_store(Settings.from_env())
    try:
        return [
            {"id": s.id, "name": s.name, "runs": len(store.study_experiments(s.id))} for s in store.studies()
        ]
    finally:
        store.close()


ROWS = {
    "datasets": dataset_rows, "models": model_rows, "strategies": strategy_rows, "options": option_rows,
    "presets": preset_rows, "runs": run_rows, "studies": study_rows,
}  # fmt: skip
