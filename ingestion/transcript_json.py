"""The shapes of a JSON transcript, checked strictly and told apart by their keys.

Ours has `segments`, times in seconds. Supadata's has `content`, times in milliseconds:
https://docs.supadata.ai/get-transcript. YouTube's json3 has `events`, as its caption server and
yt-dlp give it: windows, words with their offsets, and for automatic captions (`aAppend`) the line
ends of the rolling display. Keys that are not named here are passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError
from pydantic_core import from_json

from ingestion.cues import bad_file, clean
from talker.sentences import TimedText
from talker.sources import is_youtube_id

MAX_SECONDS = 1_000_000
MAX_PARTS = 1_000_000
"""Of objects and lists in a file; a day of captions, each word by itself, has a third of that."""

Seconds = Annotated[float, Field(ge=0, le=MAX_SECONDS, allow_inf_nan=False)]
Milliseconds = Annotated[float, Field(ge=0, le=MAX_SECONDS * 1000, allow_inf_nan=False)]
Language = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


@dataclass(frozen=True, slots=True)
class JsonTranscript:
    """Segments in order of start, and what the file says of the video; None where it does not."""

    segments: Sequence[TimedText]
    language: str | None = None
    youtube_id: str | None = None
    title: str | None = None
    channel: str | None = None
    duration_ms: int = 0


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True)


class _Segment(_Shape):
    start_s: Seconds
    duration_s: Seconds
    text: str


class _Ours(_Shape):
    video_id: str | None = None
    title: str | None = None
    channel: str | None = None
    language: Language | None = None
    duration_s: Seconds | None = None
    segments: Annotated[list[_Segment], FailFast()]

    def read(self) -> JsonTranscript:
        return JsonTranscript(
            segments=[
                TimedText(round(one.start_s * 1000), round(one.duration_s * 1000), one.text)
                for one in self.segments
            ],
            language=self.language,
            youtube_id=self.video_id,
            title=self.title,
            channel=self.channel,
            duration_ms=round((self.duration_s or 0) * 1000),
        )


class _Content(_Shape):
    text: str
    offset: Milliseconds
    duration: Milliseconds


class _Supadata(_Shape):
    content: Annotated[list[_Content], FailFast()]
    lang: Language | None = None

    def read(self) -> JsonTranscript:
        return JsonTranscript(
            segments=[
                TimedText(round(one.offset), round(one.duration), one.text) for one in self.content
            ],
            language=self.lang,
        )


class _Word(_Shape):
    utf8: str = ""


class _Event(_Shape):
    start_ms: Milliseconds = Field(default=0, alias="tStartMs")
    duration_ms: Milliseconds = Field(default=0, alias="dDurationMs")
    words: list[_Word] = Field(default=[], alias="segs")


class _Json3(_Shape):
    events: Annotated[list[_Event], FailFast()]

    def read(self) -> JsonTranscript:
        return JsonTranscript(
            segments=[
                TimedText(
                    round(event.start_ms),
                    round(event.duration_ms),
                    "".join(word.utf8 for word in event.words),
                )
                for event in self.events
            ]
        )


_SHAPES: dict[str, type[_Ours] | type[_Supadata] | type[_Json3]] = {
    "segments": _Ours,
    "content": _Supadata,
    "events": _Json3,
}


def parse_json(name: str, text: str) -> JsonTranscript:
    """Raises LoadingFailed, `bad_file`, that names the first thing that is wrong, and where."""
    if text.count("{") + text.count("[") > MAX_PARTS or text.count(",") > MAX_PARTS * 4:
        raise bad_file(f'"{name}" has more than {MAX_PARTS:,} parts, which no captions have.')
    try:
        document = from_json(text.encode(errors="replace"))
    except ValueError as error:
        raise bad_file(f'"{name}" is no JSON: {error}.') from None
    keys = document if isinstance(document, dict) else {}
    shape = next((shape for key, shape in _SHAPES.items() if key in keys), None)
    if shape is None:
        raise bad_file(
            f'"{name}" is no transcript: it must be an object with segments (our own form), '
            "content (Supadata's) or events (YouTube's json3)."
        )
    try:
        read = shape.model_validate(document).read()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise bad_file(f'"{name}": {place(first["loc"])}{first["msg"]}.') from None
    if read.youtube_id is not None and not is_youtube_id(read.youtube_id):
        raise bad_file(
            f'"{name}": video_id must be a YouTube id of 11 characters, '
            f"not {read.youtube_id[:40]!r}."
        )
    return replace(read, segments=_said(read.segments))


def _said(segments: Sequence[TimedText]) -> list[TimedText]:
    said = [
        TimedText(one.start_ms, one.duration_ms, words)
        for one in segments
        if (words := clean(one.text))
    ]
    return sorted(said, key=lambda segment: segment.start_ms)


def place(location: tuple[int | str, ...]) -> str:
    """`segments[3].start_s: `, as a programmer would write where something is."""
    place = ""
    for part in location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"{place.removeprefix('.')}: " if place else ""
