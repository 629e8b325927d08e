"""Set up, first part: which images. Cards, one's own folder, preparing, and a look inside."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from al_core.config import DataConfig
from al_core.data.prepare import prepared_key
from al_core.data.sources import SOURCES, Source
from al_core.data.sources.imported import imported_sets
from al_core.errors import DataError, Problem
from al_core.records import JobRecord, JobState
from al_core.words import told, tr, tr_n
from pages.components import config_form
from pages.components.choice_cards import Choice, choice_cards
from pages.components.dataset_preview import dataset_preview
from pages.components.folder_picker import folder_picker
from pages.components.shield import shielded
from state import draft, handles, jobs, selectors
from state.text import plain, sentence

FOLDER = "folder"
IMPORTED = "imported"
_HERE = tr("On this machine")
_AWAY = tr("Downloaded once, then kept")


def setup_images(data: DataConfig, problems: Sequence[Problem]) -> None:
    """Draw the part; `data` is the draft's, as far as it can be read."""
    cards, inside = st.columns([1, 1.05], gap="large")
    chosen, _, path = data.dataset.partition(":")
    if chosen == IMPORTED:
        chosen = data.dataset
    with cards:
        own = Choice(
            FOLDER,
            tr("My own images"),
            tr("A folder on this machine: one folder a class, or unsorted."),
            group=_HERE,
        )
        choices = [own, *_imported()]
        choices += [_card(source, data) for source in SOURCES if source.name not in (FOLDER, IMPORTED)]
        choices.sort(key=lambda choice: choice.group != _HERE)
        choice_cards(tr("Data set"), choices, chosen, _choose, key="choose-dataset")
    with inside:
        if chosen == FOLDER:
            folder_picker(path, _choose_folder)
        if chosen == FOLDER and not path:
            st.caption(tr("Choose a folder: what is in it is shown here before anything is made of it."))
        else:
            config_form.shown_problems(draft.of_path(problems, "data.dataset"))
        if chosen != FOLDER or path:
            _content(data)
    with st.expander(tr("More about the images"), icon=":material/tune:"):
        config_form.section("data", problems, advanced=False)
        config_form.section("data", problems, advanced=True)


def _imported() -> list[Choice]:
    """A card for each data set that was imported."""
    found = []
    for folder, manifest in imported_sets(handles.settings().imports):
        facts = (
            tr_n("{n:,} image", "{n:,} images", len(manifest["rows"])),
            tr_n("{n} class", "{n} classes", len(manifest["classes"])),
        )
        found.append(
            Choice(
                f"{IMPORTED}:{folder}",
                manifest["title"],
                tr("Imported on the Data page."),
                facts,
                group=_HERE,
            )
        )
    return found


def _choose_folder(path: str) -> None:
    config_form.put("data.dataset", f"{FOLDER}:{path}")


def _choose(name: str) -> None:
    config_form.put("data.dataset", name)


def _card(source: Source, data: DataConfig) -> Choice:
    ready = _prepared(data.model_copy(update={"dataset": source.name})) is not None
    counts = (
        tr_n("{train:,} + {n:,} image", "{train:,} + {n:,} images", source.num_test, train=source.num_train)
        if source.num_train and source.num_test
        else ""
    )
    if source.num_train and not source.num_test:
        counts = tr_n("{n:,} image", "{n:,} images", source.num_train)
    classes = tr_n("{n} class", "{n} classes", len(source.classes_hint)) if source.classes_hint else ""
    size = tr("{size} px", size=source.image_size) if source.image_size else ""
    badge, tone, group = ("ready", "good", _HERE) if ready else ("", "", _HERE)
    if not ready and source.download_megabytes:
        badge, group = f"{source.download_megabytes:,.0f} MB", _AWAY
    facts = tuple(fact for fact in (counts, classes, size) if fact)
    return Choice(
        source.name,
        tr(source.title),
        tr(source.description),
        facts,
        badge,
        tone,
        group,
        search=" ".join(source.aliases),
    )


def _prepared(data: DataConfig) -> str | None:
    try:
        return prepared_key(handles.settings(), data)
    except DataError:
        return None  # said beside the field, by check_config or by the job


def _content(data: DataConfig) -> None:
    key = _prepared(data)
    source = SOURCES.get(data.dataset.partition(":")[0])
    if source.name != FOLDER:
        st.subheader(tr(source.title), anchor=False)
    if key is not None:
        dataset_preview(handles.dataset(key))
        return
    job = _job_of(data)
    if job is not None and job.state.active:
        st.fragment(_progress, run_every=1.0)(job.id)
        return
    if job is not None and job.state is JobState.FAILED:
        st.error(
            sentence(told(job.error_text or "") or tr("The images could not be prepared.")),
            icon=":material/error:",
        )
    megabytes = source.download_megabytes
    classes = _classes() if source.name == FOLDER else None
    label = (
        tr("Download {megabytes:,.0f} MB and prepare", megabytes=megabytes)
        if megabytes
        else tr("Prepare these images")
    )
    if st.button(
        label, icon=":material/download:" if megabytes else ":material/photo_library:", key="prepare"
    ):
        started = jobs.prepare(data, classes=classes, download=bool(megabytes))
        jobs.wait(started.id, 1.2)
        st.rerun()
    if megabytes:
        st.caption(
            tr(
                "Fetched once from its authors' address and kept. Offline, choose another one: "
                "digits is here."
            )
        )


def _classes() -> list[str] | None:
    typed = st.text_area(
        tr("Classes, one a line (only if the images are not in class folders)"),
        key="folder:classes",
        placeholder=tr("cat\ndog"),
        height=100,
        persist_state="session",
    )
    names = list(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
    return names or None


def _job_of(data: DataConfig) -> JobRecord | None:
    wanted = data.model_dump(mode="json")
    recent = [job for job in handles.store().jobs(limit=20) if job.kind == "prepare"]
    return next((job for job in recent if job.spec.get("data") == wanted), None)


def _progress(job_id: str) -> None:
    with shielded("preparing"):
        job = handles.store().job(job_id)
        if not job.state.active:
            st.rerun()
        done, total = job.progress.get("done", 0), job.progress.get("total", 0)
        words = (
            tr("{doing}: {done:,} of {total:,}", doing=selectors.doing(job), done=done, total=total)
            if total
            else selectors.doing(job)
        )
        st.progress(min(1.0, done / total) if total else 0.0, text=plain(words))
        st.button(tr("Stop"), key="stop-prepare", icon=":material/stop:", on_click=jobs.stop, args=(job_id,))
