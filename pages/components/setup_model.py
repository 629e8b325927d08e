"""Set up, second and third part: the model, and how it chooses what to ask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import streamlit as st

from al_core.config import ModelConfig
from al_core.errors import Problem
from al_core.models import MODELS, ModelEntry
from al_core.query.strategies import STRATEGIES, Family, Strategy
from pages.components import config_form
from pages.components.choice_cards import Choice, choice_cards
from state import cache, draft

_NEEDS = {
    "model": "one pass of the model",
    "dropout": "dropout",
    "committee": "a committee",
    "gradients": "gradients",
}
_FAMILIES = get_args(Family)


def setup_model(chosen: str, problems: Sequence[Problem]) -> None:
    """Draw the model part."""
    choices = [_model_card(entry) for entry in sorted(MODELS, key=lambda entry: entry.num_parameters)]
    name = MODELS.get(chosen).name if chosen in MODELS else chosen
    choice_cards(
        "Model", choices, name, lambda name: config_form.put("model.model", name), key="choose-model"
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
    facts = (size, f"from {entry.min_image_size} px", *(("has dropout",) if entry.has_dropout else ()))
    badge = "ImageNet weights" if entry.weights else ""
    return Choice(
        entry.name,
        entry.title,
        entry.description,
        facts,
        badge,
        search=" ".join((entry.name, *entry.aliases)),
    )


def setup_strategy(chosen: str, model: ModelConfig | None, problems: Sequence[Problem]) -> None:
    """Draw the strategy part; what the model cannot serve is grey and says why."""
    refusals = cache.strategy_refusals(model) if model is not None else {}
    order = {family: place for place, family in enumerate(_FAMILIES)}
    entries = sorted(STRATEGIES, key=lambda entry: (order.get(entry.family, 99), entry.title))
    choices = [_strategy_card(entry, refusals.get(entry.name, "")) for entry in entries]
    name = STRATEGIES.get(chosen).name if chosen in STRATEGIES else chosen
    choice_cards(
        "Query strategy", choices, name, _choose_strategy, key="choose-strategy", search="Find a strategy"
    )
    config_form.shown_problems(draft.of_path(problems, "query.strategy"))
    left, right = st.columns(2, gap="large")
    with left:
        if chosen in STRATEGIES:
            entry = STRATEGIES.get(chosen)
            config_form.strategy_options(entry, problems)
            st.text(entry.paper)
    with right, st.expander("More about querying", icon=":material/tune:"):
        config_form.section("query", problems, advanced=True)


def _choose_strategy(name: str) -> None:
    config_form.put("query.strategy", name)
    config_form.put("query.options", {})


def _strategy_card(entry: Strategy, refusal: str) -> Choice:
    needs = [_NEEDS.get(need, need) for need in sorted(entry.needs)]
    needs_words = f"needs {' and '.join(needs)}" if needs else "needs no model"
    return Choice(
        entry.name,
        entry.title,
        entry.idea,
        (entry.name, needs_words),
        group=entry.family.capitalize(),
        refused=refusal,
        search=" ".join(spelling for name in (entry.name, *entry.aliases) for spelling in spellings(name)),
    )


def spellings(name: str) -> tuple[str, ...]:
    """A name as people write it: query_by_committee, with blanks, with hyphens, in one."""
    return name, *(name.replace("_", between) for between in (" ", "-", ""))
