"""Collections, batches, what services charge and when they rest, several languages a video"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FILLED = (
    ("ingestion_jobs", "attempts_before"),
    ("ingestion_jobs", "generate"),
    ("ingestion_jobs", "priority"),
    ("videos", "chapters"),
    ("videos", "available"),
)


def upgrade() -> None:
    op.create_table(
        "listings",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("listing", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_listings")),
    )
    op.create_table(
        "service_states",
        sa.Column("service", sa.String(length=16), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resting_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rests", sa.Integer(), nullable=False),
        sa.Column("probing", sa.Boolean(), nullable=False),
        sa.Column("batches_from", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("service", name=op.f("pk_service_states")),
    )
    op.create_table(
        "collections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source_kind", sa.String(length=16), nullable=True),
        sa.Column("source_id", sa.Text(), nullable=True),
        sa.Column("source_limit", sa.Integer(), nullable=True),
        sa.Column("seen", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("language", sa.String(length=200), nullable=True),
        sa.Column("subscribed", sa.Boolean(), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sync_failure", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source_kind IN ('playlist', 'channel')", name=op.f("ck_collections_source_kind")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_collections_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
    )
    op.create_index("uq_collections_user_id_name", "collections", ["user_id", "name"], unique=True)
    op.create_index(
        "uq_collections_user_id_source",
        "collections",
        ["user_id", "source_kind", "source_id"],
        unique=True,
        postgresql_where=sa.text("source_id IS NOT NULL"),
    )
    op.create_table(
        "ingestion_batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_ingestion_batches_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ingestion_batches")),
    )
    op.create_index(
        "ix_ingestion_batches_user_id_created_at",
        "ingestion_batches",
        ["user_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "collection_videos",
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("video_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"],
            ["collections.id"],
            name=op.f("fk_collection_videos_collection_id_collections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["video_id"],
            ["videos.id"],
            name=op.f("fk_collection_videos_video_id_videos"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("collection_id", "video_id", name=op.f("pk_collection_videos")),
    )
    op.create_index(
        op.f("ix_collection_videos_video_id"), "collection_videos", ["video_id"], unique=False
    )
    op.create_table(
        "service_charges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("service", sa.String(length=16), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["ingestion_jobs.id"],
            name=op.f("fk_service_charges_job_id_ingestion_jobs"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_service_charges_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_charges")),
    )
    op.create_index(op.f("ix_service_charges_job_id"), "service_charges", ["job_id"], unique=False)
    op.create_index(
        op.f("ix_service_charges_user_id"), "service_charges", ["user_id"], unique=False
    )
    op.create_index(
        "ix_chunks_words",
        "chunks",
        [sa.literal_column("to_tsvector('simple'::regconfig, text)")],
        unique=False,
        postgresql_using="gin",
    )
    op.add_column("conversations", sa.Column("collection_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("ix_conversations_collection_id"), "conversations", ["collection_id"], unique=False
    )
    op.create_foreign_key(
        op.f("fk_conversations_collection_id_collections"),
        "conversations",
        "collections",
        ["collection_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.add_column("ingestion_jobs", sa.Column("batch_id", sa.Uuid(), nullable=True))
    op.add_column(
        "ingestion_jobs",
        sa.Column("generate", sa.Boolean(), nullable=False, server_default="false"),
    )
    op.add_column(
        "ingestion_jobs",
        sa.Column("attempts_before", sa.Integer(), nullable=False, server_default="0"),
    )
    op.add_column(
        "ingestion_jobs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("ingestion_jobs", sa.Column("transcript_id", sa.Uuid(), nullable=True))
    op.add_column(
        "ingestion_jobs",
        sa.Column("service_job", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )
    op.create_index(
        op.f("ix_ingestion_jobs_batch_id"), "ingestion_jobs", ["batch_id"], unique=False
    )
    op.create_index("ix_ingestion_jobs_updated_at", "ingestion_jobs", ["updated_at"], unique=False)
    op.create_foreign_key(
        op.f("fk_ingestion_jobs_transcript_id_transcripts"),
        "ingestion_jobs",
        "transcripts",
        ["transcript_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_foreign_key(
        op.f("fk_ingestion_jobs_batch_id_ingestion_batches"),
        "ingestion_jobs",
        "ingestion_batches",
        ["batch_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.add_column("videos", sa.Column("described_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "videos",
        sa.Column(
            "chapters", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="[]"
        ),
    )
    op.add_column(
        "videos",
        sa.Column(
            "available",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            server_default="[]",
        ),
    )
    for table, column in _FILLED:
        op.alter_column(table, column, server_default=None)
    # Jobs under way go on with the captions that they have.
    op.execute(
        "UPDATE ingestion_jobs SET transcript_id = transcripts.id FROM transcripts"
        " WHERE transcripts.video_id = ingestion_jobs.video_id"
    )


def downgrade() -> None:
    op.drop_column("videos", "available")
    op.drop_column("videos", "chapters")
    op.drop_column("videos", "described_at")
    op.drop_constraint(
        op.f("fk_ingestion_jobs_batch_id_ingestion_batches"), "ingestion_jobs", type_="foreignkey"
    )
    op.drop_constraint(
        op.f("fk_ingestion_jobs_transcript_id_transcripts"), "ingestion_jobs", type_="foreignkey"
    )
    op.drop_index("ix_ingestion_jobs_updated_at", table_name="ingestion_jobs")
    op.drop_index(op.f("ix_ingestion_jobs_batch_id"), table_name="ingestion_jobs")
    op.drop_column("ingestion_jobs", "service_job")
    op.drop_column("ingestion_jobs", "transcript_id")
    op.drop_column("ingestion_jobs", "priority")
    op.drop_column("ingestion_jobs", "attempts_before")
    op.drop_column("ingestion_jobs", "generate")
    op.drop_column("ingestion_jobs", "batch_id")
    op.drop_constraint(
        op.f("fk_conversations_collection_id_collections"), "conversations", type_="foreignkey"
    )
    op.drop_index(op.f("ix_conversations_collection_id"), table_name="conversations")
    op.drop_column("conversations", "collection_id")
    op.drop_index("ix_chunks_words", table_name="chunks", postgresql_using="gin")
    op.drop_index(op.f("ix_service_charges_user_id"), table_name="service_charges")
    op.drop_index(op.f("ix_service_charges_job_id"), table_name="service_charges")
    op.drop_table("service_charges")
    op.drop_index(op.f("ix_collection_videos_video_id"), table_name="collection_videos")
    op.drop_table("collection_videos")
    op.drop_index("ix_ingestion_batches_user_id_created_at", table_name="ingestion_batches")
    op.drop_table("ingestion_batches")
    op.drop_index(
        "uq_collections_user_id_source",
        table_name="collections",
        postgresql_where=sa.text("source_id IS NOT NULL"),
    )
    op.drop_index("uq_collections_user_id_name", table_name="collections")
    op.drop_table("collections")
    op.drop_table("service_states")
    op.drop_table("listings")
