"""The store on SQL: SQLite by default, PostgreSQL by URL."""

from __future__ import annotations

from al_core.settings import Settings
from al_core.store.board import Boards
from al_core.store.engine import Database
from al_core.store.experiments import Experiments
from al_core.store.forks import Forks
from al_core.store.history import History
from al_core.store.jobs import Jobs
from al_core.store.labels import Labels
from al_core.store.migrate import migrate
from al_core.store.rounds import Rounds
from al_core.store.seats import Seats
from al_core.store.studies import Studies
from al_core.store.upkeep import Upkeep
from al_core.store.workers import Workers


class SqlStore(Experiments, Studies, Labels, History, Seats, Rounds, Forks, Jobs, Workers, Upkeep):
    """Implements al_core.store.base.Store; threads may share it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._boards = Boards()


def open_store(place: Settings | str) -> SqlStore:
    """Open the store of these settings, or at this URL, bringing its tables up to date first.

    Raises:
        StoreError: it cannot be reached or written, or a newer Askwell made it.
    """
    db = Database(place.database_url if isinstance(place, Settings) else place)
    backups = place.home / "backups" if isinstance(place, Settings) else None
    try:
        migrate(db, backups=backups)
    except BaseException:
        db.close()
        raise
    return SqlStore(db)
