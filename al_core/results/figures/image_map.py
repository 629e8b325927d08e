"""The image map as a figure: points (WebGL for many), coloured by what a person wants to see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from al_core.results.figures.palette import look, plain
from al_core.words import tr

_IN_SPACE = ("circle", "square", "diamond", "cross", "x")  # markers that WebGL draws there
_DRAWN_WITHOUT_WEBGL = 3000  # points that a browser draws quickly without it, as some have none
_GREY = ("#aab3b5", "#55606a")


def map_figure(
    places: np.ndarray,
    ids: np.ndarray,
    values: np.ndarray,
    names: Sequence[str] | None,
    *,
    title: str,
    hover: Sequence[str],
    dark: bool = False,
) -> go.Figure:
    """`values` are positions in `names` (-1: none of them), or numbers where `names` is None."""
    figure = go.Figure()
    if names is None:
        figure.add_trace(
            _trace(places, ids, hover, slice(None), title, _continuous(values, title, dark=dark))
        )
    else:
        for place in [-1, *range(len(names))]:
            rows = np.flatnonzero(values == place)
            if not len(rows):
                continue
            style = look(f"#{max(place, 0)}")  # a colour and a marker of its own
            marker: dict[str, Any] = {"color": _GREY[dark], "symbol": "circle", "opacity": 0.35, "size": 6}
            if place >= 0:
                marker |= {"color": style.color(dark=dark), "symbol": style.symbol, "opacity": 0.85}
            name = tr("none") if place < 0 else plain(names[place], 24)
            figure.add_trace(_trace(places, ids, hover, rows, name, marker))
    bare: dict[str, Any] = {
        "visible": False, "showgrid": False, "zeroline": False, "showticklabels": False, "title": "",
    }  # fmt: skip
    if places.shape[1] == 2:
        figure.update_layout(xaxis=bare, yaxis=bare | {"scaleanchor": "x"}, dragmode="lasso")
    else:
        flat = {"title": "", "showticklabels": False, "showbackground": False}
        figure.update_layout(scene={"xaxis": flat, "yaxis": flat, "zaxis": flat})
    figure.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0}, height=600, hovermode="closest",
        legend={"itemsizing": "constant", "title": {"text": plain(title)}},
    )  # fmt: skip
    return figure


def _continuous(values: np.ndarray, title: str, *, dark: bool) -> dict[str, Any]:
    low, high = ("#26323a", "#f3c56b") if dark else ("#d9e4e4", "#a3352c")
    return {
        "color": values, "colorscale": [[0, low], [1, high]], "showscale": True, "size": 6, "opacity": 0.85,
        "colorbar": {"title": {"text": plain(title)}, "thickness": 10, "outlinewidth": 0},
    }  # fmt: skip


def _trace(
    places: np.ndarray, ids: np.ndarray, hover: Sequence[str], rows: Any, name: str, marker: dict[str, Any]
) -> go.Scattergl | go.Scatter | go.Scatter3d:
    text = np.asarray([plain(words, 60) for words in hover], object)[rows]
    shared: dict[str, Any] = {
        "mode": "markers", "name": name, "customdata": ids[rows], "text": text,
        "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
    if places.shape[1] == 2:
        kind = go.Scattergl if len(places) > _DRAWN_WITHOUT_WEBGL else go.Scatter
        return kind(x=places[rows, 0], y=places[rows, 1], marker=marker, **shared)
    small = marker | {"size": 3}
    if small.get("symbol") not in _IN_SPACE:
        small["symbol"] = "circle"
    return go.Scatter3d(x=places[rows, 0], y=places[rows, 1], z=places[rows, 2], marker=small, **shared)
