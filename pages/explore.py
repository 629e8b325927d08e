"""Explore: all images on one map; a lasso or a click leads to a grid that can be labeled."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from al_core import by_hand
from al_core.experiment import Experiment
from al_core.pool import Pool
from al_core.records import JobState
from al_core.results.figures.image_map import map_figure
from al_core.results.image_map import MOST, ImageMap, Layout, MapRequest, asked_in
from al_core.words import told, tr, tr_n
from pages.components.class_radar import class_radar_panel
from pages.components.job_wait import job_wait
from pages.components.like_a_picture import like_a_picture
from pages.components.no_session import no_session
from pages.components.picked_images import picked_images
from pages.components.picture_wall import picture_wall
from pages.components.round_picker import round_picker
from state import cache, class_radar, glossary, image_maps, session
from state.image_maps import COLOURS
from state.standings import STATUSES
from state.text import plain, strategy_title

_LAYOUTS: dict[str, Layout] = {"PCA": "pca", "t-SNE": "tsne", "UMAP": "umap"}
_FROZEN, _MODEL = tr("Frozen features"), tr("This round's network")
_VIEWS = (tr("Selection"), tr("Like a picture"), tr("Near copies"), tr("Outliers"), tr("Tags"))
_MISSING = tr("Missing classes")
_COPIES = 24
_OUTLIERS = 60


def _request(experiment: Experiment) -> MapRequest:
    rounds = cache.rounds(experiment.record)
    record = round_picker(rounds, key="explore-round") if rounds else None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="explore-switches"):
        sources = [_MODEL, _FROZEN] if record is not None else [_FROZEN]
        source = st.segmented_control(
            tr("Alike by"),
            sources,
            default=sources[0],
            required=True,
            key="explore-source",
            help=tr(
                "What makes two images neighbours: the features of the round's network, or features "
                "that no round trains."
            ),
        )
        umap = image_maps.has_umap()
        layout = st.segmented_control(
            tr("Layout"),
            [name for name in _LAYOUTS if umap or name != "UMAP"],
            default="PCA",
            required=True,
            key="explore-layout",
            help=tr(
                "PCA is there in seconds; t-SNE shows groups better, takes longer, and at most "
                "{most:,} images.",
                most=MOST["tsne"],
            )
            + (
                " " + tr("UMAP shows groups and how they lie to one another.")
                if umap
                else " " + tr("UMAP comes with `pip install -r requirements-umap.txt`.")
            ),
        )
        dims = st.segmented_control(tr("Dimensions"), [2, 3], default=2, required=True, key="explore-dims")
    number = record.number if record is not None and source == _MODEL else None
    return MapRequest(experiment.id, number, _LAYOUTS[layout or "PCA"], 3 if dims == 3 else 2)


def _make(experiment: Experiment, request: MapRequest) -> None:
    """The map is not there yet: PCA begins by itself, once; t-SNE and what failed are asked for."""
    job = image_maps.maps.job_of(request)
    if job is not None and job.state.active:
        job_wait(lambda: image_maps.maps.job_of(request))
        return
    if job is not None and job.state is JobState.FAILED:
        st.error(
            plain(told(job.error_text or "") or tr("The map could not be made.")), icon=":material/error:"
        )
    elif job is None and request.layout == "pca" and experiment.record.dataset_key is not None:
        image_maps.maps.ask(request)
        job_wait(lambda: image_maps.maps.job_of(request))
        return
    st.button(
        tr("Make this map"), type="primary", icon=":material/scatter_plot:", key="explore-make",
        on_click=image_maps.maps.ask, args=(request,),
    )  # fmt: skip


def _colours(
    experiment: Experiment, found: ImageMap, by: str
) -> tuple[np.ndarray, list[str] | None, str]:  # fmt: skip
    """Values of the points, their names (None: numbers), and the legend's title."""
    pool, classes = _pool(experiment), list(experiment.dataset.classes)
    if by == "Prediction":
        return found.predicted, classes, tr("Predicted")
    if by == "Uncertainty":
        return 1 - found.margin, None, "1 − margin"
    if by == "Round":
        rounds = asked_in(experiment)[found.ids]
        numbers = sorted(set(rounds[rounds >= -1].tolist()))
        place = {number: n for n, number in enumerate(numbers)}
        names = [tr("initial set") if n < 0 else tr("after round {count}", count=n) for n in numbers]
        return np.array([place.get(n, -1) for n in rounds.tolist()]), names, tr("Asked")
    if by == "Strategy":
        who, names = image_maps.asked_by(experiment)
        return who[found.ids], [strategy_title(name) for name in names], tr("Asked by")
    if by == "Tag":
        which, names = image_maps.tagged(experiment)
        return which[found.ids], names, tr("Tag")
    if by == "Standing":
        names = [tr(name) for name in STATUSES.values()]
        order = {int(status): n for n, status in enumerate(STATUSES)}
        return np.array([order[int(s)] for s in pool.status[found.ids]]), names, tr("Standing")
    return np.where(pool.classes[found.ids] >= 0, pool.classes[found.ids], -1), classes, tr("Label")


def _pool(experiment: Experiment) -> Pool:
    """Where every image stood when the round that is looked at was trained; now, for the latest."""
    number = session.current().round
    if number is None:
        return experiment.pool()
    return experiment.pool(until=cache.rounds(experiment.record)[number].label_event_id)


