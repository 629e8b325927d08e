"""Store -> what a page shows. Pure functions of records: no Streamlit, no clock, no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from al_core.experiment import Step
from al_core.records import ExperimentRecord, ExperimentStatus, JobRecord, RoundRecord, WorkerRecord
from al_core.words import tr, tr_n
from state.text import duration, percent

Place = Literal["done", "current", "waiting", "trouble"]
LOOP = (tr("Query"), tr("Label"), tr("Train"), tr("Evaluate"))
ACCURACIES = ("test_accuracy", "validation_accuracy", "holdback_accuracy")
_PHASES = {"prepare": 0, "features": 2, "train": 2, "evaluate": 3, "query": 0}
_DOING = {
    "map": tr("Drawing the map"),
    "saliency": tr("Covering parts of the image"),
    "audit": tr("Looking for doubtful labels"),
    "measure": tr("Measuring"),
    "load": tr("Loading the model"),
    "predict": tr("Classifying"),
    "export": tr("Writing the model"),
    "prepare": tr("Preparing the images"),
    "features": tr("Computing features"),
    "train": tr("Training"),
    "evaluate": tr("Evaluating"),
    "query": tr("Choosing what to ask next"),
}


@dataclass(frozen=True)
class RailView:
    """The loop rail: where the loop stands, and the numbers beside it. All strings are our own words."""

    steps: tuple[tuple[str, Place], ...]
    round: str
    labels: str
    accuracy: str
    change: str
    note: str
    progress: float | None  # 0..1 of the phase under way, None where nothing runs


@dataclass(frozen=True)
class NextStep:
    """The one button that is always there. `page` is where it leads; `advance` starts the worker."""

    label: str
    icon: str
    hint: str
    page: str | None = None
    advance: bool = False


@dataclass(frozen=True)
class SessionCard:
    """One recent session on the home page. `name` came from a person: show it literally."""

    id: str
    name: str
    what: str
    status: str
    round: int | None
    labels: str
    accuracy: float | None
    curve: tuple[float, ...]
    updated_at: float


def accuracy(record: RoundRecord) -> float | None:
    """The accuracy that headlines a round: on the test split, else the validation split, else held back."""
    return next((record.metrics[name] for name in ACCURACIES if name in record.metrics), None)


def accuracies(rounds: Sequence[RoundRecord]) -> list[float]:
    """Headline accuracies, in the order of the rounds; rounds without one are left out."""
    return [value for value in map(accuracy, rounds) if value is not None]


def labels_of_budget(record: ExperimentRecord) -> str:
    """'120/500 labels', or without the budget where there is none."""
    budget = record.config.stop.budget
    counted = f"{record.num_labeled:,}" if budget is None else f"{record.num_labeled:,}/{budget:,}"
    return tr("{labels} labels", labels=counted)


def rail(record: ExperimentRecord, step: Step, rounds: Sequence[RoundRecord]) -> RailView:
    """The loop as it stands."""
    values = accuracies(rounds)
    change = 100 * (values[-1] - values[-2]) if len(values) > 1 else None
    return RailView(
        steps=_places(step),
        round=tr("round {number}", number=rounds[-1].number + 1 if rounds else 0),
        labels=labels_of_budget(record),
        accuracy=percent(values[-1]) if values else "",
        change=f"{change:+.1f}" if change is not None else "",
        note=_note(step),
        progress=_progress(step.job),
    )


def _places(step: Step) -> tuple[tuple[str, Place], ...]:
    if step.kind == "finished":
        return tuple((name, "done") for name in LOOP)
    at = {"start": 0, "label": 1, "train": 2, "failed": 2}.get(step.kind, 0)
    if step.kind == "working" and step.job is not None:
        answered = step.total > 0 and step.done == step.total
        at = _PHASES.get(str(step.job.progress.get("phase", "")), 2 if answered else 0)
    here: Place = "trouble" if step.kind == "failed" else "current"
    return tuple(
        (name, "done" if place < at else here if place == at else "waiting")
        for place, name in enumerate(LOOP)
    )


def _note(step: Step) -> str:
    if step.kind == "working" and step.job is not None:
        return doing(step.job)
    if step.kind == "label" or (step.kind == "train" and step.total):
        return tr("{done} of {total} answered", done=step.done, total=step.total)
    if step.kind == "train":
        return tr("ready to train")
    return {"start": tr("ready to start"), "finished": "finished", "failed": tr("stopped by a problem")}[
        step.kind
    ]


def doing(job: JobRecord) -> str:
    """What a job is at, in a few words."""
    if job.paused:
        return tr("Paused")
    if job.control == "stop":
        return tr("Stopping")
    if not job.state.active:
        return tr(job.state.value)
    phase = str(job.progress.get("phase", ""))
    if phase not in _DOING:
        return tr("Waiting for the worker")
    parts = [_DOING[phase]]
    epoch, epochs = job.progress.get("epoch"), job.progress.get("epochs")
    if phase == "train" and isinstance(epoch, int) and isinstance(epochs, int):
        parts.append(tr("epoch {epoch} of {epochs}", epoch=min(epoch + 1, epochs), epochs=epochs))
    left = job.progress.get("eta_seconds")
    if isinstance(left, int | float) and left >= 1:
        parts.append(tr("{left} left", left=duration(float(left))))
    return ", ".join(parts)


def _progress(job: JobRecord | None) -> float | None:
    if job is None:
        return None
    done, total = job.progress.get("done"), job.progress.get("total")
    if not isinstance(done, int | float) or not isinstance(total, int | float) or total <= 0:
        return 0.0
    return min(1.0, max(0.0, done / total))


def next_step(step: Step, *, page: str) -> NextStep | None:
    """The next sensible step as a button, or None where the person is at it already."""
    if step.kind == "label":
        if page == "label":
            return None
        left = step.total - step.done
        hint = tr("The model asks for the images that it would learn most from.")
        return NextStep(
            tr_n("Label {n} image", "Label {n} images", left), ":material/touch_app:", hint, "label"
        )
    if step.kind == "train":
        label = (
            tr_n("Train on {n} new label", "Train on {n} new labels", step.new)
            if step.new
            else tr("Go on training")
        )
        hint = tr("Trains, evaluates on images it never saw, and picks the next ones to ask for.")
        return NextStep(label, ":material/model_training:", hint, "train", advance=True)
    if step.kind == "start":
        hint = tr("Draws the initial set; with known labels it trains the first model at once.")
        return NextStep(tr("Start"), ":material/play_arrow:", hint, "label", advance=True)
    if step.kind == "failed":
        hint = tr("Nothing that you labeled is lost. The worker goes on from its last checkpoint.")
        return NextStep(tr("Try again"), ":material/refresh:", hint, "train", advance=True)
    if step.kind == "working":
        hint = tr("Watch the loss fall; closing this tab stops nothing.")
        return (
            None
            if page == "train"
            else NextStep(tr("Watch training"), ":material/monitoring:", hint, "train")
        )
    hint = tr("What the labels bought, round by round.")
    return (
        None if page == "curves" else NextStep(tr("See the curve"), ":material/show_chart:", hint, "curves")
    )


def session_names(records: Sequence[ExperimentRecord]) -> dict[str, str]:
    """What each session (newest first) is called in a list: equal names are numbered, oldest first.

    A select box tells its choice by the words that it shows, so they must differ.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for record in reversed(records):
        name, number = record.name, 2
        while name in taken:
            name, number = f"{record.name} ({number})", number + 1
        taken.add(name)
        names[record.id] = name
    return {record.id: names[record.id] for record in records}


