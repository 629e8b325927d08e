"""The confusion matrix as a heat map: rows are true classes, columns are what the model said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from al_core.results.figures.palette import plain
from al_core.words import tr

_WRITTEN_UP_TO = 14  # classes; beyond that the numbers no longer fit into the cells


def confusion_figure(
    matrix: Sequence[Sequence[int]],
    classes: Sequence[str],
    *,
    normalised: bool = False,
    dark: bool = False,
    clickable: bool = False,
) -> go.Figure:
    """Counts, or with `normalised` the share of each true class (a row sums to 100 %).

    `clickable` lays invisible points over the cells: a heat map cannot be selected from.
    """
    counts = np.asarray(matrix, dtype=float)
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    shown = shares if normalised else counts
    names = [plain(name, 18) for name in classes]
    hue = "79,184,177" if dark else "11,100,104"
    heat = go.Heatmap(
        z=shares,  # the colour is the share of the row in both modes: classes differ in size
        x=list(range(len(names))),
        y=list(range(len(names))),
        customdata=np.dstack(
            [counts, 100 * shares, *np.meshgrid(np.arange(len(names)), np.arange(len(names)))]
        ),
        zmin=0,
        zmax=1,
        colorscale=[[0, f"rgba({hue},0.04)"], [0.12, f"rgba({hue},0.3)"], [1, f"rgba({hue},1)"]],
        xgap=1,
        ygap=1,
        showscale=False,
        text=[
            [
                tr("<b>{name}</b> taken for <b>{other}</b>", name=names[i], other=names[j])
                for j in range(len(names))
            ]
            for i in range(len(names))
        ],
        hovertemplate="%{text}<br>"
        + tr("%{customdata[0]:.0f} images, %{customdata[1]:.1f} % of row")
        + "<extra></extra>",
    )
    figure = go.Figure(heat)
    if clickable:
        _lay_points(figure, heat, len(names))
    if len(names) <= _WRITTEN_UP_TO:
        _write_numbers(figure, shown, shares, normalised=normalised, dark=dark)
    ticks = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": names}
    if len(names) > 60:
        ticks = {"visible": False}
    figure.update_xaxes(
        title=tr("predicted"), side="bottom", showgrid=False, zeroline=False, constrain="domain", **ticks
    )
    figure.update_yaxes(
        title=tr("true"),
        autorange="reversed",
        showgrid=False,
        zeroline=False,
        scaleanchor="x",
        constrain="domain",
        **ticks,
    )
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 8, "b": 8}, height=min(680, 220 + 26 * min(len(names), 18))
    )
    return figure


def _lay_points(figure: go.Figure, heat: Any, count: int) -> None:
    """Points that take the clicks, and with them the hover, of the cells beneath."""
    rows, columns = np.divmod(np.arange(count * count), count)
    unseen = {"marker": {"opacity": 0}}
    figure.add_scatter(
        x=columns, y=rows, mode="markers", showlegend=False, selected=unseen, unselected=unseen,
        marker={"symbol": "square", "size": max(6, min(46, 480 // count)), "opacity": 0},
        text=np.ravel(heat.text), customdata=np.reshape(heat.customdata, (count * count, -1)),
        hovertemplate=heat.hovertemplate,
    )  # fmt: skip


def _write_numbers(
    figure: go.Figure, shown: np.ndarray, shares: np.ndarray, *, normalised: bool, dark: bool
) -> None:
    """Numbers in the cells; ours and not the heat map's, so that they stand out on transparent cells."""
    on_strong, on_weak = ("#06121f", "#dfe7f1") if dark else ("#ffffff", "#1f2937")
    for i, j in np.argwhere(shown > (0.0005 if normalised else 0)):
        value = shown[i, j]
        figure.add_annotation(
            x=int(j),
            y=int(i),
            text=f"{100 * value:.0f}" if normalised else f"{value:.0f}",
            showarrow=False,
            font={"size": 12, "color": on_strong if shares[i, j] > 0.45 else on_weak},
        )
