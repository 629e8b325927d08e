"""`run`: one experiment from the first label to the last, answered by an oracle, with a progress bar."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from al_core import presets
from al_core.check import require_valid
from al_core.cli.bars import phase_bar, show
from al_core.cli.cost import line, measured
from al_core.cli.flags import add_option_flags, config_from, read_config
from al_core.cli.marks import marked
from al_core.config import ExperimentConfig
from al_core.cost.history import correction
from al_core.cost.pool import Pool
from al_core.cost.words import candidates_words
from al_core.data.dataset import Dataset
from al_core.data.prepare import prepare
from al_core.errors import ALError, ConfigError, Problem
from al_core.experiment import Experiment
from al_core.records import ExperimentStatus, JobLease, JobRecord, JobState, RoundRecord
from al_core.results.records_file import write_run
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store
from al_core.worker.identity import own_record, requeue_dead

if TYPE_CHECKING:
    from al_core.worker.control import JobControl

# A run without a person and without a stop would label everything: the first seed's default
DEFAULT_ROUNDS = 3
SILENT_SECONDS = 30.0


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "run",
        help="run one experiment; an oracle answers",
        description="Run one experiment. Ground truth answers, or what --oracle says. n_rounds counts "
        "trainings: --n-rounds 8 with --n-new 20 asks 7 times.",
    )
    parser.set_defaults(function=main)
    parser.add_argument("--config", type=Path, help="manifest or config to begin with; flags go on top")
    parser.add_argument("--preset", metavar="NAME", help="options to begin with: " + _presets())
    parser.add_argument("--out", type=Path, help="folder for records.json and manifest.json")
    parser.add_argument("--resume", action="store_true", help="go on with the run that --out holds")
    parser.add_argument("--download", action="store_true", help="allow the data set to be downloaded")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_option_flags(parser)


def main(arguments: argparse.Namespace) -> int:
    """Create or resume the experiment, then work on its job in this process."""
    settings = Settings.from_env()
    base = read_config(arguments.config) if arguments.config else ExperimentConfig()
    if arguments.preset:
        base = presets.apply(base, arguments.preset)
    config = config_from(arguments, base)
    if config.oracle == "human":
        config = config.changed(oracle="truth")
    if config.stop == type(config.stop)():
        config = config.changed(stop__n_rounds=DEFAULT_ROUNDS)
    return execute(config, arguments, settings)


def execute(
    config: ExperimentConfig, arguments: argparse.Namespace, settings: Settings, *,
    parent_id: str | None = None,
) -> int:  # fmt: skip
    """Run a whole experiment here. `arguments` holds out, resume, download and quiet."""
    require_valid(config, settings)
    check_out(arguments)
    with phase_bar(arguments.quiet) as bar:
        dataset = prepare(
            settings, config.data, partial(show, bar),
            download=arguments.download, trusted=True,
        )  # fmt: skip
        require_valid(config, settings)  # now with what the data set says
        store = open_store(settings)
        try:
            if not arguments.quiet and config.stop.n_rounds != 1:  # one round asks nothing
                bar.write(_prediction(store, settings, config, dataset))
            experiment = _open(store, settings, config, arguments, dataset, parent_id)
            state = _work(experiment, arguments.out, bar)
        finally:
            store.close()
    _summary(experiment, arguments.out)
    return _status(state)


def work_on(experiment: Experiment, arguments: argparse.Namespace) -> int:
    """Work on an experiment that is there, until it ends or a person is asked. `arguments`: out and quiet."""
    with phase_bar(arguments.quiet) as bar:
        state = _work(experiment, arguments.out, bar)
    _summary(experiment, arguments.out)
    return _status(state)


def _status(state: JobState) -> int:
    return {JobState.DONE: 0, JobState.STOPPED: 130, JobState.QUEUED: 130}.get(state, 2)


def _presets() -> str:
    return ", ".join(preset.name for preset in presets.PRESETS) + "; flags win over it"


def _prediction(store: Store, settings: Settings, config: ExperimentConfig, dataset: Dataset) -> str:
    """What the first query will take; measuring that is once for a machine, model and strategy."""
    pool = Pool(len(dataset.train), dataset.num_classes, dataset.image_size)
    try:
        calibration = measured(settings, config, pool)
    except ALError as error:  # a prediction is not worth a run
        return f"the cost of a query could not be measured: {error}"
    factor, rounds = correction(store, config, pool, calibration)
    return line(config, pool, calibration, factor=factor, rounds=rounds)


def check_out(arguments: argparse.Namespace) -> None:
    """Raises ConfigError unless --out is free, or holds the run that --resume goes on with."""
    out: Path | None = arguments.out
    if arguments.resume and out is None:
        raise ConfigError([Problem("--resume", True, "needs --out DIR of the run to go on with")])
    if out is None:
        return
    if out.exists() and not out.is_dir():
        raise ConfigError([Problem("--out", str(out), "is a file; name a folder")])
    if (out / "run.json").exists() and not arguments.resume:
        allowed = "holds a run already; go on with --resume, or name another folder"
        raise ConfigError([Problem("--out", str(out), allowed)])
    out.mkdir(parents=True, exist_ok=True)


def require_same(experiment: Experiment, config: ExperimentConfig) -> None:
    """Raises ConfigError where the run that --resume goes on with is of another config."""
    if experiment.config.hash() != config.hash():
        allowed = "is another config than the run that --out holds; leave the changed options out"
        raise ConfigError([Problem("--resume", config.hash(), allowed)])


def _open(
    store: Store,
    settings: Settings,
    config: ExperimentConfig,
    arguments: argparse.Namespace,
    dataset: Dataset,
    parent_id: str | None,
) -> Experiment:
    """The experiment that --out names when resuming, or a new one; --out remembers its id first."""
    mark = arguments.out / "run.json" if arguments.out else None
    if arguments.resume and mark is not None and mark.exists():
        experiment = Experiment.open(store, settings, marked(mark, "experiment"))
        require_same(experiment, config)
        return experiment
    record = store.create_experiment(config, parent_id=parent_id)
    store.update_experiment(record.id, dataset_key=dataset.key, fingerprint=dataset.fingerprint)
    if mark is not None:
        mark.write_text(json.dumps({"experiment": record.id}))
    return Experiment.open(store, settings, record.id)


def _work(experiment: Experiment, out: Path | None, bar: tqdm[Any]) -> JobState:
    """Claim the experiment's own job and run it here, by the same code as a worker."""
    store = experiment.store
    if experiment.record.status is ExperimentStatus.FINISHED:
        return JobState.DONE
    me = own_record()
    store.put_worker(me)
    try:
        requeue_dead(store, SILENT_SECONDS)
        job = store.submit_job("advance", experiment_id=experiment.id)
        claimed = store.claim_job(me.id, job_id=job.id)
        # None: a worker of the browser's was quicker; it does the same
        state = _run_here(experiment, claimed, out, bar) if claimed else _follow(store, job.id, bar)
        while state is JobState.QUEUED:  # a process of its training was lost
            claimed = store.claim_job(me.id, job_id=job.id)
            state = _run_here(experiment, claimed, out, bar) if claimed else _follow(store, job.id, bar)
    except KeyboardInterrupt:
        way_on = "" if out is None else ": the same command with --resume goes on"
        raise KeyboardInterrupt(f"what was done is kept as run {experiment.id}{way_on}") from None
    finally:
        store.remove_worker(me.id)
    experiment.refresh()
    if out is not None and experiment.record.dataset_key is not None:
        write_run(experiment, out)
    if state is JobState.FAILED:
        sys.stderr.write(f"error: {store.job(job.id).error_text}\n")
    return state


