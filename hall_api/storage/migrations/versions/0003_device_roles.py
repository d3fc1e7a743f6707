"""A device may be for several things: the line of pads carries evaluators too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("device_states", sa.Column("roles", sa.String(), nullable=False, server_default="[]"))
