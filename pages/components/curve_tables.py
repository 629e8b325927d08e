"""Below the learning curve: the rounds in numbers, the labels of each class, the confusion matrix."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from al_core.experiment import Experiment
from al_core.query.strategies import STRATEGIES
from al_core.records import RoundRecord
from al_core.results.analysis import Curve, class_counts_frame, confusion_of, measured, rounds_frame
from al_core.results.figures.arms import arms_figure, arms_frame
from al_core.results.figures.classes import label_shares, labels_per_class
from al_core.results.figures.confusion import confusion_figure
from al_core.results.figures.rounds import QUALITIES, Quality, quality_figure
from al_core.results.figures.sheets import Sheet, confusion_sheet
from al_core.results.study_tables import frame_csv
from al_core.results.tables import confusion_frame, predictions_frame, quality_frame
from al_core.words import tr, tr_n
from pages.components.figure_menu import figure_menu
from state import cache, handles, session

Rounds = tuple[RoundRecord, ...]
_STILL = {"displayModeBar": False}
_INFO = ":material/info:"


def held_back(record: RoundRecord) -> str | None:
    """The interval of a round's hold-back accuracy, in words."""
    low, high, n = (record.metrics.get(f"holdback_{name}") for name in ("low", "high", "labels"))
    if low is None or high is None or n is None:
        return None
    return tr(
        "95 %: {low:.0f} to {high:.0f} %, {images:.0f} images", low=100 * low, high=100 * high, images=n
    )


def rounds_panel(experiment: Experiment, rounds: Rounds) -> None:
    """All rounds with their metrics and timings, and both as a download."""
    frame = rounds_frame(rounds)
    ghost = handles.store().ghost_of(experiment.id)
    shown = frame.copy()
    metrics = measured(rounds)
    if ghost is not None and metrics:
        random = Curve.of(cache.rounds(ghost), metrics[0].key)
        shown.insert(3, "random", [random.at(n) for n in frame["labels"]])
    config = {
        "round": tr("Round"),
        "labels": st.column_config.NumberColumn(tr("Labels"), format="localized"),
        "new_labels": st.column_config.NumberColumn(tr("New"), help=tr("Labels that this round added")),
        "random": st.column_config.NumberColumn(
            tr("Random"), format="percent", help=tr("At the same labels")
        ),
        "seconds": st.column_config.NumberColumn(tr("Seconds in all"), format="%.1f"),
    }
    for metric in metrics:
        form = "percent" if metric.share else "%.3f"
        config[metric.key] = st.column_config.NumberColumn(
            tr(metric.title), format=form, help=tr(metric.meaning)
        )
    phases = {"train": tr("Train, s"), "evaluate": tr("Evaluate, s"), "query": tr("Query, s")}
    for kind, title in phases.items():
        config[f"{kind}_seconds"] = st.column_config.NumberColumn(title, format="%.2f")
    order = ["round", "labels", "new_labels", *(m.key for m in metrics[:1]), "random"]
    order += [*(m.key for m in metrics[1:]), "train_seconds", "evaluate_seconds", "query_seconds", "seconds"]
    st.dataframe(
        shown.iloc[::-1],
        hide_index=True,
        column_order=[name for name in order if name in shown],
        column_config=config,
        alt=tr("The rounds, the latest first, with metrics."),
    )
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "CSV",
            frame.to_csv(index=False),
            file_name=f"rounds-{experiment.id}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help=tr("One row a round."),
        )
        st.download_button(
            "JSON",
            lambda: results_json(experiment, rounds),
            file_name=f"results-{experiment.id}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            help=tr("Settings, rounds, confusion matrices, labels per class and versions."),
        )


def results_json(experiment: Experiment, rounds: Rounds) -> str:
    """An experiment's settings and rounds, whole."""
    ghost = handles.store().ghost_of(experiment.id)
    baseline = cache.rounds(ghost) if ghost is not None else ()
    body = {
        "experiment": experiment.id,
        "name": experiment.record.name,
        "config": experiment.config.model_dump(mode="json"),
        "fingerprint": experiment.record.fingerprint,
        "classes": list(experiment.dataset.classes),
        "rounds": [_plain(record) for record in rounds],
        "random_baseline": [_plain(record) for record in baseline],
    }
    return json.dumps(body, indent=1, ensure_ascii=False)


def _plain(record: RoundRecord) -> dict[str, object]:
    return {
        "round": record.number,
        "labels": record.num_labeled,
        "metrics": dict(record.metrics),
        "class_counts": list(record.class_counts),
        "confusion": record.confusion,
        "seconds": dict(record.seconds),
        "manifest": dict(record.manifest),
        "at": record.at,
    }


