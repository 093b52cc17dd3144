"""Runs that any process can take up, answers that can be replaced, and how each was made"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.add_column("runs", sa.Column("asked", JSONB, nullable=True))
    op.add_column("runs", sa.Column("owner", sa.Uuid(), nullable=True))
    op.add_column("runs", sa.Column("attempt", sa.Integer(), nullable=False, server_default="1"))
    op.add_column(
        "runs", sa.Column("stop_requested", sa.Boolean(), nullable=False, server_default="false")
    )
    op.add_column("runs", sa.Column("confirm", JSONB, nullable=True))
    op.add_column("runs", sa.Column("accepted", sa.Boolean(), nullable=True))
    op.add_column("runs", sa.Column("checkpoint_id", sa.Text(), nullable=True))
    op.drop_index("ix_runs_running_heartbeat_at", table_name="runs")
    op.create_index(
        "ix_runs_unfinished_heartbeat_at",
        "runs",
        ["heartbeat_at"],
        unique=False,
        postgresql_where=sa.text("status = 'running' OR owner IS NOT NULL"),
    )
    op.add_column("messages", sa.Column("suggestions", JSONB, nullable=False, server_default="[]"))
    op.add_column("messages", sa.Column("metadata", JSONB, nullable=True))
    op.add_column("messages", sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True))
    for table, column in (
        ("runs", "attempt"),
        ("runs", "stop_requested"),
        ("messages", "suggestions"),
    ):
        op.alter_column(table, column, server_default=None)
    _remake_events(("events", JSONB))
    # What a run of before was asked is not known, so that none can be taken up.
    op.execute("UPDATE messages SET status = 'failed' WHERE status = 'running'")
    op.execute("UPDATE runs SET status = 'failed' WHERE status = 'running'")


def downgrade() -> None:
    _remake_events(("event", JSONB))
    op.drop_column("messages", "replaced_at")
    op.drop_column("messages", "metadata")
    op.drop_column("messages", "suggestions")
    op.drop_index("ix_runs_unfinished_heartbeat_at", table_name="runs")
    op.create_index(
        "ix_runs_running_heartbeat_at",
        "runs",
        ["heartbeat_at"],
        unique=False,
        postgresql_where=sa.text("status = 'running'"),
    )
    for column in (
        "checkpoint_id",
        "accepted",
        "confirm",
        "stop_requested",
        "attempt",
        "owner",
        "asked",
    ):
        op.drop_column("runs", column)


def _remake_events(said: tuple[str, postgresql.JSONB]) -> None:
    """Events are kept for an hour: those of before are not worth carrying over."""
    op.drop_table("run_events")
    op.create_table(
        "run_events",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column(*said, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_events_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "seq", name=op.f("pk_run_events")),
    )
    op.create_index(op.f("ix_run_events_created_at"), "run_events", ["created_at"], unique=False)
