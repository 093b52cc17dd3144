"""What youtube-transcript-api asks of YouTube, and how YouTube answers it."""

from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ingestion.youtube import TimingOutAdapter

YOUTUBE = "https://www.youtube.com"


@dataclass
class Track:
    """One caption track; `lines` are (start_s, duration_s, text)."""

    language: str
    lines: list[tuple[float, float, str]]
    recognised: bool = False


@dataclass
class YouTubeVideo:
    tracks: list[Track] = field(default_factory=list)
    title: str = "A talk"
    channel: str = "A channel"
    status: str = "OK"
    reason: str | None = None
    empty_captions: bool = False


class YouTubeServer:
    def __init__(self) -> None:
        self.videos: dict[str, YouTubeVideo] = {}
        self.blocking = False
        self.broken = False
        self.requests: list[str] = []

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/watch", self._watch),
                Route("/youtubei/v1/player", self._player, methods=["POST"]),
                Route("/api/timedtext", self._captions),
                Route("/oembed", self._oembed),
            ]
        )

    async def _watch(self, _: Request) -> Response:
        self.requests.append("watch")
        if self.blocking:
            return PlainTextResponse("Too many requests", 429)
        if self.broken:
            return PlainTextResponse("Oh no", 503)
        return PlainTextResponse('<html>"INNERTUBE_API_KEY": "key"</html>')

    async def _player(self, request: Request) -> Response:
        self.requests.append("player")
        youtube_id = (await request.json())["videoId"]
        video = self.videos.get(youtube_id)
        if video is None:
            return _unplayable("ERROR", "This video is unavailable")
        if video.status != "OK":
            return _unplayable(video.status, video.reason)
        body: dict[str, Any] = {"playabilityStatus": {"status": "OK"}}
        if video.tracks:
            tracks = [_track(youtube_id, number, t) for number, t in enumerate(video.tracks)]
            body["captions"] = {"playerCaptionsTracklistRenderer": {"captionTracks": tracks}}
        return JSONResponse(body)

    async def _captions(self, request: Request) -> Response:
        self.requests.append("timedtext")
        video = self.videos[request.query_params["v"]]
        if video.empty_captions:
            return PlainTextResponse("")
        lines = video.tracks[int(request.query_params["n"])].lines
        texts = "".join(
            f'<text start="{start}" dur="{duration}">{escape(escape(text))}</text>'
            for start, duration, text in lines
        )
        return Response(f"<transcript>{texts}</transcript>", media_type="text/xml")

    async def _oembed(self, request: Request) -> Response:
        self.requests.append("oembed")
        video = self.videos.get(request.query_params["url"].rpartition("=")[2])
        if video is None:
            return PlainTextResponse("Not Found", 404)
        return JSONResponse({"title": video.title, "author_name": video.channel})


class _There(TimingOutAdapter):
    """Sends what is meant for YouTube to the server of the test."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]  # as its base
        assert request.url is not None
        assert request.url.startswith(YOUTUBE)
        request.url = request.url.replace(YOUTUBE, self._url, 1)
        return super().send(request, **options)


def session_to(url: str) -> requests.Session:
    """A session for which the server at `url` is YouTube."""
    session = requests.Session()
    session.mount(YOUTUBE, _There(url))
    return session


def _track(youtube_id: str, number: int, track: Track) -> dict[str, Any]:
    return {
        "baseUrl": f"{YOUTUBE}/api/timedtext?v={youtube_id}&n={number}",
        "languageCode": track.language,
        "name": {"runs": [{"text": track.language}]},
        "isTranslatable": False,
        **({"kind": "asr"} if track.recognised else {}),
    }


def _unplayable(status: str, reason: str | None) -> Response:
    return JSONResponse({"playabilityStatus": {"status": status, "reason": reason}})
