"""Import: a file or folder is checked, shown as what it would change, and written when confirmed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from al_core.errors import ALError
from al_core.exchange import labels
from al_core.exchange.content import SEVERAL
from al_core.exchange.reading import SUFFIXES
from al_core.experiment import Experiment
from al_core.words import told, tr, tr_n
from pages.components.import_done import dataset_done, labels_done
from pages.components.transfer_wait import transfer_wait
from state import handles, person, transfers
from state.text import ago, plain, sentence
from state.transfers import Asked
from state.web.transfers import transfer_url

_INTO, _NEW = tr("Labels into this session"), tr("A new data set")
_STATE, _REFUSED, _UPLOADS = "data-import", "data-import-refused", "data-import-uploads"
_WAYS = {"replace": tr("Take the file's"), "keep": tr("Keep its own")}
_MAPPED = 12  # unknown classes that get a field each
_ADD = -1  # in place of a class: a new one
_BESIDE = {"tag": tr("Tags"), "asked": tr("Asked by hand"), "opinion": tr("Further answers")}
_KINDS = {
    "added": tr("added"), "changed": tr("changed"), "tag": tr("tag"), "asked": tr("asked by hand"),
    "opinion": tr("further answer"),
}  # fmt: skip


def import_panel(experiment: Experiment | None) -> None:
    """The wizard, where it stands."""
    token, asked = st.session_state.get(_STATE, ("", None))
    if not token or asked is None:
        _choose(experiment)
        return
    try:
        applied, checked = transfers.status(token, "apply"), transfers.status(token, "check")
    except ALError as error:
        st.info(sentence(error), icon=":material/schedule:")
        _again()
        return
    step = "apply" if applied is not None else "check"
    found = applied if applied is not None else checked
    if found is None:
        _again()
    elif found.running:
        transfer_wait(token, step)
    elif found.error is not None:
        st.error(sentence(found.error), icon=":material/error:")
        _again()
    elif found.report is not None and step == "apply":
        if asked.experiment is None:
            dataset_done(found.report)
        else:
            labels_done(found.report)
        _again()
    elif found.report is not None:
        _checked(token, asked, found.report, experiment)


def _choose(experiment: Experiment | None) -> None:
    st.caption(
        tr(
            "CSV, JSON, Parquet, COCO, Label Studio, Hugging Face on disk, class folders, or a zip "
            "of one. It is checked first: you see what would be added, changed and left, and every "
            "row that is refused."
        )
    )
    kinds = [_INTO, _NEW] if experiment is not None and experiment.record.dataset_key else [_NEW]
    kind = st.segmented_control(tr("What for"), kinds, default=kinds[0], required=True, key="import-kind")
    key = f"import-file-{st.session_state.setdefault(_UPLOADS, 0)}"
    left, right = st.columns(2, gap="large")
    with left:
        st.file_uploader(
            tr("A file"), type=[s[1:] for s in SUFFIXES], key=key, max_upload_size=transfers.MAX_UPLOAD,
        )  # fmt: skip
    with right:
        st.text_input(
            tr("Or a file or folder on this machine"), key="import-path", persist_state="session",
            placeholder=str(handles.settings().data_roots[0] / "labels.csv"),
            help=tr("Below AL_DATA_ROOTS. Pictures of a folder are read where they are."),
        )  # fmt: skip
        if kind == _NEW:
            st.text_input(
                tr("Folder of the pictures, if a table names them and they are elsewhere"),
                key="import-pictures",
                persist_state="session",
            )
            st.text_input(tr("Name of the data set"), key="import-name", persist_state="session")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(
            tr("An image with several classes"), list(SEVERAL), key="import-several", width=280,
            format_func=lambda s: tr(SEVERAL[s]).capitalize(), persist_state="session",
        )  # fmt: skip
        if kind == _INTO:
            st.selectbox(
                tr("An image that has another answer"), ["replace", "keep"], key="import-existing", width=240,
                format_func=lambda way: _WAYS[way],
                persist_state="session",
            )  # fmt: skip
        into = experiment.id if kind == _INTO and experiment is not None else None
        st.button(
            tr("Check"),
            type="primary",
            icon=":material/fact_check:",
            key="import-check",
            on_click=_check,
            args=(key, into),
        )
    if refused := st.session_state.pop(_REFUSED, None):
        st.error(sentence(refused), icon=":material/error:")
    if experiment is not None:
        _earlier(experiment)


def _check(key: str, into: str | None) -> None:
    token = transfers.begin()
    file, typed = st.session_state.get(key), st.session_state.get("import-path", "")
    try:
        source = transfers.upload(token, file.name, file) if file else transfers.named(typed)
        pictures = st.session_state.get("import-pictures", "") if into is None else ""
        place = str(transfers.named(pictures)) if pictures.strip() else ""
    except ALError as error:
        st.session_state[_REFUSED] = str(error)
        return
    name = st.session_state.get("import-name", "").strip() or (file.name if file else source.name)
    asked = Asked(
        str(source), into, st.session_state["import-several"],
        st.session_state.get("import-existing", "replace"), pictures=place, name=name,
    )  # fmt: skip
    st.session_state[_UPLOADS] += 1  # another uploader: the server lets go of the bytes
    st.session_state[_STATE] = (token, asked)
    transfers.check(token, asked)


def _checked(
    token: str, asked: Asked, report: Mapping[str, Any], experiment: Experiment | None
) -> None:  # fmt: skip
    """What it would do, to be confirmed."""
    if asked.experiment is not None and (experiment is None or experiment.id != asked.experiment):
        st.info(tr("This check belongs to another session."), icon=":material/info:")
        _again()
        return
    for note in report["notes"]:
        st.caption(plain(told(note)))
    ready = _dataset_found(report) if asked.experiment is None else _labels_found(report)
    _refused(token, report["refused"])
    mapping, added = _mapping(report, experiment) if asked.experiment is not None else ({}, [])
    with st.container(horizontal=True, gap="small", key="import-confirm"):
        if mapping or added:
            st.button(tr("Check with these classes"), icon=":material/fact_check:", key="import-recheck",
                      type="primary", on_click=_recheck, args=(token, asked, mapping, added))  # fmt: skip
        else:
            st.button(ready, icon=":material/download_done:", type="primary", key="import-apply",
                      disabled=bool(report.get("empty")), on_click=transfers.apply,
                      args=(token, asked, report.get("rev")))  # fmt: skip
        _again(tr("Cancel"))


def _labels_found(report: Mapping[str, Any]) -> str:
    counts = report["counts"]
    words = {
        "added": tr("Added"),
        "changed": tr("Changed"),
        "same": tr("Already so"),
        "kept": tr("Kept as they are"),
    }
    with st.container(horizontal=True, gap="small", key="import-counts"):
        for kind, title in words.items():
            st.metric(title, f"{counts[kind]:,}", border=True, width=150)
        st.metric(tr("Marks"), f"{report['marks']:,}", border=True, width=150)
        beside = {kind: count for kind, count in report["beside"].items() if count}
        for kind, count in beside.items():
            st.metric(_BESIDE[kind], f"{count:,}", border=True, width=150)
        st.metric(tr("Refused rows"), f"{len(report['refused']):,}", border=True, width=150)
    if report["new"]:
        st.caption(plain(tr("New classes, made with the import: {names}.", names=", ".join(report["new"]))))
    if report["changes"]:
        rows = [
            [
                _KINDS.get(kind, kind),
                *rest,
                told(becomes) if kind in ("asked", "opinion") else becomes,
                told(place),
            ]
            for kind, *rest, becomes, place in report["changes"]
        ]
        frame = pd.DataFrame(
            rows, columns=[tr("What"), tr("Id"), tr("File"), tr("Was"), tr("Becomes"), tr("Row")]
        )
        st.dataframe(
            frame, hide_index=True, height=280, alt=tr("What the import would change, an image a row.")
        )
    if report["empty"]:
        st.info(tr("There is nothing to write."), icon=":material/info:")
    total, more = counts["added"] + counts["changed"], report["marks"] + sum(report["beside"].values())
    if not more:
        return tr_n("Import {n:,} label", "Import {n:,} labels", total)
    if beside:
        return tr_n(
            "Import {n:,} label and {more:,} other words",
            "Import {n:,} labels and {more:,} other words",
            total,
            more=more,
        )
    return tr("Import {labels:,} labels and {more:,} marks", labels=total, more=more)


def _dataset_found(report: Mapping[str, Any]) -> str:
    with st.container(horizontal=True, gap="small", key="import-counts"):
        st.metric(tr("Pictures"), f"{report['images']:,}", border=True, width=150)
        st.metric(tr("Classes"), f"{len(report['classes']):,}", border=True, width=150)
        st.metric(tr("Without a label"), f"{report['unlabeled']:,}", border=True, width=150)
        st.metric(tr("Refused rows"), f"{len(report['refused']):,}", border=True, width=150)
    frame = pd.DataFrame(report["classes"], columns=[tr("Class"), tr("Pictures")])
    st.dataframe(frame, hide_index=True, height=240, alt=tr("Pictures of each class."))
    said = ", ".join(f"{name} {count:,}" for name, count in report["splits"].items())
    st.caption(
        plain(
            tr("Splits: {said}. Where none is said a share of each class is set aside to test on.", said=said)
        )
    )
    return tr_n("Make a data set of {n:,} picture", "Make a data set of {n:,} pictures", report["images"])


def _refused(token: str, rows: list[list[str]]) -> None:
    if not rows:
        return
    with st.expander(tr("{rows:,} rows are refused", rows=len(rows)), icon=":material/rule:", expanded=True):
        shown = [[told(place), told(what), told(reason)] for place, what, reason in rows[:1000]]
        frame = pd.DataFrame(shown, columns=[tr("Row"), tr("What"), tr("Why")])
        st.dataframe(frame, hide_index=True, height=min(320, 40 + 36 * len(frame)), alt=tr("Refused rows."))
        st.link_button(
            tr("All of them as CSV"), transfer_url(token, "refused", "refused.csv"), icon=":material/table:",
            key="import-refused",
        )  # fmt: skip


def _mapping(report: Mapping[str, Any], experiment: Experiment | None) -> tuple[dict[str, str], list[str]]:
    """Classes that the session does not know: those taken for another one, and those to be added."""
    unknown = sorted(report["unknown"].items(), key=lambda item: -item[1])
    if not unknown or experiment is None:
        return {}, []
    st.markdown(tr("**Classes that this session does not know**"))
    if len(unknown) > 1 and st.toggle(
        tr("Add all {unknown:,} as new classes", unknown=len(unknown)), key="import-add-all"
    ):
        return {}, [name for name, _ in unknown]
    classes = experiment.classes()
    names = {i: classes.names[i] for i in classes.open} | {_ADD: tr("a new class: add it")}
    mapping, added = {}, []
    with st.container(horizontal=True, gap="small", key="import-mapping"):
        for place, (name, count) in enumerate(unknown[:_MAPPED]):
            chosen = st.selectbox(
                plain(tr_n("{name} ({n:,} row) is", "{name} ({n:,} rows) is", count, name=name[:40])),
                [_ADD, *classes.open],
                index=None,
                format_func=names.__getitem__,
                placeholder=tr("leave out"),
                key=f"import-map-{place}",
                width=220,
            )
            if chosen == _ADD:
                added.append(name)
            elif chosen is not None:
                mapping[name] = classes.names[chosen]
    return mapping, added


def _recheck(token: str, asked: Asked, mapping: dict[str, str], added: list[str]) -> None:
    renamed = tuple({**dict(asked.mapping), **mapping}.items())
    again = replace(asked, mapping=renamed, added=(*asked.added, *added))
    st.session_state[_STATE] = (token, again)
    transfers.check(token, again)


def _again(label: str = tr("Another import")) -> None:
    st.button(label, icon=":material/restart_alt:", key="import-again", on_click=_forget)


def _forget() -> None:
    st.session_state.pop(_STATE, None)


def _earlier(experiment: Experiment) -> None:
    """Imports of this session, each with its undo."""
    found = labels.imports(experiment)
    if not found:
        return
    st.markdown(tr("**Imports of this session**"))
    for item in found[:8]:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            parts = [tr_n("{n:,} label", "{n:,} labels", item.num_labels)]
            if item.num_marks:
                parts.append(tr_n("{n:,} mark", "{n:,} marks", item.num_marks))
            st.markdown(", ".join([*parts, ago(time.time() - item.at)]))
            if item.undone:
                st.caption(tr("taken back"))
            else:
                st.button(tr("Undo"), icon=":material/undo:", key=f"import-undo-{item.token}", on_click=_undo,
                          args=(experiment, item.token))  # fmt: skip


def _undo(experiment: Experiment, token: str) -> None:
    try:
        done = labels.undo(experiment, token, annotator=person.name())
    except ALError as error:
        st.session_state[_REFUSED] = str(error)
        return
    left = " " + tr("{left:,} were changed since and stay.", left=done.left) if done.left else ""
    st.toast(
        tr("{labels:,} labels are as they were.{left}", labels=done.labels, left=left), icon=":material/undo:"
    )
