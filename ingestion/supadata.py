"""Supadata's API (https://docs.supadata.ai): transcripts, metadata and lists, by the credit.

What its documentation leaves between the lines: 206 means that there are no captions (and is
charged), 429 means a rate limit or a used-up plan, told apart by `details`, and a language that a
video lacks is silently replaced by the first one it has.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self

import httpx

from ingestion.cues import clean
from ingestion.provider import (
    Captions,
    Errand,
    FetchedTranscript,
    Gate,
    ListedVideo,
    Listing,
    Metadata,
    Wanted,
    no_captions,
    not_in_language,
    provider_down,
    speaks,
)
from ingestion.supadata_answers import (
    NAME,
    ListMetadata,
    Transcript,
    VideoIds,
    VideoMetadata,
    batch_of,
    read,
    transcript_of,
)
from ingestion.supadata_calls import POLL_S, Calls
from ingestion.supadata_refusals import Refusal, about_batch, about_list, about_video, json_of
from talker.errors import LoadingFailed
from talker.sources import ListSource, is_youtube_id, watch_url

log = logging.getLogger(__name__)

MOST_LISTED = 5000
LONGEST_PAUSE_S = 5.0
LONGEST_POLL_S = 1800.0

Mode = Literal["native", "generate"]


@dataclass(frozen=True, slots=True)
class _Job:
    """A transcript that Supadata is making: its answer 202."""

    id: str
    mode: Mode
    language: str | None

    @classmethod
    def left_by(cls, errand: Errand) -> Self | None:
        left = errand.service_job
        if left is None or left.get("provider") != NAME or not isinstance(left.get("id"), str):
            return None
        mode: Mode = "generate" if left.get("mode") == "generate" else "native"
        return cls(left["id"], mode, left.get("language"))

    def as_json(self) -> dict[str, Any]:
        return {"provider": NAME, "id": self.id, "mode": self.mode, "language": self.language}


class _JobLost(LoadingFailed):
    """Supadata keeps a result for an hour."""

    def __init__(self) -> None:
        super().__init__(
            "provider_down",
            "Supadata lost the transcript it was making.",
            "It is tried again by itself; if it keeps failing, retry later.",
        )


class Supadata:
    """`http` carries the base URL and the key; `wait_s` scales the waits between tries."""

    name = NAME

    def __init__(self, http: httpx.AsyncClient, gate: Gate, *, wait_s: float = 1.0) -> None:
        self._calls = Calls(http, gate, wait_s)

    async def transcript(self, wanted: Wanted, errand: Errand) -> FetchedTranscript:
        """The captions that exist; only where there are none, and they are wanted, generated ones.

        A job that an earlier call left at Supadata is asked for first: making it anew would be
        paid for again. The caller has it forgotten once the transcript is stored.
        """
        if await _lacks_captions(errand, wanted):
            return await self._generated(wanted, errand, None)
        left = _Job.left_by(errand)
        if left is None or left.mode == "native":
            found = await self._existing(wanted, errand, left)
            if found is not None:
                return found
            left = None
            if not wanted.generate:
                raise no_captions(f"YouTube has no captions for {wanted.youtube_id}.")
        return await self._generated(wanted, errand, left)

    async def metadata(self, youtube_id: str, errand: Errand) -> Metadata:
        response = await self._calls.get(
            "/metadata", {"url": watch_url(youtube_id)}, errand, partial(about_video, youtube_id)
        )
        found = read(VideoMetadata, json_of(response))
        duration_s = found.media.duration if found.media else None
        return Metadata(
            title=clean(found.title or ""),
            channel=(clean(found.author.displayName or "") or None) if found.author else None,
            duration_ms=round(duration_s * 1000) if duration_s else None,
            published_at=found.createdAt,
            description=found.description or "",
        )

    async def listing(self, source: ListSource, limit: int, errand: Errand) -> Listing:
        """Ids alone, for two credits; a channel's videos before its streams and shorts."""
        explain = partial(about_list, source)
        if source.id.startswith("user/"):
            raise explain(Refusal(400, "User profile links are not supported"))
        path = f"/youtube/{source.kind}"
        params = {"id": source.url if "/" in source.id else source.id}
        described = await self._calls.get(path, params, errand, explain)
        most = {"limit": str(min(limit, MOST_LISTED))}
        listed = await self._calls.get(f"{path}/videos", params | most, errand, explain)
        about = read(ListMetadata, json_of(described))
        ids = read(VideoIds, json_of(listed))
        known = dict.fromkeys([*ids.videoIds, *ids.liveIds, *ids.shortIds])
        return Listing(
            title=clean(about.title or about.name or "") or source.id,
            videos=[ListedVideo(found) for found in known if is_youtube_id(found)][:limit],
        )

    async def start_batch(
        self, youtube_ids: Sequence[str], language: str | None, errand: Errand
    ) -> str | None:
        """Ask for many transcripts at once; returns the batch's id, None where the plan has none.

        It costs one credit beside those of its videos.
        """
        body: dict[str, Any] = {"videoIds": list(youtube_ids)}
        if language:
            body["lang"] = language
        response = await self._calls.post(
            "/youtube/transcript/batch",
            body,
            errand,
            about_batch,
            answers=[httpx.codes.PAYMENT_REQUIRED],
        )
        if response.status_code == httpx.codes.PAYMENT_REQUIRED:
            return None
        return _job_id(response)

    async def batch_results(
        self, job_id: str, errand: Errand
    ) -> dict[str, FetchedTranscript | LoadingFailed] | None:
        """A batch's transcripts and failures by YouTube's ids; None while it is not done.

        Raises LoadingFailed, `provider_down`, when Supadata gave it up or lost it.
        """
        response = await self._calls.poll("/youtube/batch", job_id, errand)
        if response is None:
            raise provider_down("Supadata lost a batch of transcripts.")
        # A thousand transcripts take their time to read, and others share this event loop.
        return await asyncio.to_thread(batch_of, response)

    async def _existing(
        self, wanted: Wanted, errand: Errand, left: _Job | None
    ) -> FetchedTranscript | None:
        """The captions there are, None where there are none."""
        language = next(iter(wanted.languages), None)
        got = await self._made(wanted.youtube_id, "native", language, errand, left)
        if got is None:
            return None
        other = _better(got, wanted.languages)
        if other is not None:
            got = await self._made(wanted.youtube_id, "native", other, errand) or got
        _check_language(got, wanted)
        return transcript_of(wanted.youtube_id, got, generated=False)

    async def _generated(
        self, wanted: Wanted, errand: Errand, left: _Job | None
    ) -> FetchedTranscript:
        got = await self._made(wanted.youtube_id, "generate", None, errand, left)
        if got is None:
            raise no_captions(f"Supadata cannot make captions for {wanted.youtube_id}.")
        _check_language(got, wanted)
        return transcript_of(wanted.youtube_id, got, generated=True)

    async def _made(
        self,
        youtube_id: str,
        mode: Mode,
        language: str | None,
        errand: Errand,
        left: _Job | None = None,
    ) -> Transcript | None:
        """What the job that was `left` came to, or the answer to a new request; None: nothing."""
        if left is not None:
            try:
                return await self._finished(left, youtube_id, errand)
            except _JobLost:
                log.info("supadata lost a job", extra={"youtube_id": youtube_id})
        params = {"url": watch_url(youtube_id), "mode": mode}
        if language:
            params["lang"] = language
        response = await self._calls.get(
            "/transcript", params, errand, partial(about_video, youtube_id)
        )
        if response.status_code == httpx.codes.PARTIAL_CONTENT:
            return None
        if response.status_code != httpx.codes.ACCEPTED:
            return read(Transcript, json_of(response))
        job = _Job(_job_id(response), mode, language)
        await errand.remember(job.as_json())
        return await self._finished(job, youtube_id, errand)

    async def _finished(self, job: _Job, youtube_id: str, errand: Errand) -> Transcript | None:
        """Poll a job until it is done; None when it found no captions. Raises _JobLost."""
        waited_s, pause_s = 0.0, POLL_S
        while waited_s < LONGEST_POLL_S:
            response = await self._calls.poll("/transcript", job.id, errand)
            if response is None:
                await errand.remember(None)
                raise _JobLost
            state = json_of(response)
            if state.get("status") == "failed":
                await errand.remember(None)
                refusal = Refusal.in_job(state.get("error"))
                if refusal.status == httpx.codes.PARTIAL_CONTENT:
                    return None
                raise about_video(youtube_id, refusal)
            if state.get("status") == "completed":
                result = state.get("result")
                return read(Transcript, result if isinstance(result, dict) else state)
            await self._calls.pause(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 1.2, LONGEST_PAUSE_S)
        raise provider_down(f"Supadata did not finish {youtube_id} in {LONGEST_POLL_S:.0f} s.")


