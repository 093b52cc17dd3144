"""Many transcripts at once, from a service whose plan has batches: one request, not a hundred.

The jobs wait for their batch off the queue. When it is done each is put there, with what it
brought; what it did not bring, the job asks for itself.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from ingestion.provider import Errand, FetchedTranscript, TranscriptProvider, speaks
from ingestion.queue import put_on_queue
from ingestion.rows import store_transcript
from talker.errors import LoadingFailed, Reason, VideoNotFound
from talker.models import IngestionJob, ServiceCharge, ServiceState, Video, now
from talker.resources import Resources

log = logging.getLogger(__name__)

POLL_S, LONGEST_S = 2.0, 1800.0
ASK_AGAIN = timedelta(days=1)
"""How long a plan without batches is not asked for them again."""

PLAIN: tuple[Reason, ...] = ("no_captions", "no_speech", "removed")
"""What a batch says of a video as well as a request of its own, which may cost a credit, would.
Other refusals it gives in a word only, so the job asks, for nothing, for the sentence."""

Brought = FetchedTranscript | LoadingFailed


@runtime_checkable
class BatchProvider(Protocol):
    """A service that fetches many transcripts in one job of its own."""

    name: str

    async def start_batch(
        self, youtube_ids: Sequence[str], language: str | None, errand: Errand
    ) -> str | None:
        """The job's id there; None where the plan has no batches."""

    async def batch_results(self, job_id: str, errand: Errand) -> Mapping[str, Brought] | None:
        """By YouTube's ids; None while it is not done."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A job that waits for its batch."""

    id: UUID
    user_id: UUID
    youtube_id: str
    languages: Sequence[str]
    batch: str | None


async def fetch_many(
    job_ids: Sequence[UUID], *, resources: Resources, providers: Sequence[TranscriptProvider]
) -> None:
    """Fetch what a batch brings, then put the jobs on the queue, whatever came of it."""
    waiting = await _waiting(resources, job_ids)
    service = batching(providers)
    if waiting and service is not None:
        try:
            await _fetch(resources, service, waiting)
        except LoadingFailed as failure:
            log.info("no batch", extra={"reason": failure.reason})
    async with resources.sessions.begin() as session:
        queued = IngestionJob.id.in_(job_ids), IngestionJob.status == "queued"
        await put_on_queue(
            session, (await session.scalars(select(IngestionJob).where(*queued))).all()
        )


def batching(providers: Sequence[TranscriptProvider]) -> BatchProvider | None:
    """The service that is asked first, if it has batches."""
    first = next(iter(providers), None)
    return first if isinstance(first, BatchProvider) else None


async def _waiting(resources: Resources, job_ids: Sequence[UUID]) -> list[_Waiting]:
    async with resources.sessions() as session:
        rows = await session.execute(
            select(IngestionJob, Video.youtube_id)
            .join(Video, Video.id == IngestionJob.video_id)
            .where(
                IngestionJob.id.in_(job_ids),
                IngestionJob.status == "queued",
                IngestionJob.transcript_id.is_(None),
            )
        )
        return [
            _Waiting(
                job.id,
                job.user_id,
                youtube_id,
                [part.strip() for part in (job.language or "").split(",") if part.strip()],
                (job.service_job or {}).get("batch"),
            )
            for job, youtube_id in rows
            if youtube_id
        ]


async def _fetch(resources: Resources, service: BatchProvider, waiting: list[_Waiting]) -> None:
    errand = _BatchErrand(resources.sessions, waiting)
    batch_id = next((one.batch for one in waiting if one.batch), None)
    if batch_id is None:
        batch_id = await _start(resources, service, waiting, errand)
    if batch_id is None:
        return
    results = await _results(service, batch_id, errand)
    for one in waiting:
        brought = results.get(one.youtube_id)
        if isinstance(brought, FetchedTranscript) and _serves(brought, one.languages):
            await _store(resources, one, brought)
        else:
            await _remember(resources, [one.id], _failure(service, brought))


async def _start(
    resources: Resources, service: BatchProvider, waiting: list[_Waiting], errand: Errand
) -> str | None:
    async with resources.sessions() as session:
        state = await session.get(ServiceState, service.name)
    if state is not None and state.batches_from is not None and state.batches_from > now():
        return None
    language = next((language for one in waiting for language in one.languages), None)
    batch_id = await service.start_batch([one.youtube_id for one in waiting], language, errand)
    if batch_id is None:
        await _no_batches(resources.sessions, service.name)
        return None
    job = {"provider": service.name, "batch": batch_id}
    await _remember(resources, [one.id for one in waiting], job)
    return batch_id


async def _results(service: BatchProvider, batch_id: str, errand: Errand) -> Mapping[str, Brought]:
    """What a batch brought; nothing of one that takes too long."""
    for _ in range(int(LONGEST_S / POLL_S)):
        results = await service.batch_results(batch_id, errand)
        if results is not None:
            return results
        await asyncio.sleep(POLL_S)
    return {}


def _serves(brought: FetchedTranscript, languages: Sequence[str]) -> bool:
    """Whether no language that is wanted more is to be had: a batch asks for one alone."""
    for wanted in languages:
        if speaks(brought.language, wanted):
            return True
        if any(speaks(captions.language, wanted) for captions in brought.available):
            return False
    return True


def _failure(service: BatchProvider, brought: Brought | None) -> dict[str, Any] | None:
    """For the job to take as the service's answer; None lets it ask."""
    if not isinstance(brought, LoadingFailed) or brought.reason not in PLAIN:
        return None
    return {"provider": service.name, "failure": brought.as_json()}


async def _store(resources: Resources, one: _Waiting, brought: FetchedTranscript) -> None:
    try:
        await store_transcript(resources.sessions, one.id, brought)
    except VideoNotFound:
        log.info("video removed while it was fetched", extra={"job_id": str(one.id)})


async def _remember(
    resources: Resources, job_ids: Collection[UUID], job: dict[str, Any] | None
) -> None:
    async with resources.sessions.begin() as session:
        await session.execute(
            update(IngestionJob).where(IngestionJob.id.in_(job_ids)).values(service_job=job)
        )


async def _no_batches(sessions: async_sessionmaker[AsyncSession], service: str) -> None:
    until = {"batches_from": now() + ASK_AGAIN}
    async with sessions.begin() as session:
        await session.execute(
            insert(ServiceState)
            .values(service=service, **until)
            .on_conflict_do_update(index_elements=["service"], set_=until)
        )


class _BatchErrand:
    """Charges a batch to its jobs, a credit each, and what is over to the person."""

    service_job: Mapping[str, Any] | None = None

    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], waiting: Sequence[_Waiting]
    ) -> None:
        self._sessions = sessions
        self._waiting = waiting

    async def charge(self, service: str, request: str, amount: int) -> None:
        each, over = divmod(amount, len(self._waiting))
        by_job = [(one.user_id, one.id, each) for one in self._waiting if each]
        shares = [*by_job, (self._waiting[0].user_id, None, over)]
        async with self._sessions.begin() as session:
            session.add_all(
                ServiceCharge(
                    user_id=user_id, job_id=job_id, service=service, request=request, credits=share
                )
                for user_id, job_id, share in shares
                if share
            )
            await session.execute(
                update(IngestionJob)
                .where(IngestionJob.id.in_([job_id for _, job_id, _ in by_job]))
                .values(credits=IngestionJob.credits + each)
            )

    async def remember(self, service_job: Mapping[str, Any] | None) -> None:
        """Nothing: the batch's id is written to each of its jobs."""
