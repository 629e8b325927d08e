"""Fencing: a worker's write counts only while its attempt is the job's own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from al_core.errors import Fenced
from al_core.records import JobLease, JobState
from al_core.store.engine import Database
from al_core.store.schema import job
from al_core.words import tr


def hold(db: Database, connection: Connection, lease: JobLease) -> Row[Any]:
    """Lock the lease's job for this transaction and give its row.

    Raises:
        Fenced: the job has ended, is gone, or another attempt has it.
    """
    mine = (job.c.id == lease.job_id) & (job.c.token == lease.token) & (job.c.state == JobState.RUNNING.value)
    row = connection.execute(db.locked(select(job).where(mine))).one_or_none()
    if row is None:
        raise Fenced(
            tr(
                "this attempt of job {job_id} has been replaced or ended; nothing was written",
                job_id=lease.job_id,
            )
        )
    return row
