"""The run log: what each attempt of each job of an experiment wrote, in order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from al_core.records import JobRecord
from al_core.settings import Settings
from al_core.store.base import Store

_BEGIN: Final = re.compile(r"^.*\battempt (\d+) of \w+ begins$", re.MULTILINE)


@dataclass(frozen=True)
class Attempt:
    """What one attempt of a job wrote."""

    job: JobRecord
    number: int
    text: str


def job_log(settings: Settings, job_id: str) -> str:
    """All that a job wrote; empty where it wrote nothing here (it ran on another machine, or not yet)."""
    path = settings.logs / "jobs" / f"{Path(job_id).name}.log"
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def attempts(settings: Settings, job: JobRecord) -> list[Attempt]:
    """A job's log, cut where an attempt begins."""
    text = job_log(settings, job.id)
    begins = list(_BEGIN.finditer(text))
    if not begins:
        return [Attempt(job, job.attempt, text)] if text else []
    ends = [found.start() for found in begins[1:]] + [len(text)]
    return [
        Attempt(job, int(found.group(1)), text[found.start() : end])
        for found, end in zip(begins, ends, strict=True)
    ]


def run_log(store: Store, settings: Settings, experiment_id: str) -> str:
    """The logs of all the jobs of an experiment, oldest first, each attempt under a line that names it."""
    parts = []
    for job in reversed(store.jobs(experiment_id=experiment_id, limit=10_000)):
        found = attempts(settings, job) or [Attempt(job, job.attempt, "(nothing was written here)\n")]
        for attempt in found:
            state = "" if attempt.number < job.attempt else f", {job.state.value}"
            parts.append(f"== {job.kind} {job.id}, attempt {attempt.number}{state} ==\n{attempt.text}")
        if job.error_text:
            parts.append(f"problem: {job.error_text}\n")
    return "\n".join(parts)
