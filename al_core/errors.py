"""Every error that a person may read: what is wrong, with which value, and the way out.

ALError
├── ConfigError      a setting is refused; carries one Problem per setting
├── DataError        a data set cannot be read, found or downloaded
│   ├── ImageRefused one file is not an image that we decode
│   └── PathRefused  a path leads where it may not
├── ModelError       a model cannot be built, or its weights cannot be had
├── ClassError       a change of the classes is refused
├── StrategyError    a strategy is unknown, malformed or got evidence that it cannot use
├── StoreError       the store refuses or has lost something
│   ├── NotFound     no such experiment, round or job
│   ├── Overtaken    others have labeled since the caller looked
│   └── Fenced       this attempt of a job has been replaced by a newer one
├── ClusterError     the cluster does not answer, or its nodes cannot work on this store
├── DeviceError      the asked device is absent or out of memory
├── TrainingError    training diverged or cannot start
├── FigureError      a figure cannot be drawn in the format that was asked for
└── ProcessLost      a process of a training in several was killed; the job is tried again
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
        from al_core.words import tr  # noqa: PLC0415 (which raises errors of this file)

        return tr(
            "{option}: {value!r} is refused; {allowed}",
            option=self.option,
            value=self.value,
            allowed=self.allowed,
        )


class ConfigError(ALError):
    """One or more settings are refused. Nothing has been written when this is raised."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class DataError(ALError):
    """A data set cannot be read, found or downloaded."""


class ImageRefused(DataError):
    """One file is not an image that we decode; `reason` is a short phrase for a list, kept in English."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"{name}: {reason}")


class PathRefused(DataError):
    """A path is not followed; `why` is a short phrase for a list, kept in English."""

    def __init__(self, text: str, why: str) -> None:
        self.why = why
        super().__init__(text)


class ModelError(ALError):
    """A model cannot be built, or its weights cannot be had."""


class ClassError(ALError):
    """A change of the classes is refused; the message says which name or class, and the way out."""


class StrategyError(ALError):
    """A strategy is unknown, malformed, or was given evidence that it cannot use."""


class StoreError(ALError):
    """The store refuses a write, or something in it is missing or damaged."""


class NotFound(StoreError):
    """No such experiment, round, job or data set."""


class Overtaken(StoreError):
    """The label log has moved on since the caller read it; nothing was written."""


class Fenced(StoreError):
    """This attempt of a job was replaced by a newer one: it must stop and write nothing."""


class ClusterError(ALError):
    """Workers cannot be run where they were asked for; the message names the remedy."""


class DeviceError(ALError):
    """The device asked for is absent, or out of memory."""


class TrainingError(ALError):
    """Training diverged or cannot start; the message names the remedy."""


class FigureError(ALError):
    """A figure cannot be drawn in that format here; the message says what is missing."""


class ProcessLost(ALError):
    """A process of a training in several ended without a word: this attempt is over, its job is not."""


class StudyFailed(ALError):
    """Some cells of a study failed."""
