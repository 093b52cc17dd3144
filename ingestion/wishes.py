"""What a person wishes when adding videos, what became of it, and whether it is fulfilled already;
pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from ingestion.failures import SERVICE_REASONS
from ingestion.provider import speaks
from talker.errors import LoadingFailed
from talker.models import IngestionJob, Video, now

FAILURE_KEPT = timedelta(days=1)
"""What failed is not tried again for being added again, within this time: `retry` does that."""
SERVICE_FAILURE_KEPT = timedelta(minutes=10)
"""The same where the service was at fault, not the video."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a person wants videos loaded.

    `language` is a comma-separated list of the captions' languages in order of preference;
    `collection` names one to put the videos in, besides a playlist's or channel's own.
    """

    language: str | None = None
    generate: bool = False
    collection: str | None = None
    collection_id: UUID | None = None
    subscribe: bool = False

    @property
    def languages(self) -> list[str]:
        return [part.strip() for part in (self.language or "").split(",") if part.strip()]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one source; `status` is the video's, `failed` for a source that is none.

    A playlist or channel has no video and no job of its own: `videos` are what it holds,
    `collection_id` where they are, and its status is `queued` until all are ready or failed; a
    `failure` beside them says why some were left out.
    """

    source: str
    video_id: UUID | None
    job_id: UUID | None
    status: str
    failure: dict[str, Any] | None = None
    title: str | None = None
    collection_id: UUID | None = None
    videos: Sequence["Added"] = field(default=(), repr=False)

    @property
    def is_list(self) -> bool:
        """Whether it stands for its `videos`, be there any or none."""
        return self.collection_id is not None

    @classmethod
    def refused(cls, source: str, failure: LoadingFailed) -> "Added":
        return cls(source, None, None, "failed", failure.as_json())


def lacks(video: Video, loaded: Collection[str], wishes: Wishes) -> bool:
    """Whether captions that a person prefers are to be had and not loaded.

    Of a video whose captions nobody listed, they may be.
    """
    if video.owner_id is not None:
        return False
    known = [str(captions["language"]) for captions in video.available]
    for wanted in wishes.languages:
        if any(speaks(language, wanted) for language in loaded):
            return False
        if any(speaks(language, wanted) for language in known):
            return True
    return bool(wishes.languages) and not known


def failed_lately(job: IngestionJob, wishes: Wishes) -> bool:
    """Whether the same wish failed so short a while ago that it would fail again."""
    if job.status != "failed" or (wishes.generate and not job.generate):
        return False
    if wishes.language and wishes.language != job.language:
        return False
    of_service = (job.failure or {}).get("reason") in SERVICE_REASONS
    return job.updated_at > now() - (SERVICE_FAILURE_KEPT if of_service else FAILURE_KEPT)
