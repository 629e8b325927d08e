"""Asking for images by hand from any page: done, and said in words."""

from __future__ import annotations

from collections.abc import Sequence

from al_core.by_hand import Asked
from al_core.errors import ALError
from al_core.experiment import Experiment
from al_core.words import tr, tr_n
from state import image_maps, session


def ask_for(experiment: Experiment, ids: Sequence[int]) -> tuple[Asked, str] | None:
    """Put the images in front of the query, and what to say of it; None where it was refused, and said."""
    try:
        asked = image_maps.query_these(experiment, ids)
    except ALError as error:
        session.current().notices.append(str(error))
        return None
    done = tr_n(
        "{n:,} image stands in front of the query of round {round}.",
        "{n:,} images stand in front of the query of round {round}.",
        len(asked.ids),
        round=asked.round,
    )
    if asked.left_out:
        done += " " + tr("{count:,} have an answer already, and are not asked again.", count=asked.left_out)
    return asked, done
