"""Strategies side by side: mean curves with bands, who loses to whom, overlap and classes of queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from jaxtyping import Float

from al_core.results.analysis import Curve, Metric
from al_core.results.axes import AXES, Over
from al_core.results.comparison import Arm, shared_labels
from al_core.results.figures.palette import look, look_keys, plain
from al_core.results.figures.references import add_references
from al_core.results.study import StudyResult
from al_core.words import noted, tr, tr_n

MOST_CLASSES: Final = 20
_LOG: Final = {"type": "log", "tickmode": "auto", "nticks": 8, "tickformat": ",.3~r", "minor": {"ticks": ""}}
_HOVER: Final[dict[Over, str]] = {
    "labels": noted("%{x:,.0f} labels"), "minutes": noted("%{x:,.1f} minutes"),
    "seconds": noted("%{x:,.0f} seconds"), "money": noted("%{x:,.2f} money"),
}  # fmt: skip
_MARGIN: Final = {"l": 8, "r": 8, "t": 8, "b": 8}
_LEGEND: Final = {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0}
_HUES: Final = {False: "11,100,104", True: "79,184,177"}


def comparison_figure(
    result: StudyResult,
    everything: StudyResult | None = None,
    *,
    log: bool = False,
    singles: bool = False,
    dark: bool = False,
) -> go.Figure:
    """Each arm's mean with its 95 % band; never smoothed. `singles` adds every seed's curve, faint.

    `everything` holds what is not settled yet; an arm that has no mean is drawn by its single curves.
    """
    figure = go.Figure()
    metric, over = result.metric, result.over
    every = {arm.name: arm for arm in (everything or result).arms}
    for arm, strategy in zip(result.arms, look_keys(result.strategies), strict=True):
        style = look(strategy)
        drawn = _mean(figure, arm, metric, strategy, over=over, dark=dark)
        for place, curve in enumerate(every[arm.name].curves.values()):
            if not (singles or not drawn):
                break
            _single(figure, curve, arm.name, metric, style.color(dark=dark), legend=not drawn and place == 0)
    add_references(figure, (everything or result).references, metric, dark=dark)
    figure.update_layout(
        xaxis={"title": tr(AXES[over].title), **(_LOG if log else {})},
        yaxis={"title": metric.axis},
        hovermode="closest", legend=_LEGEND, margin=_MARGIN, height=460,
    )  # fmt: skip
    return figure


def _mean(figure: go.Figure, arm: Arm, metric: Metric, strategy: str, *, over: Over, dark: bool) -> bool:
    """The arm's band and mean line; False where there is nothing to average."""
    places = shared_labels([arm])
    points = [
        (x, mean) for x, mean in zip(places, arm.mean_curve(places), strict=True) if mean is not None
    ]  # fmt: skip
    if not points:
        return False
    style, name, scale = look(strategy), plain(arm.name, 40), 100 if metric.share else 1
    color = style.color(dark=dark)
    banded = [(x, p.low, p.high) for x, p in points if p.low is not None and p.high is not None]
    if banded:
        xs = [x for x, _, _ in banded]
        figure.add_scatter(
            x=xs + xs[::-1],
            y=[scale * high for _, _, high in banded] + [scale * low for _, low, _ in banded[::-1]],
            fill="toself", fillcolor=_faint(color, 0.14), line={"width": 0}, mode="lines",
            hoverinfo="skip", showlegend=False, legendgroup=arm.name,
        )  # fmt: skip
    n = max(p.n for _, p in points)
    unit, digits = (" %", ".1f") if metric.share else ("", ".3f")
    halves = ["" if p.half is None else f" ± {scale * p.half:{digits}}" for _, p in points]
    figure.add_scatter(
        x=[x for x, _ in points],
        y=[scale * p.mean for _, p in points],
        customdata=np.array(halves)[:, None],
        name=tr_n("{name} ({n} seed)", "{name} ({n} seeds)", n, name=name),
        legendgroup=arm.name,
        mode="lines+markers" if over in ("labels", "minutes") else "lines",
        line={"color": color, "dash": style.dash, "width": 2.5},
        marker={"symbol": style.symbol, "size": 8},
        hovertemplate=f"{tr(_HOVER[over])}: %{{y:{digits}}}{unit}%{{customdata[0]}}<extra>{name}</extra>",
    )
    return True


def _single(figure: go.Figure, curve: Curve, arm: str, metric: Metric, color: str, *, legend: bool) -> None:
    if not len(curve.labels):
        return
    scale = 100 if metric.share else 1
    figure.add_scatter(
        x=curve.labels, y=scale * curve.values, mode="lines+markers", opacity=0.4, name=plain(arm, 40),
        legendgroup=arm, showlegend=legend, hoverinfo="skip",
        line={"color": color, "width": 1}, marker={"size": 3},
    )  # fmt: skip