def class_panel(experiment: Experiment, rounds: Rounds) -> None:
    """Labels per class: over the rounds, and their shares in the last one."""
    frame = class_counts_frame(rounds, experiment.dataset.classes)
    bars, ring = st.columns([1.7, 1], gap="large")
    with bars:
        mode = st.segmented_control(
            tr("Count"),
            [tr("All so far"), tr("Added in the round")],
            default=tr("All so far"),
            required=True,
            key="class-mode",
            label_visibility="collapsed",
        )
        added = mode != tr("All so far")
        figure = labels_per_class(frame, added=added)
        st.plotly_chart(figure, key="class-bars", config=_STILL, alt=tr("Labels of each class, by round."))
        title = tr("Labels that each round added") if added else tr("Labels of each class")
        sheet = Sheet("labels-per-class", title, lambda _: labels_per_class(frame, added=added))
        figure_menu(sheet, key="class-bars", note=experiment.record.name)
    with ring:
        st.plotly_chart(
            label_shares(frame),
            key="class-ring",
            config=_STILL,
            alt=tr("Shares of the classes among all labels."),
        )
        sheet = Sheet(
            "label-shares", tr("Shares of the classes among the labels"), lambda _: label_shares(frame)
        )
        figure_menu(sheet, key="class-ring", note=experiment.record.name)
    last = frame[frame["round"] == frame["round"].max()]
    missing = last[last["count"] == 0]
    if len(missing):
        st.warning(
            tr("{missing} of {total} classes have no label yet.", missing=len(missing), total=len(last)),
            icon=":material/category:",
        )


def arms_panel(experiment: Experiment, rounds: Rounds) -> None:
    """What a bandit has learnt about its strategies so far."""
    frame = arms_frame(rounds)
    titles = {strategy.name: tr(strategy.title) for strategy in STRATEGIES}
    chart, words = st.columns([1.7, 1], gap="large")
    with chart:
        figure = arms_figure(frame, titles, dark=st.context.theme.type == "dark")
        st.plotly_chart(
            figure, key="arms", config=_STILL, alt=tr("Chance of each strategy, by labeled images.")
        )
        sheet = Sheet(
            "arms", tr("What the bandit learnt"), lambda dark: arms_figure(frame, titles, dark=dark)
        )
        figure_menu(sheet, key="arms", note=experiment.record.name)
    with words:
        last = pd.DataFrame(frame[frame["round"] == frame["round"].max()])
        st.markdown(tr("**In the last query**"))
        shown = pd.DataFrame(
            {"arm": [titles.get(arm, arm) for arm in last["arm"]], "chance": last["chance"]}
        ).sort_values(by="chance", ascending=False)
        st.dataframe(
            shown,
            hide_index=True,
            alt=tr("Chance of each strategy in the last query."),
            column_config={
                "arm": tr("Strategy"),
                "chance": st.column_config.ProgressColumn(
                    tr("Chance"), format="percent", min_value=0, max_value=1
                ),
            },
        )
        st.caption(
            tr(
                "Above: the chance with which an image of a query came from each strategy. Below: "
                "how well a linear probe, taught by the older labels and that strategy's last picks, "
                "tells images that it did not see. A strategy that does better than the others gains "
                "chance."
            )
        )


def confusion_panel(experiment: Experiment, rounds: Rounds) -> None:
    """The confusion matrix of a round, and what is mixed up most."""
    with_matrix = [record for record in rounds if record.confusion is not None]
    if not with_matrix:
        st.info(
            tr("There is no confusion matrix: no label of the test images is known."), icon=":material/info:"
        )
        return
    left, right = st.columns([1.7, 1], gap="large")
    with left:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            record = _looked_at(with_matrix)
            mode = st.segmented_control(
                tr("Cells"),
                [tr("Counts"), tr("Per cent of the row")],
                default=tr("Counts"),
                required=True,
                key="confusion-mode",
            )
        matrix, names = confusion_of(record, experiment.dataset.classes)
        figure = confusion_figure(
            matrix.tolist(),
            names,
            normalised=mode != tr("Counts"),
            dark=st.context.theme.type == "dark",
        )
        st.plotly_chart(
            figure,
            key="confusion",
            config=_STILL,
            alt=tr("Confusion matrix of round {number} on test images.", number=record.number),
        )
        _confusion_downloads(experiment, record, normalised=mode != tr("Counts"))
    with right:
        st.markdown(tr("**Mixed up most**"))
        _mix_ups(matrix, names)


