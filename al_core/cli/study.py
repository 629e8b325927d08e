"""`study`: the same experiment for several strategies (or any option) and seeds."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from al_core.cli.bars import phase_bar, show
from al_core.cli.flags import add_option_flags, config_from
from al_core.cli.marks import marked
from al_core.cli.report import write_report
from al_core.cli.study_cells import (
    IDLE_MINUTES,
    SILENT_SECONDS,
    VERBS,
    Show,
    find_study,
    require_whole,
    run_cells,
)
from al_core.config import ExperimentConfig, by_name, options
from al_core.data.dataset import Dataset
from al_core.data.prepare import prepare
from al_core.errors import ConfigError, Problem
from al_core.records import StudyRecord
from al_core.results.study import study_result
from al_core.sequential import declare, grow, usual_cap
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store
from al_core.study import StudyConfig, check_study
from al_core.study_presets import STUDY_PRESETS, study_preset
from al_core.study_running import begin, resume
from al_core.worker.identity import requeue_dead
from al_core.worker.runner import runner_for

_PLAN = ("preset", "strategies", "axis", "bundle", "baselines", "seeds", "until_clear", "most_seeds")
"""What plans a study, beside the options."""
Prepared = dict[str, Dataset]
"""Data sets by their options."""


def add_parser(commands: Any) -> None:
    """Register the commands."""
    parser = commands.add_parser(
        "study", help="run strategies (or any option) x seeds, paired, and compare; pause, cancel, resume",
        description="Run every combination of the axes' values and the seeds as an experiment that an oracle "
        "answers (ground truth, or what --oracle says); cells of a seed share initial set, splits, weights "
        "and the oracle's mistakes. The same --out goes on with what is there.",
    )  # fmt: skip
    parser.set_defaults(function=main)
    parser.add_argument(
        "what", nargs="?", metavar="FILE|VERB",
        help="study as JSON (name, base, axes, seeds); or pause, resume, cancel, for a study that is there",
    )  # fmt: skip
    parser.add_argument("id", nargs="?", help="of the study to pause, resume or cancel; else the newest")
    parser.add_argument(
        "--preset", choices=[preset.name for preset in STUDY_PRESETS], help="a study to begin with"
    )
    parser.add_argument("--strategies", nargs="+", help="the axis query.strategy")
    parser.add_argument("--axis", action="append", default=[], metavar="OPTION=A,B,...", help="another axis")
    parser.add_argument(
        "--bundle", action="append", default=[], nargs="+", metavar=("AXIS NAME", "OPTION=VALUE"),
        help="a value of an axis that sets several options at once: --bundle reg aug train.augment=true "
        "--bundle reg none",
    )  # fmt: skip
    parser.add_argument(
        "--baselines", type=lambda text: text.split(","), metavar="A,B,...",
        help="beside the strategies: full (the pool's ceiling), subset (passive, of equal size), balanced",
    )  # fmt: skip
    parser.add_argument("--seeds", nargs="+", type=int, help="seeds; one number n means 0 .. n - 1")
    parser.add_argument(
        "--until-clear", action="store_true",
        help="after those, add whole seeds until every strategy is told apart from the baseline, or the cap",
    )  # fmt: skip
    parser.add_argument(
        "--most-seeds", type=int, metavar="N", help="cap of --until-clear (default: 4 times the seeds, 50)"
    )
    parser.add_argument("--out", type=Path, help="folder for study.json, report.md and tables")
    parser.add_argument("--jobs", type=int, help="cells at once (default: what cores and GPUs hold)")
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="train on this Ray cluster (default: AL_RAY_ADDRESS)"
    )
    parser.add_argument("--retry", action="store_true", help="try failed cells again")
    parser.add_argument("--download", action="store_true", help="allow the data set to be downloaded")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    add_option_flags(parser)


def main(arguments: argparse.Namespace) -> int:
    """Create or continue the study, run its cells in worker processes, and write the report."""
    _check_flags(arguments)
    if arguments.what in VERBS:
        return int(VERBS[arguments.what](arguments))
    settings = Settings.from_env()
    settings = replace(settings, ray_address=arguments.ray or settings.ray_address)
    if arguments.what == "resume":
        with closing(open_store(settings)) as store:
            record = find_study(store, arguments.id)
            return _work(store, settings, arguments, StudyConfig.from_json(record.config), record)
    config = _config(arguments)
    problems = check_study(config, settings)
    if problems:
        raise ConfigError(problems)
    with closing(open_store(settings)) as store:
        return _work(store, settings, arguments, config)


def _check_flags(arguments: argparse.Namespace) -> None:
    """Raises ConfigError for fewer cells at once than one, and for a plan where a study has one already."""
    given = vars(arguments)
    if arguments.jobs is not None and arguments.jobs < 1:
        raise ConfigError([Problem("--jobs", arguments.jobs, "must be at least 1")])
    if arguments.what not in (*VERBS, "resume"):
        return
    plan = {f"--{name.replace('_', '-')}": given[name] for name in _PLAN if given[name]}
    plan |= {option.flag: given[option.path] for option in options() if option.path in given}
    allowed = f"`study {arguments.what}` is about a study as it was planned; leave it out"
    if plan:
        raise ConfigError(Problem(flag, value, allowed) for flag, value in plan.items())


def _work(
    store: Store, settings: Settings, arguments: argparse.Namespace, config: StudyConfig,
    existing: StudyRecord | None = None,
) -> int:  # fmt: skip
    with (
        phase_bar(arguments.quiet) as bar,
        closing(runner_for(settings, idle_minutes=IDLE_MINUTES)) as runner,
    ):
        tell = partial(show, bar)
        prepared = _prepare(settings, config, arguments, tell)
        record = existing or _open(store, config, arguments)
        requeue_dead(store, SILENT_SECONDS)
        resume(store, record, retry_failed=arguments.retry)
        _settle(store, record, prepared)
        try:
            state = run_cells(store, runner, record, arguments.jobs, tell)
            while not state.failed and _goes_on(store, record.id):
                state = run_cells(store, runner, record, arguments.jobs, tell)
        except KeyboardInterrupt:
            same = ", and so does the same command" if arguments.out else ""
            raise KeyboardInterrupt(
                f"what was trained is kept: `study resume {record.id}` goes on{same}"
            ) from None
    text = write_report(lambda over: study_result(store, record.id, over=over), arguments.out)
    sys.stdout.write(f"study {record.id}\n\n{text}")
    require_whole(store, settings, record, state)
    return 0


def _goes_on(store: Store, study_id: str) -> bool:
    """Whether there is another seed to run: one of ours, or one that a worker has just added."""
    return grow(store, study_id) or any(
        store.jobs(experiment_id=e.id, active=True, limit=1) for e in store.study_experiments(study_id)
    )


def _config(arguments: argparse.Namespace) -> StudyConfig:
    preset = study_preset(arguments.preset) if arguments.preset else None
    values: dict[str, Any] = dict(preset.values) if preset else {}
    if arguments.what is not None:
        try:
            given = json.loads(Path(arguments.what).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            allowed = f"cannot be read: {error}; a study file, or one of pause, resume and cancel, is needed"
            raise ConfigError([Problem("file", arguments.what, allowed)]) from None
        values |= by_name("file", given)
    if vars(arguments).get("oracle") == "human":
        raise ConfigError(
            [Problem("--oracle", "human", "nobody can label in a study; truth, noisy or recorded")]
        )
    values["base"] = config_from(arguments, ExperimentConfig.parse(by_name("base", values.get("base", {}))))
    axes = dict(by_name("axes", values.get("axes", {})))
    if arguments.strategies:
        axes["query.strategy"] = arguments.strategies
    for text in arguments.axis:
        path, _, listed = text.partition("=")
        axes[path] = [_value(word) for word in listed.split(",")]
    axes |= _bundles(arguments.bundle)
    if axes:
        values["axes"] = axes
    if arguments.baselines:
        values["baselines"] = arguments.baselines
    if arguments.seeds:
        values["seeds"] = arguments.seeds[0] if len(arguments.seeds) == 1 else arguments.seeds
    config = StudyConfig.parse(values)
    if arguments.most_seeds is not None and not arguments.until_clear:
        raise ConfigError([Problem("--most-seeds", arguments.most_seeds, "is the cap of --until-clear")])
    if not arguments.until_clear:
        return config
    most = arguments.most_seeds or config.most_seeds or usual_cap(len(config.seeds))
    return StudyConfig.parse(config.model_dump() | {"most_seeds": most})


def _bundles(given: list[list[str]]) -> dict[str, list[object]]:
    """`--bundle AXIS NAME OPTION=VALUE ...`, several times, as axes."""
    axes: dict[str, list[object]] = {}
    for words in given:
        settings = dict(word.split("=", 1) for word in words[2:] if "=" in word)
        if len(words) < 2 or len(settings) < len(words) - 2:
            allowed = "has the form AXIS NAME OPTION=VALUE ..., each option once"
            raise ConfigError([Problem("--bundle", " ".join(words), allowed)])
        options = {path: _value(value) for path, value in settings.items()}
        axes.setdefault(words[0], []).append({"name": words[1], "options": options})
    return axes


def _value(word: str) -> object:
    try:
        return json.loads(word.lower() if word.lower() in ("true", "false", "null") else word)
    except json.JSONDecodeError:
        return word


def _open(store: Store, config: StudyConfig, arguments: argparse.Namespace) -> StudyRecord:
    """The study that --out holds, or a new one; --out remembers its id first."""
    mark = arguments.out / "study.json" if arguments.out else None
    if mark is not None and mark.exists():
        record = store.study(marked(mark, "study"))
        if StudyConfig.from_json(record.config).as_planned() != config.as_planned():
            allowed = "holds another study; name another folder, or repeat that study's command"
            raise ConfigError([Problem("--out", str(arguments.out), allowed)])
        if config.most_seeds is not None:
            declare(store, record.id, config.most_seeds)
        return store.study(record.id)
    record = begin(store, config)
    if mark is not None:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(json.dumps({"study": record.id, "config": json.loads(record.config)}, indent=2))
    return record


def _prepare(settings: Settings, config: StudyConfig, arguments: argparse.Namespace, show: Show) -> Prepared:
    """Every data set of the cells, before workers begin: they would wait for each other."""
    found: Prepared = {}
    for cell in config.cells():
        text = cell.config.data.model_dump_json()
        if text not in found:
            found[text] = prepare(
                settings, cell.config.data, show, download=arguments.download, trusted=True
            )  # fmt: skip
    return found


def _settle(store: Store, record: StudyRecord, prepared: Prepared) -> None:
    """Tell new cells their data set: a worker reads below the data roots only, a person here anywhere."""
    for experiment in store.study_experiments(record.id):
        if experiment.dataset_key is None:
            dataset = prepared[experiment.config.data.model_dump_json()]
            store.update_experiment(
                experiment.id, dataset_key=dataset.key, fingerprint=dataset.fingerprint
            )  # fmt: skip
