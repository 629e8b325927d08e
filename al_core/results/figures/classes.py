"""Labels per class: over the rounds as stacked bars, and their shares as a ring."""

from __future__ import annotations

from typing import Final

import pandas as pd
import plotly.graph_objects as go

from al_core.results.figures.palette import plain
from al_core.words import tr, tr_n

# Neighbours differ in lightness as well as in hue; classes beyond the tenth repeat with a pattern.
_COLORS: Final = (
    "#1d7f80", "#dd9040", "#5a94cf", "#c878a8", "#8f9e3a",
    "#c8584e", "#8a79c4", "#a87a55", "#4fb8b1", "#8b9698",
)  # fmt: skip
_PATTERNS: Final = ("", "/", "x", ".", "-", "+")
_TOP = 10


def class_color(class_id: int) -> str:
    """The fixed colour of a class."""
    return _COLORS[class_id % len(_COLORS)]


def labels_per_class(frame: pd.DataFrame, *, added: bool = False) -> go.Figure:
    """Stacked bars from a class counts frame: all labels so far, or with `added` those of each round."""
    column = "added" if added else "count"
    figure = go.Figure()
    for number in sorted(set(frame["class_id"].tolist())):
        rows = frame.loc[frame["class_id"] == number]
        name = plain(str(rows["class"].iloc[0]))
        figure.add_bar(
            x=[tr("{n} labels", n=n) for n in rows["labels"]]
            if rows["labels"].is_unique
            else rows["round"].astype(str),
            y=rows[column],
            name=name,
            marker={
                "color": class_color(number),
                "pattern": {"shape": _PATTERNS[number // len(_COLORS) % len(_PATTERNS)]},
                "line": {"width": 0},
            },
            customdata=rows["round"],
            hovertemplate=f"{name}: {tr('%{y} (round %{customdata})')}<extra></extra>",
        )
    figure.update_layout(
        barmode="relative" if added else "stack",
        bargap=0.25,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "traceorder": "normal"},
        height=360,
        xaxis={"type": "category", "title": None},
        yaxis={"title": tr("labels added") if added else tr("labels"), "rangemode": "tozero"},
    )
    return figure


def label_shares(frame: pd.DataFrame) -> go.Figure:
    """A ring of the labels per class of the frame's last round: the ten largest, and the rest as one."""
    last = frame.loc[frame["round"] == frame["round"].max()]
    counts = zip(last["count"].tolist(), last["class_id"].tolist(), last["class"].tolist(), strict=True)
    ordered = sorted(counts, key=lambda entry: (-entry[0], entry[1]))
    labels = [plain(str(name)) for _, _, name in ordered[:_TOP]]
    values = [int(count) for count, _, _ in ordered[:_TOP]]
    colors = [class_color(class_id) for _, class_id, _ in ordered[:_TOP]]
    rest = ordered[_TOP:]
    if sum(count for count, _, _ in rest):
        labels.append(tr_n("{n} other class", "{n} other classes", len(rest)))
        values.append(sum(count for count, _, _ in rest))
        colors.append("#8b93a1")
    ring = go.Pie(
        labels=labels,
        values=values,
        hole=0.58,
        sort=False,
        direction="clockwise",
        marker={"colors": colors, "line": {"width": 0}},
        texttemplate="%{label} · %{value}",
        textposition="outside",
        hovertemplate=tr("%{label}: %{value} labels, %{percent}") + "<extra></extra>",
    )
    figure = go.Figure(ring)
    figure.add_annotation(text=tr("<b>{n}</b><br>labels", n=sum(values)), showarrow=False, font={"size": 18})
    figure.update_layout(showlegend=False, margin={"l": 24, "r": 24, "t": 24, "b": 24}, height=360)
    return figure
