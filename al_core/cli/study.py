"""`study`: the same experiment for several strategies (or any option) and seeds; `report`: what it says."""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from al_core.cli.flags import add_option_flags, config_from
from al_core.config import ExperimentConfig
from al_core.data.prepare import prepare
from al_core.errors import ConfigError, Problem, StudyFailed
from al_core.records import StudyRecord
from al_core.results.study import curves_frame, report_text, study_result, summary_frame
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store
from al_core.study import Progress, StudyConfig, begin, check_study, progress, queue
from al_core.study_presets import STUDY_PRESETS, study_preset
from al_core.worker.identity import requeue_dead
from al_core.worker.starting import start_worker, study_slot

SILENT_SECONDS = 30.0
POLL_SECONDS = 0.3
IDLE_MINUTES = 0.05


def add_parser(commands: Any) -> None:
    """Register the commands."""
    parser = commands.add_parser(
        "study", help="run strategies (or any option) x seeds, paired, and compare them",
        description="Run every combination of the axes' values and the seeds as an experiment that ground "
        "truth answers; cells of a seed share initial set, splits and weights. The same --out goes on with "
        "what is there.",
    )  # fmt: skip
    parser.set_defaults(function=main)
    parser.add_argument("file", nargs="?", type=Path, help="study as JSON: name, base, axes, seeds")
    parser.add_argument(
        "--preset", choices=[preset.name for preset in STUDY_PRESETS], help="a study to begin with"
    )
    parser.add_argument("--strategies", nargs="+", help="the axis query.strategy")
    parser.add_argument("--axis", action="append", default=[], metavar="OPTION=A,B,...", help="another axis")
    parser.add_argument("--seeds", nargs="+", type=int, help="seeds; one number n means 0 .. n - 1")
    parser.add_argument("--out", type=Path, help="folder for study.json, report.md and tables")
    parser.add_argument("--jobs", type=int, help="cells at once (default: one a core)")
    parser.add_argument("--retry", action="store_true", help="try failed cells again")
    parser.add_argument("--download", action="store_true", help="allow the data set to be downloaded")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_option_flags(parser)
    report = commands.add_parser("report", help="tables and verdicts of a study")
    report.set_defaults(function=report_main)
    report.add_argument("study", nargs="?", help="its id; without one: the newest")
    report.add_argument("--metric", help="test_accuracy, test_macro_f1 ...")
    report.add_argument("--out", type=Path, help="folder for report.md and the tables")


def main(arguments: argparse.Namespace) -> int:
    """Create or continue the study, run its cells in worker processes, and write the report."""
    settings = Settings.from_env()
    config = _config(arguments)
    problems = check_study(config, settings)
    if problems:
        raise ConfigError(problems)
    with _bar(arguments.quiet) as bar:
        _prepare(settings, config, arguments, bar)
        store = open_store(settings)
        try:
            record = _open(store, config, arguments)
            requeue_dead(store, SILENT_SECONDS)
            queue(store, record, retry_failed=arguments.retry)
            state = _run(store, settings, record, arguments.jobs or settings.workers, bar)
            text = write_report(store, record.id, arguments.out)
        finally:
            store.close()
    sys.stdout.write(f"study {record.id}\n\n{text}")
    if state.failed:
        raise StudyFailed(
            f"{state.failed} of {state.total} cells failed (the jobs' logs: {settings.logs / 'jobs'}); "
            "the same command with --retry tries them again"
        )
    return 0


def report_main(arguments: argparse.Namespace) -> int:
    """Write and print the report of a study."""
    store = open_store(Settings.from_env())
    try:
        known = store.studies()
        if arguments.study is None and not known:
            raise ConfigError([Problem("study", None, "there is none yet; `study --preset quick` makes one")])
        text = write_report(store, arguments.study or known[0].id, arguments.out, arguments.metric)
    finally:
        store.close()
    sys.stdout.write(text)
    return 0


