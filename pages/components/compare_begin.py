"""Beginning a study: from a preset, the open session or a file; what it will be, in words, as one chooses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from al_core.config import ExperimentConfig
from al_core.errors import ConfigError
from al_core.query.strategies import STRATEGIES
from al_core.study import StudyConfig
from al_core.study_presets import STUDY_PRESETS, study_preset
from state import session, studies
from state.text import plain

_SESSION, _FILE = "session", "file"
_CONTENT = "study-content"


def compare_begin() -> str | None:
    """Draw the form; the id of the study that was just begun, or None."""
    if _CONTENT not in st.session_state or "study-name" not in st.session_state:
        _fill(st.session_state.get(_CONTENT) or studies.normal(STUDY_PRESETS[0].values))
    _source()
    values: dict[str, Any] = st.session_state[_CONTENT]
    name, strategies = st.columns([1, 2.2], gap="medium")
    with name:
        title = st.text_input("Name", key="study-name", max_chars=80)
    with strategies:
        chosen = st.multiselect(
            "Strategies", STRATEGIES.names(), key="study-strategies", format_func=_found_by,
            placeholder="Type a title or an alias", help="Random is what the others are compared with.",
        )  # fmt: skip
    with st.grid(4, min_column_width=140, key="study-numbers"):
        count = st.number_input(
            "Seeds", 1, studies.MOST_SEEDS, key="study-seeds", help="Five at least, for a verdict that holds."
        )
        first = st.number_input("First seed", 0, 2**31, key="study-first")
        rounds = st.number_input("Rounds", 1, 500, key="study-rounds", help="Trainings of each run.")
        size = st.number_input("Query size", 1, 100_000, key="study-size", help="Labels a round.")
    known = values.get("seeds", ())
    kept = known and (len(known), known[0]) == (count, first)
    seeds = known if kept else range(int(first), int(first) + int(count))
    config, problems = studies.compose(
        values, name=title.strip() or "study", strategies=chosen, seeds=tuple(seeds),
        rounds=int(rounds), size=int(size),
    )  # fmt: skip
    for problem in problems:
        st.error(plain(problem), icon=":material/tune:")
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="study-begin-row"):
        words = "" if config is None else studies.plan_words(config)
        st.text(f"{words}. {_base_words(config)}" if config else "Something above has to be put right.",
                width="stretch")  # fmt: skip
        clicked = st.button(
            "Begin the study", type="primary", icon=":material/play_arrow:", key="study-begin",
            disabled=config is None or bool(problems),
        )  # fmt: skip
    if not clicked or config is None:
        return None
    tab = session.current()
    record = studies.begin(config, key=tab.form)
    tab.renew_form()
    return record.id


def _base_words(config: StudyConfig | None) -> str:
    if config is None:
        return ""
    base = config.base
    words = f"{base.data.dataset}, {base.model.model}, {base.train.epochs} epochs"
    others = [path for path in config.axes if path != "query.strategy"]
    return f"{words}; also tried: {', '.join(others)}" if others else words


def _found_by(name: str) -> str:
    entry = STRATEGIES.get(name)
    others = [alias for alias in (name, *entry.aliases) if alias.replace("_", " ") != entry.title.lower()]
    return f"{entry.title} ({', '.join(others)})" if others else entry.title


def _source() -> None:
    record = session.record()
    titles = {preset.name: preset.title for preset in STUDY_PRESETS}
    if record is not None:
        titles[_SESSION] = "This session"
    titles[_FILE] = "A study file"
    if st.session_state.get("study-source") not in titles:
        st.session_state["study-source"] = STUDY_PRESETS[0].name
    chosen = st.segmented_control(
        "Start from", list(titles), format_func=lambda name: titles[name], key="study-source",
        required=True, on_change=_choose,
    )  # fmt: skip
    preset = study_preset(chosen or "")
    if preset is not None:
        st.caption(preset.description)
    elif chosen == _SESSION and record is not None:
        st.caption(f"The settings of {plain(record.name)}, answered by ground truth.")
    elif chosen == _FILE:
        st.file_uploader("Study file", type="json", key="study-file", on_change=_import)


def _choose() -> None:
    chosen = st.session_state.get("study-source")
    preset = study_preset(chosen or "")
    if preset is not None:
        _fill(studies.normal(preset.values))
    elif chosen == _SESSION and (record := session.record()) is not None:
        _fill(_of_session(record.name, record.config))


def _of_session(name: str, config: ExperimentConfig) -> dict[str, Any]:
    stop = config.stop
    rounds = stop.n_rounds or 8
    strategies = list(dict.fromkeys(("random", config.query.strategy)))
    return studies.normal(
        {
            "name": name[:80],
            "base": config.changed(oracle="truth", stop__n_rounds=rounds).model_dump(mode="json"),
            "axes": {"query.strategy": strategies},
            "seeds": 5,
        }
    )


def _import() -> None:
    upload = st.session_state.get("study-file")
    if upload is None:
        return
    try:
        _fill(studies.read_file(upload.getvalue()))
    except ConfigError as error:
        session.current().notices.extend(str(problem) for problem in error.problems)


def _fill(values: Mapping[str, Any]) -> None:
    """Put a study file's content into the form."""
    base, state = values["base"], st.session_state
    state[_CONTENT] = dict(values)
    state["study-name"] = values["name"][:80]
    known = values["axes"].get("query.strategy") or [base["query"]["strategy"]]
    state["study-strategies"] = [STRATEGIES.get(s).name for s in known if s in STRATEGIES]
    seeds = values["seeds"]
    state["study-seeds"], state["study-first"] = min(len(seeds), studies.MOST_SEEDS), seeds[0]
    state["study-rounds"] = base["stop"]["n_rounds"] or 8
    state["study-size"] = base["query"]["n_new"]
