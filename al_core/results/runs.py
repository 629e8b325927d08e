"""Runs wherever they are kept (the store, a study, exported folders), grouped by config without the seed.

A group is one configuration; its runs differ in the seed alone, so that what is averaged over them is a mean
over seeds and nothing else. The first seed's own records.json files are read too.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from al_core.baselines import SELECTION, TITLES, passive_kind
from al_core.config import DataConfig, ExperimentConfig, flat, options
from al_core.errors import ConfigError, DataError, Problem
from al_core.records import ExperimentRecord, ExperimentStatus, RoundRecord
from al_core.results.analysis import METRICS, Curve, Metric, measured
from al_core.results.axes import Over, Prices, spent
from al_core.results.caveats import different_machines, much_validation
from al_core.results.comparison import Arm
from al_core.results.references import Reference
from al_core.results.study import StudyResult
from al_core.store.base import Store
from al_core.study import Arm as Values
from al_core.study import StudyConfig, unread
from al_core.words import kept, tr

RECORDS: Final = "records.json"
_SEED_OPTIONS: Final = {
    "model": "model.model", "dataset": "data.dataset", "n_start": "init.n_start", "n_new": "query.n_new",
    "n_rounds": "stop.n_rounds", "epochs": "train.epochs", "valid_size_1": "data.epoch_validation",
    "valid_size_2": "data.round_validation", "lr": "train.learning_rate", "pretrained": "model.pretrained",
    "query_strategy": "query.strategy", "batch_size": "train.batch_size",
    "weight_decay": "train.weight_decay", "patience": "stop.patience", "data_aug": "train.augment",
    "init_sampling_seed": "seed",
}  # fmt: skip
"""What the first seed's `Initialization` calls our options."""
_SEED_METRICS: Final = {
    "accuracy": "test_accuracy", "finaltestscore": "test_accuracy", "loss": "test_loss",
    "validation2accuracycoordinates": "validation_accuracy", "validation2accuracy": "validation_accuracy",
}  # fmt: skip
_APART: Final = frozenset({"seed", "name", "train.device", "train.threads"})
"""Options that say which draw, and where it ran: they make no configuration of its own."""


@dataclass(frozen=True)
class Run:
    """One run: its options by dotted path, and its rounds."""

    id: str
    name: str
    options: Mapping[str, Any]
    rounds: tuple[RoundRecord, ...]
    finished: bool = True

    @property
    def seed(self) -> int:
        """The seed of all its draws."""
        return int(self.options.get("seed") or 0)

    @property
    def configuration(self) -> str:
        """Equal for runs that differ in nothing but the seed."""
        return json.dumps({p: v for p, v in self.options.items() if p not in _APART}, sort_keys=True)


@dataclass(frozen=True)
class Group:
    """One configuration. `title` says what tells it from the others; `runs` has one run a seed."""

    title: str
    strategy: str
    options: Mapping[str, Any]
    runs: Mapping[int, Run]


# -- reading ---------------------------------------------------------------------------------------


def run_of(record: ExperimentRecord, rounds: Sequence[RoundRecord]) -> Run:
    """An experiment of the store."""
    finished = record.status is ExperimentStatus.FINISHED
    return Run(record.id, record.name, flat(record.config), tuple(rounds), finished)


def runs_named(store: Store, prefix: str) -> list[Run]:
    """Runs of the store whose name begins so, cells of studies too, oldest first; without any round: none."""
    found = [r for r in store.experiments(cells=True) if r.name.startswith(prefix) and r.num_rounds]
    return [run_of(record, store.rounds(record.id)) for record in reversed(found)]


def runs_in_folders(prefix: str) -> list[Run]:
    """Runs that were written into folders whose path begins so: `runs/digits` finds runs/digits-a and -b.

    A folder itself is looked through one level deep.

    Raises:
        DataError: a records.json cannot be read.
    """
    place = Path(prefix)
    folders = [place] if place.is_dir() else []
    folders += [p for p in _inside(place.parent) if p != place and p.name.startswith(place.name)]
    if place.is_dir() and not (place / RECORDS).is_file():
        folders += _inside(place)
    return [_read_folder(folder) for folder in dict.fromkeys(folders) if (folder / RECORDS).is_file()]


