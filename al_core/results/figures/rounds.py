"""What each round took, and how well it did on each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from al_core.results.figures.comparison import heat
from al_core.results.figures.palette import look, plain
from al_core.words import noted, tr

Quality = Literal["precision", "recall", "f1"]
QUALITIES: Final[Mapping[Quality, str]] = {
    "f1": "F1",
    "precision": noted("Precision"),
    "recall": noted("Recall"),
}
_MOST_CLASSES: Final = 40
_KINDS: Final = (
    ("train", noted("training"), "margin"), ("evaluate", noted("evaluating"), "least_confidence"),
    ("query", noted("choosing"), "entropy"),
)  # fmt: skip
_MARGIN: Final = {"l": 8, "r": 8, "t": 8, "b": 8}


def quality_figure(frame: pd.DataFrame, value: Quality = "f1", *, dark: bool = False) -> go.Figure:
    """A quality frame as a heat map: a row a class, a column a round.

    Of many classes those are drawn that do worst in the last round.
    """
    table = frame.pivot(index="class_id", columns="labels", values=value)
    names = dict(zip(frame["class_id"], frame["class"], strict=True))
    if len(table) > _MOST_CLASSES:
        table = table.loc[sorted(table.iloc[:, -1].nsmallest(_MOST_CLASSES).index)]
    values = table.to_numpy(float)
    titles = [plain(str(names[i]), 18) for i in table.index]
    numbers = [[f"{100 * v:.0f}" if np.isfinite(v) else "" for v in row] for row in values]
    text = [
        [
            tr("<b>{title}</b>, {n} labels: {share:.1f} %", title=title, n=labels, share=100 * v)
            for labels, v in zip(table, row, strict=True)
        ]
        for title, row in zip(titles, values, strict=True)
    ]
    figure = heat(values, numbers if table.shape[1] <= _MOST_CLASSES else _none(values), text, dark=dark)
    figure.update_xaxes(
        title=tr("labeled images"), side="top", tickmode="array", tickvals=list(range(table.shape[1])),
        ticktext=[f"{n:,}" for n in table],
    )  # fmt: skip
    figure.update_yaxes(
        autorange="reversed", tickmode="array", tickvals=list(range(len(table))), ticktext=titles
    )
    figure.update_layout(height=110 + 30 * len(table), margin=_MARGIN)
    return figure


def _none(values: np.ndarray) -> list[list[str]]:
    return [[""] * values.shape[1]] * values.shape[0]


def seconds_figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A rounds frame's seconds as stacked bars: training, evaluating, choosing."""
    figure = go.Figure()
    for kind, title, strategy in _KINDS:
        column = f"{kind}_seconds"
        if column in frame:
            figure.add_bar(
                x=frame["round"].astype(str), y=frame[column], name=tr(title),
                marker={"color": look(strategy).color(dark=dark), "line": {"width": 0}},
                customdata=frame["labels"],
                hovertemplate=tr("round %{x}, %{customdata:,} labels: %{y:.2f} s")
                + f"<extra>{tr(title)}</extra>",
            )  # fmt: skip
    figure.update_layout(
        barmode="stack", bargap=0.25, height=320, margin=_MARGIN,
        xaxis={"type": "category", "title": tr("round")},
        yaxis={"title": tr("seconds"), "rangemode": "tozero"},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "traceorder": "normal"},
    )  # fmt: skip
    return figure
