"""Why this image: its score in words, the guesses, the nearest labeled images, and who else would ask."""

from __future__ import annotations

import streamlit as st

from al_core.by_hand import standing
from al_core.errors import StoreError
from al_core.experiment import Experiment
from al_core.records import Query
from al_core.results.analysis import answer_text
from al_core.results.reasons import Reason, reason
from al_core.words import tr
from pages.components.picture_wall import picture_wall
from pages.components.saliency_view import saliency_view
from state import queried
from state.text import plain, strategy_title


@st.dialog(tr("Why this image"), width="small")
def why_card(experiment: Experiment, query: Query, sample_id: int, *, blind: bool) -> None:
    """Show it. While a person labels blind, what could sway them stays hidden until they have answered."""
    item = next(item for item in query.offered if item.sample_id == sample_id)
    try:
        known = reason(experiment, query, sample_id)
    except StoreError as error:
        known = Reason()
        st.caption(plain(str(error)))
    asked = standing(experiment.store.mark_events(experiment.id)).get(query.round, [])
    if sample_id in asked:
        st.write(tr("Somebody asked for it by hand."))
    elif item in query.ahead:
        st.write(tr("Picked ahead, to be labeled while a model trains."))
    else:
        st.write(tr("Picked as number {rank} of {total}.", rank=item.rank + 1, total=len(query.items)))
    if item.score is not None:
        words = queried.words_of(experiment, query.round).get(sample_id, "")
        st.write(tr("Score **{score:.4g}**", score=item.score) + (f": {plain(words)}." if words else ""))
    if known.beaten is not None:
        st.write(
            tr(
                "{share} of the {candidates:,} candidates scored lower.",
                share=_share(known.beaten),
                candidates=query.num_candidates,
            )
        )
    if blind and sample_id not in experiment.answers_to(query, ahead=True):
        st.caption(tr("The guesses and the labeled images nearest to it are hidden until you have answered."))
    else:
        _guesses(experiment, item.guesses)
        _neighbours(experiment, known)
        saliency_view(experiment, query.round, sample_id)
    for text in _rivals(known):
        st.write(text)
    st.text(experiment.dataset.train.file_name(sample_id).rpartition("/")[2])


def _share(value: float) -> str:
    """A share that never says all while some are missing."""
    return f"{min(value, 0.999):.1%}" if 0.99 < value < 1 else f"{value:.0%}"


def _guesses(experiment: Experiment, guesses: tuple[tuple[int, float], ...]) -> None:
    for index, probability in guesses:
        st.progress(min(1.0, probability), f"{plain(experiment.dataset.classes[index])}: {probability:.1%}")


def _neighbours(experiment: Experiment, known: Reason) -> None:
    if not known.nearest:
        return
    labels = experiment.store.current_labels(experiment.id)
    classes = experiment.dataset.classes
    words = [answer_text(labels.get(i), classes) or tr("no label now") for i in known.nearest]
    st.markdown(tr("**Nearest labeled images**, as the network sees them"))
    picture_wall(
        experiment.dataset, known.nearest, key="why-nearest", cell=96, words=words, one_row=True, few=True
    )
    if known.remoteness is not None:
        st.caption(remoteness_words(known.remoteness))


def remoteness_words(times: float) -> str:
    """How far an image is from the labeled ones, in typical distances between those."""
    measure = tr("{times:.1f}× the usual distance between labeled images and their nearest.", times=times)
    if times >= 2:
        return tr("Far from anything that is labeled: {measure}", measure=measure)
    if times >= 1.2:
        return tr("Somewhat apart from what is labeled: {measure}", measure=measure)
    if times >= 0.8:
        return tr("As near to a labeled image as those are to one another: {measure}", measure=measure)
    return tr("Very like an image that is labeled: {measure}", measure=measure)


def _rivals(known: Reason) -> list[str]:
    said = []
    for names, words in ((known.rivals, tr("would have asked for it too")), (known.others, tr("would not"))):
        if names:
            titles = ", ".join(f"“{plain(strategy_title(name))}”" for name in names)
            said.append(f"{titles} {words}.")
    return said