def _inside(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []


def _read_folder(folder: Path) -> Run:
    path = folder / RECORDS
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        known = folder / "manifest.json"
        config = json.loads(known.read_text(encoding="utf-8")).get("config") if known.is_file() else None
        if config is None:
            given = body["Initialization"]
            values = {ours: given[theirs] for theirs, ours in _SEED_OPTIONS.items() if theirs in given}
        else:
            values = flat(ExperimentConfig.parse(config))
        rounds = [_round(folder.name, entry) for entry in body.get("rounds") or _seed_rounds(body)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            tr(
                "{path} cannot be read as a run's records ({kind}: {error}); leave the folder out, "
                "or write it anew with `export`",
                path=path,
                kind=type(error).__name__,
                error=error,
            )
        ) from None
    return Run(folder.name, folder.name, values, tuple(rounds), body.get("stop_reason") is not None)


def _round(run: str, entry: Mapping[str, Any]) -> RoundRecord:
    confusion = entry.get("confusion")
    return RoundRecord(
        run, int(entry["round"]), int(entry["num_labeled"]), 0,
        {name: float(value) for name, value in entry["metrics"].items() if value is not None},
        None if confusion is None else tuple(tuple(row) for row in confusion),
        tuple(entry.get("class_counts", ())), dict(entry.get("seconds", {})), {}, {}, 0.0,
    )  # fmt: skip


def _seed_rounds(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rounds from the first seed's own file: validation-2 accuracy a query, test accuracy at the end.

    Its x is the number of queried images, without the initial set; a class's first count tells that.
    """
    history = body.get("Labels History") or {}
    start = sum(int(counts[0]) for counts in history.values() if counts)
    found = [
        {"round": n, "num_labeled": start + int(count), "metrics": {"validation_accuracy": accuracy}}
        for n, (count, accuracy) in enumerate(body.get("Validation-2 Accuracy Coordinates") or [])
    ]
    score = body.get("Final Test Score")
    if found and score is not None:
        found[-1]["metrics"]["test_accuracy"] = score
    return found


# -- grouping --------------------------------------------------------------------------------------


def option_path(name: str) -> str:
    """The option that a person means: by path, name, any of its flags, or the first seed's word.

    Raises:
        ConfigError: there is none; the message names the nearest.
    """
    wanted = name.strip().lstrip("-").replace("-", "_")
    known = {path: path for path in (option.path for option in options())}
    for option in options():
        for word in (option.name, *option.flags):
            known.setdefault(word.lstrip("-").replace("-", "_"), option.path)
    known = {**_SEED_OPTIONS, **known}
    if wanted in known:
        return known[wanted]
    near = difflib.get_close_matches(wanted, known, n=1)
    if near:
        allowed = tr("is no option; did you mean {near!r}? `list options` shows them all", near=near[0])
    else:
        allowed = tr("is no option; `list options` shows them all")
    raise ConfigError([Problem("-c", name, allowed)])


def metric_named(name: str) -> Metric:
    """The metric that a person means: by key, by key without its split, by title, or the first seed's word.

    Raises:
        ConfigError: there is none; the message lists them.
    """
    wanted = "".join(c for c in name.lower() if c.isalnum())
    for metric in METRICS:
        words = (metric.key, metric.key.removeprefix("test_"), metric.title)
        if wanted in ("".join(c for c in word.lower() if c.isalnum()) for word in words):
            return metric
    found = next((m for m in METRICS if m.key == _SEED_METRICS.get(wanted)), None)
    if found is None:
        keys = ", ".join(metric.key for metric in METRICS)
        raise ConfigError([Problem("--metric", name, tr("is no metric; one of {keys}", keys=keys))])
    return found


def groups(runs: Iterable[Run], labels: Sequence[str] = ()) -> list[Group]:
    """One group a configuration, in the order of their first runs; of equal runs the newest stands.

    Titles are made of the options `labels` (paths); without any, or where they do not tell two groups
    apart, of the options in which the groups differ.
    """
    found: dict[str, dict[int, Run]] = {}
    for run in runs:
        # a label that is the seed makes every seed a curve of its own
        key = f"{run.configuration}{run.seed if 'seed' in labels else ''}"
        found.setdefault(key, {})[run.seed] = run
    members = [next(iter(by_seed.values())) for by_seed in found.values()]
    asking = [run for run in members if _once(run.options) != SELECTION] or members
    paths = labels or _differing(asking)
    chosen = [
        TITLES[SELECTION] if not labels and _once(run.options) == SELECTION else _title(run, paths)
        for run in members
    ]
    titles = list(chosen)
    for place, title in enumerate(chosen):
        alike = [members[i] for i, other in enumerate(chosen) if other == title]
        if len(alike) > 1:
            more = [path for path in _differing(alike) if path not in labels]
            titles[place] = f"{title} ({_title(members[place], more)})"
    return [
        Group(title, _chooser(run.options), run.options, dict(sorted(by_seed.items())))
        for title, run, by_seed in zip(titles, members, found.values(), strict=True)
    ]


def _chooser(options: Mapping[str, Any]) -> str:
    baseline = options.get("query.baseline", "none")
    return str(options.get("query.strategy", "") if baseline == "none" else baseline)


def _once(options: Mapping[str, Any]) -> str | None:
    """Which kind of one training these options make; None for a run that asks."""
    baseline, init = options.get("query.baseline", "none"), options.get("init.init", "")
    return passive_kind(str(baseline), str(init), options.get("stop.n_rounds"))


def groups_of_study(
    store: Store,
    study_id: str,
    *,
    title: Callable[[Values], str] = lambda arm: arm.title,
    rounds_of: Callable[[ExperimentRecord], Sequence[RoundRecord]] | None = None,
) -> list[Group]:
    """A study's arms as groups, in its order and by its names; an arm without a round has no run yet."""
    config = StudyConfig.from_json(store.study(study_id).config)
    known = {e.cell: e for e in store.study_experiments(study_id) if e.num_rounds}
    found: dict[str, Group] = {}
    for cell in config.cells():
        name, values = title(cell.arm), flat(cell.config)
        group = found.setdefault(name, Group(name, cell.config.query.chooser, values, {}))
        record = known.get(cell.number)
        if record is not None:
            rounds = rounds_of(record) if rounds_of else store.rounds(record.id)
            found[name] = replace(group, runs={**group.runs, cell.seed: run_of(record, rounds)})
    return list(found.values())


def _differing(runs: Sequence[Run | Group]) -> list[str]:
    """Options in which the configurations differ; the strategy first, and where nothing differs."""
    paths = dict.fromkeys(path for run in runs for path in run.options if path not in _APART)
    differ = [p for p in paths if len({json.dumps(run.options.get(p)) for run in runs}) > 1]
    ordered = sorted(differ, key=lambda path: path != "query.strategy")
    return ordered or ["query.strategy"]


def _title(run: Run, paths: Sequence[str]) -> str:
    return Values({path: _word(run.options.get(path)) for path in paths}).title


def _word(value: object) -> Any:
    return json.dumps(value) if isinstance(value, dict | list) else value


def result_of_groups(
    name: str,
    found: Sequence[Group],
    metric: str | None = None,
    *,
    over: Over = "labels",
    prices: Prices | None = None,
    ceiling: float | None = None,
    num_train: int | None = None,
) -> StudyResult:
    """The groups as arms, so that all that is said and drawn of a study is said and drawn of them.

    `num_train` images has the data set that all share, if they do.
    """
    offered = measured([r for group in found for run in group.runs.values() for r in run.rounds])
    chosen = next((m for m in offered if m.key == metric), None)
    if chosen is None:
        chosen = next((m for m in METRICS if m.key == metric), (offered or METRICS)[0])
    curves = {
        group.title: {
            seed: Curve.of(run.rounds, chosen.key, spent(run.rounds, over, prices))
            for seed, run in group.runs.items()
        }
        for group in found
    }
    arms = [group for group in found if _once(group.options) is None]
    ended = {group.title: {seed for seed, run in group.runs.items() if run.finished} for group in arms}
    known = [seeds for seeds in ended.values() if seeds]
    return StudyResult(
        "", name, chosen,
        tuple(_arm(group, curves) for group in arms), tuple(group.strategy for group in arms), offered,
        frozenset(title for title, seeds in ended.items() if seeds),
        frozenset(set.intersection(*known) if known else ()), over, ceiling,
        references=tuple(
            Reference(kind, arm, frozenset(_measured_by(group, arms)))
            for group in found
            if (kind := _once(group.options)) is not None and (arm := _arm(group, curves)).curves
        ),
        caveats=tuple(_caveats(found, num_train)),
        against=_against(arms),
        num_runs=sum(len(group.runs) for group in arms),
    )  # fmt: skip


def _against(arms: Sequence[Group]) -> dict[str, str]:
    """By arm, the random one that shares its further options; empty where that is one for all, or none is.

    Further options are those in which the random ones differ from each other.
    """
    randoms = [group for group in arms if group.strategy == "random"]
    paths = _differing(randoms)
    found: dict[str, str] = {}
    for arm in arms:
        for random in randoms:
            if all(arm.options.get(path) == random.options.get(path) for path in paths):
                found.setdefault(arm.title, random.title)
    return found if len(set(found.values())) > 1 else {}


_HELD: Final = ("epoch_validation", "round_validation")


def _caveats(found: Sequence[Group], num_train: int | None) -> Iterator[str]:
    """What makes these runs less comparable than they look."""
    runs = [run for group in found for run in group.runs.values()]
    apart = different_machines(run.rounds[-1] for run in runs if run.rounds)
    if apart is not None:
        yield apart
    sets = {run.options.get("data.dataset") for run in runs}
    if len(sets) > 1:
        yield kept("The runs are of {n} data sets: their values measure different things.", n=len(sets))
    if num_train is None:
        return
    for run in runs:
        epoch, round_ = (float(run.options.get(f"data.{name}") or 0) for name in _HELD)
        data = DataConfig(epoch_validation=epoch, round_validation=round_)
        held = much_validation(data, num_train, run.rounds)
        if held is not None:
            yield held
            return


def _arm(group: Group, curves: Mapping[str, Mapping[int, Curve]]) -> Arm:
    return Arm(group.title, {seed: c for seed, c in curves[group.title].items() if len(c.labels)})


def _measured_by(once: Group, arms: Sequence[Group]) -> Iterator[str]:
    """The arms that have all that a baseline looks at in common with it."""
    kind = _chooser(once.options)
    read = [path for path in once.options if path not in _APART and not unread(kind, path)]
    for arm in arms:
        if all(arm.options.get(path) == once.options[path] for path in read):
            yield arm.title
