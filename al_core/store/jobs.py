"""Jobs: queued, claimed by one attempt at a time, and taken back from attempts that fell silent."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from al_core.errors import NotFound, StoreError
from al_core.records import ExperimentStatus, JobLease, JobRecord, JobState
from al_core.store.columns import to_json
from al_core.store.engine import Database
from al_core.store.experiments import missing, touch
from al_core.store.leases import hold
from al_core.store.schema import experiment, job
from al_core.words import kept_n, tr

CONTROLS = ("", "pause", "stop")
FIELDS = tuple(JobRecord.__dataclass_fields__)
QUEUED, RUNNING = JobState.QUEUED.value, JobState.RUNNING.value

active_jobs = job.c.state.in_([QUEUED, RUNNING])
# One that is told to pause before it began waits in the queue until it may go on.
claimable_jobs = (job.c.state == QUEUED) & (job.c.control != "pause")


def _record(row: Row[Any]) -> JobRecord:
    values: dict[str, Any] = {name: getattr(row, name) for name in FIELDS}
    values["state"] = JobState(row.state)
    return JobRecord(**values)


class Jobs:
    """The job methods of the store."""

    _db: Database

    def submit_job(
        self,
        kind: str,
        *,
        experiment_id: str | None = None,
        spec: Mapping[str, Any] | None = None,
        priority: int = 0,
        idempotency_key: str | None = None,
    ) -> JobRecord:
        """Queue a job, unless one of the same kind and experiment is active: that is returned in its place.

        So a double click starts nothing twice. Without an experiment, the same spec makes it the same job.
        """
        text = to_json(spec or {})
        target = experiment_id or hashlib.sha256(text.encode()).hexdigest()
        with self._db.write() as connection:
            now = self._db.now(connection)
            if experiment_id is not None:
                found = select(experiment.c.seq).where(experiment.c.id == experiment_id)
                if connection.scalar(found) is None:
                    raise missing(experiment_id)
            new = self._db.insert(job).values(
                id=secrets.token_hex(6), kind=kind, experiment_id=experiment_id, spec=dict(spec or {}),
                target=target, idempotency_key=idempotency_key, state=QUEUED, priority=priority, attempt=0,
                lost=0, control="", paused=False, progress={}, created_at=now,
            )  # fmt: skip
            same = (job.c.kind == kind) & (job.c.target == target) & active_jobs
            # Under PostgreSQL the job that stood in the way may end before we read it: then try again.
            for _ in range(10):
                made = connection.execute(new.on_conflict_do_nothing().returning(job)).one_or_none()
                if made is not None:
                    self._touch(connection, made, now)
                    return _record(made)
                if idempotency_key is not None:
                    earlier = select(job).where(job.c.idempotency_key == idempotency_key)
                    known = connection.execute(earlier).one_or_none()
                    if known is not None:
                        return _record(known)
                known = connection.execute(select(job).where(same)).one_or_none()
                if known is not None:
                    return _record(known)
        raise StoreError(
            tr("the {kind} job could not be queued: others come and go too fast; try again", kind=kind)
        )

    def claim_job(self, worker_id: str, *, job_id: str | None = None) -> tuple[JobRecord, JobLease] | None:
        """The queued job of highest priority (oldest first), now RUNNING, attempt + 1, with a fresh token."""
        wanted = select(job).where(claimable_jobs).order_by(job.c.priority.desc(), job.c.seq).limit(1)
        if job_id is not None:
            wanted = wanted.where(job.c.id == job_id)
        with self._db.write() as connection:
            row = connection.execute(self._db.locked(wanted, skip_locked=True)).one_or_none()
            if row is None:
                return None
            now = self._db.now(connection)
            lease = JobLease(row.id, secrets.token_hex(16))
            claimed = self._set(
                connection, row, now, state=RUNNING, attempt=row.attempt + 1, token=lease.token,
                worker=worker_id, heartbeat_at=now, started_at=now, ended_at=None, paused=False,
                error_kind=None, error_text=None, traceback=None,
            )  # fmt: skip
            return claimed, lease

    def heartbeat(
        self, lease: JobLease, progress: Mapping[str, Any] | None = None, *, paused: bool = False
    ) -> JobRecord:
        """Say that the attempt lives; returns the job with its `control`. Raises Fenced."""
        with self._db.write() as connection:
            row = hold(self._db, connection, lease)
            now = self._db.now(connection)
            values = {"heartbeat_at": now, "paused": paused}
            shown = paused != row.paused
            if progress is not None and to_json(progress) != to_json(row.progress):
                values["progress"] = dict(progress)
                shown = True
            return self._set(connection, row, now, shown=shown, **values)

    def control_job(self, job_id: str, control: str) -> None:
        """Ask for "pause", "stop", or "" (go on). A queued job that is told to stop is STOPPED at once.

        A stop is final, and a job that has ended is left as it is.
        """
        if control not in CONTROLS:
            raise StoreError(
                tr(
                    "{control!r} is not something a job understands; use one of {controls}",
                    control=control,
                    controls=CONTROLS,
                )
            )
        with self._db.write() as connection:
            row = connection.execute(self._db.locked(select(job).where(job.c.id == job_id))).one_or_none()
            if row is None:
                raise NotFound(tr("there is no job {job_id!r}", job_id=job_id))
            if not JobState(row.state).active or row.control in (control, "stop"):
                return
            now = self._db.now(connection)
            if control == "stop" and row.state == QUEUED:
                self._end(connection, row, now, JobState.STOPPED, control=control)
            else:
                self._set(connection, row, now, control=control)

    def end_job(
        self,
        lease: JobLease,
        state: JobState,
        *,
        error_kind: str | None = None,
        error_text: str | None = None,
        traceback: str | None = None,
    ) -> None:
        """DONE, FAILED, STOPPED, or QUEUED again (gave way to a more urgent job)."""
        if state is JobState.RUNNING:
            raise StoreError(tr("a job does not end as running; say done, failed, stopped or queued"))
        with self._db.write() as connection:
            row = hold(self._db, connection, lease)
            now = self._db.now(connection)
            error = {"error_kind": error_kind, "error_text": error_text, "traceback": traceback}
            self._end(connection, row, now, state, **error)

    def job(self, job_id: str) -> JobRecord:
        """Raises NotFound."""
        with self._db.read() as connection:
            row = connection.execute(select(job).where(job.c.id == job_id)).one_or_none()
        if row is None:
            raise NotFound(tr("there is no job {job_id!r}", job_id=job_id))
        return _record(row)

    def jobs(
        self, *, experiment_id: str | None = None, active: bool = False, limit: int = 100
    ) -> list[JobRecord]:
        """Newest first."""
        wanted = select(job).order_by(job.c.seq.desc()).limit(limit)
        if experiment_id is not None:
            wanted = wanted.where(job.c.experiment_id == experiment_id)
        if active:
            wanted = wanted.where(active_jobs)
        with self._db.read() as connection:
            return [_record(row) for row in connection.execute(wanted)]

    def waiting_priority(self) -> int | None:
        """The highest priority among queued jobs, or None."""
        with self._db.read() as connection:
            return connection.scalar(select(func.max(job.c.priority)).where(claimable_jobs))

    def requeue_lost(
        self, *, silent_seconds: float, max_attempts: int = 3, dead_workers: Sequence[str] = ()
    ) -> list[JobRecord]:
        """Take RUNNING jobs back whose heartbeat is older, or whose worker is known dead.

        They go to QUEUED with their token void, or to FAILED ("lost") after `max_attempts`. Older is by the
        database's clock.

        Attempts that gave way, and those before the last finished round, are not counted as lost.
        """
        with self._db.write() as connection:
            now = self._db.now(connection)
            silent = or_(job.c.heartbeat_at < now - silent_seconds, job.c.worker.in_(list(dead_workers)))
            wanted = select(job).where(job.c.state == RUNNING, silent).order_by(job.c.seq)
            rows = connection.execute(self._db.locked(wanted, skip_locked=True)).all()
            return [self._lose(connection, row, now, max_attempts) for row in rows]

    def _lose(self, connection: Connection, row: Row[Any], now: float, max_attempts: int) -> JobRecord:
        lost = row.lost + 1
        if lost < max_attempts or row.control == "stop":
            return self._end(connection, row, now, JobState.QUEUED, lost=lost)
        if row.experiment_id is not None:
            touch(connection, row.experiment_id, now, status=ExperimentStatus.FAILED.value)
        remedy = kept_n(
            "The worker ended without a word {n} time in a row (killed, out of memory, or the machine went "
            "down). Look at the log, then start it again.",
            "The worker ended without a word {n} times in a row (killed, out of memory, or the machine went "
            "down). Look at the log, then start it again.",
            lost,
        )
        return self._end(
            connection, row, now, JobState.FAILED, lost=lost, error_kind="lost", error_text=remedy
        )

    def _end(
        self, connection: Connection, row: Row[Any], now: float, state: JobState, **values: Any
    ) -> JobRecord:
        """End this attempt: its token is void. A job told to stop does not go back into the queue."""
        if state is JobState.QUEUED and row.control == "stop":
            state = JobState.STOPPED
        if state is JobState.QUEUED:
            values |= {"worker": None, "heartbeat_at": None}
        ended_at = None if state is JobState.QUEUED else now
        fixed = {"state": state.value, "token": None, "paused": False, "ended_at": ended_at}
        return self._set(connection, row, now, **fixed, **values)

    def _set(
        self, connection: Connection, row: Row[Any], now: float, *, shown: bool = True, **values: Any
    ) -> JobRecord:
        change = update(job).where(job.c.seq == row.seq).values(**values).returning(job)
        record = _record(connection.execute(change).one())
        if shown:
            self._touch(connection, row, now)
        return record

    @staticmethod
    def _touch(connection: Connection, row: Row[Any], now: float) -> None:
        if row.experiment_id is not None:
            touch(connection, row.experiment_id, now)
