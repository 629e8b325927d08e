"""The over-reliance meter: a share of the images is labeled without guesses, and the answers are compared."""

from __future__ import annotations

import streamlit as st

from al_core.experiment import Experiment
from al_core.results.reliance import LEAST, Agreement, Reliance
from al_core.words import tr
from state import labelling, preferences

_SHARE = "label:blind-share"
_MOST = 50  # per cent


def blind_share(experiment: Experiment) -> float:
    """The share of images whose guesses are hidden: as chosen in this tab, at first as the session says."""
    chosen = st.session_state.get(_SHARE)
    return experiment.config.query.blind_share if chosen is None else chosen / 100


def reliance_meter(experiment: Experiment) -> None:
    """Draw the button that opens it. Where the guesses sway who labels, the button says so."""
    share = blind_share(experiment)
    found = labelling.swayed(experiment) if share or st.session_state.get(_SHARE) is not None else None
    sways = found is not None and found.sways and not preferences.blind()
    label = tr("Guesses sway you") if sways else tr("Blind {share:.0%}", share=share)
    icon = ":material/warning:" if sways else ":material/visibility_off:"
    with st.popover(
        label, icon=icon, help=tr("Hides the guesses of a share of the images, to see what they do.")
    ):
        st.session_state.setdefault(_SHARE, round(100 * share))
        st.slider(
            tr("Images without guesses, in %"), 0, max(_MOST, round(100 * share)), step=5, key=_SHARE,
            persist_state="session",
            help=tr("Drawn by the session's seed and the image alone; an image stays hidden in every round."),
        )  # fmt: skip
        if found is not None:
            _comparison(found)
        if sways:
            st.button(
                tr("Hide all guesses"), icon=":material/visibility_off:", key="reliance-hide",
                on_click=preferences.set_blind, kwargs={"on": True},
            )  # fmt: skip


def _comparison(found: Reliance) -> None:
    st.markdown(
        tr(
            "You agree with the model's first guess\n- shown: {shown}\n- hidden: {hidden}",
            shown=_agreement(found.shown),
            hidden=_agreement(found.hidden),
        )
    )
    if found.difference is None or found.low is None or found.high is None:
        st.caption(
            tr("{least} answers of each kind, in the same queries, are needed for a comparison.", least=LEAST)
        )
        return
    points = tr(
        "{difference:+.0f} points (95 %: {low:+.0f} to {high:+.0f})",
        difference=100 * found.difference,
        low=100 * found.low,
        high=100 * found.high,
    )
    if found.sways:
        st.warning(
            tr(
                "**{points}** where you see the guess. You may be taking guesses over without "
                "looking: label without them for a while, and see whether your answers change.",
                points=points,
            ),
            icon=":material/warning:",
        )
    else:
        st.caption(tr("{points} where you see the guess: no more than chance explains.", points=points))


def _agreement(found: Agreement) -> str:
    return (
        tr("no answer yet")
        if found.share is None
        else tr("{share:.0%} of {answered}", share=found.share, answered=found.answered)
    )
