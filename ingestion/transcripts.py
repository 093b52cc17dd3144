"""Where transcripts come from: the services that are set up, asked in order."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import httpx

from ingestion.provider import FetchedTranscript, Metadata, TranscriptProvider
from ingestion.supadata import Supadata
from ingestion.youtube import YouTube, open_session
from talker.errors import LoadingFailed
from talker.settings import Settings

log = logging.getLogger(__name__)

NOT_THE_VIDEOS_FAULT = {
    "blocked",
    "provider_down",
    "quota",
    "unauthorised",
    "no_captions",
    "no_speech",
}
"""Failures after which the next service is asked: it may be reached where this one is not, and
find captions that this one does not know. What is said of the video itself (private, removed,
live, ...) holds everywhere and ends the search."""


@asynccontextmanager
async def open_providers(settings: Settings) -> AsyncIterator[list[TranscriptProvider]]:
    """The services of TRANSCRIPT_PROVIDERS in order; one without its key is passed over."""
    key = settings.supadata_api_key
    proxy = settings.youtube_proxy.get_secret_value() if settings.youtube_proxy else None
    async with (
        httpx.AsyncClient(
            base_url=settings.supadata_base_url,
            headers={"x-api-key": key.get_secret_value()} if key else {},
            timeout=httpx.Timeout(90, connect=10),
        ) as supadata,
        httpx.AsyncClient(proxy=proxy, timeout=20, follow_redirects=True) as web,
    ):
        known: dict[str, TranscriptProvider] = {
            "youtube": YouTube(web, session=partial(open_session, proxy))
        }
        if key:
            known["supadata"] = Supadata(supadata)
        yield [known[name] for name in settings.transcript_providers if name in known]


async def fetch(
    providers: Sequence[TranscriptProvider], youtube_id: str, languages: Sequence[str]
) -> FetchedTranscript:
    """The transcript from the first service that has it.

    Raises LoadingFailed: the first service's failure, with what the others said beside it, since
    the person chose the order and can mend the first one first.
    """
    failures: list[tuple[str, LoadingFailed]] = []
    for provider in providers:
        try:
            return await provider.transcript(youtube_id, languages)
        except LoadingFailed as failure:
            log.info("no transcript", extra={"provider": provider.name, "reason": failure.reason})
            if failure.reason not in NOT_THE_VIDEOS_FAULT:
                raise
            failures.append((provider.name, failure))
    raise _joined(failures)


async def describe(providers: Sequence[TranscriptProvider], youtube_id: str) -> Metadata:
    """Title, channel and length from the first service that tells; a video is loaded without."""
    for provider in providers:
        try:
            found = await provider.metadata(youtube_id)
        except LoadingFailed as failure:
            log.info("no metadata", extra={"provider": provider.name, "reason": failure.reason})
            continue
        if found.title:
            return found
    return Metadata(title=f"YouTube video {youtube_id}")


def _joined(failures: Sequence[tuple[str, LoadingFailed]]) -> LoadingFailed:
    if not failures:
        return LoadingFailed(
            "unauthorised",
            "No transcript service is set up.",
            "Set SUPADATA_API_KEY, or put youtube into TRANSCRIPT_PROVIDERS, then retry.",
        )
    details = list(dict.fromkeys(failure.detail for _, failure in failures))
    first = failures[0][1]
    return LoadingFailed(
        first.reason, " ".join(details), first.next_step, retry_after_s=first.retry_after_s
    )
