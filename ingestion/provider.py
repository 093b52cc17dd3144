"""What a transcript service is to the rest of loading, and the failures they share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from talker.errors import LoadingFailed
from talker.models import TranscriptKind
from talker.sentences import TimedText
from talker.sources import ListSource


@dataclass(frozen=True, slots=True)
class Captions:
    """Captions that a service knows of; `kind` is None where it does not say who made them."""

    language: str
    kind: TranscriptKind | None = None


@dataclass(frozen=True, slots=True)
class FetchedTranscript:
    """Captions as a service gave them, in order of start; `available` is what else it has."""

    provider: str
    language: str
    kind: TranscriptKind
    segments: Sequence[TimedText]
    available: Sequence[Captions] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a video beside its words; `duration_ms` where the service tells it."""

    title: str
    channel: str | None = None
    duration_ms: int | None = None
    published_at: datetime | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class ListedVideo:
    """A video as a list shows it; what the list does not say is None."""

    youtube_id: str
    title: str | None = None
    channel: str | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """A playlist's videos in its order, or a channel's, the newest first; each once."""

    title: str
    videos: Sequence[ListedVideo]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which captions: the first of `languages` there is, else the video's own.

    With `strictly`, captions in none of `languages` are as good as none. With `generate` they may
    be made from the sound where there are none, which costs by the minute.
    """

    youtube_id: str
    languages: Sequence[str] = ()
    strictly: bool = False
    generate: bool = False


class Errand(Protocol):
    """On whose behalf a service is asked: who pays, and where its own jobs are remembered.

    `service_job` is what an earlier call left unfinished, `{"provider", "id", ...}`.
    """

    @property
    def service_job(self) -> Mapping[str, Any] | None: ...

    async def charge(self, service: str, request: str, amount: int) -> None:
        """Write down credits as soon as an answer says that they were taken."""

    async def remember(self, service_job: Mapping[str, Any] | None) -> None:
        """Write down a job at the service, so that a new worker asks for its end."""


class Gate(Protocol):
    """A service's rate limit and circuit breaker, shared by every worker."""

    async def enter(self) -> None:
        """Wait for the call's turn. Raises Resting when the service is left alone for longer."""

    async def leave(self) -> None:
        """Give up a call that was let in: another one may look in its place."""

    async def report(self, failure: LoadingFailed | None) -> None:
        """Say how each call that was let in ended; None when the service answered as it should.

        Its `reason` decides: provider_down, quota, unauthorised and blocked are the service's;
        every other is a video's, and an answer like any other.
        """


class TranscriptProvider(Protocol):
    """A service that knows YouTube. Every call raises LoadingFailed."""

    name: str

    async def transcript(self, wanted: Wanted, errand: Errand) -> FetchedTranscript: ...

    async def metadata(self, youtube_id: str, errand: Errand) -> Metadata: ...

    async def listing(self, source: ListSource, limit: int, errand: Errand) -> Listing:
        """The first `limit` videos of a playlist or channel."""
        ...


class Resting(LoadingFailed):
    """The service was not asked: it failed for others, and is left alone for `retry_after_s`."""

    def __init__(self, failure: Mapping[str, str], retry_after_s: float) -> None:
        super().__init__(
            failure["reason"],  # type: ignore[arg-type]  # as LoadingFailed.as_json wrote it
            failure["detail"],
            failure["next_step"],
            retry_after_s=retry_after_s,
        )


class Busy(LoadingFailed):
    """The service takes no more calls just now: its rate limit, not the video."""

    def __init__(self, service: str, retry_after_s: float | None) -> None:
        super().__init__(
            "provider_down",
            f"{service} takes no more requests just now.",
            "It goes on by itself.",
            retry_after_s=retry_after_s,
        )


def speaks(language: str, wanted: str) -> bool:
    """Whether captions in `language` serve who asked for `wanted`: en-GB serves en, and back."""
    return language.lower().split("-")[0] == wanted.lower().split("-")[0]


def no_captions(detail: str) -> LoadingFailed:
    return LoadingFailed(
        "no_captions",
        detail,
        "Upload a caption file (.srt, .vtt or .txt) for it, or choose a video that has captions.",
    )


def not_in_language(
    youtube_id: str, wanted: Sequence[str], available: Sequence[Captions]
) -> LoadingFailed:
    there = ", ".join(dict.fromkeys(captions.language for captions in available))
    return LoadingFailed(
        "no_captions",
        f"{youtube_id} has no captions in {' or '.join(wanted)}.",
        f"Choose one of the languages that it has: {there}." if there else "Upload a caption file.",
    )


def no_videos(source: str) -> LoadingFailed:
    return LoadingFailed(
        "not_a_video",
        f"There are no videos in {source}.",
        "Check the link; private videos are not listed.",
    )


def no_speech(youtube_id: str) -> LoadingFailed:
    return LoadingFailed(
        "no_speech",
        f"The captions of {youtube_id} hold no words.",
        "Nothing can be asked of a video without speech; upload captions of your own for it.",
    )


def provider_down(detail: str, retry_after_s: float | None = None) -> LoadingFailed:
    return LoadingFailed(
        "provider_down",
        detail,
        "It is tried again by itself; if it keeps failing, retry later.",
        retry_after_s=retry_after_s,
    )