def write_report(store: Store, study_id: str, out: Path | None, metric: str | None = None) -> str:
    """The report's text; with `out` also report.md, summary.csv and curves.csv there."""
    result = study_result(store, study_id, metric)
    text = report_text(result)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.md").write_text(text, encoding="utf-8")
        summary_frame(result).to_csv(out / "summary.csv", index=False)
        curves_frame(result).to_csv(out / "curves.csv", index=False)
    return text


def _config(arguments: argparse.Namespace) -> StudyConfig:
    preset = study_preset(arguments.preset) if arguments.preset else None
    values: dict[str, Any] = dict(preset.values) if preset else {}
    if arguments.file is not None:
        try:
            values |= json.loads(arguments.file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError([Problem("file", str(arguments.file), f"cannot be read: {error}")]) from None
    values["base"] = config_from(arguments, ExperimentConfig.parse(values.get("base", {})))
    axes = dict(values.get("axes", {}))
    if arguments.strategies:
        axes["query.strategy"] = arguments.strategies
    for text in arguments.axis:
        path, _, listed = text.partition("=")
        axes[path] = [_value(word) for word in listed.split(",")]
    if axes:
        values["axes"] = axes
    if arguments.seeds:
        values["seeds"] = arguments.seeds[0] if len(arguments.seeds) == 1 else arguments.seeds
    return StudyConfig.parse(values)


def _value(word: str) -> object:
    try:
        return json.loads(word.lower() if word.lower() in ("true", "false", "null") else word)
    except json.JSONDecodeError:
        return word


def _open(store: Store, config: StudyConfig, arguments: argparse.Namespace) -> StudyRecord:
    """The study that --out holds, or a new one; --out remembers its id first."""
    mark = arguments.out / "study.json" if arguments.out else None
    if mark is not None and mark.exists():
        record = store.study(json.loads(mark.read_text(encoding="utf-8"))["study"])
        if StudyConfig.from_json(record.config) != config:
            allowed = "holds another study; name another folder, or repeat that study's command"
            raise ConfigError([Problem("--out", str(arguments.out), allowed)])
        return record
    record = begin(store, config)
    if mark is not None:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps({"study": record.id, "config": json.loads(record.config)}, indent=2))
    return record


def _prepare(settings: Settings, config: StudyConfig, arguments: argparse.Namespace, bar: tqdm[Any]) -> None:
    """Every data set of the cells, before workers begin: they would wait for each other."""
    seen = []
    for cell in config.cells():
        if cell.config.data not in seen:
            seen.append(cell.config.data)
            prepare(
                settings, cell.config.data, lambda phase, done, total: _show(bar, phase, done, total),
                download=arguments.download, trusted=True,
            )  # fmt: skip


def _run(store: Store, settings: Settings, record: StudyRecord, jobs: int, bar: tqdm[Any]) -> Progress:
    """Keep `jobs` workers at it until every cell has ended."""
    workers: dict[int, subprocess.Popen[bytes]] = {}
    try:
        while True:
            experiments = store.study_experiments(record.id)
            active = {j.experiment_id: j for j in store.jobs(active=True, limit=100_000) if j.experiment_id}
            state = progress(experiments, active)
            _show(bar, f"{state.running} cells running", state.finished + state.failed, state.total)
            if state.over or not any(e.id in active for e in experiments):
                return state
            for slot in range(min(jobs, state.running + state.waiting)):
                if slot not in workers or workers[slot].poll() is not None:
                    workers[slot] = start_worker(settings, study_slot(slot), idle_minutes=IDLE_MINUTES)
            requeue_dead(store, SILENT_SECONDS)
            time.sleep(POLL_SECONDS)
    finally:
        for worker in workers.values():
            worker.send_signal(signal.SIGTERM)  # it writes a checkpoint and gives its cell back
        for worker in workers.values():
            worker.wait()


def _bar(quiet: bool) -> tqdm[Any]:
    return tqdm(disable=quiet or None, leave=False, bar_format="{desc} {bar} {n_fmt}/{total_fmt}")


def _show(bar: tqdm[Any], words: str, done: int, total: int) -> None:
    bar.set_description_str(words, refresh=False)
    bar.total, bar.n = max(total, 1), done
    bar.refresh()
