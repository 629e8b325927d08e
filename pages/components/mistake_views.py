"""The views of the Errors page: each takes the session, its rounds with predictions, and the one shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from al_core.experiment import Experiment
from al_core.records import RoundRecord
from al_core.results.figures.confusion import confusion_figure
from al_core.results.figures.reliability import reliability_figure, slices_figure
from al_core.results.metrics import calibration_error, class_report, confusion
from al_core.results.mistakes import Predictions, flips, part_words, reliability, slices
from al_core.words import noted, tr, tr_n
from pages.components.pager import pager
from pages.components.query_cards import picture_cards
from state import mistakes
from state.text import plain
from state.web.images import image_url

_STILL = {"displayModeBar": False}
_AT_ONCE = 24
_TOP = 3
_WIDTH = 320
_ABOUT_LOOKS = {
    "shorter side": tr("Of the picture as it came, in pixels: models see its middle square."),
    "aspect ratio": tr("Width as a multiple of height, as the picture came: below 1 it is upright."),
}
_ANY, _NO_CLASS = tr("Any class"), -1


def _found(experiment: Experiment, record: RoundRecord) -> Predictions:
    found = mistakes.predictions(experiment, record)
    if found is None:
        raise ValueError("the page offers only rounds that have predictions")
    return found


def _cards(experiment: Experiment, found: Predictions, rows: np.ndarray, *, key: str) -> None:
    """Pictures of the test split with their true class and the network's best guesses, a page at a time."""
    dataset = experiment.dataset
    page = pager(f"{key}-page", len(rows), _AT_ONCE, of=(experiment.id, found.ids[rows].tobytes()))
    items = []
    for rank, row in enumerate(rows[page.part], start=page.part.start):
        i, true = int(found.ids[row]), dataset.classes[int(found.labels[row])]
        best = np.argsort(-found.probs[row], kind="stable")[:_TOP]
        items.append(
            {
                "id": i,
                "src": image_url(dataset.key, "test", i, None if dataset.pixelated else _WIDTH),
                "alt": tr(
                    "test image {i}: {true}, taken for {name}",
                    i=i,
                    true=true,
                    name=dataset.classes[int(best[0])],
                ),
                "rank": rank,
                "score": None,
                "guesses": [[dataset.classes[int(c)], float(found.probs[row, c])] for c in best],
                "label": true,
                "state": "labeled",
                "truth": None,
                "right": bool(found.right[row]),
            }
        )
    picture_cards(items, pixelated=dataset.pixelated, key=key)
    page.draw()


def _class_choice(experiment: Experiment, record: RoundRecord, label: str, key: str) -> int | None:
    """One of the classes that the round's network knew."""
    names = experiment.dataset.classes
    chosen = st.selectbox(
        label, [_NO_CLASS, *record.class_ids], key=key, width=200,
        format_func=lambda n: _ANY if n == _NO_CLASS else names[n],
    )  # fmt: skip
    return None if chosen == _NO_CLASS else chosen


def confusion_panel(experiment: Experiment, rounds: Sequence[RoundRecord], record: RoundRecord) -> None:
    """The matrix; a click on a cell, or the two fields, shows its images."""
    found = _found(experiment, record)
    names, known = experiment.dataset.classes, list(record.class_ids)
    matrix = confusion(found.predicted, found.labels, len(names))[np.ix_(known, known)]
    chart, pictures = st.columns([1.1, 1], gap="large")
    with chart:
        share = st.toggle(tr("Per cent of the row"), key="errors-share")
        figure = confusion_figure(
            matrix.tolist(), [names[i] for i in known], normalised=share, clickable=True,
            dark=st.context.theme.type == "dark",
        )  # fmt: skip
        event: Any = st.plotly_chart(
            figure, key="errors-confusion", config=_STILL, on_select="rerun", selection_mode="points",
            alt=tr("Confusion matrix of round {number} on test images.", number=record.number),
        )  # fmt: skip
        _take_click(event, known)
        st.caption(tr("Click a cell to see its images."))
    with pictures:
        with st.container(horizontal=True, gap="small"):
            true = _class_choice(experiment, record, tr("True class"), "errors-true")
            predicted = _class_choice(experiment, record, tr("Taken for"), "errors-predicted")
        rows = found.rows(true=true, predicted=predicted)
        if true is None and predicted is None:
            rows = rows[~found.right[rows]]
            words = tr_n("{n:,} mistake, the surest first", "{n:,} mistakes, the surest first", len(rows))
        else:
            words = tr_n("{n:,} image, the surest first", "{n:,} images, the surest first", len(rows))
        st.caption(words)
        if len(rows):
            _cards(experiment, found, rows, key="errors-cell")
        else:
            st.info(tr("No test image is in this cell."), icon=":material/check_circle:")


