"""What a bandit learnt: the chance of each of its strategies, and what their picks were worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from al_core.query.bandit import ACCURACY, CHANCE
from al_core.records import RoundRecord
from al_core.results.figures.palette import look, plain
from al_core.words import tr


def arms_frame(rounds: Sequence[RoundRecord]) -> pd.DataFrame:
    """One row a round and arm: its chance in this round's query, its accuracy after the one before."""
    rows = [
        {
            "round": record.number, "labels": record.num_labeled, "arm": name.removeprefix(CHANCE),
            "chance": value, "accuracy": record.metrics.get(ACCURACY + name.removeprefix(CHANCE)),
        }
        for record in rounds
        for name, value in record.metrics.items()
        if name.startswith(CHANCE)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["round", "labels", "arm", "chance", "accuracy"])


def arms_figure(frame: pd.DataFrame, titles: Mapping[str, str], *, dark: bool = False) -> go.Figure:
    """Chances above, as shares of a whole; accuracies of the probes below."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.12, row_heights=[0.6, 0.4])
    for arm, rows in frame.groupby("arm", sort=False):
        name, style = str(arm), look(str(arm))
        title, color = plain(titles.get(name, name)), style.color(dark=dark)
        shared = {"x": rows["labels"], "name": title, "legendgroup": name}
        figure.add_scatter(
            **shared, y=100 * rows["chance"], mode="lines+markers", row=1, col=1,
            line={"color": color, "dash": style.dash, "width": 2.5},
            marker={"symbol": style.symbol, "size": 8},
            hovertemplate=f"{tr('%{x} labels: %{y:.1f} %')}<extra>{title}</extra>",
        )  # fmt: skip
        figure.add_scatter(
            **shared, y=100 * rows["accuracy"].astype(float), mode="lines+markers", row=2, col=1,
            showlegend=False, line={"color": color, "dash": style.dash, "width": 1.5},
            marker={"symbol": style.symbol, "size": 7},
            hovertemplate=f"{tr('%{x} labels: %{y:.1f} %')}<extra>{title}</extra>",
        )  # fmt: skip
    figure.update_yaxes(title=tr("chance (%)"), rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title=tr("probe (%)"), row=2, col=1)
    figure.update_xaxes(title=tr("labeled images"), row=2, col=1)
    figure.update_layout(
        height=460, hovermode="closest", margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    )  # fmt: skip
    return figure
