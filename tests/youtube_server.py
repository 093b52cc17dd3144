"""What youtube-transcript-api and yt-dlp ask of YouTube, and how YouTube answers them."""

from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ingestion.youtube import TimingOutAdapter
from tests.youtube_pages import YouTubeList, continued, page, whole_playlist

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
    duration_s: int = 60
    description: str = ""


class YouTubeServer:
    def __init__(self) -> None:
        self.videos: dict[str, YouTubeVideo] = {}
        self.lists: dict[str, YouTubeList] = {}
        """By a playlist's id, or a channel's path such as `@handle` or `channel/UC…`."""
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
                Route("/playlist", self._playlist),
                Route("/youtubei/v1/browse", self._browse, methods=["POST"]),
                Route("/youtubei/v1/navigation/resolve_url", self._resolve, methods=["POST"]),
                Route("/{channel:path}", self._channel),
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
        body: dict[str, Any] = {
            "playabilityStatus": {"status": "OK"},
            "videoDetails": {
                "videoId": youtube_id,
                "title": video.title,
                "author": video.channel,
                "lengthSeconds": str(video.duration_s),
                "shortDescription": video.description,
            },
        }
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

    async def _playlist(self, request: Request) -> Response:
        self.requests.append("playlist")
        return self._page(request.query_params["list"], "playlist")

    async def _channel(self, request: Request) -> Response:
        self.requests.append("channel")
        path, _, tab = request.path_params["channel"].rpartition("/")
        return self._page(path, tab)

    def _page(self, key: str, tab: str) -> Response:
        if self.blocking:
            return PlainTextResponse("Too many requests", 429)
        if self.broken:
            return PlainTextResponse("Oh no", 503)
        if key in self.lists:
            return HTMLResponse(page(key, self.lists[key], tab))
        if tab == "playlist":
            return HTMLResponse(page(key, YouTubeList(alert="The playlist does not exist."), tab))
        return PlainTextResponse("Not Found", 404)

    async def _browse(self, request: Request) -> Response:
        self.requests.append("browse")
        if self.blocking:
            return PlainTextResponse("Too many requests", 429)
        body = await request.json()
        if "continuation" in body:
            key, tab, start = body["continuation"].split("|")
            return JSONResponse(continued(key, self.lists[key], tab, int(start)))
        key = body["browseId"].removeprefix("VL")
        return JSONResponse(whole_playlist(key, self.lists[key]))

    async def _resolve(self, _: Request) -> Response:
        """Where yt-dlp turns when a page cannot be had; the pages here are all there is."""
        if self.blocking or self.broken:
            return PlainTextResponse("Oh no", 429 if self.blocking else 503)
        error = {"code": 404, "message": "Requested entity was not found."}
        return JSONResponse({"error": error}, 404)


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