def _take_click(event: Any, class_ids: Sequence[int]) -> None:
    """A cell that was clicked since the last run fills the two fields; `class_ids` are those of the rows."""
    points = event.selection.points if event else []
    cell = (int(points[0]["y"]), int(points[0]["x"])) if points else None
    if cell == st.session_state.get("errors-clicked"):
        return
    st.session_state["errors-clicked"] = cell
    if cell is not None:
        true, predicted = (class_ids[place] for place in cell)
        st.session_state["errors-true"], st.session_state["errors-predicted"] = true, predicted


def mistakes_panel(experiment: Experiment, rounds: Sequence[RoundRecord], record: RoundRecord) -> None:
    """Wrong and sure of it: something false was learnt, or the test label is wrong."""
    found = _found(experiment, record)
    with st.container(horizontal=True, gap="small"):
        true = _class_choice(experiment, record, tr("True class"), "surest-true")
        predicted = _class_choice(experiment, record, tr("Taken for"), "surest-predicted")
    rows = found.mistakes(true=true, predicted=predicted)
    if not len(rows):
        st.success(
            tr("No mistake: every such test image is classified rightly."), icon=":material/check_circle:"
        )
        return
    st.caption(
        tr(
            "{count:,} mistakes among {total:,} test images, the surest first: either the model has "
            "learnt something false, or the test label is wrong.",
            count=len(rows),
            total=len(found.ids),
        )
    )
    _cards(experiment, found, rows, key="surest")


def flips_panel(experiment: Experiment, rounds: Sequence[RoundRecord], record: RoundRecord) -> None:
    """What the round before knew and this one does not, and the other way round."""
    earlier = [r for r in rounds if r.number < record.number]
    if not earlier:
        st.info(tr("This takes two rounds: what one knew and the next one does not."), icon=":material/info:")
        return
    after = _found(experiment, record)
    changed = flips(_found(experiment, earlier[-1]), after)
    net = len(changed.learned) - len(changed.unlearned)
    st.caption(
        tr(
            "From round {earlier} to round {later} {learned:,} test images became right and "
            "{unlearned:,} became wrong: {net:+,}.",
            earlier=earlier[-1].number,
            later=record.number,
            learned=len(changed.learned),
            unlearned=len(changed.unlearned),
            net=net,
        )
    )
    kinds = {tr("Became wrong"): changed.unlearned, tr("Became right"): changed.learned}
    kind = st.segmented_control(
        tr("Which"), list(kinds), default=tr("Became wrong"), required=True, key="flips-kind",
        label_visibility="collapsed",
    )  # fmt: skip
    rows = np.flatnonzero(np.isin(after.ids, kinds[kind or tr("Became wrong")]))
    if not len(rows):
        st.info(tr("None did."), icon=":material/check_circle:")
        return
    rows = rows[np.argsort(-after.confidence[rows], kind="stable")]
    _cards(experiment, after, rows, key="flips")


def class_table(experiment: Experiment, rounds: Sequence[RoundRecord], record: RoundRecord) -> None:
    """Precision, recall and F1 of each class, and how recall moved since the round before."""
    found, names, known = _found(experiment, record), experiment.dataset.classes, list(record.class_ids)
    report = class_report(confusion(found.predicted, found.labels, len(names)))
    counts = [*record.class_counts, *[0] * len(names)]
    frame = pd.DataFrame(
        {
            "class": [names[i] for i in known], "images": report.support[known],
            "labels": [counts[i] for i in known], "recall": report.recall[known],
            "precision": report.precision[known], "f1": report.f1[known],
        }
    )  # fmt: skip
    earlier = [r for r in rounds if r.number < record.number]
    if earlier:
        before = _found(experiment, earlier[-1])
        old = class_report(confusion(before.predicted, before.labels, len(names)))
        frame["change"] = 100 * (report.recall - old.recall)[known]
    bar = {"format": "percent", "min_value": 0, "max_value": 1}
    if untested := frame["class"][frame["images"] == 0].tolist():
        st.caption(
            tr_n(
                "No test image is of {names}: nothing is measured of it.",
                "No test image is of {names}: nothing is measured of them.",
                len(untested),
                names=plain(", ".join(untested)),
            )
        )
    st.dataframe(
        pd.DataFrame(frame[frame["images"] > 0]).sort_values(by="f1", kind="stable"),
        hide_index=True,
        height="content" if len(frame) <= 15 else 560,
        alt=tr("Precision, recall and F1 of each class, the worst first."),
        column_config={
            "class": st.column_config.TextColumn(tr("Class"), pinned=True),
            "images": st.column_config.NumberColumn(tr("Test images"), format="localized"),
            "labels": st.column_config.NumberColumn(tr("Labels"), help=tr("Labels that it was trained with")),
            "recall": st.column_config.ProgressColumn(tr("Recall"), **bar),
            "precision": st.column_config.ProgressColumn(tr("Precision"), **bar),
            "f1": st.column_config.ProgressColumn("F1", **bar),
            "change": st.column_config.NumberColumn(
                tr("Recall, change"), format="%+.1f", help=tr("Points since the round before")
            ),
        },
    )


