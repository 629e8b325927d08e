"""The live chart of an experiment: its learning curve, or the loss and accuracy of a round.

The browser asks the metrics route itself, so that points appear without a rerun of the page and zoom stays.
The page is run again once when the experiment's state changes (a round finished, a job ended).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from streamlit.components.v2 import component

from al_core.records import ExperimentRecord
from al_core.results.analysis import Metric
from al_core.results.anchors import Fit, as_mapping
from al_core.results.figures.palette import RANDOM, look
from al_core.words import tr
from state import handles
from state.text import strategy_title
from state.web.assets import asset_url, script, style
from state.web.metrics import metrics_url

_chart = component(
    "askwell_live_curve",
    html='<div class="al-curve"></div>',
    css=style("live_curve"),
    js=script("live_curve_figures", "live_curve"),
    isolate_styles=False,  # Plotly writes its own styles into the page and measures text there
)


def live_curve(
    record: ExperimentRecord,
    *,
    view: Literal["learning", "training", "job"],
    key: str,
    metric: Metric | None = None,
    round: int | None = None,
    height: int = 420,
    forecast: dict[str, list[float]] | None = None,
    published: Sequence[Fit] = (),
    axis: dict[str, object] | None = None,
    ceilings: Sequence[dict[str, Any]] = (),
    family: Sequence[dict[str, Any]] = (),
    marked: int | None = None,
) -> None:
    """Mount the chart. `metric` is drawn in the learning view; `round` None follows the one that trains.

    `forecast` continues the learning curve: x, y, low and high. `axis` draws it over something else than
    labels: its title, unit and format, and the places of both curves' rounds.

    `ceilings` are level lines: a name and the value of each metric. `family` are curves of forks, as
    `state.forks.lines` gives them, and points of what was trained once; `marked` is the round looked at.

    The job view has no chart: it says what the job is at, how far, and how long it will take.
    """
    style = look(record.config.query.chooser)
    data: dict[str, Any] = {
        "view": view,
        "experiment": record.id,
        "url": metrics_url(record.id),
        "plotly": asset_url("plotly-basic.min.js"),
        "name": strategy_title(record.config.query.chooser),
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
        "forecast": forecast,
        "published": [_published(fit) for fit in published],
        "axis": axis,
        "ceilings": list(ceilings),
        "family": list(family) if axis is None else [],
        "marked": marked,
    }
    _chart(data=data, key=key, on_changed_change=_changed)


def _published(fit: Fit) -> dict[str, Any]:
    found = dict(as_mapping(fit))
    for curve in found["curves"]:
        style = look(curve["strategy"])
        curve |= {"light": style.light, "dark": style.dark}
    return found


def _changed() -> None:
    """Nothing to do: that the page runs again is the point."""


def _metric(metric: Metric | None) -> dict[str, Any] | None:
    if metric is None:
        return None
    split = {"validation": "validation", "holdback": "held-back"}.get(metric.key.partition("_")[0], "test")
    return {
        "key": metric.key,
        "title": tr(metric.title),
        "share": metric.share,
        "higher": metric.higher_is_better,
        "split": split,
    }


def seen(record: ExperimentRecord) -> str:
    """What this run of the page shows, in the words that the chart's script compares."""
    jobs = handles.store().jobs(experiment_id=record.id, limit=1)
    job = (jobs[0].id, jobs[0].state.value, str(jobs[0].paused).lower()) if jobs else ("", "", "")
    return "/".join((record.status.value, str(record.num_rounds), *job))
