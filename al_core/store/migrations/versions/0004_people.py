"""Several people at one session: their seats and leases, and the log of one image found by its id."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    narrow = {"sqlite_with_rowid": False}
    op.create_table(
        "seat",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.Column("pace", sa.Integer()),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("twin_until", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_seat_experiment_id"),
        sa.PrimaryKeyConstraint("experiment_id", "annotator", name="pk_seat"),
        **narrow,
    )
    op.create_table(
        "item_lease",
        sa.Column("experiment_id", sa.Text(), nullable=False),
        sa.Column("sample_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("annotator", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("second", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name="fk_item_lease_experiment_id"),
        sa.PrimaryKeyConstraint("experiment_id", "sample_id", "annotator", name="pk_item_lease"),
        **narrow,
    )
    op.create_index("ix_label_event_experiment_id_sample_id", "label_event", ["experiment_id", "sample_id"])
