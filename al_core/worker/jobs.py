"""Running one claimed job from its first write to its last: the same code for the worker and `run`."""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Callable

from al_core.baselines import as_random
from al_core.config import DataConfig, ExperimentConfig
from al_core.cost.pool import Pool
from al_core.data.prepare import prepare
from al_core.errors import ALError, Fenced, NotFound, ProcessLost
from al_core.experiment import Experiment
from al_core.query.composition import Composition
from al_core.records import ExperimentStatus, JobLease, JobRecord, JobState
from al_core.results.image_map import MapRequest
from al_core.results.survey import SurveyRequest
from al_core.settings import Settings
from al_core.store.base import Store
from al_core.words import english, kept, noted, tr
from al_core.worker.control import Interrupted, JobControl
from al_core.worker.predicting import export_job, predict_job
from al_core.worker.rounds import Advance

log = logging.getLogger(__name__)

GHOST_PRIORITY = -10


def run_job(
    store: Store,
    settings: Settings,
    job: JobRecord,
    lease: JobLease,
    *,
    attach: Callable[[JobControl], None] = lambda control: None,
) -> JobState:
    """Do the job and write how it ended; never raises for what the job itself did wrong.

    `attach` is given the control, so that a signal handler can ask the job to end.
    """
    settings.logs.joinpath("jobs").mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(settings.logs / "jobs" / f"{job.id}.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with english(), JobControl(store, job, lease) as control:  # what a job says is kept
            attach(control)
            log.info("attempt %d of %s begins", job.attempt, job.kind)
            state = _run(store, settings, job, lease, control)
            log.info("ended: %s", state)
        if state is JobState.DONE and job.experiment_id is not None:
            _grow(store, job.experiment_id)
        return state
    except Fenced:
        log.warning("another attempt has taken over; this one ends and wrote nothing more")
        return JobState.STOPPED
    finally:
        root.removeHandler(handler)
        handler.close()


def _grow(store: Store, experiment_id: str) -> None:
    """The last run of a study that goes on until it is clear sees to its next seed."""
    study_id = store.experiment(experiment_id).study_id
    if study_id is None:
        return
    from al_core.sequential import grow  # noqa: PLC0415 - pandas, which no other job needs

    try:
        grow(store, study_id)
    except ALError:  # the run itself is done and written; whoever looks at the study asks again
        log.exception("the study could not be looked at")


def _run(store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl) -> JobState:
    try:
        _KINDS[job.kind](store, settings, job, lease, control)
        store.heartbeat(lease, control.facts)
        store.end_job(lease, JobState.DONE)
        return JobState.DONE
    except Interrupted as interrupted:
        store.heartbeat(lease, control.facts)
        store.end_job(lease, interrupted.state)
        return interrupted.state
    except KeyboardInterrupt:  # the command line's: the person takes it up again with --resume
        store.end_job(lease, JobState.STOPPED)
        raise
    except Fenced:
        raise
    except ProcessLost as error:
        log.warning("%s", error)
        return _lose(store, job)
    except ALError as error:
        _fail(store, job, lease, type(error).__name__, str(error))
    except MemoryError:
        text = noted("the machine ran out of memory; take a smaller batch size, image size or candidate cap")
        _fail(store, job, lease, "MemoryError", text)
    except Exception as error:  # the outermost handler: whatever it was, the person must hear of it
        text = kept(
            "unexpected {kind}: {error}. The log of this job has the details",
            kind=type(error).__name__,
            error=error,
        )
        _fail(store, job, lease, type(error).__name__, text)
    return JobState.FAILED


def _lose(store: Store, job: JobRecord) -> JobState:
    """End this attempt as if its worker had died: tried again from the last checkpoint, but not for ever."""
    worker = store.job(job.id).worker
    store.requeue_lost(silent_seconds=math.inf, dead_workers=[worker] if worker else [])
    return store.job(job.id).state


def _fail(store: Store, job: JobRecord, lease: JobLease, kind: str, text: str) -> None:
    log.exception("the job failed: %s", text)
    if job.experiment_id is not None:
        store.update_experiment(job.experiment_id, lease=lease, status=ExperimentStatus.FAILED)
    store.end_job(lease, JobState.FAILED, error_kind=kind, error_text=text, traceback=traceback.format_exc())


def _prepare(store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl) -> None:
    def progress(phase: str, done: int, total: int) -> None:
        control.progress(phase, done, total)
        control()

    dataset = prepare(
        settings, DataConfig.model_validate(job.spec["data"]), progress,
        classes=job.spec.get("classes"), download=bool(job.spec.get("download")),
    )  # fmt: skip
    control.note(key=dataset.key)


def _advance(store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl) -> None:
    if job.experiment_id is None:
        raise NotFound(tr("job {id} names no experiment", id=job.id))
    experiment = Experiment.open(store, settings, job.experiment_id)
    Advance(experiment, lease, control, job.spec.get("until_labels")).run()
    if job.spec.get("ghost") and not experiment.record.ghost:
        follow_with_ghost(experiment)


def follow_with_ghost(experiment: Experiment) -> None:
    """Let the random baseline of this experiment catch up with its number of labels, when nothing else runs.

    Same seed, so the same initial set, splits and training draws: the difference is the strategy's.
    """
    store, config = experiment.store, experiment.config
    asked = Composition.of(config.query)
    if config.query.baseline != "none":
        return
    if not experiment.dataset.has_truth or (asked.is_plain and asked.strategies[0].name == "random"):
        return
    if not len(experiment.dataset.test) or config.init.init == "import":
        return
    rounds = store.rounds(experiment.id)
    if not rounds:
        return
    ghost = store.ghost_of(experiment.id)
    if ghost is None:
        ghost = store.create_experiment(as_random(config), parent_id=experiment.id, ghost=True)
    store.submit_job(
        "advance", experiment_id=ghost.id, spec={"until_labels": rounds[-1].num_labeled},
        priority=GHOST_PRIORITY,
    )  # fmt: skip


def _calibrate(
    store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl
) -> None:
    from al_core.worker.calibrate import calibrate  # noqa: PLC0415 - rarely asked for

    config = ExperimentConfig.model_validate(job.spec["config"])

    def progress(done: int, total: int) -> None:
        control.progress("measure", done, total)

    progress(0, 1)
    calibrate(
        settings, [config], Pool(**job.spec["pool"]), training=bool(job.spec.get("training")),
        progress=progress, control=control,
    )  # fmt: skip


def _audit(store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl) -> None:
    from al_core.worker.audit import audit  # noqa: PLC0415 - rarely asked for

    audit(Experiment.open(store, settings, job.spec["experiment"]), control)


def _map(store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl) -> None:
    from al_core.worker.image_map import make_map  # noqa: PLC0415 - rarely asked for

    request = MapRequest(**job.spec)
    make_map(Experiment.open(store, settings, request.experiment), request, control)


def _survey(store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl) -> None:
    from al_core.worker.survey import survey  # noqa: PLC0415 - rarely asked for

    request = SurveyRequest(**job.spec)
    survey(Experiment.open(store, settings, request.experiment), request, control)


def _alike(store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl) -> None:
    from al_core.worker.alike import alike_job  # noqa: PLC0415 - rarely asked for

    alike_job(store, settings, job, lease, control)


def _saliency(store: Store, settings: Settings, job: JobRecord, lease: JobLease, control: JobControl) -> None:
    from al_core.worker.saliency import saliency_job  # noqa: PLC0415 - rarely asked for

    saliency_job(store, settings, job, lease, control)


_KINDS = {
    "prepare": _prepare, "advance": _advance, "calibrate": _calibrate, "audit": _audit,
    "predict": predict_job, "export": export_job, "map": _map, "survey": _survey, "alike": _alike,
    "saliency": _saliency,
}  # fmt: skip
