"""Where transcripts come from: the services that are set up, asked in order."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import httpx

from ingestion.provider import (
    Busy,
    Errand,
    FetchedTranscript,
    Gate,
    Listing,
    Metadata,
    Resting,
    TranscriptProvider,
    Wanted,
)
from ingestion.supadata import Supadata
from ingestion.youtube import YouTube, open_session
from talker.errors import LoadingFailed
from talker.settings import Settings
from talker.sources import ListSource
from talker.tls import tls

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

NOT_THE_LISTS_FAULT = {"blocked", "provider_down", "quota", "unauthorised", "not_a_video"}
"""The same for playlists and channels, of which a service may not know every form of address."""

REST_S = 5.0
"""How long a job waits for services that do not say how long."""


@asynccontextmanager
async def open_providers(
    settings: Settings, gates: Callable[[str], Gate]
) -> AsyncIterator[list[TranscriptProvider]]:
    """The services of TRANSCRIPT_PROVIDERS in order; one without its key is passed over.

    `gates` gives the gate of a service by its name.
    """
    key = settings.supadata_api_key
    proxy = settings.youtube_proxy.get_secret_value() if settings.youtube_proxy else None
    async with (
        httpx.AsyncClient(
            base_url=settings.supadata_base_url,
            headers={"x-api-key": key.get_secret_value()} if key else {},
            timeout=httpx.Timeout(90, connect=10),
            verify=tls(),
        ) as supadata,
        httpx.AsyncClient(proxy=proxy, timeout=20, follow_redirects=True, verify=tls()) as web,
    ):
        known: dict[str, TranscriptProvider] = {
            "youtube": YouTube(
                web, gates("youtube"), session=partial(open_session, proxy), proxy=proxy
            )
        }
        if key:
            known["supadata"] = Supadata(supadata, gates("supadata"))
        yield [known[name] for name in settings.transcript_providers if name in known]


async def fetch(
    providers: Sequence[TranscriptProvider], wanted: Wanted, errand: Errand
) -> FetchedTranscript:
    """The transcript from the first service that has it.

    Raises LoadingFailed: the first service's failure, with what the others said beside it, since
    the person chose the order and can mend the first one first. It is Resting where nothing else
    is to be done than to wait.
    """
    failures: list[LoadingFailed] = []
    for provider in providers:
        try:
            return await provider.transcript(wanted, errand)
        except LoadingFailed as failure:
            log.info("no transcript", extra={"provider": provider.name, "reason": failure.reason})
            if failure.reason not in NOT_THE_VIDEOS_FAULT:
                raise
            failures.append(failure)
    raise _joined(failures)


async def describe(
    providers: Sequence[TranscriptProvider], youtube_id: str, errand: Errand
) -> Metadata | None:
    """What the first service that tells says of a video; None when none does."""
    for provider in providers:
        try:
            found = await provider.metadata(youtube_id, errand)
        except LoadingFailed as failure:
            log.info("no metadata", extra={"provider": provider.name, "reason": failure.reason})
            continue
        if found.title:
            return found
    return None


async def list_source(
    providers: Sequence[TranscriptProvider], source: ListSource, limit: int, errand: Errand
) -> Listing:
    """The first `limit` videos of a playlist or channel. Raises LoadingFailed as `fetch` does."""
    failures: list[LoadingFailed] = []
    for provider in providers:
        try:
            return await provider.listing(source, limit, errand)
        except LoadingFailed as failure:
            log.info("no listing", extra={"provider": provider.name, "reason": failure.reason})
            if failure.reason not in NOT_THE_LISTS_FAULT:
                raise
            failures.append(failure)
    raise _joined(failures)


def _joined(failures: Sequence[LoadingFailed]) -> LoadingFailed:
    if not failures:
        return LoadingFailed(
            "unauthorised",
            "No transcript service is set up.",
            "Set SUPADATA_API_KEY, or put youtube into TRANSCRIPT_PROVIDERS, then retry.",
        )
    detail = " ".join(dict.fromkeys(failure.detail for failure in failures))
    waits = _waits(failures)
    if waits:
        said = [wait.retry_after_s for wait in waits if wait.retry_after_s is not None]
        return Resting(waits[0].as_json() | {"detail": detail}, min(said, default=REST_S))
    first = failures[0]
    return LoadingFailed(first.reason, detail, first.next_step, retry_after_s=first.retry_after_s)


def _waits(failures: Sequence[LoadingFailed]) -> list[LoadingFailed]:
    """The services to wait for, if that is all that can be done.

    Beside one that knows of no captions, another that stumbles may soon give them; one that is
    blocked or has no credit left will not.
    """
    waits: list[LoadingFailed] = [
        failure for failure in failures if isinstance(failure, Resting | Busy)
    ]
    others = [failure for failure in failures if not isinstance(failure, Resting | Busy)]
    if not others:
        return waits
    if any(failure.reason not in ("no_captions", "no_speech") for failure in others):
        return []
    return [wait for wait in waits if wait.reason == "provider_down"]
