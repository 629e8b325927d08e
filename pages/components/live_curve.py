"""The live chart of an experiment: its learning curve, or the loss and accuracy of a round.

The browser asks the metrics route itself, so that points appear without a rerun of the page and zoom stays.
The page is run again once when the experiment's state changes (a round finished, a job ended).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from streamlit.components.v2 import component

from al_core.errors import StrategyError
from al_core.query.strategies import STRATEGIES
from al_core.records import ExperimentRecord
from al_core.results.analysis import Metric
from al_core.results.figures.palette import RANDOM, look
from state import handles
from state.web.metrics import asset_url, metrics_url

_ASSETS = Path(__file__).resolve().parents[2] / "assets"
_chart = component(
    "askwell_live_curve",
    html='<div class="al-curve"></div>',
    css=(_ASSETS / "live_curve.css").read_text("utf-8"),
    js="\n".join((_ASSETS / name).read_text("utf-8") for name in ("live_curve_figures.js", "live_curve.js")),
    isolate_styles=False,  # Plotly writes its own styles into the page and measures text there
)


def strategy_title(name: str) -> str:
    """A strategy's title; its name where the registry no longer knows it."""
    try:
        return STRATEGIES.get(name).title
    except StrategyError:
        return name


def live_curve(
    record: ExperimentRecord,
    *,
    view: Literal["learning", "training", "job"],
    key: str,
    metric: Metric | None = None,
    round: int | None = None,
    height: int = 420,
) -> None:
    """Mount the chart. `metric` is drawn in the learning view; `round` None follows the one that trains.

    The job view has no chart: it says what the job is at, how far, and how long it will take.
    """
    style = look(record.config.query.strategy)
    data: dict[str, Any] = {
        "view": view,
        "experiment": record.id,
        "url": metrics_url(record.id),
        "plotly": asset_url("plotly-basic.min.js"),
        "name": strategy_title(record.config.query.strategy),
        "look": {
            "light": style.light,
            "dark": style.dark,
            "symbol": style.symbol,
            "dash": style.dash,
            "ghostLight": RANDOM.light,
            "ghostDark": RANDOM.dark,
        },
        "metric": _metric(metric),
        "round": round,
        "hasGhost": handles.store().ghost_of(record.id) is not None,
        "seen": seen(record),
        "height": height,
    }
    _chart(data=data, key=key, on_changed_change=_changed)


def _changed() -> None:
    """Nothing to do: that the page runs again is the point."""


def _metric(metric: Metric | None) -> dict[str, Any] | None:
    if metric is None:
        return None
    split = "validation" if metric.key.startswith("validation") else "test"
    return {
        "key": metric.key,
        "title": metric.title,
        "share": metric.share,
        "higher": metric.higher_is_better,
        "split": split,
    }


def seen(record: ExperimentRecord) -> str:
    """What this run of the page shows, in the words that the chart's script compares."""
    jobs = handles.store().jobs(experiment_id=record.id, limit=1)
    job = (jobs[0].id, jobs[0].state.value, str(jobs[0].paused).lower()) if jobs else ("", "", "")
    return "/".join((record.status.value, str(record.num_rounds), *job))
