"""What the strategies asked for: overlap by round, classes, and the pictures themselves side by side."""

from __future__ import annotations

import streamlit as st

from al_core.records import Query
from al_core.results.figures.comparison import MOST_CLASSES, class_figure, overlap_figure
from al_core.results.figures.palette import look_keys
from al_core.results.figures.sheets import Sheet
from al_core.results.picks import class_frame, overlap_frame, pool_shares
from al_core.results.study import StudyResult
from al_core.words import tr, tr_n
from pages.components.figure_menu import figure_menu
from pages.components.picture_wall import picture_wall
from state import handles, studies
from state.studies import StudyView
from state.text import plain

_STILL = {"displayModeBar": False}
_ALL_PAIRS = 5  # strategies: beyond, one is compared with the others
_SHOWN = 60  # pictures a strategy


def overlap_panel(study: StudyView, *, dark: bool) -> None:
    """How many of the images two strategies both asked for."""
    asked = {arm: seeds for arm, seeds in studies.queries_by_arm(study).items() if seeds}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        kind = st.segmented_control(
            tr("Images"),
            [tr("Of the round"), tr("All so far")],
            default=tr("Of the round"),
            required=True,
            key="overlap-kind",
        )
        one = None
        if len(asked) > _ALL_PAIRS:
            one = st.selectbox(tr("Strategy"), list(asked), key="overlap-arm", width=260)
    frame = overlap_frame(asked, so_far=kind != tr("Of the round"))
    if one is not None:
        frame = frame.loc[(frame["arm"] == one) | (frame["other"] == one)]
    if frame.empty:
        st.info(tr("This takes two strategies that have asked for images with the same seed."))
        return
    chart, words = st.columns([2.2, 1], gap="large")
    with chart:
        figure = overlap_figure(frame, dark=dark)
        st.plotly_chart(
            figure, key="study-overlap", config=_STILL, alt=tr("Overlap of queries, in per cent.")
        )
        sheet = Sheet("overlap", tr("Overlap of the queries"), lambda dark: overlap_figure(frame, dark=dark))
        figure_menu(sheet, key="study-overlap", note=study.record.name)
    with words:
        st.caption(
            tr(
                "Jaccard overlap in per cent, mean over the seeds: of the images that either of two "
                "strategies asked for, how many both did. The first queries are chosen by the same "
                "model; after them the models differ, and with them the queries. All begin with the "
                "same initial set, left out here."
            )
        )


def class_panel(study: StudyView, result: StudyResult, *, dark: bool) -> None:
    """Which classes the strategies asked for."""
    keys = studies.dataset_keys(study)
    key = next(iter(keys.values()), None)
    if key is None:
        st.info(tr("The classes are known once the first run has begun."))
        return
    dataset = handles.dataset(key)
    rounds = studies.rounds_by_arm(study)
    same = {
        arm: {seed: some for seed, some in rounds[arm].items() if not result.done or seed in result.done}
        for arm in study.arms
        if keys.get(arm) == key
    }
    ends = [some[-1].num_labeled for seeds in same.values() for some in seeds.values() if len(some) > 1]
    frame = class_frame(same, dataset.classes, min(ends, default=0))
    if frame.empty:
        st.info(tr("This takes a run with two rounds: the initial set is nobody's choice."))
        return
    looks = dict(zip(study.arms, look_keys(study.strategies), strict=True))
    ratios = {cell.config.data.imbalance for cell in study.config.cells()}
    reference = None
    if len(ratios) == 1:
        reference = pool_shares(dataset.train.labels, dataset.num_classes, *ratios)
    figure = class_figure(frame, looks, reference, dark=dark)
    st.plotly_chart(
        figure, key="study-classes", config=_STILL, alt=tr("Share of each class among the picks.")
    )
    sheet = Sheet(
        "classes", tr("Classes of the picks"), lambda dark: class_figure(frame, looks, reference, dark=dark)
    )
    figure_menu(sheet, key="study-classes", note=study.record.name)
    words = tr_n(
        "Picks up to {n:,} label, without the initial set, mean over the seeds.",
        "Picks up to {n:,} labels, without the initial set, mean over the seeds.",
        min(ends),
    )
    if dataset.num_classes > MOST_CLASSES:
        words += " " + tr("The {most} classes whose shares differ most are shown.", most=MOST_CLASSES)
    st.caption(words)


def picture_panel(study: StudyView) -> None:
    """The images that a round asked for, a column a strategy."""
    asked = {arm: seeds for arm, seeds in studies.queries_by_arm(study).items() if seeds}
    keys = studies.dataset_keys(study)
    seeds = sorted({seed for by_seed in asked.values() for seed in by_seed})
    if not seeds:
        st.info(tr("The pictures come with the first query."))
        return
    with st.grid(3, min_column_width=200, key="picture-choices"):
        seed = st.selectbox(tr("Seed"), seeds, key="picture-seed")
        by_round = {
            arm: {q.round: q for q in by_seed.get(seed, ()) if q.round >= 0} for arm, by_seed in asked.items()
        }
        numbers = sorted({n for some in by_round.values() for n in some})
        number = st.selectbox(tr("Asked after round"), numbers, key="picture-round")
        arms = [arm for arm in study.arms if number in by_round.get(arm, {})]
        known = st.session_state.get("picture-arms")
        if known is None or not set(known) <= set(arms):
            st.session_state["picture-arms"] = arms[:3]
        chosen = st.multiselect(tr("Strategies"), arms, key="picture-arms", max_selections=4)
    if number is None or not chosen:
        st.info(
            tr("Choose a strategy that has asked for images.") if numbers else tr("No round has asked yet.")
        )
        return
    queries = {arm: by_round[arm][number] for arm in chosen}
    for column, arm in zip(st.columns(len(chosen), gap="medium"), chosen, strict=True):
        with column:
            _wall(arm, queries, keys.get(arm))


def _wall(arm: str, queries: dict[str, Query], key: str | None) -> None:
    ids = [item.sample_id for item in queries[arm].items]
    others = {item.sample_id for name, q in queries.items() if name != arm for item in q.items}
    alone = sum(i not in others for i in ids)
    st.markdown(f"**{plain(arm)}**")
    if others:
        words = tr_n(
            "{n} image, {alone} of them asked by none of the others",
            "{n} images, {alone} of them asked by none of the others",
            len(ids),
            alone=alone,
        )
    else:
        words = tr_n("{n} image", "{n} images", len(ids))
    if len(ids) > _SHOWN:
        words = tr("{images}; the first {shown} are shown", images=words, shown=_SHOWN)
    st.caption(words)
    if key is not None:
        place = list(queries).index(arm)
        picture_wall(handles.dataset(key), ids[:_SHOWN], key=f"study-wall-{place}", cell=56)
