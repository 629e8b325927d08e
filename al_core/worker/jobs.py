"""Running one claimed job from its first write to its last: the same code for the worker and `run`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

from al_core.config import DataConfig, ExperimentConfig, QueryConfig
from al_core.cost.pool import Pool
from al_core.data.prepare import prepare
from al_core.errors import ALError, Fenced, NotFound
from al_core.experiment import Experiment
from al_core.query.composition import Composition
from al_core.records import ExperimentStatus, JobLease, JobRecord, JobState
from al_core.settings import Settings
from al_core.store.base import Store
from al_core.worker.control import Interrupted, JobControl
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
        with JobControl(store, job, lease) as control:
            attach(control)
            log.info("attempt %d of %s begins", job.attempt, job.kind)
            state = _run(store, settings, job, lease, control)
            log.info("ended: %s", state)
            return state
    except Fenced:
        log.warning("another attempt has taken over; this one ends and wrote nothing more")
        return JobState.STOPPED
    finally:
        root.removeHandler(handler)
        handler.close()


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
    except ALError as error:
        _fail(store, job, lease, type(error).__name__, str(error))
    except MemoryError:
        text = "the machine ran out of memory; take a smaller batch size, image size or candidate cap"
        _fail(store, job, lease, "MemoryError", text)
    except Exception as error:  # the outermost handler: whatever it was, the person must hear of it
        text = f"unexpected {type(error).__name__}: {error}. The log of this job has the details"
        _fail(store, job, lease, type(error).__name__, text)
    return JobState.FAILED


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
        raise NotFound(f"job {job.id} names no experiment")
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
    if not experiment.dataset.has_truth or (asked.is_plain and asked.strategies[0].name == "random"):
        return
    if not len(experiment.dataset.test) or config.init.init == "import":
        return
    rounds = store.rounds(experiment.id)
    if not rounds:
        return
    ghost = store.ghost_of(experiment.id)
    if ghost is None:
        query = config.query
        baseline = QueryConfig(strategy="random", n_new=query.n_new, candidates=query.candidates)
        random = config.changed(
            name=f"{config.name[:100]} (random)", oracle="truth", query=baseline.model_dump(),
            train__adversarial_copies=False,
            stop__n_rounds=None, stop__budget=None, stop__patience=None, stop__target_accuracy=None,
        )  # fmt: skip
        ghost = store.create_experiment(random, parent_id=experiment.id, ghost=True)
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
    calibrate(settings, [config], Pool(**job.spec["pool"]), progress=progress, control=control)


_KINDS = {"prepare": _prepare, "advance": _advance, "calibrate": _calibrate}
