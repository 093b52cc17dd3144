"""YouTube's own captions through youtube-transcript-api, and titles through its oEmbed.

Needs no key. YouTube blocks most addresses of data centres, and home addresses that ask too
much: so one request is under way at a time, and after a block YouTube is left alone for a while.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree.ElementTree import ParseError

import httpx
import requests
from requests.adapters import HTTPAdapter
from youtube_transcript_api import (
    AgeRestricted,
    CouldNotRetrieveTranscript,
    InvalidVideoId,
    NoTranscriptFound,
    PoTokenRequired,
    RequestBlocked,
    Transcript,
    TranscriptList,
    TranscriptsDisabled,
    VideoUnavailable,
    VideoUnplayable,
    YouTubeTranscriptApi,
)

from ingestion.cues import clean
from ingestion.provider import (
    FetchedTranscript,
    Metadata,
    no_captions,
    no_speech,
    provider_down,
    speaks,
)
from ingestion.sources import watch_url
from talker.errors import LoadingFailed, Reason
from talker.sentences import TimedText

OEMBED = "https://www.youtube.com/oembed"
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 30.0
REST_AFTER_BLOCK_S = 600.0

_UNPLAYABLE: tuple[tuple[str, Reason], ...] = (
    ("private", "private"),
    ("members", "members_only"),
    ("join this channel", "members_only"),
    ("confirm your age", "age_restricted"),
    ("age-restricted", "age_restricted"),
    ("premieres", "upcoming"),
    ("will begin", "upcoming"),
    ("live stream recording is not available", "live"),
    ("live event", "live"),
    ("in your country", "blocked"),
    ("blocked it", "blocked"),
)
"""Words in YouTube's English reasons why a video does not play, and what they mean to us."""

_NEXT_STEP: dict[str, str] = {
    "private": "Ask its owner to make it public or unlisted, or upload its captions as a file.",
    "members_only": "Upload its captions as a file if you may see the video.",
    "age_restricted": "Upload its captions as a file.",
    "upcoming": "Add it again once it has been shown.",
    "live": "Add it again once the stream is over and has captions.",
    "removed": "Check the link; a video that was taken down cannot be loaded.",
}


class TimingOutAdapter(HTTPAdapter):
    """requests waits for ever by default."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # requests' own signature spells every option out
        options["timeout"] = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        return super().send(request, **options)


def open_session(proxy: str | None) -> requests.Session:
    session = requests.Session()
    session.mount("https://", TimingOutAdapter())
    if proxy:
        session.proxies = {"http": proxy, "https": proxy}
    return session


class YouTube:
    """`session` makes a requests session for each fetch: they are not safe to share."""

    name = "youtube"

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        session: Callable[[], requests.Session],
        oembed: str = OEMBED,
    ) -> None:
        self._http = http
        self._session = session
        self._oembed = oembed
        self._one_at_a_time = asyncio.Lock()
        self._rest_until = 0.0

    async def transcript(self, youtube_id: str, languages: Sequence[str]) -> FetchedTranscript:
        """Captions in the first of `languages` there is, written ones before recognised ones."""
        async with self._one_at_a_time:
            if time.monotonic() < self._rest_until:
                raise _blocked()
            try:
                return await asyncio.to_thread(self._fetch, youtube_id, languages)
            except LoadingFailed as failure:
                if failure.reason == "blocked" and failure.retry_after_s:
                    self._rest_until = time.monotonic() + failure.retry_after_s
                raise

    async def metadata(self, youtube_id: str) -> Metadata:
        """Title and channel. https://oembed.com; 401 means that embedding is not allowed."""
        try:
            response = await self._http.get(
                self._oembed, params={"format": "json", "url": watch_url(youtube_id)}
            )
            response.raise_for_status()
            body = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise provider_down(f"YouTube does not tell the title of {youtube_id}.") from error
        return Metadata(
            title=clean(str(body.get("title") or "")),
            channel=clean(str(body.get("author_name") or "")) or None,
        )

    def _fetch(self, youtube_id: str, languages: Sequence[str]) -> FetchedTranscript:
        with self._session() as session:
            try:
                listed = YouTubeTranscriptApi(http_client=session).list(youtube_id)
                chosen = _choose(listed, languages)
                if chosen is None:
                    raise no_captions(f"YouTube has no captions for {youtube_id}.")
                fetched = chosen.fetch()
            except CouldNotRetrieveTranscript as error:
                raise _failure(youtube_id, error) from error
            except ParseError as error:
                # An empty answer in place of captions is how YouTube turns programs away.
                raise _blocked() from error
            except requests.RequestException as error:
                raise provider_down(
                    f"YouTube cannot be reached ({type(error).__name__})."
                ) from error
        segments = [
            TimedText(round(piece.start * 1000), round(piece.duration * 1000), words)
            for piece in fetched
            if (words := clean(piece.text))
        ]
        if not segments:
            raise no_speech(youtube_id)
        return FetchedTranscript(
            provider=self.name,
            language=fetched.language_code,
            kind="automatic" if fetched.is_generated else "manual",
            segments=sorted(segments, key=lambda segment: segment.start_ms),
        )


def _choose(listed: TranscriptList, languages: Sequence[str]) -> Transcript | None:
    """Wanted languages in order; else what was recognised, which is the language spoken.

    The list has written captions first, so within a language they win.
    """
    transcripts = list(listed)
    for wanted in languages:
        for transcript in transcripts:
            if speaks(transcript.language_code, wanted):
                return transcript
    spoken = [transcript.language_code for transcript in transcripts if transcript.is_generated]
    for language in spoken:
        for transcript in transcripts:
            if speaks(transcript.language_code, language):
                return transcript
    return transcripts[0] if transcripts else None


def _blocked(detail: str = "YouTube blocks this machine's address.") -> LoadingFailed:
    return LoadingFailed(
        "blocked",
        detail,
        "Set SUPADATA_API_KEY, or YOUTUBE_PROXY to a residential proxy, and retry; "
        "or upload the captions as a file.",
        retry_after_s=REST_AFTER_BLOCK_S,
    )


def _failure(youtube_id: str, error: CouldNotRetrieveTranscript) -> LoadingFailed:
    match error:
        case RequestBlocked() | PoTokenRequired():
            return _blocked()
        case TranscriptsDisabled() | NoTranscriptFound():
            return no_captions(f"YouTube has no captions for {youtube_id}.")
        case AgeRestricted():
            return _unplayable(youtube_id, "age_restricted", "it is age-restricted")
        case VideoUnavailable() | InvalidVideoId():
            return _unplayable(youtube_id, "removed", "there is no such video")
        case VideoUnplayable():
            said = " ".join(filter(None, [error.reason, *error.sub_reasons])).strip()
            found = (reason for words, reason in _UNPLAYABLE if words in said.lower())
            reason: Reason = next(found, "removed")
            if reason == "blocked":
                return LoadingFailed(
                    "blocked",
                    f'YouTube does not show {youtube_id} in this country: "{said}".',
                    "Set YOUTUBE_PROXY to a proxy elsewhere, or upload the captions as a file.",
                )
            return _unplayable(youtube_id, reason, f'YouTube says: "{said[:200]}"')
    return provider_down(f"YouTube did not answer as expected ({type(error).__name__}).")


def _unplayable(youtube_id: str, reason: Reason, why: str) -> LoadingFailed:
    return LoadingFailed(reason, f"{youtube_id} cannot be read: {why}.", _NEXT_STEP[reason])
