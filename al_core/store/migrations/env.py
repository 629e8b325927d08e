"""What Alembic runs: the steps, on the connection and in the transaction that migrate.py holds."""

from alembic import context

from al_core.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
