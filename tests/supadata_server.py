"""Supadata's API as documented (https://docs.supadata.ai), with the faults it is known for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "sd_test_key"


@dataclass
class SupadataVideo:
    """Captions by language: (offset_ms, duration_ms, text); the first language is the default."""

    captions: Mapping[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    title: str = "A talk"
    channel: str = "A channel"
    duration_s: float = 60
    published_at: str = "2024-05-01T10:00:00Z"
    polls: int = 0
    """Above 0 the transcript is a job (202) that is done after so many polls."""


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class SupadataServer:
    def __init__(self) -> None:
        self.videos: dict[str, SupadataVideo] = {}
        self.next_answers: list[Answer] = []
        """Given in order, instead of the real answers."""
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._jobs: dict[str, tuple[SupadataVideo, str, int]] = {}

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/transcript", self._transcript),
                Route("/v1/transcript/{job_id}", self._job),
                Route("/v1/metadata", self._metadata),
            ]
        )

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    async def _transcript(self, request: Request) -> Response:
        video = self._video(request)
        if isinstance(video, Response):
            return video
        assert request.query_params["mode"] == "native"
        if not video.captions:
            return _error(206, "transcript-unavailable", "No transcript is available")
        language = request.query_params.get("lang", "")
        if language not in video.captions:
            language = next(iter(video.captions))
        if video.polls:
            job_id = f"job-{len(self._jobs)}"
            self._jobs[job_id] = (video, language, video.polls)
            return _billed({"jobId": job_id}, 202)
        return _billed(_body(video, language))

    async def _job(self, request: Request) -> Response:
        self.requests.append((request.url.path, dict(request.query_params)))
        if self.next_answers:
            return self._next_answer()
        job_id = request.path_params["job_id"]
        if job_id not in self._jobs:
            return _error(404, "not-found", "The requested item could not be found")
        video, language, polls = self._jobs[job_id]
        if polls:
            self._jobs[job_id] = (video, language, polls - 1)
            return JSONResponse({"status": "active"})
        return JSONResponse({"status": "completed", **_body(video, language)})

    async def _metadata(self, request: Request) -> Response:
        video = self._video(request)
        if isinstance(video, Response):
            return video
        return _billed(
            {
                "platform": "youtube",
                "type": "video",
                "title": video.title,
                "author": {"displayName": video.channel},
                "media": {"type": "video", "duration": video.duration_s},
                "createdAt": video.published_at,
                "stats": {"views": None},
            }
        )

    def _next_answer(self) -> Response:
        answer = self.next_answers.pop(0)
        return JSONResponse(answer.body, answer.status, dict(answer.headers))

    def _video(self, request: Request) -> SupadataVideo | Response:
        self.requests.append((request.url.path, dict(request.query_params)))
        if self.next_answers:
            return self._next_answer()
        if request.headers.get("x-api-key") != KEY:
            return _error(401, "unauthorized", "Invalid API key")
        youtube_id = request.query_params["url"].removeprefix("https://www.youtube.com/watch?v=")
        video = self.videos.get(youtube_id)
        return video or _error(404, "not-found", "The requested item could not be found")


def _body(video: SupadataVideo, language: str) -> dict[str, Any]:
    return {
        "content": [
            {"text": text, "offset": offset, "duration": duration, "lang": language}
            for offset, duration, text in video.captions[language]
        ],
        "lang": language,
        "availableLangs": list(video.captions),
    }


def _billed(body: Any, status: int = 200) -> Response:
    return JSONResponse(body, status, {"x-billable-requests": "1"})


def _error(status: int, name: str, details: str) -> Response:
    body = {"error": name, "message": name, "details": details, "documentationUrl": ""}
    return JSONResponse(body, status)