def calibration_panel(experiment: Experiment, rounds: Sequence[RoundRecord], record: RoundRecord) -> None:
    """Is it right as often as it is sure?"""
    found = _found(experiment, record)
    chart, words = st.columns([1.7, 1], gap="large")
    with chart:
        figure = reliability_figure(reliability(found), dark=st.context.theme.type == "dark")
        st.plotly_chart(figure, key="errors-calibration", config=_STILL, alt=tr("Accuracy by confidence."))
    with words:
        error = calibration_error(found.probs, found.labels)
        mean, right = float(found.confidence.mean()), float(found.right.mean())
        st.metric(tr("Expected calibration error"), f"{100 * error:.1f} %", border=True)
        gap = mean - right
        lean = (
            tr("surer than right")
            if gap > 0.005
            else tr("less sure than right")
            if gap < -0.005
            else tr("as sure as right")
        )
        st.markdown(
            tr(
                "On average {mean:.1f} % sure and {right:.1f} % right: **{lean}**.",
                mean=100 * mean,
                right=100 * right,
                lean=lean,
            )
        )
        st.caption(
            tr(
                "A point below the line is overconfident: of the images that it was so sure of, "
                "fewer were right. Larger points hold more images; bars are 95 % intervals."
            )
        )


def looks_panel(experiment: Experiment, rounds: Sequence[RoundRecord], record: RoundRecord) -> None:
    """Accuracy by how pictures look: where a model is weak, more of those pictures help."""
    with st.spinner(tr("Measuring the pictures")):
        measured = mistakes.looks_of(experiment, record)
    if measured is None:
        return
    found, values = measured
    frame = slices(found, values)
    overall = float(found.right.mean())
    total = len(_found(experiment, record).ids)
    if total > len(found.ids):
        text = noted(
            "Each picture's property in up to four parts, as equally large as ties allow, {count:,} of "
            "{total:,} test images drawn at random. The line is the whole's accuracy."
        )
    else:
        text = noted(
            "Each picture's property in up to four parts, as equally large as ties allow. The line is the "
            "whole's accuracy."
        )
    st.caption(tr(text, count=len(found.ids), total=total))
    weak = pd.DataFrame(frame[frame["accuracy_high"] < overall])
    dark = st.context.theme.type == "dark"
    parts = frame["property"].tolist()
    told = [name for name in values if parts.count(name) > 1]  # grey pictures have no colours
    _about_sizes(values)
    for left in range(0, len(told), 2):
        for column, name in zip(st.columns(2, gap="large"), told[left : left + 2], strict=False):
            with column:
                st.markdown(f"**{name.capitalize()}**", help=_ABOUT_LOOKS.get(name))
                part = pd.DataFrame(frame[frame["property"] == name])
                figure = slices_figure(part, overall, dark=dark)
                st.plotly_chart(
                    figure, key=f"looks-{name}", config=_STILL, alt=tr("Accuracy by {name}.", name=tr(name))
                )
    for row in weak.to_dict("records"):
        st.warning(
            tr(
                "Weak where {property} is {part}: {accuracy:.1f} % right, {overall:.1f} % on the whole.",
                property=tr(row["property"]),
                part=part_words(row["property"], row["low"], row["high"]),
                accuracy=100 * row["accuracy"],
                overall=100 * overall,
            ),
            icon=":material/trending_down:",
        )


def _about_sizes(values: Mapping[str, np.ndarray]) -> None:
    """Why pictures are not told apart by size, where they are not."""
    short, ratio = values["shorter side"], values["aspect ratio"]
    known = np.isfinite(short)
    if not known.any():
        st.caption(tr("Sizes are not known: the files of these pictures are not where they were."))
    elif len(np.unique(short[known])) == len(np.unique(ratio[known])) == 1 and known.all():
        st.caption(tr("All came in one size, with a shorter side of {side:.0f} pixels.", side=short[0]))
    elif not known.all():
        st.caption(
            tr("The size of {count:,} of them is not known: their files are gone.", count=(~known).sum())
        )
