"""Confidence against truth: bars of accuracy by confidence, beside the line where both agree."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from al_core.results.figures.palette import INK, look
from al_core.results.mistakes import part_words
from al_core.words import tr


def reliability_figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """`frame` is `mistakes.reliability`'s. A marker's size says how many images a bin holds."""
    style, share = look("margin"), frame["images"] / max(frame["images"].sum(), 1)
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", name=tr("as sure as right"), hoverinfo="skip",
        line={"dash": "dash", "width": 1.5, "color": "#8b95a5"},
    )  # fmt: skip
    figure.add_scatter(
        x=100 * frame["confidence"], y=100 * frame["accuracy"], mode="lines+markers", name=tr("this round"),
        line={"color": style.color(dark=dark), "width": 2},
        marker={"size": 8 + 26 * share**0.5, "color": style.color(dark=dark), "line": {"width": 0}},
        error_y={
            "type": "data", "symmetric": False, "thickness": 1.2, "width": 4,
            "array": 100 * (frame["accuracy_high"] - frame["accuracy"]),
            "arrayminus": 100 * (frame["accuracy"] - frame["accuracy_low"]),
        },
        customdata=frame["images"],
        hovertemplate=tr("%{x:.0f} % sure: right in %{y:.1f} % of %{customdata:,} images")
        + "<extra></extra>",
    )  # fmt: skip
    figure.update_layout(
        xaxis={"title": tr("confidence (%)"), "range": [-2, 102]},
        yaxis={"title": tr("right (%)"), "range": [-2, 104]},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
        margin={"l": 8, "r": 8, "t": 8, "b": 8}, height=420,
    )  # fmt: skip
    return figure


def slices_figure(frame: pd.DataFrame, overall: float, *, dark: bool = False) -> go.Figure:
    """`frame` is one property of `mistakes.slices`: accuracy of each part, with the whole's as a line."""
    style = look("margin").color(dark=dark)
    columns = (frame["property"], frame["low"], frame["high"])
    names = [part_words(name, low, high) for name, low, high in zip(*columns, strict=True)]
    ticks = [
        tr("{part}<br>{n:,} images", part=words, n=n) for words, n in zip(names, frame["images"], strict=True)
    ]
    figure = go.Figure()
    figure.add_bar(
        x=list(range(len(names))), hovertext=names, y=100 * frame["accuracy"], customdata=frame["images"],
        marker={"color": style, "opacity": 0.85},
        error_y={
            "type": "data", "symmetric": False, "thickness": 1.2, "width": 5, "color": INK[dark],
            "array": 100 * (frame["accuracy_high"] - frame["accuracy"]),
            "arrayminus": 100 * (frame["accuracy"] - frame["accuracy_low"]),
        },
        hovertemplate=tr("%{hovertext}: %{y:.1f} % of %{customdata:,} images")
        + "<extra></extra>",
    )  # fmt: skip
    figure.add_hline(y=100 * overall, line={"dash": "dash", "width": 1.5, "color": "#8b95a5"})
    figure.update_layout(
        # two parts may read alike once rounded; by their names they would be one bar
        xaxis={"tickvals": list(range(len(names))), "ticktext": ticks},
        yaxis={"title": tr("right (%)"), "range": [0, 104]},
        margin={"l": 8, "r": 8, "t": 8, "b": 8}, height=260, bargap=0.45, showlegend=False,
    )  # fmt: skip
    return figure
