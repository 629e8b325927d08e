"""Set up, second and third part: the model, and how it chooses what to ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import streamlit as st

from al_core.config import ExperimentConfig, options
from al_core.errors import Problem
from al_core.models import MODELS, ModelEntry
from al_core.query.composition import Composition
from al_core.query.strategies import STRATEGIES, Family, Strategy
from al_core.words import tr
from pages.components import config_form
from pages.components.choice_cards import Choice, choice_cards
from pages.components.query_cost import query_cost
from pages.components.strategy_about import strategy_about
from state import cache, draft
from state.text import plain

_NEEDS = {
    "model": tr("one pass of the model"),
    "dropout": "dropout",
    "committee": "a committee",
    "gradients": "gradients",
}
_FAMILIES = get_args(Family)
_OF_EVIDENCE = {
    "committee_probs": ("committee", "members"),
    "mc_probs": ("passes",),
    "features": ("features",),
}
"""Options that mean something only where a strategy asks for that evidence."""


def setup_model(config: ExperimentConfig, problems: Sequence[Problem]) -> None:
    """Draw the model part."""
    chosen = config.model.model
    choices = [_model_card(entry) for entry in sorted(MODELS, key=lambda entry: entry.num_parameters)]
    name = MODELS.get(chosen).name if chosen in MODELS else chosen
    choice_cards(
        tr("Model"), choices, name, lambda name: config_form.put("model.model", name), key="choose-model"
    )
    config_form.shown_problems(draft.of_path(problems, "model.model"))
    left, right = st.columns(2, gap="large")
    with left:
        config_form.section("model", problems, advanced=False)
    with right:
        config_form.section("model", problems, advanced=True)


def _model_card(entry: ModelEntry) -> Choice:
    millions = entry.num_parameters / 1e6
    size = (
        f"{millions:.1f} M parameters" if millions >= 1 else f"{entry.num_parameters / 1e3:.0f} k parameters"
    )
    facts = (
        size,
        tr("from {size} px", size=entry.min_image_size),
        *((tr("has dropout"),) if entry.has_dropout else ()),
    )
    badge = tr("ImageNet weights") if entry.weights else ""
    return Choice(
        entry.name,
        tr(entry.title),
        tr(entry.description),
        facts,
        badge,
        group=tr("Model"),
        search=" ".join((entry.name, *entry.aliases)),
    )


def setup_strategy(config: ExperimentConfig, problems: Sequence[Problem]) -> None:
    """Draw the strategy part; what the model cannot serve is grey and says why."""
    chosen = config.query.strategy
    refusals = cache.strategy_refusals(config.model)
    order = {family: place for place, family in enumerate(_FAMILIES)}
    entries = sorted(STRATEGIES, key=lambda entry: (order.get(entry.family, 99), entry.title))
    choices = [_strategy_card(entry, refusals.get(entry.name, "")) for entry in entries]
    name = STRATEGIES.get(chosen).name if chosen in STRATEGIES else chosen
    with st.container():
        if chosen in STRATEGIES:
            _details(config, STRATEGIES.get(chosen), problems)
    config_form.shown_problems(draft.of_path(problems, "query.strategy"))
    choice_cards(
        tr("Query strategy"),
        choices,
        name,
        _choose_strategy,
        key="choose-strategy",
        search=tr("Find a strategy"),
    )


def _details(config: ExperimentConfig, entry: Strategy, problems: Sequence[Problem]) -> None:
    """The chosen strategy above the cards: what it is, what it takes, and all that can be set about it."""
    with st.container(border=True, key="chosen-strategy"):
        st.markdown(f"**{plain(tr(entry.title))}**: {plain(tr(entry.idea))}")
        query_cost(config)
        about, around = st.columns(2, gap="medium")
        with about:
            strategy_about(entry)
        with around:
            _around(config, entry, problems)
        if entry.options:
            with st.grid(4, min_column_width=170, key="strategy-options"):
                config_form.strategy_options(entry, problems)
        else:
            config_form.strategy_options(entry, problems)


def _around(config: ExperimentConfig, entry: Strategy, problems: Sequence[Problem]) -> None:
    """What can be put around any strategy; only what means something for the chosen one."""
    query = config.query
    second = STRATEGIES.get(query.second) if query.second in STRATEGIES else None
    names = ["candidates", "second", *(("share",) if second else ()), "balance", "min_distance"]
    scores = not entry.is_selector or (second is not None and not second.is_selector)
    if scores or query.power:
        names.append("power")
    evidence = Composition.of(query).evidence if not query.second or second else entry.evidence
    names += [name for kind, applies in _OF_EVIDENCE.items() if kind in evidence for name in applies]
    places = ("candidates", "second", "share", "balance", "min_distance", "power")
    places += sum(_OF_EVIDENCE.values(), ())
    known = {"strategy", "options", "second_options", *config_form.SIZES, *places}
    others = [o.name for o in options() if o.section == "query" and o.name not in known]
    names += others
    defaults = type(query)()
    changed = sum(getattr(query, name) != getattr(defaults, name) for name in (*names, "second_options"))
    if changed:
        title = tr("Around it: second strategy, balance, copies, cap ({changed} set)", changed=changed)
    else:
        title = tr("Around it: second strategy, balance, copies, cap")
    faulty = any(draft.of_path(problems, f"query.{name}") for name in (*names, "second_options"))
    with st.expander(title, icon=":material/tune:", expanded=faulty, key="around-strategy"):
        for name in (*places, *others):
            with st.container():
                if name in names:
                    config_form.field(config_form.find(f"query.{name}"), problems)
                if name == "share" and second:
                    config_form.strategy_options(second, problems, "query.second_options")
        config_form.shown_problems(p for p in problems if p.option == "query.second_options")


def _choose_strategy(name: str) -> None:
    config_form.put("query.strategy", name)
    config_form.put("query.options", {})


def _strategy_card(entry: Strategy, refusal: str) -> Choice:
    needs = [_NEEDS.get(need, need) for need in sorted(entry.needs)]
    needs_words = tr("needs {evidence}", evidence=" and ".join(needs)) if needs else tr("needs no model")
    return Choice(
        entry.name,
        tr(entry.title),
        entry.idea,
        (entry.name, needs_words),
        group=entry.family.capitalize(),
        refused=refusal,
        search=" ".join(spelling for name in (entry.name, *entry.aliases) for spelling in spellings(name)),
    )


def spellings(name: str) -> tuple[str, ...]:
    """A name as people write it: query_by_committee, with blanks, with hyphens, in one."""
    return name, *(name.replace("_", between) for between in (" ", "-", ""))