def _looked_at(rounds: Sequence[RoundRecord]) -> RoundRecord:
    """The round that the slider above stands at, the latest where that has nothing to show."""
    chosen = session.current().round
    record = next((r for r in rounds if r.number == chosen), rounds[-1])
    st.markdown(
        tr_n(
            "**Round {number}**, {n:,} label",
            "**Round {number}**, {n:,} labels",
            record.num_labeled,
            number=record.number,
        )
    )
    return record


def _confusion_downloads(experiment: Experiment, record: RoundRecord, *, normalised: bool) -> None:
    classes, number = experiment.dataset.classes, record.number
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        sheet = confusion_sheet(record, classes, normalised=normalised)
        figure_menu(sheet, key="confusion", note=experiment.record.name)
        st.download_button(
            tr("Table"),
            lambda: frame_csv(confusion_frame(record, classes)),
            mime="text/csv",
            type="tertiary",
            file_name=f"confusion-{experiment.id}-{number}.csv",
            icon=":material/table:",
            on_click="ignore",
            key="confusion-table",
            help=tr("The matrix as CSV."),
        )
        st.download_button(
            tr("Predictions"), lambda: frame_csv(predictions_frame(experiment, number)), mime="text/csv",
            file_name=f"predictions-{experiment.id}-{number}.csv", icon=":material/download:",
            type="tertiary", on_click="ignore", key="confusion-predictions",
            disabled="arrays" not in record.artefacts,
            help=tr("Each test image with truth, prediction and the probability of every class."),
        )  # fmt: skip


def quality_panel(experiment: Experiment, rounds: Rounds) -> None:
    """Precision, recall or F1 of every class over the rounds, and all three in the last one."""
    frame = quality_frame(rounds, experiment.dataset.classes)
    if frame.empty:
        st.info(tr("Nothing is known of single classes: no label of the test images is known."), icon=_INFO)
        return
    left, right = st.columns([1.7, 1], gap="large")
    with left:
        title = st.segmented_control(
            tr("Quality"), [tr(words) for words in QUALITIES.values()], default="F1", required=True,
            key="quality", label_visibility="collapsed",
        )  # fmt: skip
        offered: list[Quality] = [key for key, words in QUALITIES.items() if tr(words) == title]
        value = offered[0] if offered else "f1"
        figure = quality_figure(frame, value, dark=st.context.theme.type == "dark")
        st.plotly_chart(
            figure,
            key="class-quality",
            config=_STILL,
            alt=tr("{title} of each class by labeled images.", title=title),
        )
        sheet = Sheet(
            f"class-{value}", tr("{quality} of each class", quality=tr(QUALITIES[value])),
            lambda dark: quality_figure(frame, value, dark=dark),
        )  # fmt: skip
        figure_menu(sheet, key="class-quality", note=experiment.record.name)
    with right:
        last = pd.DataFrame(frame[frame["round"] == frame["round"].max()])
        st.markdown(tr_n("**After {n:,} label**", "**After {n:,} labels**", last["labels"].iloc[0]))
        number = st.column_config.NumberColumn
        st.dataframe(
            last.sort_values(by=value),
            hide_index=True,
            column_order=["class", *QUALITIES, "images"],
            column_config={
                "class": st.column_config.TextColumn(tr("Class"), pinned=True),
                **{key: number(tr(words), format="percent") for key, words in QUALITIES.items()},
                "images": number(tr("Test images"), format="localized"),
            },
            alt=tr("Precision, recall and F1 of each class in the last round, the worst first."),
        )


def _mix_ups(matrix: np.ndarray, classes: tuple[str, ...]) -> None:
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(wrong, axis=None, kind="stable")[::-1][:8]
    pairs = [(i, j) for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True) if wrong[i, j]]
    if not pairs:
        st.caption(tr("Nothing: every test image is classified rightly."))
        return
    rows = [
        {
            "true": classes[i],
            "predicted": classes[j],
            "images": int(wrong[i, j]),
            "share": float(wrong[i, j] / matrix[i].sum()),
        }
        for i, j in pairs
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        alt=tr("Pairs of classes that are mixed up most."),
        column_config={
            "true": tr("True class"),
            "predicted": tr("Taken for"),
            "images": tr("Images"),
            "share": st.column_config.ProgressColumn(
                tr("Of the class"), format="percent", min_value=0, max_value=1
            ),
        },
    )
