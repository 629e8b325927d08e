"""The exact command that repeats a run (every option that is not its default, as a flag) or a study."""

from __future__ import annotations

import json
import shlex
from typing import Any

from al_core.config import ExperimentConfig, Option, StopConfig, flat, options


def differing(config: ExperimentConfig) -> dict[str, Any]:
    """The options that are not their default, by path, in the order of config.py."""
    values = flat(config)
    return {o.path: values[o.path] for o in options() if values[o.path] != o.default}


def run_command(config: ExperimentConfig, out: str, *, rounds: int = 0) -> str:
    """`run` with the options of this config; ground truth answers in it where people did.

    A config without an end gets that many rounds.
    """
    if rounds and config.stop == StopConfig():
        config = config.changed(stop__n_rounds=rounds)
    return _joined(["python", "-m", "al_core", "run", *_flags(config), "--out", out])


def study_file(config: str) -> str:
    """A study's stored config as the file that `study FILE` reads."""
    return json.dumps(json.loads(config), indent=2, ensure_ascii=False) + "\n"


def study_command(file_name: str, out: str) -> str:
    """`study` over a study file: axes of several options have no flags of their own."""
    return _joined(["python", "-m", "al_core", "study", file_name, "--out", out])


def _flags(config: ExperimentConfig) -> list[str]:
    known = {option.path: option for option in options()}
    return [
        word
        for path, value in differing(config).items()
        if (path, value) not in (("oracle", "human"), ("oracle", "truth"))  # `run` has ground truth answer
        for word in _flag(known[path], value)
    ]


def _flag(option: Option, value: Any) -> list[str]:
    if isinstance(value, dict):
        return [word for name, one in value.items() for word in (option.flag, f"{name}={json.dumps(one)}")]
    if isinstance(value, bool):
        return [option.flag if value else f"--no-{option.flag[2:]}"]
    if isinstance(value, str) and value.startswith("-"):
        return [f"{option.flag}={value}"]  # else it would be read as a flag
    return [option.flag, "none" if value is None else str(value)]


def _joined(words: list[str]) -> str:
    return shlex.join(words)
