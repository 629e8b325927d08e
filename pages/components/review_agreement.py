"""How far people agree with one another, with themselves, and with what was settled."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from al_core.experiment import Experiment
from al_core.results import people
from al_core.words import tr
from state import handles, reviewing
from state.text import plain

_SHARE = st.column_config.NumberColumn(format="percent")


def _name(who: str) -> str:
    return who or "me"


def agreement(experiment: Experiment) -> None:
    """Kappas of every pair, of all, and class by class; alone, how steady one is."""
    log = reviewing.log(experiment.id)
    rated = people.ratings(log)
    pairs = people.pairs(rated, experiment.dataset.num_classes)
    if pairs.empty:
        st.info(
            tr(
                "No image has answers of two people yet. Ask a share of each query of two people "
                "(“Asked of two people” when setting a session up, or `--overlap`), or let several "
                "label the same session."
            ),
            icon=":material/group:",
        )
    else:
        _together(experiment, rated, pairs)
    _steadiness(log)


def _together(experiment: Experiment, rated: people.Ratings, pairs: pd.DataFrame) -> None:
    twice = [words for words in rated.values() if len(words) > 1]
    same = sum(len({event.value for event in words.values()}) == 1 for words in twice)
    kappa, images, raters = people.fleiss(rated, experiment.dataset.num_classes)
    with st.container(horizontal=True, gap="medium"):
        st.metric(tr("Images with two answers or more"), f"{len(twice):,}", width="content")
        st.metric(tr("All say the same"), f"{same / len(twice):.1%}", width="content")
        value = "–" if math.isnan(kappa) else f"{kappa:.3f}"
        help_ = tr(
            "Over the {images:,} images with {raters} answers each. 1: always agree, 0: as by chance.",
            images=images,
            raters=raters,
        )
        st.metric(tr("Fleiss' kappa"), value, help=help_, width="content")
    st.subheader(tr("Pairs"), anchor=False)
    table = pairs.assign(one=pairs["one"].map(_name), other=pairs["other"].map(_name))
    st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        column_config={
            "one": tr("One"),
            "other": tr("Other"),
            "images": tr("Images"),
            "agreed": st.column_config.NumberColumn(tr("Agreed"), format="percent"),
            "kappa": st.column_config.NumberColumn(tr("Cohen's kappa"), format="%.3f"),
            "low": st.column_config.NumberColumn(tr("from"), format="%.3f", help=tr("95 % interval")),
            "high": st.column_config.NumberColumn(tr("to"), format="%.3f"),
        },
    )
    st.subheader(tr("Classes, the least agreed first"), anchor=False)
    classes = people.per_class(rated, experiment.dataset.num_classes)
    names = [experiment.dataset.classes[c] for c in classes["class_id"]]
    st.dataframe(
        classes.assign(class_id=names), hide_index=True, width="stretch",
        column_config={
            "class_id": tr("Class"), "images": tr("Images"), "agreed": st.column_config.NumberColumn(
                tr("Agreed"), format="percent", help=tr("Where one of two named it, how often both did.")),
            "kappa": st.column_config.NumberColumn(tr("Cohen's kappa, against the rest"), format="%.3f"),
        },
    )  # fmt: skip


def _steadiness(log: tuple[people.LogEvent, ...]) -> None:
    steady = people.consistency(log)
    st.subheader(tr("With oneself"), anchor=False)
    if steady.empty:
        st.caption(
            tr(
                "Nobody has been asked again yet: “Ask me again” under Second look asks blind for a "
                "random tenth of one's own labels."
            )
        )
        return
    for row in steady.to_dict("records"):
        who, same, images = plain(_name(str(row["person"]))), row["same"], row["images"]
        interval = tr("95 %: {low:.0%} to {high:.0%}", low=row["low"], high=row["high"])
        st.markdown(
            tr(
                "**{who}** said the same of {same} of {images} images: {share:.0%} ({interval}).",
                who=who,
                same=same,
                images=images,
                share=row["share"],
                interval=interval,
            )
        )


def record_of_people(experiment: Experiment) -> None:
    """Who answered how much, and how often as was settled."""
    paces = {seat.annotator: seat.pace for seat in handles.store().seats(experiment.id, gone=True)}
    table = people.quality(reviewing.log(experiment.id), paces)
    if table.empty:
        st.info(tr("Nobody has labeled here yet."), icon=":material/person:")
        st.page_link("label.py", label=tr("Label the first images"), icon=":material/touch_app:")
        return
    st.dataframe(
        table.assign(person=table["person"].map(_name)).drop(columns=["right"]),
        hide_index=True,
        width="stretch",
        column_config={
            "person": tr("Person"),
            "answers": tr("Answers"),
            "opinions": tr("Second opinions"),
            "checked": st.column_config.NumberColumn(
                tr("Checked"),
                help=tr("Images of theirs with a verdict, or a majority of two answers or more."),
            ),
            "share": st.column_config.NumberColumn(tr("As settled"), format="percent"),
            "low": st.column_config.NumberColumn(
                tr("from"), format="percent", help=tr("95 % interval (Wilson)")
            ),
            "high": st.column_config.NumberColumn(tr("to"), format="percent"),
            "pace": st.column_config.NumberColumn(
                tr("Labels a minute"), help=tr("Only of those who show it (side bar).")
            ),
        },
    )
    st.caption(
        tr(
            "“As settled” is the share of checked images on which the person said what the verdict "
            "or the majority says. Hard images are checked more often than easy ones, so it is lower "
            "than the accuracy."
        )
    )