def _follow(store: Store, job_id: str, bar: tqdm[Any]) -> JobState:
    while (job := store.job(job_id)).state.active:
        _show_facts(bar, job.progress)
        time.sleep(0.2)
    return job.state


def _run_here(
    experiment: Experiment, claimed: tuple[JobRecord, JobLease], out: Path | None, bar: tqdm[Any]
) -> JobState:
    from al_core.worker.jobs import run_job  # noqa: PLC0415 - torch: only a run needs it

    watchers: list[_Watch] = []

    def attach(control: JobControl) -> None:
        watchers.append(_Watch(experiment, control, out, bar))
        watchers[-1].start()

    try:
        return run_job(experiment.store, experiment.settings, *claimed, attach=attach)
    finally:
        for watcher in watchers:
            watcher.end()


class _Watch(threading.Thread):
    """Shows the progress of a run, and lets records.json grow with each round: a kill loses at most one."""

    def __init__(self, experiment: Experiment, control: JobControl, out: Path | None, bar: tqdm[Any]) -> None:
        super().__init__(name="progress", daemon=True)
        self.experiment, self.control, self.out, self.bar = experiment, control, out, bar
        self._ended = threading.Event()

    def run(self) -> None:
        written = 0
        store, settings = self.experiment.store, self.experiment.settings
        while not self._ended.wait(0.2):
            _show_facts(self.bar, self.control.facts)
            rounds = store.rounds(self.experiment.id)
            if len(rounds) == written:
                continue
            written = len(rounds)
            accuracy = rounds[-1].metrics.get("test_accuracy")
            if accuracy is not None:
                self.bar.set_postfix_str(f"{rounds[-1].num_labeled} labels, test accuracy {accuracy:.3f}")
            if self.out is not None:
                write_run(Experiment.open(store, settings, self.experiment.id), self.out)

    def end(self) -> None:
        self._ended.set()
        self.join()


def _show_facts(bar: tqdm[Any], facts: Mapping[str, Any]) -> None:
    number, phase = facts.get("round"), str(facts.get("phase", ""))
    words = phase if number is None else f"round {number} {phase}"
    show(bar, words, int(facts.get("done", 0)), int(facts.get("total", 0)))


def _summary(experiment: Experiment, out: Path | None) -> None:
    rounds = experiment.store.rounds(experiment.id)
    lines = [
        f"experiment {experiment.id} ({experiment.config.query.chooser} on {experiment.config.data.dataset})"
    ]
    for record in rounds:
        accuracy = record.metrics.get("test_accuracy")
        shown = "-" if accuracy is None else f"{accuracy:.4f}"
        capped = _capped(experiment, record)
        lines.append(f"  round {record.number}: {record.num_labeled} labels, test accuracy {shown}{capped}")
    if experiment.record.stop_reason:
        lines.append(f"  ended: {experiment.record.stop_reason}")
    if out is not None:
        lines.append(f"  written: {out / 'records.json'}")
    sys.stdout.write("\n".join(lines) + "\n")


def _capped(experiment: Experiment, record: RoundRecord) -> str:
    """Says when not all of the pool was scored."""
    query = experiment.store.query(experiment.id, record.number)
    if experiment.config.query.candidates is None or query is None:
        return ""
    pool = experiment.num_unlabeled(record.number)
    return "" if query.num_candidates >= pool else f", scored {candidates_words(query.num_candidates, pool)}"
