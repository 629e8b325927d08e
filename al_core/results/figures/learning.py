"""Learning curves and training curves as finished figures, for reports (pages draw theirs live)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from al_core.results.analysis import Curve, Metric
from al_core.results.figures.palette import look, plain


@dataclass(frozen=True)
class NamedCurve:
    """A curve, the strategy that decides its look, and its name in the legend."""

    strategy: str
    title: str
    curve: Curve


def learning_figure(curves: Sequence[NamedCurve], metric: Metric, *, dark: bool = False) -> go.Figure:
    """The metric against labeled images: a marker at each round, straight lines between, never smoothed."""
    figure = go.Figure()
    scale = 100 if metric.share else 1
    unit = " %" if metric.share else ""
    digits = ".1f" if metric.share else ".3f"
    for named in curves:
        style = look(named.strategy)
        figure.add_scatter(
            x=named.curve.labels,
            y=scale * named.curve.values,
            name=plain(named.title),
            mode="lines+markers",
            line={"color": style.color(dark=dark), "dash": style.dash, "width": 2.5},
            marker={"symbol": style.symbol, "size": 8},
            hovertemplate=f"%{{x}} labels: %{{y:{digits}}}{unit}<extra>{plain(named.title)}</extra>",
        )
    figure.update_layout(
        xaxis={"title": "labeled images", "rangemode": "tozero"},
        yaxis={"title": f"{metric.title}, test images" + (" (%)" if metric.share else "")},
        hovermode="closest",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
    )
    return figure


def epochs_figure(frame: pd.DataFrame, round: int, *, dark: bool = False) -> go.Figure:
    """Training and validation accuracy of one round, by epoch."""
    rows = frame[frame["round"] == round]
    figure = go.Figure()
    for column, title, strategy in (
        ("train_accuracy", "training", "margin"),
        ("validation_accuracy", "validation", "least_confidence"),
    ):
        values = np.asarray(rows[column], float)
        if np.isfinite(values).any():
            figure.add_scatter(
                x=rows["epoch"] + 1,
                y=100 * values,
                name=title,
                line={"color": look(strategy).color(dark=dark)},
            )
    figure.update_layout(
        xaxis={"title": "epoch"}, yaxis={"title": "accuracy (%)"}, margin={"l": 8, "r": 8, "t": 8, "b": 8}
    )
    return figure
