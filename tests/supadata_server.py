"""Supadata's API as documented (https://docs.supadata.ai), with the faults it is known for."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY = "sd_test_key"

ERRORS = {
    206: "transcript-unavailable",
    400: "invalid-request",
    401: "unauthorized",
    402: "upgrade-required",
    403: "forbidden",
    404: "not-found",
    429: "limit-exceeded",
    500: "internal-error",
}

Line = tuple[int, int, str]
"""offset_ms, duration_ms, text"""


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def refused(status: int, details: str = "", **headers: str) -> Answer:
    """An error in its documented form."""
    name = ERRORS[status]
    body = {"error": name, "message": name, "details": details, "documentationUrl": ""}
    return Answer(status, body, headers)


@dataclass
class SupadataVideo:
    """Captions by language; the first language is the default."""

    captions: Mapping[str, Sequence[Line]] = field(default_factory=dict)
    title: str = "A talk"
    channel: str = "A channel"
    duration_s: float = 60
    published_at: str = "2024-05-01T10:00:00Z"
    polls: int = 0
    """Above 0 the transcript is a job (202) that is done after so many polls."""
    description: str = ""
    spoken: tuple[str, Sequence[Line]] | None = None
    """What generation makes of the sound, with its language."""
    fault: Answer | None = None
    """Given whenever the video is asked for."""


@dataclass
class SupadataList:
    """A playlist or channel, under the id by which it is asked for."""

    title: str
    videos: Sequence[str] = ()
    shorts: Sequence[str] = ()
    lives: Sequence[str] = ()
    fault: Answer | None = None


@dataclass
class _Job:
    """`result` is given after so many `polls`."""

    result: Mapping[str, Any]
    polls: int


class SupadataServer:
    def __init__(self) -> None:
        self.videos: dict[str, SupadataVideo] = {}
        self.lists: dict[str, SupadataList] = {}
        self.next_answers: list[Answer] = []
        """Given in order, instead of the real answers."""
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.counts: Counter[str] = Counter()
        """Requests by path, without the ids of jobs."""
        self.asked: Counter[str] = Counter()
        """Requests for a transcript by video, polls not counted."""
        self.billed = 0
        self.delay_s = 0.0
        self.limit_until = 0.0
        """Until then (on the monotonic clock) everything is answered by 429 with Retry-After."""
        self.longest_wait_s = math.inf
        """The most that Retry-After says; a limit that lasts longer is met again."""
        self.arrived_at: list[float] = []
        self.limited_at: list[tuple[float, int]] = []
        """When requests came, and when 429 was answered, with what Retry-After it said."""
        self.plan_has_batches = True
        self.batch_polls = 0
        self.account = {"plan": "Pro", "maxCredits": 100_000, "usedCredits": 0}
        self.jobs: dict[str, _Job] = {}
        """A server that loses its jobs has this cleared."""

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/transcript", self._transcript),
                Route("/v1/transcript/{job_id}", self._job),
                Route("/v1/metadata", self._metadata),
                Route("/v1/me", self._me),
                Route("/v1/youtube/transcript/batch", self._start_batch, methods=["POST"]),
                Route("/v1/youtube/batch/{job_id}", self._job),
                Route("/v1/youtube/{kind}", self._list),
                Route("/v1/youtube/{kind}/videos", self._listed),
            ]
        )

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]

    async def _transcript(self, request: Request) -> Response:
        if refusal := await self._refusal(request):
            return refusal
        youtube_id = _youtube_id(request)
        self.asked[youtube_id] += 1
        video = self.videos.get(youtube_id)
        if video is None:
            return self._say(_NOT_FOUND)
        if video.fault is not None:
            return self._say(video.fault)
        if request.query_params["mode"] == "generate":
            return self._generated(video)
        assert request.query_params["mode"] == "native"
        if not video.captions:
            return self._say(refused(206, "No transcript is available for this video"))
        language = request.query_params.get("lang", "")
        return self._give(video, _body(video, language), cost=1)

    def _generated(self, video: SupadataVideo) -> Response:
        if video.spoken is None:
            return self._say(refused(206, "No transcript is available for this video"))
        language, lines = video.spoken
        body = {"content": _content(lines, language), "lang": language, "availableLangs": []}
        return self._give(video, body, cost=2 * math.ceil(video.duration_s / 60))

    def _give(self, video: SupadataVideo, body: Mapping[str, Any], cost: int) -> Response:
        if not video.polls:
            return self._bill(body, cost)
        return self._bill({"jobId": self._new_job(body, video.polls)}, cost, 202)

    def _new_job(self, result: Mapping[str, Any], polls: int) -> str:
        job_id = f"job-{len(self.jobs)}"
        self.jobs[job_id] = _Job({"status": "completed", **result}, polls)
        return job_id

    def finish_jobs(self) -> None:
        """Let every job be done at the next poll."""
        for job in self.jobs.values():
            job.polls = 0

    async def _job(self, request: Request) -> Response:
        if refusal := await self._refusal(request, free=True):
            return refusal
        job = self.jobs.get(request.path_params["job_id"])
        if job is None:
            return self._say(_NOT_FOUND)
        if job.polls:
            job.polls -= 1
            return JSONResponse({"status": "active", "results": [], "stats": {}})
        return JSONResponse(job.result)

    async def _metadata(self, request: Request) -> Response:
        if refusal := await self._refusal(request):
            return refusal
        video = self.videos.get(_youtube_id(request))
        if video is None:
            return self._say(_NOT_FOUND)
        if video.fault is not None and video.fault.status in (403, 404):
            return self._say(video.fault)
        return self._bill(
            {
                "platform": "youtube",
                "type": "video",
                "title": video.title,
                "description": video.description,
                "author": {"displayName": video.channel},
                "media": {"type": "video", "duration": video.duration_s},
                "createdAt": video.published_at,
                "stats": {"views": None},
            }
        )

    async def _list(self, request: Request) -> Response:
        found = await self._asked_list(request)
        if isinstance(found, Response):
            return found
        if request.path_params["kind"] == "channel":
            return self._bill({"id": "UC", "name": found.title, "subscriberCount": 3})
        count = len(found.videos)
        return self._bill({"id": "PL", "title": found.title, "videoCount": count})

    async def _listed(self, request: Request) -> Response:
        found = await self._asked_list(request)
        if isinstance(found, Response):
            return found
        left = int(request.query_params["limit"])
        assert 1 <= left <= 5000
        body: dict[str, list[str]] = {}
        groups = {"videoIds": found.videos, "shortIds": found.shorts, "liveIds": found.lives}
        for name, ids in groups.items():
            body[name] = list(ids[:left])
            left -= len(body[name])
        return self._bill(body)

    async def _asked_list(self, request: Request) -> SupadataList | Response:
        if refusal := await self._refusal(request):
            return refusal
        found = self.lists.get(request.query_params["id"])
        if found is None:
            return self._say(_NOT_FOUND)
        return self._say(found.fault) if found.fault else found

    async def _start_batch(self, request: Request) -> Response:
        if refusal := await self._refusal(request):
            return refusal
        if not self.plan_has_batches:
            return self._say(refused(402, "This feature is not available on your current plan."))
        body = await request.json()
        results = [self._batch_item(found, body.get("lang", "")) for found in body["videoIds"]]
        job_id = self._new_job({"results": results, "stats": {}}, self.batch_polls)
        return self._bill({"jobId": job_id}, 1 + len(results))

    def _batch_item(self, youtube_id: str, language: str) -> dict[str, Any]:
        self.asked[youtube_id] += 1
        video = self.videos.get(youtube_id)
        if video is None:
            return {"videoId": youtube_id, "errorCode": ERRORS[404]}
        if video.fault is not None:
            return {"videoId": youtube_id, "errorCode": ERRORS[video.fault.status]}
        if not video.captions:
            return {"videoId": youtube_id, "errorCode": ERRORS[206]}
        return {"videoId": youtube_id, "transcript": _body(video, language), "errorCode": None}

    async def _me(self, _: Request) -> Response:
        self.counts["/v1/me"] += 1
        return JSONResponse(self.account)

    async def _refusal(self, request: Request, *, free: bool = False) -> Response | None:
        """Notes the request, takes its time, and refuses what must be refused."""
        path = request.url.path
        self.requests.append((path, dict(request.query_params)))
        self.arrived_at.append(time.monotonic())
        self.counts[path.rpartition("/")[0] if free else path] += 1
        if self.delay_s and not free:
            await asyncio.sleep(self.delay_s)
        if self.next_answers:
            return self._say(self.next_answers.pop(0))
        left_s = self.limit_until - time.monotonic()
        if left_s > 0:
            wait_s = math.ceil(min(left_s, self.longest_wait_s))
            self.limited_at.append((time.monotonic(), wait_s))
            wait = {"retry-after": str(wait_s)}
            return self._say(refused(429, "Rate limit exceeded", **wait))
        if request.headers.get("x-api-key") != KEY:
            return self._say(refused(401, "Invalid API key"))
        return None

    def _say(self, answer: Answer) -> Response:
        if answer.status == 206:
            return self._bill(answer.body, 1, 206)
        self.billed += int(answer.headers.get("x-billable-requests", 0))
        return JSONResponse(answer.body, answer.status, dict(answer.headers))

    def _bill(self, body: Any, cost: int = 1, status: int = 200) -> Response:
        self.billed += cost
        return JSONResponse(body, status, {"x-billable-requests": str(cost)})


_NOT_FOUND = refused(404, "The requested item could not be found")


def _youtube_id(request: Request) -> str:
    return request.query_params["url"].removeprefix("https://www.youtube.com/watch?v=")


def _body(video: SupadataVideo, language: str) -> dict[str, Any]:
    if language not in video.captions:
        language = next(iter(video.captions))
    return {
        "content": _content(video.captions[language], language),
        "lang": language,
        "availableLangs": list(video.captions),
    }


def _content(lines: Sequence[Line], language: str) -> list[dict[str, Any]]:
    return [
        {"text": text, "offset": offset, "duration": duration, "lang": language}
        for offset, duration, text in lines
    ]