def _faint(color: str, opacity: float) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def penalty_figure(matrix: Float[np.ndarray, "a a"], arms: Sequence[str], *, dark: bool = False) -> go.Figure:
    """Row loses to column: the share of budgets, as a heat map with numbers."""
    names = [plain(name, 24) for name in arms]
    text = [
        [
            tr(
                "<b>{one}</b> clearly loses to <b>{other}</b> at {share:.0f} % of budgets",
                one=one,
                other=other,
                share=100 * matrix[i, j],
            )
            for j, other in enumerate(names)
        ]
        for i, one in enumerate(names)
    ]
    numbers = [
        ["·" if i == j else f"{100 * value:.0f}" for j, value in enumerate(row)]
        for i, row in enumerate(matrix)
    ]
    figure = heat(matrix, numbers, text, dark=dark)
    places = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": names}
    figure.update_xaxes(title=tr("… to"), side="top", **places)
    figure.update_yaxes(title=tr("loses …"), autorange="reversed", **places)
    figure.update_layout(height=150 + 44 * len(names), margin=_MARGIN)
    return figure


def overlap_figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """An overlap frame as a heat map: a row a pair of arms, a column a round, numbers in per cent."""
    table = frame.assign(
        pair=[f"{plain(a)} · {plain(b)}" for a, b in zip(frame["arm"], frame["other"], strict=True)]
    ).pivot(index="pair", columns="round", values="overlap")
    table = table.reindex(list(dict.fromkeys(
        f"{plain(a)} · {plain(b)}" for a, b in zip(frame["arm"], frame["other"], strict=True)
    )))  # fmt: skip
    values = table.to_numpy(float)
    numbers = [["" if np.isnan(v) else f"{100 * v:.0f}" for v in row] for row in values]
    text = [
        [
            tr("{pair}, round {n}: {share} % shared", pair=pair, n=number, share=shown or "–")
            for number, shown in zip(table, row, strict=True)
        ]
        for pair, row in zip(table.index, numbers, strict=True)
    ]
    figure = heat(values, numbers, text, dark=dark)
    figure.update_xaxes(
        title=tr("asked after round"), side="top", tickmode="array",
        tickvals=list(range(table.shape[1])), ticktext=[str(n) for n in table],
    )  # fmt: skip
    figure.update_yaxes(
        autorange="reversed", tickmode="array", tickvals=list(range(len(table))), ticktext=list(table.index)
    )
    figure.update_layout(height=110 + 38 * len(table), margin=_MARGIN)
    return figure


def heat(
    values: np.ndarray, numbers: Sequence[Sequence[str]], text: Sequence[Sequence[str]], *, dark: bool
) -> go.Figure:
    """Shares from 0 to 1 as colours, with a number in each cell."""
    hue = _HUES[dark]
    figure = go.Figure(
        go.Heatmap(
            z=values, zmin=0, zmax=1, text=text, hovertemplate="%{text}<extra></extra>", showscale=False,
            colorscale=[[0, f"rgba({hue},0.05)"], [1, f"rgba({hue},1)"]], xgap=2, ygap=2,
        )
    )  # fmt: skip
    on_strong, on_weak = ("#06121f", "#dfe7f1") if dark else ("#ffffff", "#1f2937")
    for i, j in np.ndindex(values.shape):
        if numbers[i][j]:
            color = on_strong if values[i, j] > 0.55 else on_weak
            figure.add_annotation(
                x=j, y=i, text=numbers[i][j], showarrow=False, font={"size": 13, "color": color}
            )
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(showgrid=False, zeroline=False)
    return figure


def class_figure(
    frame: pd.DataFrame,
    strategies: dict[str, str],
    reference: Sequence[float] | None = None,
    *,
    dark: bool = False,
) -> go.Figure:
    """A class frame as grouped bars: share of the picks; ticks mark each class's share of the pool.

    Of many classes those are drawn whose shares differ most between the arms.
    """
    shown = sorted(set(frame["class_id"].tolist()))
    if len(shown) > MOST_CLASSES:
        shares = {i: frame.loc[frame["class_id"] == i, "share"].tolist() for i in shown}
        spread = {i: max(values) - min(values) for i, values in shares.items()}
        shown = sorted(sorted(shown, key=lambda i: -spread[i])[:MOST_CLASSES])
    figure = go.Figure()
    for arm, rows in frame[frame["class_id"].isin(shown)].groupby("arm", sort=False):
        name, color = plain(str(arm), 40), look(strategies[str(arm)]).color(dark=dark)
        figure.add_bar(
            x=rows["class_id"], y=100 * rows["share"], name=name,
            marker={"color": color, "line": {"width": 0}}, customdata=rows["count"],
            hovertemplate=tr("%{y:.1f} % of the picks, %{customdata:.1f} images") + f"<extra>{name}</extra>",
        )  # fmt: skip
    names = dict(zip(frame["class_id"], frame["class"], strict=True))
    if reference is not None:
        figure.add_scatter(
            x=shown, y=[100 * reference[i] for i in shown], mode="markers", name=tr("share of the pool"),
            marker={"symbol": "line-ew", "size": 34, "line": {"width": 2, "color": "#8b9698"}},
            hovertemplate=tr("%{y:.1f} % of all images") + f"<extra>{tr('pool')}</extra>",
        )  # fmt: skip
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=shown, tickmode="array", tickvals=shown,
        ticktext=[plain(names[i], 16) for i in shown],
    )  # fmt: skip
    figure.update_layout(
        barmode="group", bargap=0.2, bargroupgap=0.05, height=380, margin=_MARGIN, legend=_LEGEND,
        yaxis={"title": tr("share of the picks (%)"), "rangemode": "tozero"},
    )  # fmt: skip
    return figure
