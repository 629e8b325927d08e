"""Tables over runs of any configuration: every round, and mean and sample deviation over the seeds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from al_core import __version__
from al_core.records import RoundRecord
from al_core.results.analysis import rounds_frame
from al_core.results.runs import Group, Run


def runs_frame(found: Sequence[Group]) -> pd.DataFrame:
    """One row a run and round: the configuration's title, seed and id, then everything that was measured."""
    parts = [
        rounds_frame(run.rounds).assign(configuration=group.title, seed=seed, run=run.id, name=run.name)
        for group in found
        for seed, run in group.runs.items()
        if run.rounds
    ]
    if not parts:
        return pd.DataFrame()
    whole = pd.concat(parts, ignore_index=True)
    first = ["configuration", "seed", "run", "name"]
    return pd.DataFrame(whole, columns=[*first, *(c for c in whole.columns if c not in first)])


def averages_frame(found: Sequence[Group]) -> pd.DataFrame:
    """One row a configuration and number of labels: seeds, then mean and deviation of each column.

    The deviation is that of a sample (n - 1), and empty for one seed. Of a seed's rounds with equal labels
    the last one stands, as in a curve.
    """
    rounds = runs_frame(found)
    if rounds.empty:
        return rounds
    values = [c for c in rounds.columns if c not in _KEYS]
    rows: list[dict[str, Any]] = []
    for group in found:
        own = rounds[rounds["configuration"] == group.title]
        last = own.groupby(["labels", "seed"], as_index=False).last()
        for labels, some in last.groupby("labels", sort=True):
            row: dict[str, Any] = {"configuration": group.title, "labels": labels, "seeds": len(some)}
            for column in values:
                known = np.asarray(some[column], float)
                known = known[np.isfinite(known)]
                row[f"{column}_mean"] = float(known.mean()) if len(known) else None
                row[f"{column}_deviation"] = float(np.std(known, ddof=1)) if len(known) > 1 else None
            rows.append(row)
    return pd.DataFrame(rows)


_KEYS = frozenset({"configuration", "seed", "run", "name", "round", "labels", "new_labels"})


def results(found: Sequence[Group], name: str) -> dict[str, Any]:
    """Everything about the runs as plain values: each configuration, its runs' rounds, and the averages."""
    averages = averages_frame(found)
    return {
        "askwell": __version__,
        "name": name,
        "configurations": [
            {
                "title": group.title,
                "options": dict(group.options) | {"seed": None, "name": None},
                "runs": [_run(run) for run in group.runs.values()],
                "averages": [
                    {key: _plain(value) for key, value in row.items() if key != "configuration"}
                    for row in averages.to_dict("records")
                    if row["configuration"] == group.title
                ],
            }
            for group in found
        ],
    }


def results_json(found: Sequence[Group], name: str) -> str:
    """`results` as JSON text."""
    return json.dumps(results(found, name), indent=1, ensure_ascii=False, allow_nan=False)


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id, "name": run.name, "seed": run.seed, "finished": run.finished,
        "rounds": [_round(record) for record in run.rounds],
    }  # fmt: skip


def _round(record: RoundRecord) -> dict[str, Any]:
    return {
        "round": record.number,
        "labels": record.num_labeled,
        "metrics": {name: _plain(value) for name, value in record.metrics.items()},
        "class_counts": list(record.class_counts),
        "confusion": record.confusion,
        "seconds": dict(record.seconds),
    }


def _plain(value: Any) -> Any:
    """A cell as JSON takes it: numbers of this language, and null for what is not one."""
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
