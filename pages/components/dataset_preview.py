"""What is in a prepared data set: pictures, class balance, and the files that were refused, with reasons."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from al_core.data.dataset import Dataset
from al_core.seeds import generator
from al_core.words import told, tr, tr_n
from pages.components.picture_wall import picture_wall
from state.text import plain

_PICTURES = 24
_MAX_BARS = 60
_BAR = "#38888a"  # has a contrast of 3:1 on both themes' backgrounds


def dataset_preview(dataset: Dataset) -> None:
    """Draw the preview of a prepared data set."""
    counts = tr(
        "{train:,} to learn from, {test:,} to test on", train=len(dataset.train), test=len(dataset.test)
    )
    size = tr("{size} × {size} pixels", size=dataset.image_size)
    st.caption(
        plain(
            tr_n(
                "{counts}, {n} class, {size}",
                "{counts}, {n} classes, {size}",
                dataset.num_classes,
                counts=counts,
                size=size,
            )
        )
    )
    for note in dataset.notes:
        st.caption(plain(told(note)))
    rng = generator(0, "preview")
    ids = rng.choice(len(dataset.train), size=min(_PICTURES, len(dataset.train)), replace=False)
    picture_wall(dataset, ids.tolist(), key="preview-wall", cell=64)
    _balance(dataset)
    if dataset.refused:
        _refused(dataset)


def _balance(dataset: Dataset) -> None:
    counts = dataset.class_counts("train")
    if not counts.sum():
        st.caption(tr("No label is known: you will give the first ones."))
        return
    order = (
        np.argsort(-counts, kind="stable")[:_MAX_BARS] if len(counts) > _MAX_BARS else np.arange(len(counts))
    )
    # Plotly reads a little HTML in its texts; class names come from files.
    names = [dataset.classes[i].replace("<", "‹").replace(">", "›") for i in order]
    figure = go.Figure(
        go.Bar(
            x=counts[order],
            y=names,
            orientation="h",
            marker_color=_BAR,
            hovertemplate="%{y}: %{x}<extra></extra>",
        )
    )
    figure.update_layout(
        height=max(180, 22 * len(names) + 60),
        margin={"l": 0, "r": 8, "t": 30, "b": 0},
        title={"text": tr("Known labels of each class"), "font": {"size": 13}},
        bargap=0.35,
        yaxis={"autorange": "reversed", "type": "category"},
    )
    st.plotly_chart(
        figure,
        key="class-balance",
        config={"displayModeBar": False},
        alt=tr("Known labels of each class, as bars"),
    )
    short = [dataset.classes[i] for i in np.flatnonzero(counts < 2)]
    if short:
        st.caption(plain(tr("Too few to learn from: {names}", names=", ".join(short[:8]))))


def _refused(dataset: Dataset) -> None:
    with st.expander(
        tr("{refused} files were left out", refused=len(dataset.refused)), icon=":material/broken_image:"
    ):
        table = pd.DataFrame(
            [(refusal.name, told(refusal.reason)) for refusal in dataset.refused],
            columns=[tr("File"), tr("Why")],
        )
        st.dataframe(table, hide_index=True, alt=tr("Files that were left out, and why"))
