"""Help: keys, how strategies choose, the field's terms, questions that people ask, versions."""

from __future__ import annotations

import re

import streamlit as st

from al_core.query.strategies import STRATEGIES
from pages.components.key_map import key_map
from pages.components.shield import shielded
from pages.components.strategy_about import strategy_about
from pages.components.strategy_toy import strategy_toy
from state import diagnostics, glossary, handles, jobs, person, selectors, session
from state.text import plain

_FIRST = "margin"
_DRAWS = 5
_QUESTIONS = (
    ("Where are my labels, and when are they safe?",
     "In the database of the server's home folder. An answer shows as saved only after it is written to "
     "disk; closing the tab, stopping the server or a crash loses none. Each is kept as an event with its "
     "time, so nothing is overwritten."),
    ("Why does it ask for pictures that are hard or odd?",
     "Because easy ones teach little. A strategy looks for what the model is undecided about, or for what is "
     "unlike all that is labeled. *Why* (key I) says it for each image."),
    ("I cannot tell what a picture shows. What now?",
     "Skip it with Space: it is not asked again. U keeps your answer but lets it count for less, F puts it "
     "aside for a second look, X takes a bad image out of the pool."),
    ("How do several people, or I next week, draw the same line between two classes?",
     "Write down what belongs to each class, and pin images that show it: *Guidelines* (key D) stands beside "
     "the images while you label, with the words, pinned examples (T) and labels typical of each class."),
    ("Can I change a label later?",
     "Yes. Backspace steps back, into earlier rounds too. *Queries* shows what was asked, and *Errors* "
     "lists labels that look wrong. The next training uses what is then true."),
    ("How many labels do I need?",
     "Curves says what the next labels should bring, with a band, once there are a few rounds. Stop where "
     "the band is no longer worth the minutes."),
    ("Is the accuracy honest?",
     "It is measured on test images that never enter the pool and never stop a training. Without such images "
     "a random hold-back of each query measures, with its interval."),
    ("Which strategy should I take?",
     "Auto, the default, is good with few labels and with many. To know for your own images, let *Compare* "
     "run several with paired seeds; it says in words which differences are clear."),
    ("It trains slowly here.",
     "Take smaller images, the preset *instant* (frozen features), or fewer epochs. Set up shows the seconds "
     "that a query will take before you begin. Labeling goes on while it trains."),
    ("Can others label with me?",
     "Yes: each opens the same address. To let other machines in, put a proxy with a login in front; the "
     "README's security notes say how."),
    ("Does anything leave my machine?",
     "No. See *Settings*, Privacy."),
)  # fmt: skip


def _keys() -> None:
    st.caption("Keys work on the Label page wherever the focus is. Settings changes them.")
    if key_map(edit=False, person=person.name(), key="help-keys"):
        params = {"exp": chosen} if (chosen := session.current().experiment_id) else None
        st.switch_page("label.py", query_params=params)
    st.caption("The tour shows itself with the next images that wait for a label.")


def _strategies() -> None:
    st.markdown(
        "Points of a plane stand for images, a small network is trained on the labeled ones, and the "
        "strategy's own function picks the next three. Beside it, the same with random picks."
    )
    names = [entry.name for entry in STRATEGIES if entry.function.__module__.startswith("al_core.")]
    choice, draw = st.columns([3, 1], vertical_alignment="bottom")
    name = choice.selectbox(
        "Strategy", names, index=names.index(_FIRST), key="toy-strategy", persist_state="session",
        format_func=lambda name: f"{STRATEGIES.get(name).title} ({STRATEGIES.get(name).family})",
    )  # fmt: skip
    seed = draw.selectbox(
        "Draw", range(_DRAWS), key="toy-seed", format_func=lambda n: f"Example {n + 1}",
        help="Other points from the same law. One example proves nothing: Compare measures.",
    )  # fmt: skip
    entry = STRATEGIES.get(name)
    st.markdown(f"**{plain(entry.title)}.** {plain(entry.idea)}")
    with shielded("the example of a strategy"), st.spinner("Computing the example"):
        strategy_toy(name, seed=seed, key="toy")
    strategy_about(entry)


def _terms() -> None:
    text = st.text_input("Find a term", key="glossary-find", placeholder="for example: margin")
    terms = glossary.found(text)
    if not terms:
        st.info("No term has that in it.", icon=":material/search_off:")
    for term in sorted(terms, key=lambda term: term.name) if not text.strip() else terms:
        also = f" ({', '.join(term.also)})" if term.also else ""
        st.markdown(f"**{term.name}**{also}  \n{term.meaning}")


def _questions() -> None:
    for question, answer in _QUESTIONS:
        with st.expander(question):
            st.markdown(answer)


def _browser() -> str:
    """The browser's name and version, out of the long line that it calls itself by."""
    agent = str(st.context.headers.get("User-Agent", ""))
    found = re.findall(r"(Firefox|Edg|Chrome|Version)/([0-9.]+)", agent)
    return " ".join("/".join(pair) for pair in found) or "not known"


def _versions() -> None:
    st.caption("Copy this into a report of a problem. It holds no path, no name and no label of yours.")
    store = handles.store()
    counts = {"sessions": len(store.experiments()), "jobs now": len(store.jobs(active=True, limit=100))}
    text = diagnostics.diagnostics(
        handles.settings(), worker=selectors.worker_words(jobs.worker_state()), browser=_browser(),
        counts=counts,
    )  # fmt: skip
    st.code(text, language=None)
    st.caption("The copy button is at the top right of the box. Logs are in the home folder, under logs.")


_PARTS = {
    "Keys": _keys,
    "How strategies choose": _strategies,
    "Glossary": _terms,
    "Questions": _questions,
    "Versions": _versions,
}
session.guard()
st.title("Help", anchor=False)
part = st.segmented_control(
    "Part", list(_PARTS), default="Keys", required=True, key="help-part", label_visibility="collapsed",
    persist_state="session", bind="query-params",
)  # fmt: skip
_PARTS[part]()
