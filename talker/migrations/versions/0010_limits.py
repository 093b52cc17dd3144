"""Limits and quotas: what a person may have, the size of transcripts, open sockets"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

QUOTAS = (
    ("quota_videos", sa.Integer()),
    ("quota_hours", sa.Float()),
    ("quota_storage_mb", sa.Float()),
    ("quota_daily_usd", sa.Float()),
)


def upgrade() -> None:
    for name, kind in QUOTAS:
        op.add_column("users", sa.Column(name, kind, nullable=True))
    op.add_column(
        "transcripts", sa.Column("bytes", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.execute(
        "UPDATE transcripts SET bytes = said.bytes FROM (SELECT transcript_id,"
        " sum(octet_length(text)) AS bytes FROM segments GROUP BY transcript_id) AS said"
        " WHERE said.transcript_id = transcripts.id"
    )
    # What is counted by the minute need not outlive a crash, nor wait for the disk.
    op.execute("ALTER TABLE attempts SET UNLOGGED")
    op.create_table(
        "open_sockets",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("process", sa.Uuid(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "process", name=op.f("pk_open_sockets")),
        prefixes=["UNLOGGED"],
    )
    op.create_index(op.f("ix_open_sockets_process"), "open_sockets", ["process"])


def downgrade() -> None:
    op.drop_table("open_sockets")
    op.execute("ALTER TABLE attempts SET LOGGED")
    op.drop_column("transcripts", "bytes")
    for name, _ in reversed(QUOTAS):
        op.drop_column("users", name)