_STATUS = {
    ExperimentStatus.NEW: tr("not started"),
    ExperimentStatus.AWAITING_LABELS: tr("waits for labels"),
    ExperimentStatus.TRAINING: "training",
    ExperimentStatus.FINISHED: "finished",
    ExperimentStatus.FAILED: tr("needs attention"),
}


def status_words(record: ExperimentRecord) -> str:
    """Where an experiment stands, in two words."""
    return _STATUS[record.status]


def session_card(record: ExperimentRecord, rounds: Sequence[RoundRecord]) -> SessionCard:
    """A card of the home page."""
    values = accuracies(rounds)
    config = record.config
    return SessionCard(
        id=record.id,
        name=record.name,
        what=f"{config.data.dataset} · {config.model.model} · {config.query.chooser}",
        status=status_words(record),
        round=rounds[-1].number + 1 if rounds else None,
        labels=labels_of_budget(record),
        accuracy=values[-1] if values else None,
        curve=tuple(values),
        updated_at=record.updated_at,
    )


def worker_words(worker: WorkerRecord | None) -> str:
    """The worker and its device, for the side bar."""
    if worker is None:
        return tr("No worker is running")
    states = {"idle": "ready", "busy": "working"}
    if worker.state == "starting" or not worker.device:
        return tr("The worker is warming up")
    device = worker.device
    return f"{device} · {states.get(worker.state, worker.state)}"


def signature(record: ExperimentRecord, step: Step) -> tuple[str, ...]:
    """What must change before the whole page, and not only the rail, is drawn again."""
    job = step.job.id if step.job else ""
    return (record.id, record.status.value, str(record.num_rounds), step.kind, job)
