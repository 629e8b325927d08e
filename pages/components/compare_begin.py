"""Beginning a study: from a preset, the open session or a file; what it will be, in words, as one chooses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from al_core.config import ExperimentConfig
from al_core.errors import ConfigError
from al_core.oracle import oracle_words
from al_core.query.strategies import STRATEGIES
from al_core.results.export import safe_name
from al_core.study import StudyConfig
from al_core.study_presets import STUDY_PRESETS, study_preset
from al_core.words import tr, tr_n
from pages.components import compare_answers, compare_axes
from state import costs, draft, session, studies, study_form
from state.text import plain, sentence

_SESSION, _FILE = "session", "file"
_CONTENT, _MEASURE = "study-content", "study-measure"
_LOOK_AGAIN = 2.0  # seconds, while the time is being measured


def compare_begin() -> str | None:
    """Draw the form; the id of the study that was just begun, or None."""
    if _CONTENT not in st.session_state or "study-name" not in st.session_state:
        _fill(st.session_state.get(_CONTENT) or study_form.normal(STUDY_PRESETS[0].values))
    _source()
    config, problems = _fields(st.session_state[_CONTENT])
    for problem in problems:
        st.error(plain(problem), icon=":material/tune:")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="study-begin-row"):
        words = "" if config is None else study_form.plan_words(config)
        st.text(f"{words}. {_base_words(config)}" if config else tr("Something above has to be put right."),
                width="stretch")  # fmt: skip
        if config is not None:
            file_name = f"{safe_name(config.name).replace(' ', '-').lower()}.json"
            st.download_button(
                tr("Save as file"), json.dumps(json.loads(config.to_json()), indent=2), file_name,
                "application/json", icon=":material/download:", on_click="ignore", key="study-save",
                help=tr("For another time, or for the command line: `python -m al_core study FILE`."),
            )  # fmt: skip
        clicked = st.button(
            tr("Begin the study"), type="primary", icon=":material/play_arrow:", key="study-begin",
            disabled=config is None or bool(problems),
        )  # fmt: skip
    if config is not None and not problems:
        _time(config)
    if not clicked or config is None:
        return None
    tab = session.current()
    record = studies.begin(config, key=tab.form)
    tab.renew_form()
    return record.id


def _fields(values: dict[str, Any]) -> tuple[StudyConfig | None, list[Any]]:
    """Draw the fields; the study that they make, or what is wrong with it."""
    base = ExperimentConfig.parse(values["base"])
    name, strategies = st.columns([1, 2.2], gap="medium")
    with name:
        title = st.text_input(tr("Name"), key="study-name", max_chars=80)
    with strategies:
        chosen = st.multiselect(
            tr("Strategies"),
            STRATEGIES.names(),
            key="study-strategies",
            format_func=_found_by,
            placeholder=tr("Type a title or an alias"),
            help=tr("Random is what the others are compared with."),
        )
    beside, answered = st.columns([1, 2.2], gap="medium")
    with answered:
        axes, problems = compare_axes.compare_axes(draft.flat(base))
    with beside:
        baselines = compare_answers.baseline_field()
        answers = compare_answers.answer_fields(tried="oracle" in axes)
    with st.grid(5, min_column_width=130, key="study-numbers"):
        count = st.number_input(
            tr("Seeds"), 1, study_form.MOST_SEEDS, key="study-seeds",
            help=tr("Five at least, for a verdict that holds."),
        )  # fmt: skip
        first = st.number_input(tr("First seed"), 0, 2**31, key="study-first")
        rounds = st.number_input(
            tr("Rounds"), 1, 100_000, None, key="study-rounds", placeholder=tr("no limit"),
            help=tr("Trainings of each run."),
        )  # fmt: skip
        budget = st.number_input(
            tr("Budget"),
            1,
            None,
            None,
            key="study-budget",
            placeholder=tr("no limit"),
            help=tr(
                "Labels of each run; with several query sizes it lets all of them end at the same place."
            ),
        )
        tried = axes.get("query.n_new")
        size = st.number_input(
            tr("Query size"), 1, 1_000_000, key="study-size", disabled=tried is not None,
            help=tr("Labels a round.") if tried is None else tr("Several are tried: see above."),
        )  # fmt: skip
    known = values.get("seeds", ())
    kept = known and (len(known), known[0]) == (count, first)
    config, found = study_form.compose(
        values, name=title.strip() or "study", strategies=chosen, axes=axes,
        seeds=tuple(known if kept else range(int(first), int(first) + int(count))),
        rounds=None if rounds is None else int(rounds), budget=None if budget is None else int(budget),
        size=int(size), baselines=baselines, answers=answers,
    )  # fmt: skip
    return config, [*problems, *found]


def _time(config: StudyConfig) -> None:
    """How long it will take: at once where that is known, measured where a person asks."""
    wanted = bool(st.session_state.get(_MEASURE))
    if not costs.study_prediction(config, measure=wanted).pending:
        _time_line(config, costs.study_prediction(config, measure=wanted))
        return

    @st.fragment(run_every=_LOOK_AGAIN)
    def look() -> None:
        found = costs.study_prediction(config, measure=True)
        if not found.pending:
            st.rerun()
        _time_line(config, found)

    look()


def _time_line(config: StudyConfig, found: costs.Prediction) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="study-time"):
        st.markdown(f":material/schedule: {sentence(found.words)}", width="content")
        if found.unknown:
            st.button(
                tr("Measure"),
                key="study-measure-now",
                icon=":material/speed:",
                type="tertiary",
                on_click=_measure,
                help=tr("Some seconds for each combination, in the worker; kept for later."),
            )


def _measure() -> None:
    st.session_state[_MEASURE] = True


def _base_words(config: StudyConfig | None) -> str:
    if config is None:
        return ""
    base = config.base
    words = tr_n(
        "{dataset}, {model}, {n} epoch",
        "{dataset}, {model}, {n} epochs",
        base.train.epochs,
        dataset=base.data.dataset,
        model=base.model.model,
    )
    return words + (f", {oracle}" if (oracle := oracle_words(base)) else "")


def _found_by(name: str) -> str:
    entry = STRATEGIES.get(name)
    others = [alias for alias in (name, *entry.aliases) if alias.replace("_", " ") != entry.title.lower()]
    title = tr(entry.title)
    return f"{title} ({', '.join(others)})" if others else title


def _source() -> None:
    record = session.record()
    titles = {preset.name: tr(preset.title) for preset in STUDY_PRESETS}
    if record is not None:
        titles[_SESSION] = tr("This session")
    titles[_FILE] = tr("A study file")
    if st.session_state.get("study-source") not in titles:
        st.session_state["study-source"] = STUDY_PRESETS[0].name
    chosen = st.selectbox(
        tr("Start from"), list(titles), format_func=lambda name: titles[name], key="study-source",
        on_change=_choose, width=420,
    )  # fmt: skip
    preset = study_preset(chosen or "")
    if preset is not None:
        st.caption(tr(preset.description))
    elif chosen == _SESSION and record is not None:
        st.caption(tr("The settings of {name}; an oracle answers.", name=plain(record.name)))
    elif chosen == _FILE:
        st.file_uploader(tr("Study file"), type="json", key="study-file", on_change=_import)


def _choose() -> None:
    chosen = st.session_state.get("study-source")
    preset = study_preset(chosen or "")
    if preset is not None:
        _fill(study_form.normal(preset.values))
    elif chosen == _SESSION and (record := session.record()) is not None:
        _fill(_of_session(record.name, record.config))


def _of_session(name: str, config: ExperimentConfig) -> dict[str, Any]:
    stop = config.stop
    rounds = stop.n_rounds or (None if stop.budget else 8)
    strategies = list(dict.fromkeys(("random", config.query.strategy)))
    return study_form.normal(
        {
            "name": name[:80],
            "base": config.changed(stop__n_rounds=rounds).model_dump(mode="json"),
            "axes": {"query.strategy": strategies},
            "seeds": 5,
        }
    )


def _import() -> None:
    upload = st.session_state.get("study-file")
    if upload is None:
        return
    try:
        _fill(study_form.read_file(upload.getvalue()))
    except ConfigError as error:
        session.current().notices.extend(str(problem) for problem in error.problems)


def _fill(values: Mapping[str, Any]) -> None:
    """Put a study file's content into the form."""
    base, state = values["base"], st.session_state
    state[_CONTENT] = dict(values)
    state["study-name"] = values["name"][:80]
    study = StudyConfig.parse(values)
    known = study.axes.get(study_form.STRATEGY) or (base["query"]["strategy"],)
    state["study-strategies"] = [STRATEGIES.get(s).name for s in map(str, known) if s in STRATEGIES]
    compare_axes.fill(study.axes)
    compare_answers.fill(base, study.baselines)
    seeds = values["seeds"]
    state["study-seeds"], state["study-first"] = min(len(seeds), study_form.MOST_SEEDS), seeds[0]
    state["study-rounds"], state["study-budget"] = base["stop"]["n_rounds"], base["stop"]["budget"]
    state["study-size"] = base["query"]["n_new"]
