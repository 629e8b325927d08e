"""A strategy of one's own: read from a file that need not be part of this program."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType

from al_core.errors import StrategyError
from al_core.query.strategies import STRATEGIES, Strategy
from al_core.words import tr


def load_strategy(text: str) -> Strategy:
    """The strategy that `FILE.py`, `FILE.py:FUNCTION` or a registered name stands for.

    Raises:
        StrategyError: nothing is there, the file cannot be run, or the function is no strategy.
    """
    file, _, name = text.rpartition(":") if text.rpartition(":")[0].endswith(".py") else (text, "", "")
    if not file.endswith(".py"):
        return STRATEGIES.get(text)
    path = Path(file)
    if not path.is_file():
        raise StrategyError(
            tr("there is no file {file!r}; name one as FILE.py or FILE.py:FUNCTION", file=file)
        )
    return strategy_of(imported(path), name, file)


def strategy_of(module: ModuleType, name: str, file: str) -> Strategy:
    """The strategy of that name in a module, or its only one.

    Raises:
        StrategyError: there is none, there are several, or it is malformed.
    """
    functions = {
        key: value
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")
    }
    registered = {entry.name: entry for entry in STRATEGIES if entry.function in functions.values()}
    if not name:
        names = list(registered) or list(functions)
        if len(names) != 1:
            listed = ", ".join(names) or tr("none")
            raise StrategyError(
                tr(
                    "{file} has not one function but {listed}: name one, as {file}:FUNCTION",
                    file=file,
                    listed=listed,
                )
            )
        name = names[0]
    if name not in functions:
        listed = ", ".join(functions) or tr("none")
        raise StrategyError(
            tr("{file} has no function {name!r}; it has {listed}", file=file, name=name, listed=listed)
        )
    title = name.replace("_", " ").capitalize()
    return registered.get(name) or Strategy.of(functions[name], title, family="uncertainty")


def imported(path: Path) -> ModuleType:
    """Run a file as a module.

    Raises:
        StrategyError: it cannot be run.
    """
    name = f"askwell_own.{path.stem}"  # a model is called like the last part
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise StrategyError(tr("{path} is no Python file", path=path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations are looked up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a person's file does wrong, they are told
        sys.modules.pop(name, None)
        raise StrategyError(
            tr("{path} cannot be run: {kind}: {error}", path=path, kind=type(error).__name__, error=error)
        ) from error
    return module
