"""Keeps workers on the cluster while cells of studies wait: `python -m al_core.worker.cluster`.

The browser's server starts it where a cluster's address is set, as it starts workers, and never talks to the
cluster itself: that would cost it more memory than all the rest. One runs for each home.
"""

from __future__ import annotations

import logging
import sys
import time

from al_core.errors import ALError
from al_core.records import JobRecord
from al_core.settings import Settings
from al_core.store import open_store
from al_core.store.base import Store
from al_core.study import MOST_JOBS, PRIORITY
from al_core.worker.identity import Slot, requeue_dead
from al_core.worker.runner import Crew, Need, runner_for

log = logging.getLogger("al_core.worker.cluster")

SLOT = "cluster"
POLL_SECONDS = 1.0
SILENT_SECONDS = 30.0
IDLE_SECONDS = 15.0
IDLE_MINUTES = 0.05
REFUSED_SECONDS = 60.0  # until the server may try again what was refused


def main() -> int:
    """Work until no cell waits; 2 when the cluster cannot be used."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    settings = Settings.from_env()
    slot = Slot(settings.home, SLOT)
    if not slot.take():
        return 0
    store = open_store(settings)
    try:
        work(store, settings)
    except ALError as error:
        log.error("studies train on this machine alone: %s", error)
        time.sleep(REFUSED_SECONDS)
        return 2
    finally:
        store.close()
        slot.release()
    return 0


def work(store: Store, settings: Settings) -> None:
    """Keep the crew as large as the work, until there has been none for a while.

    Raises:
        ClusterError: the cluster cannot be used, or stops to be of use.
    """
    runner = runner_for(settings, idle_minutes=IDLE_MINUTES)
    crew, idle_since = Crew(runner, Need()), time.monotonic()
    try:
        while time.monotonic() - idle_since < IDLE_SECONDS:
            requeue_dead(store, SILENT_SECONDS)
            cells = waiting_cells(store)
            if cells:
                idle_since = time.monotonic()
                crew.need = need_of(store, cells)
                crew.keep(len(cells))
            time.sleep(POLL_SECONDS)
    finally:
        crew.dismiss()
        runner.close()


def waiting_cells(store: Store) -> list[JobRecord]:
    """Jobs of studies that run, or may."""
    jobs = store.jobs(active=True, limit=MOST_JOBS)
    return [job for job in jobs if job.priority == PRIORITY and job.control != "pause" and job.experiment_id]


def need_of(store: Store, cells: list[JobRecord], most: int = 50) -> Need:
    """What a worker for these takes; the cells of a study are much alike, so that some of them tell."""
    ids = [job.experiment_id for job in cells[:most] if job.experiment_id is not None]
    return Need.of([store.experiment(experiment_id).config for experiment_id in ids])


if __name__ == "__main__":
    sys.exit(main())
