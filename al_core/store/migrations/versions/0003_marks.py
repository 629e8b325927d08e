"""Marks (unsure, flag, note) in the label log, and what else is to be said of a label."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("label_event", sa.Column("mark", sa.Text()))
    op.add_column("label_event", sa.Column("detail", sa.Text()))
    marked = sa.text("mark IS NOT NULL")
    op.create_index(
        "ix_label_event_marks", "label_event", ["experiment_id", "id"],
        sqlite_where=marked, postgresql_where=marked,
    )  # fmt: skip
