"""Learning curves and training curves as finished figures, for reports (pages draw theirs live)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from al_core.results.analysis import Curve, Metric
from al_core.results.axes import AXES, Over
from al_core.results.figures.palette import look, plain
from al_core.words import noted, tr

_AT: dict[Over, str] = {
    "labels": noted("%{x} labels"), "minutes": noted("%{x:,.1f} minutes"),
    "seconds": noted("%{x:,.0f} seconds"), "money": noted("a cost of %{x:,.2f}"),
}  # fmt: skip
_MARKED = 60  # epochs; beyond, markers run into each other


@dataclass(frozen=True)
class NamedCurve:
    """A curve, the strategy that decides its look, and its name in the legend."""

    strategy: str
    title: str
    curve: Curve


def learning_figure(
    curves: Sequence[NamedCurve], metric: Metric, *, over: Over = "labels", dark: bool = False
) -> go.Figure:
    """The metric against labeled images, or what the curves are over; a marker a round, never smoothed."""
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
            hovertemplate=f"{tr(_AT[over])}: %{{y:{digits}}}{unit}<extra>{plain(named.title)}</extra>",
        )
    figure.update_layout(
        xaxis={"title": tr(AXES[over].title), "rangemode": "tozero"},
        yaxis={"title": metric.axis},
        hovermode="closest",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
    )
    return figure


def epochs_figure(frame: pd.DataFrame, round: int | None = None, *, dark: bool = False) -> go.Figure:
    """Loss above, accuracy below, by epoch: of one round, or of all of them, one after the other."""
    rows = frame if round is None else frame[frame["round"] == round]
    epochs = np.arange(1, len(rows) + 1)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    for kind, scale, place in (("loss", 1, 1), ("accuracy", 100, 2)):
        for split, title, strategy in (
            ("train", tr("training"), "margin"),
            ("validation", tr("validation"), "least_confidence"),
        ):
            values = scale * np.asarray(rows[f"{split}_{kind}"], float)
            if np.isfinite(values).any():
                figure.add_scatter(
                    x=epochs, y=values, name=title, legendgroup=title, row=place, col=1,
                    mode="lines+markers" if len(epochs) <= _MARKED else "lines",
                    showlegend=place == 1, line={"color": look(strategy).color(dark=dark), "width": 2},
                    marker={"size": 5}, customdata=np.stack([rows["round"], rows["epoch"] + 1], axis=1),
                    hovertemplate=tr("round %{customdata[0]}, epoch %{customdata[1]}: %{y:.3f}")
                    + f"<extra>{title}</extra>",
                )  # fmt: skip
    if round is None:
        for begin in np.flatnonzero(np.diff(np.asarray(rows["round"]))) + 1.5:
            figure.add_vline(x=begin, line={"width": 1, "dash": "dot", "color": "#8b9698"}, opacity=0.6)
    figure.update_yaxes(title=tr("loss"), rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title=tr("accuracy (%)"), row=2, col=1)
    figure.update_xaxes(
        title=tr("epoch") if round is not None else tr("epoch, all rounds in a row"), row=2, col=1
    )
    figure.update_layout(
        height=480, hovermode="closest", margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    )  # fmt: skip
    return figure
