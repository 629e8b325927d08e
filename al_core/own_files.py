"""Files of one's own: strategies, models and data sets that the operator names, and nobody else can.

`AL_STRATEGIES` (paths separated as in PATH; a folder means its *.py files) or `--strategy-file`. Such a file
is Python and runs in every process of this program, the browser's server included: name only what you trust,
and import torch inside functions. What it registers with `@strategy`, `@model` or `@source` is then chosen
like our own; a file of one plain function is a strategy of that name. Rounds keep the sources' hashes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from al_core.config import ExperimentConfig
from al_core.data.sources import SOURCES
from al_core.errors import ConfigError, Problem, StrategyError
from al_core.models import MODELS
from al_core.query.composition import Composition
from al_core.query.own import imported, strategy_of
from al_core.query.strategies import STRATEGIES
from al_core.words import tr

VARIABLE: Final = "AL_STRATEGIES"  # as `settings.own_paths` reads it
_REGISTRIES: Final[Mapping[str, Any]] = {"strategy": STRATEGIES, "model": MODELS, "data set": SOURCES}


@dataclass(frozen=True)
class OwnFile:
    """One file as it was when this process ran it; `names` are what it registered, as (kind, name)."""

    path: Path
    sha256: str
    names: tuple[tuple[str, str], ...]


_LOADED: Final[dict[Path, OwnFile]] = {}  # a process runs a file once, as it registers things once


def add_to_environment(paths: Iterable[Path]) -> None:
    """Name further files, for this process and those that it starts."""
    named = [os.environ.get(VARIABLE, ""), *(str(path.expanduser().absolute()) for path in paths)]
    if text := os.pathsep.join(part for part in named if part):
        os.environ[VARIABLE] = text


def load(paths: Iterable[Path]) -> None:
    """Run the files that these paths name, each once, and register what they offer.

    Raises:
        ConfigError: a path is neither file nor folder.
        StrategyError: a file cannot be run, offers nothing, or takes a name that is taken.
    """
    for path in paths:
        if not path.is_dir() and not path.is_file():
            allowed = tr(
                "a Python file or a folder of them is needed; see {variable} and --strategy-file",
                variable=VARIABLE,
            )
            raise ConfigError([Problem(VARIABLE, str(path), allowed)])
        found = sorted(path.glob("[!_]*.py")) if path.is_dir() else [path]
        for file in found:
            if file.resolve() not in _LOADED:
                _LOADED[file.resolve()] = _registered(file.resolve())


def _registered(path: Path) -> OwnFile:
    sha256 = _hash(path)
    before = {kind: set(registry.names()) for kind, registry in _REGISTRIES.items()}
    module = imported(path)
    names = [
        (kind, name)
        for kind, registry in _REGISTRIES.items()
        for name in registry.names()
        if name not in before[kind]
    ]
    if not names:
        strategy = STRATEGIES.add(strategy_of(module, "", str(path)))
        names = [("strategy", strategy.name)]
    return OwnFile(path, sha256, tuple(names))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def used_by(config: ExperimentConfig) -> dict[str, str]:
    """The hash of the source of each own thing that a config uses, by "kind name".

    Raises:
        StrategyError: a strategy is not known, or its file is no longer what this process ran.
    """
    composition = Composition.of(config.query)
    members = (*composition.strategies, *([composition.learner] if composition.learner else []))
    names = {("strategy", member.name) for member in members}
    names |= {("model", MODELS.get(config.model.model).name)}
    names |= {("data set", SOURCES.get(config.data.dataset.partition(":")[0]).name)}
    found = {}
    for own in _LOADED.values():
        used = sorted(names.intersection(own.names))
        if used and (not own.path.is_file() or _hash(own.path) != own.sha256):
            raise StrategyError(
                tr(
                    "{path} is no longer what this process ran ({used!r}): put it back as it was, or end "
                    "server and workers and start them again",
                    path=own.path,
                    used=" ".join(used[0]),
                )
            )
        found |= {f"{kind} {name}": own.sha256 for kind, name in used}
    return dict(sorted(found.items()))


def require_same(known: Mapping[str, str], config: ExperimentConfig) -> dict[str, str]:
    """What a config uses now, which must be what earlier rounds used.

    Raises:
        StrategyError: a file is missing, or another one than then.
    """
    now = used_by(config)
    for name, sha256 in known.items():
        if now.get(name) != sha256:
            if name in now:
                text = tr(
                    "the {name!r} of this experiment's rounds has the source hash {then} and has {now} now: "
                    "name its file as it was then, or begin a new experiment",
                    name=name,
                    then=sha256[:12],
                    now=now[name][:12],
                )
            else:
                text = tr(
                    "the {name!r} of this experiment's rounds has the source hash {then} and comes from no "
                    "file of yours now: name its file as it was then, or begin a new experiment",
                    name=name,
                    then=sha256[:12],
                )
            raise StrategyError(text)
    return now
