"""Every error that a person may read: what is wrong, with which value, and the way out.

ALError
├── ConfigError      a setting is refused; carries one Problem per setting
├── DataError        a data set cannot be read, found or downloaded
│   └── ImageRefused one file is not an image that we decode
├── ModelError       a model cannot be built, or its weights cannot be had
├── StrategyError    a strategy is unknown, malformed or got evidence that it cannot use
├── StoreError       the store refuses or has lost something
│   ├── NotFound     no such experiment, round or job
│   └── Fenced       this attempt of a job has been replaced by a newer one
├── DeviceError      the asked device is absent or out of memory
└── TrainingError    training diverged or cannot start
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class ALError(Exception):
    """Base of the errors that are shown to a person as they are, without a traceback."""


@dataclass(frozen=True)
class Problem:
    """One refused setting: `option` as the person typed it, its value, and what is allowed."""

    option: str
    value: object
    allowed: str

    def __str__(self) -> str:
        return f"{self.option}: {self.value!r} is refused; {self.allowed}"


class ConfigError(ALError):
    """One or more settings are refused. Nothing has been written when this is raised."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class DataError(ALError):
    """A data set cannot be read, found or downloaded."""


class ImageRefused(DataError):
    """One file is not an image that we decode; `reason` is a short phrase for a list."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"{name}: {reason}")


class ModelError(ALError):
    """A model cannot be built, or its weights cannot be had."""


class StrategyError(ALError):
    """A strategy is unknown, malformed, or was given evidence that it cannot use."""


class StoreError(ALError):
    """The store refuses a write, or something in it is missing or damaged."""


class NotFound(StoreError):
    """No such experiment, round, job or data set."""


class Fenced(StoreError):
    """This attempt of a job was replaced by a newer one: it must stop and write nothing."""


class DeviceError(ALError):
    """The device asked for is absent, or out of memory."""


class TrainingError(ALError):
    """Training diverged or cannot start; the message names the remedy."""


class StudyFailed(ALError):
    """Some cells of a study failed."""
