"""Leaving a session after one of its rounds: what is another from there on, in one dialog."""

from __future__ import annotations

import secrets

import streamlit as st

from al_core.config import ExperimentConfig
from al_core.errors import ALError, ConfigError
from al_core.experiment import Experiment
from al_core.forking import fork_name, redo
from al_core.models import MODELS
from al_core.query.strategies import STRATEGIES
from al_core.words import tr, tr_n
from state import cache, forks, handles, session
from state.text import plain, sentence

_OPEN = "fork-open"
_WORDS = {
    "train": tr(
        "Round {n} is trained anew, on the labels that it had here. The rounds before it are shared."
    ),
    "ask": tr("Rounds 0 to {n} are shared. What comes after round {n} is asked anew, by its model."),
    "nothing": tr("Rounds 0 to {n} are shared, and so is what round {n} asked for."),
}
_ORACLES = {"human": tr("Me"), "truth": tr("Ground truth")}


def fork_button(experiment_id: str, number: int, *, key: str, label: str, quiet: bool = False) -> None:
    """The button to leave a session after this round, and its dialog while that is open."""
    st.button(
        label,
        icon=":material/call_split:",
        key=f"{key}-fork",
        type="tertiary" if quiet else "secondary",
        help=tr(
            "A sibling session from this round on, with another strategy or model. It shares the labels."
        ),
        on_click=_open,
        args=(key,),
    )
    opened, once = st.session_state.get(_OPEN, ("", ""))
    if opened == key:
        _dialog(Experiment.open(handles.store(), handles.settings(), experiment_id), number, once)


def _open(key: str) -> None:
    # kept, as the page runs again whenever a round is done: the dialog must not close for that
    st.session_state[_OPEN] = (key, f"fork/{secrets.token_hex(8)}")


def _close() -> None:
    st.session_state.pop(_OPEN, None)


def _dialog(experiment: Experiment, number: int, once: str) -> None:
    @st.dialog(tr("Fork this session"), width="medium", on_dismiss=_close)
    def ask() -> None:
        st.caption(
            tr(
                "A session of its own, with all rounds, queries and labels of “{name}” up to a "
                "round. Nothing changes here.",
                name=plain(experiment.record.name),
            )
        )
        chosen = _round(experiment, number)
        try:
            config = _form(experiment, chosen)
        except ConfigError as error:
            _say(error)
            return
        if config.hash() == experiment.config.hash():
            st.info(tr("Change something: a fork that differs in nothing would be the same session."))
        else:
            st.caption(_WORDS[redo(experiment.config, config)].format(n=chosen))
        if st.button(
            tr("Fork"), type="primary", icon=":material/call_split:", key="fork-go",
            disabled=config.hash() == experiment.config.hash(),
        ):  # fmt: skip
            _go(experiment, chosen, config, once)

    ask()


def _round(experiment: Experiment, number: int) -> int:
    rounds = cache.rounds(experiment.record)
    labels = {record.number: record.num_labeled for record in rounds}
    return st.selectbox(
        tr("Leave after round"),
        list(labels),
        index=min(number, len(rounds) - 1),
        key="fork-round",
        width=240,
        format_func=lambda n: tr_n("{count} · {n:,} label", "{count} · {n:,} labels", labels[n], count=n),
    )


def _form(experiment: Experiment, number: int) -> ExperimentConfig:
    """The fields, and the config that they come to.

    Raises:
        ConfigError: a value is refused.
    """
    was = experiment.config
    left, right = st.columns(2, gap="medium")
    with left:
        names = [entry.name for entry in sorted(STRATEGIES, key=lambda entry: entry.title)]
        strategy = st.selectbox(
            tr("Query strategy"), names, index=_place(names, was.query.strategy), key="fork-strategy",
            format_func=lambda name: tr(STRATEGIES.get(name).title),
        )  # fmt: skip
        st.caption(plain(STRATEGIES.get(strategy).idea))
    with right:
        names = [entry.name for entry in sorted(MODELS, key=lambda entry: entry.title)]
        model = st.selectbox(
            tr("Model"), names, index=_place(names, was.model.model), key="fork-model",
            format_func=lambda name: tr(MODELS.get(name).title),
        )  # fmt: skip
        st.caption(plain(tr(MODELS.get(model).description)))
    left, right = st.columns(2, gap="medium")
    size = left.number_input(tr("Images a query"), 1, 100_000, was.query.n_new, key="fork-size")
    budget = right.number_input(
        tr("Labels in all"), 1, None, was.stop.budget, key="fork-budget", placeholder=tr("no limit"),
        help=tr("Ground truth needs an end; a person does not."),
    )  # fmt: skip
    oracle = _oracle(experiment)
    share = was.share_labels
    if oracle == "human":
        share = st.toggle(
            tr("Share labels"),
            was.share_labels,
            key="fork-share",
            help=tr(
                "What the other sessions of this family have an answer for is answered from there, "
                "at once, so that nobody answers an image twice."
            ),
        )
    changes: dict[str, object] = {
        "query__n_new": size, "stop__budget": budget, "oracle": oracle, "share_labels": share,
    }  # fmt: skip
    if STRATEGIES.get(strategy).name != _canonical(was.query.strategy):
        changes |= {"query__strategy": strategy, "query__options": {}}
        changes |= {"query__second": "", "query__second_options": {}}
    if model != was.model.model:
        changes["model__model"] = model
    config = was.changed(**changes)
    name = st.text_input(tr("Name"), key="fork-name", placeholder=fork_name(config, was.name, number))
    return config.changed(name=name.strip()[:120]) if name.strip() else config


def _canonical(strategy: str) -> str:
    return STRATEGIES.get(strategy).name if strategy in STRATEGIES else strategy


def _place(names: list[str], wanted: str) -> int:
    wanted = _canonical(wanted)
    return names.index(wanted) if wanted in names else 0


def _oracle(experiment: Experiment) -> str:
    was = experiment.config.oracle
    if was not in _ORACLES or not experiment.dataset.has_truth:
        return was
    chosen = st.segmented_control(
        tr("Who labels"), list(_ORACLES), default=was, required=True, key="fork-oracle",
        format_func=lambda name: _ORACLES[name],
    )  # fmt: skip
    return chosen or was


def _go(experiment: Experiment, number: int, config: ExperimentConfig, once: str) -> None:
    try:
        made = forks.begin(experiment.record, number, config, key=once)
    except ConfigError as error:
        _say(error)
        return
    except ALError as error:
        st.error(sentence(error), icon=":material/error:")
        return
    _close()
    session.choose(made.id)
    page = "label" if made.config.oracle == "human" else "curves"
    st.switch_page(f"{page}.py", query_params={"exp": made.id})


def _say(error: ConfigError) -> None:
    for problem in error.problems:
        st.error(sentence(problem), icon=":material/error:")
