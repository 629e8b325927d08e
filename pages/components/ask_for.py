"""Asking for images by hand from any page: done, and said in words."""

from __future__ import annotations

from collections.abc import Sequence

from al_core.by_hand import Asked
from al_core.errors import ALError
from al_core.experiment import Experiment
from state import image_maps, session


def ask_for(experiment: Experiment, ids: Sequence[int]) -> tuple[Asked, str] | None:
    """Put the images in front of the query, and what to say of it; None where it was refused, and said."""
    try:
        asked = image_maps.query_these(experiment, ids)
    except ALError as error:
        session.current().notices.append(str(error))
        return None
    many = len(asked.ids)
    they = "image stands" if many == 1 else "images stand"
    done = f"{many:,} {they} in front of the query of round {asked.round}."
    if asked.left_out:
        done += f" {asked.left_out:,} have an answer already, and are not asked again."
    return asked, done
