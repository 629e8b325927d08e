"""Asking for images by hand from any page: done, and said in words."""

from __future__ import annotations

from collections.abc import Sequence

from al_core.by_hand import Asked
from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.types import INITIAL_ROUND
from al_core.words import tr_n
from state import image_maps, session


def ask_for(experiment: Experiment, ids: Sequence[int]) -> tuple[Asked, str] | None:
    """Put the images in front of the query, and what to say of it; None where it was refused, and said."""
    try:
        asked = image_maps.query_these(experiment, ids)
    except ALError as error:
        session.current().notices.append(str(error))
        return None
    return asked, _words(asked)


def _words(asked: Asked) -> str:
    """Rounds are counted from 1 where people read, as the Label page does."""
    if asked.round == INITIAL_ROUND:
        done = tr_n(
            "{n:,} image stands in front of the initial set.",
            "{n:,} images stand in front of the initial set.",
            len(asked.ids),
        )
    else:
        done = tr_n(
            "{n:,} image stands in front of the query of round {round}.",
            "{n:,} images stand in front of the query of round {round}.",
            len(asked.ids),
            round=asked.round + 1,
        )
    left = tr_n(
        "{n:,} is not asked: it has an answer, or is set aside to measure by.",
        "{n:,} are not asked: they have an answer, or are set aside to measure by.",
        asked.left_out,
    )
    return f"{done} {left}" if asked.left_out else done
