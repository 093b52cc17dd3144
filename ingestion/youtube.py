"""YouTube's own captions through youtube-transcript-api, titles too, and lists through yt-dlp.

Needs no key. YouTube blocks most addresses of data centres, and home addresses that ask too
much: so a process has one request under way at a time, and the gate closes after a block.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
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
    TranscriptsDisabled,
    VideoUnavailable,
    VideoUnplayable,
    YouTubeTranscriptApi,
)

from ingestion.cues import clean
from ingestion.provider import (
    Captions,
    Errand,
    FetchedTranscript,
    Gate,
    Listing,
    Metadata,
    Wanted,
    no_captions,
    no_speech,
    not_in_language,
    provider_down,
    speaks,
)
from ingestion.youtube_lists import LISTER, blocked, list_videos
from talker.errors import LoadingFailed, Reason
from talker.sentences import TimedText
from talker.sources import ListSource, watch_url

OEMBED = "https://www.youtube.com/oembed"
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 10.0, 30.0
MOST_REMEMBERED = 256

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


Found = TypeVar("Found")


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


class _NotShownHere(LoadingFailed):
    """A video is blocked in this country: its own fault, not one of the service's."""

    def __init__(self, youtube_id: str, said: str) -> None:
        super().__init__(
            "blocked",
            f'YouTube does not show {youtube_id} in this country: "{said}".',
            "Set YOUTUBE_PROXY to a proxy elsewhere, or upload the captions as a file.",
        )


class YouTube:
    """`session` makes a requests session for each fetch: they are not safe to share.

    `lister` is the program that lists playlists and channels, through `proxy`.
    """

    name = "youtube"

    def __init__(
        self,
        http: httpx.AsyncClient,
        gate: Gate,
        *,
        session: Callable[[], requests.Session],
        proxy: str | None = None,
        oembed: str = OEMBED,
        lister: Sequence[str] = LISTER,
    ) -> None:
        self._http = http
        self._gate = gate
        self._session = session
        self._proxy = proxy
        self._oembed = oembed
        self._lister = lister
        self._one_at_a_time = asyncio.Lock()
        self._players: dict[str, Metadata] = {}

    async def transcript(
        self,
        wanted: Wanted,
        errand: Errand,  # noqa: ARG002 - nothing costs here
    ) -> FetchedTranscript:
        """Captions in the first wanted language there is, written before recognised ones."""
        return await self._let_in(lambda: asyncio.to_thread(self._fetch, wanted))

    async def metadata(
        self,
        youtube_id: str,
        errand: Errand,  # noqa: ARG002 - as above
    ) -> Metadata:
        """What the player said when captions were fetched; else title and channel by oEmbed.

        https://oembed.com is made for programs, so the gate does not count it; 401 means that
        embedding is not allowed.
        """
        if known := self._players.get(youtube_id):
            return known
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

    async def listing(
        self,
        source: ListSource,
        limit: int,
        errand: Errand,  # noqa: ARG002 - as above
    ) -> Listing:
        """With titles and lengths; a channel's videos before its streams and shorts."""
        return await self._let_in(
            lambda: list_videos(source, limit, proxy=self._proxy, lister=self._lister)
        )

    async def _let_in(self, call: Callable[[], Awaitable[Found]]) -> Found:
        async with self._one_at_a_time:
            await self._gate.enter()
            try:
                found = await call()
            except asyncio.CancelledError:
                await self._gate.leave()
                raise
            except LoadingFailed as failure:
                of_video = isinstance(failure, _NotShownHere)
                await self._gate.report(None if of_video else failure)
                raise
            await self._gate.report(None)
            return found

    def _fetch(self, wanted: Wanted) -> FetchedTranscript:
        youtube_id = wanted.youtube_id
        with self._session() as session:
            session.hooks["response"].append(self._remember_player)
            try:
                listed = list(YouTubeTranscriptApi(http_client=session).list(youtube_id))
                available = [
                    Captions(there.language_code, "automatic" if there.is_generated else "manual")
                    for there in listed
                ]
                chosen = _choose(listed, wanted, available)
                fetched = chosen.fetch()
            except CouldNotRetrieveTranscript as error:
                raise _failure(youtube_id, error) from error
            except ParseError as error:
                # An empty answer in place of captions is how YouTube turns programs away.
                raise blocked() from error
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
            available=available,
        )

    def _remember_player(self, response: requests.Response, *_: Any, **__: Any) -> None:
        """The player's answer, which captions are found in, has title, length and description."""
        if "/youtubei/v1/player" not in response.url or not response.ok:
            return
        details = _details(response)
        if not details.get("title"):
            return
        seconds = str(details.get("lengthSeconds") or "")
        self._players[str(details.get("videoId"))] = Metadata(
            title=clean(str(details["title"])),
            channel=clean(str(details.get("author") or "")) or None,
            duration_ms=int(seconds) * 1000 if seconds.isdigit() and int(seconds) else None,
            description=str(details.get("shortDescription") or ""),
        )
        while len(self._players) > MOST_REMEMBERED:
            self._players.pop(next(iter(self._players)))


def _details(response: requests.Response) -> dict[str, Any]:
    try:
        details = response.json().get("videoDetails")
    except (ValueError, AttributeError):
        return {}
    return details if isinstance(details, dict) else {}


def _choose(
    listed: Sequence[Transcript], wanted: Wanted, available: Sequence[Captions]
) -> Transcript:
    """Wanted languages in order; else what was recognised, which is the language spoken.

    The list has written captions first, so within a language they win.
    """
    for language in wanted.languages:
        for transcript in listed:
            if speaks(transcript.language_code, language):
                return transcript
    if not listed:
        raise no_captions(f"YouTube has no captions for {wanted.youtube_id}.")
    if wanted.strictly and wanted.languages:
        raise not_in_language(wanted.youtube_id, wanted.languages, available)
    spoken = [transcript.language_code for transcript in listed if transcript.is_generated]
    for language in spoken:
        for transcript in listed:
            if speaks(transcript.language_code, language):
                return transcript
    return listed[0]


def _failure(youtube_id: str, error: CouldNotRetrieveTranscript) -> LoadingFailed:
    match error:
        case RequestBlocked() | PoTokenRequired():
            return blocked()
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
                return _NotShownHere(youtube_id, said)
            return _unplayable(youtube_id, reason, f'YouTube says: "{said[:200]}"')
    return provider_down(f"YouTube did not answer as expected ({type(error).__name__}).")


def _unplayable(youtube_id: str, reason: Reason, why: str) -> LoadingFailed:
    return LoadingFailed(reason, f"{youtube_id} cannot be read: {why}.", _NEXT_STEP[reason])