async def _lacks_captions(errand: Errand, wanted: Wanted) -> bool:
    """Whether a batch said that there are none, and they are to be made from the sound.

    Raises LoadingFailed for what else it said of the video.
    """
    left = errand.service_job
    if left is None or left.get("provider") != NAME or "failure" not in left:
        return False
    await errand.remember(None)
    failure = left["failure"]
    if failure["reason"] == "no_captions" and wanted.generate:
        return True
    raise LoadingFailed(failure["reason"], failure["detail"], failure["next_step"])


def _job_id(response: httpx.Response) -> str:
    job_id = json_of(response).get("jobId")
    if not isinstance(job_id, str):
        raise provider_down("Supadata took the request and named no job for it.")
    return job_id


def _better(got: Transcript, languages: Sequence[str]) -> str | None:
    """The wanted language to ask for instead of the one that came, if the video has one."""
    for wanted in languages:
        if speaks(got.lang, wanted):
            return None
        for available in got.availableLangs:
            if speaks(available, wanted):
                return available
    return None


def _check_language(got: Transcript, wanted: Wanted) -> None:
    if not wanted.strictly or not wanted.languages:
        return
    if not any(speaks(got.lang, language) for language in wanted.languages):
        there = [Captions(language) for language in got.availableLangs or [got.lang] if language]
        raise not_in_language(wanted.youtube_id, wanted.languages, there)
