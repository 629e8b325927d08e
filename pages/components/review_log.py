"""The history of one image with a way back, and the whole log with its chain of hashes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.records import LogEvent, Mark
from al_core.words import tr
from pages.components.picture_wall import picture_wall
from state import handles, reviewing, session
from state.text import plain

_IMAGE = "review-image"
_KINDS = {
    "answer": tr("Answers"), Mark.OPINION.value: tr("Second opinions"), Mark.FLAG.value: tr("Flags"),
    Mark.UNSURE.value: tr("Unsure"), Mark.NOTE.value: tr("Notes"), Mark.TAG.value: tr("Tags"),
    Mark.ASK.value: tr("Asked for by hand"), reviewing.CLASSES: tr("Changes of classes"),
}  # fmt: skip
_CHECKED_AT_ONCE = 20_000
"""Events that are verified without being asked: a tenth of a second."""


def image_history(experiment: Experiment) -> None:
    """Everything that was ever said of an image; any earlier answer can be had back."""
    size = len(experiment.dataset.train)
    newest = reviewing.log(experiment.id)
    if not newest:
        st.info(tr("Nothing has been said of any image yet."), icon=":material/history:")
        return
    st.session_state.setdefault(_IMAGE, newest[0].sample_id)
    number = st.number_input(
        tr("Sample id"), 0, size - 1, key=_IMAGE, width=200, persist_state="session",
        help=tr("The image's number in the data set; the second look leads here too."),
    )  # fmt: skip
    events = handles.store().log(experiment.id, sample_id=int(number))
    picture, words = st.columns([1, 3], gap="large")
    with picture:
        picture_wall(
            experiment.dataset, [int(number)], key="review-picture", cell=200, captions=False, few=True
        )
        st.text(experiment.dataset.train.file_name(int(number)))
    with words:
        if not events:
            st.caption(tr("Nothing was ever said of this image."))
        current = handles.store().current_labels(experiment.id, of=[int(number)]).get(int(number))
        effects = experiment.classes().effects
        for event in events:
            stands = current is not None and current.value == effects.canonical(event.value)
            _event(experiment, event, now=current is not None and event.id == current.id, stands=stands)


def _event(experiment: Experiment, event: LogEvent, *, now: bool, stands: bool) -> None:
    """`now`: it is the label. `stands`: its answer is the label's, whoever gave that."""
    words = reviewing.line(event, experiment.dataset.classes)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", border=True):
        name = "now" if now else words.kind
        st.markdown(f"**{plain(words.said)}** · {plain(words.who)} · {plain(words.how)}", width="stretch")
        asked = tr("round {round}", round=event.round + 1) if event.round >= 0 else tr("initial set")
        when = f"{datetime.fromtimestamp(event.at, UTC):%Y-%m-%d %H:%M} UTC"
        st.caption(f"{name} · {asked} · {when}", width="content")
        if event.mark is None and not stands:
            st.button(
                tr("Back to this"), key=f"revert-{event.id}", icon=":material/undo:", on_click=_revert,
                args=(experiment, event), help=tr("By an event of its own; nothing is removed."),
            )  # fmt: skip


def _revert(experiment: Experiment, event: LogEvent) -> None:
    try:
        reviewing.revert(experiment, event)
    except ALError as error:
        session.current().notices.append(str(error))


def log_viewer(experiment: Experiment) -> None:
    """Every event, newest first, changes of classes among them: by person, kind and round, and as a file.

    And whether the chain of hashes holds.
    """
    store = handles.store()
    rev = store.label_rev(experiment.id)
    if not rev:
        st.info(tr("The log is empty: it begins with the first label."), icon=":material/receipt_long:")
        return
    _chain(experiment, rev)
    who, kind, number = st.columns(3)
    names = store.annotators(experiment.id)
    person = who.selectbox(
        tr("Person"), names, index=None, placeholder=tr("Everybody"), format_func=lambda name: name or "me",
        key="log-person", persist_state="session",
    )  # fmt: skip
    chosen = kind.selectbox(
        tr("Kind"),
        list(_KINDS),
        index=None,
        placeholder=tr("Every kind"),
        format_func=lambda name: _KINDS[name],
        key="log-kind",
        persist_state="session",
    )
    rounds = sorted({query.round for query in store.queries(experiment.id)})
    asked = number.selectbox(
        tr("Round"),
        rounds,
        index=None,
        placeholder=tr("Every round"),
        key="log-round",
        persist_state="session",
        format_func=lambda n: tr("Initial set") if n < 0 else tr("Round {count}", count=n + 1),
    )
    found = partial(reviewing.entries, experiment.id, annotator=person, kind=chosen, round=asked)
    events = found(limit=reviewing.AT_ONCE + 1)
    more = len(events) > reviewing.AT_ONCE
    if not events:
        st.caption(tr("No event is of this kind."))
        return
    st.dataframe(
        reviewing.frame(experiment, events[: reviewing.AT_ONCE]), hide_index=True, width="stretch",
        height=420,
        column_config={
            "at": st.column_config.DatetimeColumn(tr("at (UTC)"), format="YYYY-MM-DD HH:mm:ss"),
            "client": None, "number": None,
        },
    )  # fmt: skip
    if more:
        st.caption(tr("The newest {most} are shown; the file holds all.", most=reviewing.AT_ONCE))

    st.download_button(
        tr("Download as CSV"), lambda: reviewing.csv_of(experiment, found()), file_name="label-log.csv",
        mime="text/csv", icon=":material/download:", on_click="ignore", key="log-download",
    )  # fmt: skip


def _chain(experiment: Experiment, rev: int) -> None:
    """Whether anybody changed the log behind the program's back."""
    asked = st.session_state.get("log-verified") == (experiment.id, rev)
    if not asked and len(reviewing.log(experiment.id)) > _CHECKED_AT_ONCE:
        st.button(
            tr("Verify the chain of hashes"), icon=":material/verified:", key="log-verify",
            on_click=lambda: st.session_state.update({"log-verified": (experiment.id, rev)}),
        )  # fmt: skip
        return
    damage = reviewing.damage(experiment.id)
    if damage:
        shown = "\n".join(f"- {plain(line)}" for line in damage[:10])
        st.error(tr("The log is not as it was written:\n{shown}", shown=shown), icon=":material/gpp_bad:")
    else:
        st.caption(
            tr(
                ":material/verified: The chain of hashes holds up to event {rev}: no event was "
                "changed, added or removed behind the program's back.",
                rev=rev,
            )
        )
