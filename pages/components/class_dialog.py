"""The classes of a session in a dialog: add, rename, merge, retire, take it back, and who did what when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import streamlit as st

from al_core.classes import MOST_LETTERS, MOST_WORDS, Classes
from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.guidelines import Guideline, class_history, guidelines
from al_core.records import ClassAct, ClassChange, ClassEvent
from al_core.words import tr, tr_n
from state import person
from state.text import plain, sentence

_OPEN, _DUE, _SAID, _REFUSED, _NEW = (
    "classes-open",
    "classes-due",
    "classes-said",
    "classes-refused",
    "classes-new",
)
_FATES = {"ask": tr("Ask these images again"), "keep": tr("Keep them; the model goes on knowing the class")}


def class_button(experiment: Experiment) -> None:
    """The button, and its dialog while that is open."""
    st.button(
        tr("Classes"),
        icon=":material/category:",
        key="classes",
        on_click=open_classes,
        args=(experiment.id,),
        help=tr("Add, rename, merge or retire classes while you label, and say what belongs to each."),
    )
    if st.session_state.get(_OPEN) == experiment.id:
        _dialog(experiment)


def open_classes(experiment_id: str) -> None:
    """A callback: the dialog opens with the run that follows."""
    # kept, as the page runs again whenever a label is saved: the dialog must not close for that
    st.session_state[_OPEN] = experiment_id
    st.session_state[_DUE] = True
    _forget()


def classes_due() -> bool:
    """Whether the dialog was asked for and is not drawn yet: a run of a part of the page leaves it out."""
    return bool(st.session_state.get(_DUE))


def _close() -> None:
    st.session_state.pop(_OPEN, None)
    st.session_state.pop(_DUE, None)


def _forget() -> None:
    st.session_state.pop(_SAID, None)
    st.session_state.pop(_REFUSED, None)


@st.dialog(tr("Classes"), width="large", on_dismiss=_close)
def _dialog(experiment: Experiment) -> None:
    classes = experiment.classes()
    events = experiment.class_events()
    labels = Counter(event.value for event in experiment.store.current_labels(experiment.id).values())
    if refused := st.session_state.get(_REFUSED):
        st.error(sentence(refused), icon=":material/error:")
    elif said := st.session_state.get(_SAID):
        st.success(plain(said), icon=":material/check_circle:")
    _add(experiment)
    _one(experiment, classes, labels, guidelines(events))
    _set_aside(experiment, classes)
    _history(experiment, events)
    st.session_state.pop(_DUE, None)


def _change(experiment: Experiment, made: Callable[[], tuple[ClassChange, str]]) -> None:
    """A callback: make the change and say so, or say why not. Fields are read now: a click may be ahead."""
    _forget()
    change, words = made()
    try:
        experiment.change_class(change, annotator=person.name())
    except ALError as error:
        st.session_state[_REFUSED] = f"{error}."
        return
    st.session_state[_SAID] = words
    if change.act is ClassAct.ADD:
        st.session_state[_NEW] = ""


def _add(experiment: Experiment) -> None:
    name, go = st.columns([4, 1], vertical_alignment="bottom")
    name.text_input(tr("New class"), key=_NEW, placeholder=tr("Its name"), max_chars=MOST_LETTERS)

    def made() -> tuple[ClassChange, str]:
        typed = str(st.session_state.get(_NEW) or "")
        return ClassChange(0, ClassAct.ADD, name=typed), tr(
            "“{typed}” can be given now.", typed=typed.strip()
        )

    go.button(
        tr("Add"), key="classes-add", icon=":material/add:", width="stretch", on_click=_change,
        args=(experiment, made),
    )  # fmt: skip
    if experiment.prepared.has_truth and len(experiment.prepared.test):
        st.caption(tr("No test image is of a class that you add: accuracy says nothing of it."))


def _count(number: int) -> str:
    return tr_n("{n:,} label", "{n:,} labels", number)


def _one(experiment: Experiment, classes: Classes, labels: Counter[int], said: dict[int, Guideline]) -> None:
    names = classes.names
    chosen = st.selectbox(
        tr("Class"), classes.open, key="classes-one",
        format_func=lambda i: f"{names[i]} · {_count(labels[i])}",
    )  # fmt: skip
    rename, merge, retire, guide = st.tabs([tr("Rename"), tr("Merge"), tr("Retire"), tr("Guideline")])
    with rename:
        _rename(experiment, chosen, names[chosen], labels[chosen])
    with merge:
        _merge(experiment, chosen, classes, labels[chosen])
    with retire:
        _retire(experiment, chosen, names[chosen], labels[chosen])
    with guide:
        _guide(experiment, chosen, names[chosen], said.get(chosen, Guideline()))


def _rename(experiment: Experiment, chosen: int, name: str, count: int) -> None:
    field = f"classes-name-{chosen}-{name}"  # another field once it has another name
    st.text_input(tr("New name"), value=name, key=field, max_chars=MOST_LETTERS)

    def made() -> tuple[ClassChange, str]:
        typed = str(st.session_state.get(field) or "")
        said = tr(
            "“{name}” is called “{typed}” now, with its {count}.",
            name=name,
            typed=typed.strip(),
            count=_count(count),
        )
        return ClassChange(chosen, ClassAct.RENAME, name=typed), said

    st.button(
        tr("Rename"), key="classes-rename", icon=":material/edit:", on_click=_change, args=(experiment, made)
    )


def _merge(experiment: Experiment, chosen: int, classes: Classes, count: int) -> None:
    names, field = classes.names, f"classes-into-{chosen}"
    others = [i for i in classes.open if i != chosen]
    into = st.selectbox(tr("Into"), others, format_func=lambda i: names[i], key=field)
    st.caption(
        tr(
            "{count} will count as “{name}”. It can be taken back.",
            count=_count(count),
            name=plain(names[into]),
        )
    )

    def made() -> tuple[ClassChange, str]:
        target = int(st.session_state[field])
        said = tr("“{name}” counts as “{other}” from now on.", name=names[chosen], other=names[target])
        return ClassChange(chosen, ClassAct.MERGE, into=target), said

    st.button(
        tr("Merge"), key="classes-merge", icon=":material/merge:", on_click=_change, args=(experiment, made)
    )


def _retire(experiment: Experiment, chosen: int, name: str, count: int) -> None:
    field = f"classes-fate-{chosen}"
    st.caption(
        tr(
            "“{name}” has {count}. What shall become of them? It can be taken back.",
            name=plain(name),
            count=_count(count),
        )
    )
    st.radio(
        tr("Its labels"),
        list(_FATES),
        format_func=_FATES.__getitem__,
        key=field,
        label_visibility="collapsed",
    )

    def made() -> tuple[ClassChange, str]:
        keep = st.session_state[field] == "keep"
        kept = tr("its labels are kept") if keep else tr("its images are asked again")
        return (
            ClassChange(chosen, ClassAct.RETIRE, labels="keep" if keep else "ask"),
            tr("“{name}” is given no more; {kept}.", name=name, kept=kept),
        )

    st.button(
        tr("Retire"), key="classes-retire", icon=":material/inventory_2:", on_click=_change,
        args=(experiment, made),
    )  # fmt: skip


def _guide(experiment: Experiment, chosen: int, name: str, said: Guideline) -> None:
    field = f"classes-guide-{chosen}"
    st.text_area(
        tr("What belongs to it"), value=said.text, key=field, max_chars=MOST_WORDS, height=120,
        placeholder=tr("What to look for, and what goes elsewhere"),
    )  # fmt: skip
    if said.text and said.at is not None:
        st.caption(tr("By {name}, {when}.", name=plain(said.by or "somebody"), when=_when(said.at)))

    def made() -> tuple[ClassChange, str]:
        text = str(st.session_state.get(field) or "")
        return ClassChange(chosen, ClassAct.GUIDE, text=text), tr(
            "The guideline of “{name}” is saved.", name=name
        )

    st.button(
        tr("Save"), key="classes-guide", icon=":material/save:", on_click=_change, args=(experiment, made)
    )


def _set_aside(experiment: Experiment, classes: Classes) -> None:
    effects, names = classes.effects, classes.names
    for i in sorted(classes.merged | effects.retired):
        merged = i in classes.merged
        fate = tr("its images are asked again") if i in effects.dropped else tr("its labels are kept")
        words = (
            tr("counts as “{name}”", name=names[effects.into[i]])
            if merged
            else tr("is retired; {fate}", fate=fate)
        )
        line, back = st.columns([3, 1], vertical_alignment="center")
        line.markdown(f"**{plain(names[i])}** {plain(words)}")
        act = ClassAct.SPLIT if merged else ClassAct.RESTORE
        change = ClassChange(i, act), tr("“{name}” is back, with its labels.", name=names[i])
        back.button(
            tr("Split back") if merged else tr("Restore"), key=f"classes-back-{i}", icon=":material/undo:",
            width="stretch", on_click=_change, args=(experiment, lambda change=change: change),
        )  # fmt: skip


def _history(experiment: Experiment, events: list[ClassEvent]) -> None:
    if not events:
        return
    told = class_history(experiment.prepared.classes, events)
    lines = [f"{_when(event.at)}, {event.annotator or 'somebody'} {words}" for event, words in told]
    with st.expander(tr("History · {events}", events=len(events))):
        st.markdown("\n".join(f"- {plain(line)}" for line in reversed(lines)))


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