def _hover(experiment: Experiment, found: ImageMap) -> list[str]:
    classes, given = experiment.dataset.classes, _pool(experiment).classes[found.ids]
    words = []
    for n, i in enumerate(found.ids.tolist()):
        parts = [f"#{i}"]
        if given[n] >= 0:
            parts.append(tr("labeled {name}", name=classes[given[n]]))
        if found.predicted[n] >= 0:
            parts.append(
                tr(
                    "predicted {name} ({confidence:.0%})",
                    name=classes[found.predicted[n]],
                    confidence=found.confidence[n],
                )
            )
        words.append(", ".join(parts))
    return words


def _draw(experiment: Experiment, found: ImageMap) -> list[int]:
    """The map; gives the ids that a lasso, a box or a click holds."""
    seen = np.isfinite(found.margin).any()
    offered = [c for c in COLOURS if seen or c not in ("Prediction", "Uncertainty")]
    if not by_hand.tags(experiment.store, experiment.id):
        offered.remove("Tag")
    by = st.segmented_control(
        tr("Colour by"), offered, default=offered[0], required=True, key="explore-colour", format_func=tr
    )  # fmt: skip
    values, names, title = _colours(experiment, found, by or offered[0])
    figure = map_figure(
        found.places, found.ids, values, names, title=title, hover=_hover(experiment, found),
        dark=st.context.theme.type == "dark",
    )  # fmt: skip
    event: Any = st.plotly_chart(
        figure,
        key="explore-map",
        on_select="rerun",
        config={"displaylogo": False},
        alt=tr_n(
            "{n:,} image on a map, coloured by {title}.",
            "{n:,} images on a map, coloured by {title}.",
            len(found.ids),
            title=title.lower(),
        ),
    )
    total = len(experiment.dataset.train)
    if total == len(found.ids):
        words = tr_n(
            "{n:,} image. Draw a lasso around some, or click one.",
            "{n:,} images. Draw a lasso around some, or click one.",
            total,
        )
    else:
        words = tr_n(
            "{n:,} image of {total:,}, drawn at random, with every labeled one. Draw a lasso around some, or "
            "click one.",
            "{n:,} images of {total:,}, drawn at random, with every labeled one. Draw a lasso around some, "
            "or click one.",
            len(found.ids),
            total=total,
        )
    st.caption(words)
    points = event.selection.points if event else []
    picked = np.array([np.ravel(p["customdata"])[0] for p in points if p.get("customdata") is not None])
    return found.ids[np.isin(found.ids, picked)].tolist()


def _copies(experiment: Experiment, found: ImageMap) -> None:
    limit = st.slider(
        tr("Cosine distance at most"), 0.0, 0.2, 0.02, 0.005, key="explore-limit", width=360, format="%.3f"
    )  # fmt: skip
    pairs = found.copies(limit)
    st.caption(tr("{count:,} pairs of images are that near, the nearest first.", count=len(pairs)))
    for start in range(0, min(len(pairs), _COPIES), 2):
        for column, (one, other, distance) in zip(st.columns(2), pairs[start : start + 2], strict=False):
            with column:
                words = [f"#{one}", f"#{other}"]
                picture_wall(
                    experiment.dataset, [one, other], key=f"copies-{one}-{other}", cell=80, words=words,
                    one_row=True,
                )  # fmt: skip
                st.caption(tr("distance {distance:.4f}", distance=distance))


def _page(experiment: Experiment) -> None:
    if experiment.record.dataset_key is None:
        text = tr("The images are prepared when the session starts: the button is below.")
        st.info(text, icon=":material/info:")
        return
    request = _request(experiment)
    found = image_maps.maps.find(experiment, request)
    if found is None:
        _make(experiment, request)
        return
    if session.current().round is None:  # an earlier round is looked at as it was
        found = image_maps.counted(experiment, found)
    chart, side = st.columns([1.5, 1], gap="large")
    with chart:
        selected = _draw(experiment, found)
    views = [*_VIEWS, _MISSING] if class_radar.coverage(experiment).missing else list(_VIEWS)
    with side:
        for name, tab in zip(views, st.tabs(views, key="explore-view", on_change="rerun"), strict=True):
            if tab.open:
                with tab:
                    _view(name, experiment, request, found, selected)


def _view(
    name: str, experiment: Experiment, request: MapRequest, found: ImageMap, selected: list[int]
) -> None:
    if name == tr("Selection"):
        picked_images(experiment, found, selected)
    elif name == tr("Like a picture"):
        like_a_picture(experiment, request, found)
    elif name == _MISSING:
        class_radar_panel(experiment)
    elif name == tr("Near copies"):
        _copies(experiment, found)
    elif name == tr("Outliers"):
        st.caption(tr("The images that lie farthest from their ten nearest ones."))
        picked_images(experiment, found, found.outliers(_OUTLIERS).tolist(), key="outliers")
    else:
        _tags(experiment, found)


def _tags(experiment: Experiment, found: ImageMap) -> None:
    _, names = image_maps.tagged(experiment)
    if not names:
        st.info(
            tr("No image has a tag yet. Select some on the map, and give them a word to find them again by."),
            icon=":material/sell:",
        )
        return
    name = st.selectbox(tr("Tag"), names, key="explore-tag", width=260)
    picked_images(experiment, found, image_maps.with_tag(experiment, name), key="tagged", tag=name)


session.guard()
st.title(tr("Explore"), anchor=False, help=glossary.meaning("Embedding"))
if session.record() is None:
    no_session(tr("All images on one map, by what the model sees in them: groups, copies, outliers."))
else:
    _page(session.experiment())
