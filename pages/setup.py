"""Set up: images, model, strategy, plan. Every choice has a default, so that Create works at once.

What comes and goes with a value stands in a container that is always there: a field that moved would be made
anew by the browser, and what a person types into the old one meanwhile would be lost.
"""

from __future__ import annotations

import streamlit as st

from al_core.config import DataConfig, ExperimentConfig, options
from al_core.data.prepare import prepared_key
from al_core.errors import ConfigError, Problem
from al_core.words import noted, tr
from pages.components import config_form
from pages.components.augmentation_preview import augmentation_preview
from pages.components.preset_choice import preset_choice
from pages.components.setup_images import setup_images
from pages.components.setup_model import setup_model, setup_strategy
from pages.components.setup_plan import setup_plan
from state import cache, draft, glossary, handles, session, starting
from state.text import plain

_SUITED, _SUITED_FOR = "setup-suited", "setup-suited-for"
_PARTS = {
    noted("Images"): ("data",),
    noted("Model"): ("model",),
    noted("Strategy"): tuple(
        o.path for o in options() if o.section == "query" and o.name not in config_form.SIZES
    ),
    noted("Plan"): (
        *(f"query.{name}" for name in config_form.SIZES),
        "init",
        "stop",
        "oracle",
        "answers",
        "seed",
    ),
    noted("Training"): ("train",),
}


def _import() -> None:
    upload = st.session_state.get("config-file")
    if upload is None:
        return
    try:
        config_form.fill(draft.from_file(upload.getvalue()))
    except ConfigError as error:
        session.current().notices.extend(str(problem) for problem in error.problems)


def _suit(data: DataConfig) -> None:
    """Begin with the preset that suits the chosen images, as long as the person has set nothing else.

    Done once for each data set; what the fields hold is what is stored with the session.
    """
    key = prepared_key(handles.settings(), data)
    last = st.session_state.get(_SUITED, starting.FIRST)
    if key is None or st.session_state.get(_SUITED_FOR) == key:
        return
    st.session_state[_SUITED_FOR] = key
    wanted = starting.suited(handles.dataset(key))
    held = config_form.values()
    if last == wanted or any(held[path] != value for path, value in starting.settings_of(last).items()):
        return
    st.session_state[_SUITED] = wanted
    for path, value in starting.settings_of(wanted).items():
        config_form.put(path, value)


def _head(config: ExperimentConfig | None, problems: list[Problem]) -> None:
    st.title(tr("Set up a session"), anchor=False, help=glossary.meaning("Active learning"))
    name, preset, file = st.columns([1.4, 1.4, 0.6], gap="medium", vertical_alignment="bottom")
    with name:
        config_form.field(config_form.find("name"), problems)
    with preset:
        present = preset_choice(config or _readable(problems))
    with file, st.popover(tr("File"), icon=":material/data_object:"):
        if config is not None:
            st.download_button(
                tr("Save as file"),
                draft.to_file(config),
                "askwell.json",
                "application/json",
                on_click="ignore",
            )
        st.file_uploader(tr("Load a file"), type="json", key="config-file", on_change=_import)
    with st.container():
        if present is not None:
            suited = present.name == st.session_state.get(_SUITED)
            chosen = tr("Chosen for these images.") + " " if suited else ""
            st.caption(chosen + plain(tr(present.description)))


def _part(config: ExperimentConfig, problems: list[Problem]) -> None:
    marks = {
        part: sum(len(draft.of_path(problems, path)) for path in paths) for part, paths in _PARTS.items()
    }
    part = st.segmented_control(
        tr("Part"),
        list(_PARTS),
        default="Images",
        required=True,
        key="part",
        label_visibility="collapsed",
        format_func=lambda part: (
            tr("{part} ({count} to fix)", part=tr(part), count=marks[part]) if marks[part] else tr(part)
        ),
        persist_state="session",
    )
    if part == "Images":
        setup_images(config.data, problems)
    elif part == "Model":
        setup_model(config, problems)
    elif part == "Strategy":
        setup_strategy(config, problems)
    elif part == "Plan":
        setup_plan(config, problems)
    else:
        left, right = st.columns(2, gap="large")
        with left:
            config_form.section("train", problems, advanced=False)
            augmentation_preview(config)
        with right, st.expander(tr("More about training"), icon=":material/tune:", expanded=True):
            config_form.section("train", problems, advanced=True)


def _create(config: ExperimentConfig | None, problems: list[Problem]) -> None:
    about = draft.problem_words(problems)
    waits = config is not None and cache.needs_preparing(config.data)
    if config and not problems:
        about = draft.plan(config, cache.num_classes(config.data)).words
        if waits:
            about = tr("Prepare the images first, so that you see what is in them.")
    with st.bottom, st.container(horizontal=True, vertical_alignment="center", gap="medium", key="next-step"):
        st.text(about, width="stretch")
        clicked = st.button(
            tr("Create and start"),
            type="primary",
            icon=":material/play_arrow:",
            disabled=bool(problems) or waits,
            shortcut="Ctrl+Enter",
            key="create",
        )
    if clicked and config is not None:
        tab = session.current()
        record = starting.begin(config, key=tab.form)
        tab.renew_form()
        session.choose(record.id)
        page = "label" if config.oracle == "human" else "train"
        st.switch_page(f"{page}.py", query_params={"exp": record.id})


def _readable(problems: list[Problem]) -> ExperimentConfig:
    """The draft with the refused options at their defaults: enough to draw the page by."""
    values = config_form.values()
    defaults = draft.flat(ExperimentConfig())
    kept = {
        path: defaults[path] if draft.of_path(problems, path) else value for path, value in values.items()
    }
    return draft.read(kept)[0] or ExperimentConfig()


tab = session.guard()
config_form.begin(starting.first_config())
config, problems = draft.read(config_form.values())
if config is not None:
    _suit(config.data)
    config, problems = draft.read(config_form.values())
if config is not None:
    problems = cache.problems_of(config)
    if not problems:
        tab.suggested_name = config_form.suggest_name(config, tab.suggested_name)
        config = draft.read(config_form.values())[0]
_head(config, problems)
with st.container():
    for problem in problems:
        known = any(
            draft.of_path([problem], path) for path in ("name", *(p for ps in _PARTS.values() for p in ps))
        )
        if not known:
            st.error(plain(problem))
_part(config or _readable(problems), problems)
_create(config, problems)
