"""A library as files: what they are called, what is in them, and how they are written and read.

    library.json       what this folder is: format, version, whose, when, how many, whether whole
    collections.json   the collections, each with the names of its videos' files in order
    videos/NAME.json   a video and its transcripts, in the JSON form that `ingest add` reads too
    removed/NAME.json  a video that an earlier export had and the library has no more

Times are seconds with three digits after the point, since tables count whole milliseconds; a
float holds each of them exactly enough that rounding gives the same millisecond again.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from ingestion.transcript_json import Seconds, place
from talker.cleaning import plain_name
from talker.errors import BadRequest
from talker.models import ListKind, TranscriptKind

LIBRARY, COLLECTIONS, VIDEOS, REMOVED = "library.json", "collections.json", "videos", "removed"
VERSION = 1
MAX_FILE_MB = 200
"""A day of captions in ten languages has a tenth of that."""
PARTIAL = ".partial"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an export or import did; each of the failed was told with its reason."""

    videos: int
    collections: int
    failed: int


class BadArchiveFile(Exception):
    """A file that cannot be read as what it should be; says why."""


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("holds a NUL character, which no table can store")
    return text


Title = Annotated[str, AfterValidator(plain_name)]
Words = Annotated[str, AfterValidator(_storable)]
Language = Annotated[str, Field(min_length=1, max_length=35), AfterValidator(_storable)]
VideoName = Annotated[
    str, Field(pattern=r"^(yt-[A-Za-z0-9_-]{11}\.[0-9a-f]{3}|file-[0-9a-f]{64})$")
]


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class SegmentFile(Strict):
    start_s: Seconds
    duration_s: Seconds
    text: Words


class TranscriptFile(Strict):
    language: Language
    kind: TranscriptKind
    provider: Annotated[str, Field(min_length=1, max_length=16), AfterValidator(_storable)]
    segments: Annotated[list[SegmentFile], Field(min_length=1)]


class ChapterFile(Strict):
    start_s: Seconds
    title: Words


class CaptionsFile(Strict):
    language: Language
    kind: TranscriptKind | None = None


class VideoFile(Strict):
    """`video_id` is YouTube's. With `content_hash` the video is its uploader's own file, which
    it identifies; else it is everybody's.

    `kind`, `provider` and `segments` are those of the transcript in `language`; there is none
    where nothing was fetched yet, and then the video is known by its link alone.
    """

    video_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{11}$")] | None
    content_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None
    title: Title
    channel: Title | None
    language: Language | None
    duration_s: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] | None
    published_at: AwareDatetime | None
    described_at: AwareDatetime | None
    added_at: AwareDatetime
    chapters: list[ChapterFile]
    available: list[CaptionsFile]
    kind: TranscriptKind | None
    provider: Annotated[str, Field(max_length=16), AfterValidator(_storable)] | None
    segments: list[SegmentFile]
    more_transcripts: list[TranscriptFile]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.content_hash is None and self.video_id is None:
            raise ValueError("names neither a YouTube video nor an uploaded file")
        if not self.segments and (self.content_hash or self.more_transcripts):
            raise ValueError("has no segments")
        if self.segments and not (self.language and self.kind and self.provider):
            raise ValueError("has segments without their language, kind or provider")
        languages = [transcript.language for transcript in self.transcripts()]
        if len(set(languages)) < len(languages):
            raise ValueError("has two transcripts in one language")
        return self

    @property
    def name(self) -> str:
        """Its file's, without the suffix: unique also where case does not count, as YouTube's
        ids are not, and the same on every server."""
        if self.content_hash is not None:
            return f"file-{self.content_hash}"
        capitals = sum(
            letter.isupper() << place for place, letter in enumerate(self.video_id or "")
        )
        return f"yt-{self.video_id}.{capitals:03x}"

    def transcripts(self) -> list[TranscriptFile]:
        """All of them, the one in the video's language first."""
        if not (self.segments and self.language and self.kind and self.provider):
            return []
        first = TranscriptFile.model_construct(
            language=self.language,
            kind=self.kind,
            provider=self.provider,
            segments=self.segments,
        )
        return [first, *self.more_transcripts]


