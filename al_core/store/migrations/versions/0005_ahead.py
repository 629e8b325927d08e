"""Images that a query offers ahead: to be labeled while the next round trains."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("query_item", sa.Column("ahead", sa.Boolean()))
