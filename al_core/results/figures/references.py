"""What trains once, behind the curves: the whole pool as a line, a subset or a selection as a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from al_core.results.analysis import Metric
from al_core.results.figures.palette import look, plain
from al_core.results.references import Reference
from al_core.words import told, tr_n


def add_references(
    figure: go.Figure, references: Sequence[Reference], metric: Metric, *, dark: bool = False
) -> None:
    """Draw them over the x that the figure has so far, each with its 95 % interval over the seeds."""
    traces: Any = figure.data  # plotly's types know no traces
    xs = [float(x) for trace in traces for x in (trace.x if trace.x is not None else ())]
    for reference in references:
        at, _ = reference.point
        if reference.kind == "full":
            span = (min(xs), max(xs)) if xs else (at, at)
            _line(figure, reference, span, metric, dark=dark)
        else:
            _point(figure, reference, metric, dark=dark)


def _line(
    figure: go.Figure, reference: Reference, span: tuple[float, float], metric: Metric, *, dark: bool
) -> None:
    style, scale = look(reference.kind), 100 if metric.share else 1
    color, value = style.color(dark=dark), reference.point[1]
    if value.low is not None and value.high is not None:
        figure.add_scatter(
            x=[*span, *span[::-1]], y=[scale * value.high] * 2 + [scale * value.low] * 2,
            fill="toself", fillcolor=color, opacity=0.12, line={"width": 0}, mode="lines",
            hoverinfo="skip", showlegend=False, legendgroup=reference.arm.name,
        )  # fmt: skip
    figure.add_scatter(
        x=list(span), y=[scale * value.mean] * 2, mode="lines", name=_name(reference),
        legendgroup=reference.arm.name, line={"color": color, "dash": style.dash, "width": 2},
        hovertemplate=_hover(reference, metric),
    )  # fmt: skip


def _point(figure: go.Figure, reference: Reference, metric: Metric, *, dark: bool) -> None:
    style, scale = look(reference.kind), 100 if metric.share else 1
    at, value = reference.point
    figure.add_scatter(
        x=[at], y=[scale * value.mean], mode="markers", name=_name(reference),
        error_y={"type": "data", "array": [scale * (value.half or 0.0)], "width": 5, "thickness": 1.5},
        marker={"symbol": style.symbol, "size": 13, "color": style.color(dark=dark)},
        hovertemplate=_hover(reference, metric),
    )  # fmt: skip


def _name(reference: Reference) -> str:
    n = reference.point[1].n
    return tr_n("{name} ({n} seed)", "{name} ({n} seeds)", n, name=plain(told(reference.arm.name), 60))


def _hover(reference: Reference, metric: Metric) -> str:
    value = reference.point[1]
    half = "" if value.half is None else f" ± {metric.size(value.half)}"
    text = f"{metric.text(value.mean)}{half}"
    return f"{text}<extra>{plain(told(reference.arm.name), 60)}</extra>"
