"""Help: keys, how strategies choose, the field's terms, questions that people ask, versions."""

from __future__ import annotations

import re

import streamlit as st

from al_core.query.strategies import STRATEGIES
from al_core.words import noted, tr
from pages.components.key_map import key_map
from pages.components.shield import shielded
from pages.components.strategy_about import strategy_about
from pages.components.strategy_toy import strategy_toy
from state import diagnostics, glossary, handles, jobs, person, selectors, session
from state.text import plain

_FIRST = "margin"
_DRAWS = 5
_QUESTIONS = (
    (
        tr("Where are my labels, and when are they safe?"),
        tr(
            "In the database of the server's home folder. An answer shows as saved only after it is "
            "written to disk; closing the tab, stopping the server or a crash loses none. Each is "
            "kept as an event with its time, so nothing is overwritten."
        ),
    ),
    (
        tr("Why does it ask for pictures that are hard or odd?"),
        tr(
            "Because easy ones teach little. A strategy looks for what the model is undecided about, "
            "or for what is unlike all that is labeled. *Why* (key I) says it for each image."
        ),
    ),
    (
        tr("I cannot tell what a picture shows. What now?"),
        tr(
            "Skip it with Space: it is not asked again. U keeps your answer but lets it count for "
            "less, F puts it aside for a second look, X takes a bad image out of the pool."
        ),
    ),
    (
        tr("How do several people, or I next week, draw the same line between two classes?"),
        tr(
            "Write down what belongs to each class, and pin images that show it: *Guidelines* (key "
            "D) stands beside the images while you label, with the words, pinned examples (T) and "
            "labels typical of each class."
        ),
    ),
    (
        tr("Can I change a label later?"),
        tr(
            "Yes. Backspace steps back, into earlier rounds too. *Queries* shows what was asked, and "
            "*Errors* lists labels that look wrong. The next training uses what is then true."
        ),
    ),
    (
        tr("How many labels do I need?"),
        tr(
            "Curves says what the next labels should bring, with a band, once there are a few "
            "rounds. Stop where the band is no longer worth the minutes."
        ),
    ),
    (
        tr("Is the accuracy honest?"),
        tr(
            "It is measured on test images that never enter the pool and never stop a training. "
            "Without such images a random hold-back of each query measures, with its interval."
        ),
    ),
    (
        tr("Which strategy should I take?"),
        tr(
            "Auto, the default, is good with few labels and with many. To know for your own images, "
            "let *Compare* run several with paired seeds; it says in words which differences are "
            "clear."
        ),
    ),
    (
        tr("It trains slowly here."),
        tr(
            "Take smaller images, the preset *instant* (frozen features), or fewer epochs. Set up "
            "shows the seconds that a query will take before you begin. Labeling goes on while it "
            "trains."
        ),
    ),
    (
        tr("Can others label with me?"),
        tr(
            "Yes: each opens the same address. To let other machines in, put a proxy with a login in "
            "front; the README's security notes say how."
        ),
    ),
    (tr("Does anything leave my machine?"), tr("No. See *Settings*, Privacy.")),
)


def _keys() -> None:
    st.caption(tr("Keys work on the Label page wherever the focus is. Settings changes them."))
    if key_map(edit=False, person=person.name(), key="help-keys"):
        params = {"exp": chosen} if (chosen := session.current().experiment_id) else None
        st.switch_page("label.py", query_params=params)
    st.caption(tr("The tour shows itself with the next images that wait for a label."))


def _strategies() -> None:
    st.markdown(
        tr(
            "Points of a plane stand for images, a small network is trained on the labeled ones, and "
            "the strategy's own function picks the next three. Beside it, the same with random picks."
        )
    )
    names = [entry.name for entry in STRATEGIES if entry.function.__module__.startswith("al_core.")]
    choice, draw = st.columns([3, 1], vertical_alignment="bottom")
    name = choice.selectbox(
        tr("Strategy"), names, index=names.index(_FIRST), key="toy-strategy", persist_state="session",
        format_func=lambda name: f"{tr(STRATEGIES.get(name).title)} ({STRATEGIES.get(name).family})",
    )  # fmt: skip
    seed = draw.selectbox(
        tr("Draw"), range(_DRAWS), key="toy-seed", format_func=lambda n: tr("Example {count}", count=n + 1),
        help=tr("Other points from the same law. One example proves nothing: Compare measures."),
    )  # fmt: skip
    entry = STRATEGIES.get(name)
    st.markdown(f"**{plain(tr(entry.title))}.** {plain(tr(entry.idea))}")
    with shielded("the example of a strategy"), st.spinner(tr("Computing the example")):
        strategy_toy(name, seed=seed, key="toy")
    strategy_about(entry)


def _terms() -> None:
    text = st.text_input(tr("Find a term"), key="glossary-find", placeholder=tr("for example: margin"))
    terms = glossary.found(text)
    if not terms:
        st.info(tr("No term has that in it."), icon=":material/search_off:")
    for term in sorted(terms, key=lambda term: tr(term.name)) if not text.strip() else terms:
        also = f" ({', '.join(tr(name) for name in term.also)})" if term.also else ""
        st.markdown(f"**{tr(term.name)}**{also}  \n{tr(term.meaning)}")


def _questions() -> None:
    for question, answer in _QUESTIONS:
        with st.expander(question):
            st.markdown(answer)


def _browser() -> str:
    """The browser's name and version, out of the long line that it calls itself by."""
    agent = str(st.context.headers.get("User-Agent", ""))
    found = re.findall(r"(Firefox|Edg|Chrome|Version)/([0-9.]+)", agent)
    return " ".join("/".join(pair) for pair in found) or tr("not known")


def _versions() -> None:
    st.caption(tr("Copy this into a report of a problem. It holds no path, no name and no label of yours."))
    store = handles.store()
    counts = {"sessions": len(store.experiments()), "jobs now": len(store.jobs(active=True, limit=100))}
    text = diagnostics.diagnostics(
        handles.settings(), worker=selectors.worker_words(jobs.worker_state()), browser=_browser(),
        counts=counts,
    )  # fmt: skip
    st.code(text, language=None)
    st.caption(tr("The copy button is at the top right of the box. Logs are in the home folder, under logs."))


_PARTS = {
    noted("Keys"): _keys,
    noted("How strategies choose"): _strategies,
    noted("Glossary"): _terms,
    noted("Questions"): _questions,
    noted("Versions"): _versions,
}
session.guard()
st.title(tr("Help"), anchor=False)
part = st.segmented_control(
    tr("Part"), list(_PARTS), default="Keys", required=True, key="help-part", label_visibility="collapsed",
    persist_state="session", bind="query-params", format_func=tr,
)  # fmt: skip
_PARTS[part]()
