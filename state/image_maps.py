"""What the Explore page reads: the map of the images, where each stands, and what a person does with some."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import IO, Any, Final

import numpy as np

from al_core import by_hand, undoing
from al_core.deploy.asked import ask_about_uploads, read_result
from al_core.experiment import Experiment
from al_core.pool import Status
from al_core.records import JobRecord, LabelSource
from al_core.results.image_map import ImageMap, MapRequest
from al_core.types import INITIAL_ROUND, UNKNOWN
from al_core.words import noted, tr
from state import handles, jobs, person, standings
from state.artefacts import Artefacts

BY_HAND: Final = tr("asked by hand")
COLOURS: Final = (
    noted("Label"), noted("Prediction"), noted("Uncertainty"), noted("Round"), noted("Strategy"),
    noted("Standing"), noted("Tag"),
)  # fmt: skip


maps: Final = Artefacts[MapRequest, ImageMap]("map", ImageMap.read, keep=4)


def counted(experiment: Experiment, found: ImageMap) -> ImageMap:
    """The map with predictions as their classes count now: what was merged since as the other."""
    return replace(found, predicted=experiment.classes().counted(found.predicted))


def asked_by(experiment: Experiment) -> tuple[np.ndarray, list[str]]:
    """Who first asked for each image, as a position in the names that come with it; UNKNOWN: nobody yet."""
    who = np.full(len(experiment.dataset.train), UNKNOWN, np.int64)
    names: list[str] = []
    picked = by_hand.standing(experiment.store.mark_events(experiment.id))
    for query in reversed(experiment.store.queries(experiment.id)):
        for name, ids in (
            (query.strategy, [item.sample_id for item in query.items]),
            (BY_HAND, picked.get(query.round, [])),
        ):
            if ids:
                if name not in names:
                    names.append(name)
                who[ids] = names.index(name)
    return who, names


def tagged(experiment: Experiment) -> tuple[np.ndarray, list[str]]:
    """The last tag of each image as a position in the names of all tags; UNKNOWN where it has none."""
    found = by_hand.tags(experiment.store, experiment.id)
    names = sorted({name for of_image in found.values() for name in of_image})
    which = np.full(len(experiment.dataset.train), UNKNOWN, np.int64)
    for i, of_image in found.items():
        which[i] = names.index(of_image[-1])
    return which, names


def with_tag(experiment: Experiment, name: str) -> list[int]:
    """The images that have a tag."""
    return sorted(i for i, names in by_hand.tags(experiment.store, experiment.id).items() if name in names)


def query_these(experiment: Experiment, ids: Sequence[int]) -> by_hand.Asked:
    """Put these images in front of the query.

    Raises:
        DataError: the session has ended, or has not begun.
    """
    return by_hand.ask_for(experiment, ids, client=_client(), annotator=person.name())


def query_no_longer(experiment: Experiment, asked: by_hand.Asked) -> None:
    """Take `query_these` back."""
    by_hand.take_back(experiment, asked, client=_client(), annotator=person.name())


def tag(experiment: Experiment, ids: Sequence[int], text: str, *, on: bool = True) -> list[int]:
    """Give images a tag, or take it from them; gives those that it changed.

    Raises:
        DataError: it is no tag.
    """
    return by_hand.tag(experiment, ids, text, on=on, client=_client(), annotator=person.name())


def _client() -> str:
    return f"explore-{uuid.uuid4().hex[:12]}"


# -- a picture from outside ---------------------------------------------------------------------------------


def has_umap() -> bool:
    """Whether UMAP's library is installed; it is not imported here."""
    return find_spec("umap") is not None


def ask_alike(request: MapRequest, files: Iterable[tuple[str, IO[bytes]]]) -> str:
    """Let the worker find the images of a map that are most like an uploaded picture; the request's token.

    Raises:
        DataError: nothing can be made of the file.
    """
    token = ask_about_uploads(handles.settings(), request.experiment, request.round, files).token
    jobs.ask("alike", token=token, map=asdict(request))
    return token


def alike_job(token: str) -> JobRecord | None:
    """The job of such a request."""
    return jobs.newest("alike", token=token)


def alike_found(token: str) -> dict[str, Any] | None:
    """Its answer: the picture's name, ids and distances; None while there is none."""
    return read_result(handles.settings(), token)


def may_answer(experiment: Experiment, ids: Sequence[int]) -> list[int]:
    """Those of the images that a person may label here.

    What was thinned out of the pool is none of the session's. What is set aside for validation or the
    hold-back is not either: an answer given beside the model's guess would no longer measure it.
    """
    status = standings.statuses(experiment)
    kept = (Status.VALIDATION, Status.RESERVED, Status.HELD_BACK, Status.THINNED)
    return [i for i in ids if Status(status[i]) not in kept]


@dataclass(frozen=True)
class Answered:
    """What `answer` wrote, for `take_back`: under which name, and of which images."""

    client: str
    ids: tuple[int, ...]


def answer(experiment: Experiment, ids: Sequence[int], value: int) -> Answered:
    """Give all these images that may be labeled here one answer, as one commit.

    Where a label stands the person has seen it, so theirs is a correction, which is no independent rating.

    Raises:
        ClassError: the class cannot be given (any more); nothing was written.
    """
    answered = Answered(_client(), tuple(may_answer(experiment, ids)))
    if answered.ids:
        last = experiment.last_query()
        experiment.tell(
            [(i, value) for i in answered.ids], client=answered.client, source=LabelSource.HUMAN,
            over=LabelSource.CORRECTION, annotator=person.name(),
            round=INITIAL_ROUND if last is None else last.round,
        )  # fmt: skip
    return answered


def take_back(experiment: Experiment, answered: Answered) -> int:
    """Give images what they had before `answer`; gives how many were changed since, and stay.

    Raises:
        StoreError: others label all the time.
    """
    return undoing.take_back(
        experiment, answered.client, as_client=f"undo-{answered.client}", annotator=person.name(),
        source=LabelSource.HUMAN, of=answered.ids,
    ).left  # fmt: skip
