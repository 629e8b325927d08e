"""Published curves behind one's own: thin, dotted, with their source in the hover text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import plotly.graph_objects as go

from al_core.results.anchors import Fit
from al_core.results.figures.palette import look, plain
from al_core.words import tr


def add_published(figure: go.Figure, found: Sequence[Fit], *, dark: bool = False) -> None:
    """Add the lines; in per cent, as accuracies are drawn."""
    at = tr("%{x:,} labels: %{y:.1f} %")
    for fit in found:
        source = "<br>".join(textwrap.wrap(plain(f"{fit.anchor.source} ({tr(fit.anchor.runs)})", 200), 60))
        for place, curve in enumerate(fit.curves):
            color = look(curve.strategy or curve.name).color(dark=dark)
            name = plain(f"{curve.name}, {fit.anchor.title}", 60)
            figure.add_scatter(
                x=[labels for labels, _ in curve.points],
                y=[100 * value for _, value in curve.points],
                name=plain(fit.anchor.title, 44),
                legendgroup=f"published {fit.anchor.key}",
                showlegend=place == 0,
                mode="lines+markers",
                opacity=0.75,
                line={"color": color, "width": 1.2, "dash": "dot"},
                marker={"symbol": "line-ns-open", "size": 7, "color": color},
                hovertemplate=f"<b>{name}</b><br>{at}<br>{source}<extra></extra>",
            )