class CollectionFile(Strict):
    name: Annotated[str, Field(min_length=1), AfterValidator(_storable)]
    source_kind: ListKind | None
    source_id: Annotated[str, Field(min_length=1), AfterValidator(_storable)] | None
    source_limit: Annotated[int, Field(ge=1)] | None
    seen: list[Annotated[str, Field(max_length=11), AfterValidator(_storable)]]
    language: Annotated[str, Field(max_length=200), AfterValidator(_storable)] | None
    subscribed: bool
    created_at: AwareDatetime
    videos: list[VideoName]

    @model_validator(mode="after")
    def _has_its_source(self) -> Self:
        if (self.source_kind is None) != (self.source_id is None):
            raise ValueError("has half a source: source_kind and source_id go together")
        if self.subscribed and self.source_id is None:
            raise ValueError("is subscribed to nothing: it has no source")
        return self


class CollectionsFile(Strict):
    collections: list[CollectionFile]


class LibraryFile(Strict):
    """`complete` is false from an export's start to its end. Later versions may have more keys."""

    model_config = ConfigDict(strict=True, extra="ignore")

    format: Literal["youtubetalker-library"] = "youtubetalker-library"
    version: Annotated[int, Field(ge=1)] = VERSION
    user: str
    exported_at: AwareDatetime
    complete: bool
    videos: Annotated[int, Field(ge=0)]
    collections: Annotated[int, Field(ge=0)]


def seconds(ms: int) -> float:
    return ms / 1000


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


Content = TypeVar("Content", bound=Strict)


def read(path: Path, kind: type[Content]) -> Content:
    """Raises BadArchiveFile with what is wrong, and where."""
    try:
        if path.exists() and not path.is_file():
            raise BadArchiveFile("It is no file.")
        if path.stat().st_size > MAX_FILE_MB * 1_000_000:
            raise BadArchiveFile(f"It is larger than {MAX_FILE_MB} MB.")
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadArchiveFile(f"It cannot be read: {error.strerror or error}.") from error
    except ValidationError as error:
        raise BadArchiveFile(first_wrong(error)) from None


def first_wrong(error: ValidationError) -> str:
    """The first thing that is wrong, and where: `segments[3].start_s: Field required.`"""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{place(first['loc'])}{first['msg']}."


def write(path: Path, content: Strict) -> bool:
    """Write a file whole or not at all; whether it had to be, or was there in the same words."""
    text = content.model_dump_json(indent=1).encode() + b"\n"
    if path.is_file() and path.stat().st_size == len(text) and path.read_bytes() == text:
        return False
    partial = path.with_name(f"{path.name}{PARTIAL}")
    with partial.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    return True


def open_folder(folder: Path, user: str) -> None:
    """Make the folder, or see that it is this person's export. Raises BadRequest when it is not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A partial one is all that an export leaves which is killed at once.
        if any(not path.name.endswith(PARTIAL) for path in folder.iterdir()):
            there = read_library(folder)
            if there.user != user:
                raise BadRequest(f"{folder} holds the library of {there.user}. Choose another one.")
    except OSError as error:
        raise BadRequest(f"{folder} cannot be written: {error.strerror or error}.") from error


def read_library(folder: Path) -> LibraryFile:
    """What an export's folder says of itself. Raises BadRequest when it is none that we know."""
    path = folder / LIBRARY
    if not path.is_file():
        raise BadRequest(f"{folder} is no exported library: it has no {LIBRARY}.")
    try:
        library = read(path, LibraryFile)
    except BadArchiveFile as error:
        raise BadRequest(f"{path} is not an exported library's. {error}") from error
    if library.version > VERSION:
        raise BadRequest(
            f"{folder} was exported in version {library.version} of the format, and this program "
            f"knows version {VERSION}. Import it with a newer one."
        )
    return library


def video_files(folder: Path) -> Iterator[Path]:
    """The videos' files by name."""
    yield from sorted((folder / VIDEOS).glob("*.json"))
