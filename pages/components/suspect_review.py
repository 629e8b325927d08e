"""Doubtful labels one by one: keep, take the suggestion, another class, or take the image out."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.records import JobState
from al_core.types import EXCLUDE
from al_core.words import told, tr
from pages.components.job_wait import job_wait
from pages.components.picture_wall import picture_wall
from state import mistakes, session
from state.text import plain

_Kind = Literal["primary", "secondary", "tertiary"]
_LEAST = 20
_LIST = 12
_WEAK = 0.8


def suspect_review(experiment: Experiment) -> None:
    """Ask for an audit, wait for it, and go through what it found."""
    st.caption(
        tr(
            "Each label is held against what a model says that was fitted to the other labels only, "
            "on features that no round trains. Where that model is as sure of another class as it "
            "usually is, the label is doubtful (confident learning). Nothing is changed unless you "
            "say so."
        )
    )
    job = mistakes.audit_job(experiment.id)
    if job is not None and job.state.active:
        job_wait(lambda: mistakes.audit_job(experiment.id))
        return
    found = mistakes.doubtful(experiment)
    if job is not None and job.state is JobState.FAILED:
        st.error(plain(told(job.error_text or "") or tr("The audit failed.")), icon=":material/error:")
    if found is None:
        few = experiment.record.num_labeled < _LEAST
        if few:
            st.info(
                tr(
                    "An audit needs {least} labels; there are {labels}.",
                    least=_LEAST,
                    labels=experiment.record.num_labeled,
                )
            )
        st.button(
            tr("Look for doubtful labels"), type="primary", icon=":material/policy:", disabled=few,
            key="audit-ask", on_click=mistakes.ask_audit, args=(experiment.id,),
        )  # fmt: skip
        return
    audit, doubtful = found
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            tr(
                "**{count:,} doubtful labels** are left of {total:,} that were looked at.",
                count=len(doubtful),
                total=len(audit.ids),
            )
        )
        st.button(
            tr("Look again"), icon=":material/refresh:", key="audit-again", type="tertiary",
            on_click=mistakes.ask_audit, args=(experiment.id,), help=tr("With the labels as they are now."),
        )  # fmt: skip
    if audit.agreement < _WEAK:
        st.caption(
            tr(
                ":material/info: That model agrees with {agreement:.0%} of the labels only, so most "
                "doubts are its own weakness. More labels, or ImageNet features, sharpen it; the "
                "first are best.",
                agreement=audit.agreement,
            )
        )
    if not len(doubtful):
        st.success(tr("Every doubtful label has been decided."), icon=":material/check_circle:")
        return
    _one(experiment, doubtful.iloc[0].to_dict())
    rest = doubtful.iloc[1 : 1 + _LIST]
    if len(rest):
        names = experiment.dataset.classes
        words = [
            f"{names[int(g)]} → {names[int(s)]}?"
            for g, s in zip(rest["given"], rest["suggested"], strict=True)
        ]
        st.caption(tr("Next"))
        picture_wall(experiment.dataset, rest["sample_id"].tolist(), key="audit-next", words=words)


def _one(experiment: Experiment, row: dict[str, float]) -> None:
    """The most doubtful label, and what can be said of it; one key each."""
    names = experiment.dataset.classes
    i, given, suggested = (int(row[name]) for name in ("sample_id", "given", "suggested"))
    picture, words = st.columns([1, 2], gap="large", vertical_alignment="center")
    with picture:
        picture_wall(experiment.dataset, [i], key="audit-one", cell=280, words=[names[given]], few=True)
    with words:
        st.markdown(
            tr(
                "Labeled **{given}**. Is it **{suggested}**?",
                given=plain(names[given]),
                suggested=plain(names[suggested]),
            )
        )
        st.progress(min(1.0, row["other"]), f"{plain(names[suggested])}: {row['other']:.0%}")
        st.progress(min(1.0, row["own"]), f"{plain(names[given])}: {row['own']:.0%}")
        with st.container(horizontal=True, gap="small"):
            offers: tuple[tuple[str, str, int, str, _Kind], ...] = (
                (tr("Keep {name}", name=plain(names[given])), "k", given, ":material/check:", "secondary"),
                (
                    tr("It is {name}", name=plain(names[suggested])),
                    "f",
                    suggested,
                    ":material/edit:",
                    "primary",
                ),
                (tr("Exclude"), "x", EXCLUDE, ":material/block:", "tertiary"),
            )
            for label, key, value, icon, kind in offers:
                st.button(
                    label, key=f"audit-{key}", shortcut=key, icon=icon, type=kind,
                    on_click=_decide, args=(experiment, i, value),
                )  # fmt: skip
        other = st.selectbox(
            tr("Another class"), experiment.classes().open, index=None, format_func=lambda n: names[n],
            placeholder=tr("Another class"), key=f"audit-other-{i}", label_visibility="collapsed", width=240,
        )  # fmt: skip
        if other is not None:
            st.button(
                tr("It is {name}", name=plain(names[other])), key="audit-other", on_click=_decide,
                args=(experiment, i, other),
            )  # fmt: skip
        st.caption(
            tr("The next training uses what you decide. Each decision is an event of its own in the log.")
        )


def _decide(experiment: Experiment, sample_id: int, value: int) -> None:
    try:
        mistakes.decide(experiment, sample_id, value)
    except ALError as error:
        session.current().notices.append(str(error))
