"""What a transcript service is to the rest of loading, and the failures they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from talker.errors import LoadingFailed
from talker.models import TranscriptKind
from talker.sentences import TimedText


@dataclass(frozen=True, slots=True)
class FetchedTranscript:
    """Captions as a service gave them, in order of start; `credits` is what they cost there."""

    provider: str
    language: str
    kind: TranscriptKind
    segments: Sequence[TimedText]
    credits: int = 0


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a video beside its words; `duration_ms` where the service tells it."""

    title: str
    channel: str | None = None
    duration_ms: int | None = None
    published_at: datetime | None = None
    credits: int = 0


class TranscriptProvider(Protocol):
    """A service that knows YouTube's captions. Both calls raise LoadingFailed."""

    name: str

    async def transcript(self, youtube_id: str, languages: Sequence[str]) -> FetchedTranscript:
        """The captions in the first of `languages` there is, else in the video's own."""
        ...

    async def metadata(self, youtube_id: str) -> Metadata: ...


def speaks(language: str, wanted: str) -> bool:
    """Whether captions in `language` serve who asked for `wanted`: en-GB serves en, and back."""
    return language.lower().split("-")[0] == wanted.lower().split("-")[0]


def no_captions(detail: str) -> LoadingFailed:
    return LoadingFailed(
        "no_captions",
        detail,
        "Upload a caption file (.srt or .vtt) for it, or choose a video that has captions.",
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
