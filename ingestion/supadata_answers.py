"""What Supadata's answers hold (https://docs.supadata.ai/api-reference)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from ingestion.cues import clean
from ingestion.provider import Captions, FetchedTranscript, no_speech, provider_down
from ingestion.supadata_refusals import Refusal, about_video, json_of
from talker.errors import LoadingFailed
from talker.models import TranscriptKind
from talker.sentences import TimedText

NAME = "supadata"
_FULL_STOPS = ".?!…。।"
_QUOTES = "\"')\u201d\u2019"

Model = TypeVar("Model", bound=BaseModel)
Milliseconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class Piece(BaseModel):
    text: str
    offset: Milliseconds
    duration: Milliseconds


class Transcript(BaseModel):
    content: list[Piece]
    lang: str = ""
    availableLangs: list[str] = []  # noqa: N815 - Supadata's name


class Author(BaseModel):
    displayName: str | None = None  # noqa: N815 - Supadata's name


class Media(BaseModel):
    duration: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class VideoMetadata(BaseModel):
    title: str | None = None
    description: str | None = None
    author: Author | None = None
    media: Media | None = None
    createdAt: datetime | None = None  # noqa: N815 - Supadata's name


class ListMetadata(BaseModel):
    """A playlist has a `title`, a channel a `name`."""

    title: str | None = None
    name: str | None = None


class VideoIds(BaseModel):
    videoIds: list[str]  # noqa: N815 - Supadata's name
    shortIds: list[str] = []  # noqa: N815 - Supadata's name
    liveIds: list[str] = []  # noqa: N815 - Supadata's name


class BatchItem(BaseModel):
    videoId: str  # noqa: N815 - Supadata's name
    transcript: dict[str, Any] | None = None
    errorCode: str | None = None  # noqa: N815 - Supadata's name


class Batch(BaseModel):
    status: str
    results: list[BatchItem] = []


def transcript_of(youtube_id: str, got: Transcript, *, generated: bool) -> FetchedTranscript:
    """Raises LoadingFailed, `no_speech`, when there is not a word in it."""
    segments = [
        TimedText(round(piece.offset), round(piece.duration), words)
        for piece in got.content
        if (words := clean(piece.text))
    ]
    if not segments:
        raise no_speech(youtube_id)
    segments.sort(key=lambda segment: segment.start_ms)
    return FetchedTranscript(
        provider=NAME,
        language=got.lang or "und",
        kind="generated" if generated else _kind(segments),
        segments=segments,
        available=[Captions(language) for language in got.availableLangs],
    )


def batch_of(response: httpx.Response) -> dict[str, FetchedTranscript | LoadingFailed] | None:
    """Each video's transcript or failure; None while the batch is not done."""
    batch = read(Batch, json_of(response))
    if batch.status == "failed":
        raise provider_down("Supadata gave a batch of transcripts up.")
    if batch.status != "completed":
        return None
    return {item.videoId: _batch_item(item) for item in batch.results}


def _batch_item(item: BatchItem) -> FetchedTranscript | LoadingFailed:
    if item.transcript is None:
        return about_video(item.videoId, Refusal.in_job(item.errorCode or "transcript-unavailable"))
    try:
        got = read(Transcript, item.transcript)
        return transcript_of(item.videoId, got, generated=False)
    except LoadingFailed as failure:
        return failure


def _kind(segments: Sequence[TimedText]) -> TranscriptKind:
    """Supadata does not say who wrote the captions; speech recognition hardly punctuates."""
    last = [segment.text.rstrip(_QUOTES)[-1:] for segment in segments]
    ends = sum(mark in _FULL_STOPS for mark in last if mark)
    return "manual" if ends * 20 >= len(segments) else "automatic"


def read(model: type[Model], body: Mapping[str, Any]) -> Model:
    """Raises LoadingFailed, `provider_down`, for what does not fit the documentation."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise provider_down(f"Supadata's answer cannot be understood ({place}).") from None
