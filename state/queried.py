"""Which of the images that rounds asked for are looked at, and the same ones as a zip."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from al_core.by_hand import queries_of, tags
from al_core.errors import NotFound
from al_core.experiment import Experiment
from al_core.records import Mark, Query
from al_core.results.analysis import QueryRow, query_rows, score_words
from al_core.results.export import stream_queries
from al_core.words import noted, tr
from state import handles

STATES: Final[dict[str, Callable[[QueryRow], bool]]] = {
    noted("All"): lambda row: True,
    noted("Labeled"): lambda row: row.label_id is not None,
    noted("Waiting"): lambda row: row.label is None,
    noted("Skipped"): lambda row: row.label_id is None and row.label == "skipped",
    noted("Excluded"): lambda row: row.label_id is None and row.label == "excluded",
    noted("Unsure"): lambda row: Mark.UNSURE in row.marks,
    noted("Flagged"): lambda row: Mark.FLAG in row.marks,
    noted("With a note"): lambda row: row.note is not None,
    noted("Labeled ahead"): lambda row: row.ahead,
    noted("Guess wrong"): lambda row: row.right is False,
    noted("Label not truth"): lambda row: None not in (row.label_id, row.truth) and row.label != row.truth,
}


@dataclass(frozen=True)
class Wanted:
    """What must hold of a queried image; `round` None: of any round, `class_id` None: of any class."""

    round: int | None = None
    class_id: int | None = None
    state: str = "All"
    tag: str = ""
    by_round: bool = False  # folders for rounds around those of classes

    @property
    def filters(self) -> bool:
        """Whether it leaves any image of its rounds out."""
        return self.class_id is not None or self.state != "All" or bool(self.tag)


def rows_of(experiment: Experiment, query: Query) -> list[QueryRow]:
    """What the page says of each image of a query; the truth of what waits is kept back."""
    dataset, store = experiment.dataset, experiment.store
    labels = store.current_labels(experiment.id, of=[item.sample_id for item in query.offered])
    truth = dataset.train.labels
    query = experiment.classes().effects.guessed(query)
    return query_rows(query, labels, dataset.classes, truth, marks=experiment.marks(), reveal=False)


def words_of(experiment: Experiment, number: int) -> dict[int, str]:
    """What the number beside each image of a round's query says, wherever people have moved the image to."""
    query = experiment.store.query(experiment.id, number)
    return {} if query is None else score_words(query, experiment.config.query)


def fitting(
    rows: Sequence[QueryRow], wanted: Wanted, classes: Sequence[str], named: Mapping[int, Sequence[str]]
) -> list[QueryRow]:
    """The rows that are wanted: by the label given (where there is none, the first guess), state and tag."""
    name = None if wanted.class_id is None else classes[wanted.class_id]
    holds = STATES[wanted.state]
    return [
        row for row in rows
        if (name is None or (row.label or row.guess) == name) and holds(row)
        and (not wanted.tag or wanted.tag in named.get(row.sample_id, ()))
    ]  # fmt: skip


def archive(experiment_id: str, wanted: Wanted) -> Iterator[bytes]:
    """The wanted images as a zip of class folders with a manifest, in pieces, as it is made.

    Raises:
        NotFound: the session or its round is gone, or there is no such class or state (any more).
        DataError: the session's images are gone.
    """
    store = handles.store()
    experiment = Experiment.open(store, handles.settings(), experiment_id)
    dataset = experiment.dataset
    queries = [q for q in queries_of(store, experiment_id) if wanted.round in (None, q.round)]
    if not queries:
        raise NotFound(tr("these images are no longer there; reload the page"))
    if wanted.state not in STATES or not (wanted.class_id is None or wanted.class_id < len(dataset.classes)):
        raise NotFound(tr("there is no such class or state (any more); reload the page"))
    kept = None
    if wanted.filters:
        named = tags(store, experiment_id) if wanted.tag else {}
        rows = (row for query in queries for row in rows_of(experiment, query))
        kept = {row.sample_id for row in fitting(list(rows), wanted, dataset.classes, named)}
    asked = [item.sample_id for query in queries for item in query.offered]
    return stream_queries(
        dataset, queries, store.current_labels(experiment_id, of=asked), marks=experiment.marks(),
        keep=lambda i: kept is None or i in kept, by_round=wanted.by_round,
    )  # fmt: skip
