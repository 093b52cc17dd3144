"""What loading a video cost, and its jobs found by video."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("credits", sa.Integer(), nullable=False, server_default="0")
    op.add_column("ingestion_jobs", column)
    op.alter_column("ingestion_jobs", "credits", server_default=None)
    op.create_index(op.f("ix_ingestion_jobs_video_id"), "ingestion_jobs", ["video_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_ingestion_jobs_video_id"), table_name="ingestion_jobs")
    op.drop_column("ingestion_jobs", "credits")
