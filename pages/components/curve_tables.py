"""Below the learning curve: the rounds in numbers, the labels of each class, the confusion matrix."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import streamlit as st

from al_core.experiment import Experiment
from al_core.query.strategies import STRATEGIES
from al_core.records import RoundRecord
from al_core.results.analysis import Curve, class_counts_frame, measured, rounds_frame
from al_core.results.figures.arms import arms_figure, arms_frame
from al_core.results.figures.classes import label_shares, labels_per_class
from al_core.results.figures.confusion import confusion_figure
from pages.components.round_picker import round_picker
from state import cache, handles

Rounds = tuple[RoundRecord, ...]
_STILL = {"displayModeBar": False}


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
        "round": "Round",
        "labels": st.column_config.NumberColumn("Labels", format="localized"),
        "new_labels": st.column_config.NumberColumn("New", help="Labels that this round added"),
        "random": st.column_config.NumberColumn("Random", format="percent", help="At the same labels"),
        "seconds": st.column_config.NumberColumn("Seconds in all", format="%.1f"),
    }
    for metric in metrics:
        form = "percent" if metric.share else "%.3f"
        config[metric.key] = st.column_config.NumberColumn(metric.title, format=form, help=metric.meaning)
    for kind in ("train", "evaluate", "query"):
        config[f"{kind}_seconds"] = st.column_config.NumberColumn(f"{kind.capitalize()}, s", format="%.2f")
    order = ["round", "labels", "new_labels", *(m.key for m in metrics[:1]), "random"]
    order += [*(m.key for m in metrics[1:]), "train_seconds", "evaluate_seconds", "query_seconds", "seconds"]
    st.dataframe(
        shown.iloc[::-1],
        hide_index=True,
        column_order=[name for name in order if name in shown],
        column_config=config,
        alt="The rounds, the latest first, with metrics.",
    )
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "CSV",
            frame.to_csv(index=False),
            file_name=f"rounds-{experiment.id}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="One row a round.",
        )
        st.download_button(
            "JSON",
            lambda: results_json(experiment, rounds),
            file_name=f"results-{experiment.id}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            help="Settings, rounds, confusion matrices, labels per class and versions.",
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
            "Count",
            ["All so far", "Added in the round"],
            default="All so far",
            required=True,
            key="class-mode",
            label_visibility="collapsed",
        )
        figure = labels_per_class(frame, added=mode != "All so far")
        st.plotly_chart(figure, key="class-bars", config=_STILL, alt="Labels of each class, by round.")
    with ring:
        st.plotly_chart(
            label_shares(frame),
            key="class-ring",
            config=_STILL,
            alt="Shares of the classes among all labels.",
        )
    last = frame[frame["round"] == frame["round"].max()]
    missing = last[last["count"] == 0]
    if len(missing):
        st.warning(f"{len(missing)} of {len(last)} classes have no label yet.", icon=":material/category:")


def arms_panel(experiment: Experiment, rounds: Rounds) -> None:
    """What a bandit has learnt about its strategies so far."""
    frame = arms_frame(rounds)
    titles = {strategy.name: strategy.title for strategy in STRATEGIES}
    chart, words = st.columns([1.7, 1], gap="large")
    with chart:
        figure = arms_figure(frame, titles, dark=st.context.theme.type == "dark")
        st.plotly_chart(figure, key="arms", config=_STILL, alt="Chance of each strategy, by labeled images.")
    with words:
        last = pd.DataFrame(frame[frame["round"] == frame["round"].max()])
        st.markdown("**In the last query**")
        shown = pd.DataFrame(
            {"arm": [titles.get(arm, arm) for arm in last["arm"]], "chance": last["chance"]}
        ).sort_values(by="chance", ascending=False)
        st.dataframe(
            shown,
            hide_index=True,
            alt="Chance of each strategy in the last query.",
            column_config={
                "arm": "Strategy",
                "chance": st.column_config.ProgressColumn(
                    "Chance", format="percent", min_value=0, max_value=1
                ),
            },
        )
        st.caption(
            "Above: the chance with which an image of a query came from each strategy. Below: how well a "
            "linear probe, taught by the older labels and that strategy's last picks, tells images that it "
            "did not see. A strategy that does better than the others gains chance."
        )


def confusion_panel(experiment: Experiment, rounds: Rounds) -> None:
    """The confusion matrix of a round, and what is mixed up most."""
    with_matrix = [record for record in rounds if record.confusion is not None]
    if not with_matrix:
        st.info("There is no confusion matrix: no label of the test images is known.", icon=":material/info:")
        return
    left, right = st.columns([1.7, 1], gap="large")
    with left:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            record = round_picker(with_matrix, key="confusion-round")
            mode = st.segmented_control(
                "Cells",
                ["Counts", "Per cent of the row"],
                default="Counts",
                required=True,
                key="confusion-mode",
            )
        matrix = record.confusion or ()
        figure = confusion_figure(
            matrix,
            experiment.dataset.classes,
            normalised=mode != "Counts",
            dark=st.context.theme.type == "dark",
        )
        st.plotly_chart(
            figure,
            key="confusion",
            config=_STILL,
            alt=f"Confusion matrix of round {record.number} on test images.",
        )
    with right:
        st.markdown("**Mixed up most**")
        _mix_ups(np.asarray(matrix), experiment.dataset.classes)


def _mix_ups(matrix: np.ndarray, classes: tuple[str, ...]) -> None:
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(wrong, axis=None, kind="stable")[::-1][:8]
    pairs = [(i, j) for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True) if wrong[i, j]]
    if not pairs:
        st.caption("Nothing: every test image is classified rightly.")
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
        alt="Pairs of classes that are mixed up most.",
        column_config={
            "true": "True class",
            "predicted": "Taken for",
            "images": "Images",
            "share": st.column_config.ProgressColumn(
                "Of the class", format="percent", min_value=0, max_value=1
            ),
        },
    )
