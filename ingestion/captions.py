"""Caption files: `.srt`, `.vtt` and `.json`, to segments with their milliseconds.

The JSON is one object: `video_id` (YouTube's, or null), `url`, `title`, `channel`, `language`,
`duration_s`, and `segments` of `start_s`, `duration_s` and `text`.
"""

import codecs
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import charset_normalizer

from ingestion import cues
from ingestion.sources import is_youtube_id
from ingestion.transcript_json import TranscriptJson, parse_json
from talker.errors import WrongKindOfFile
from talker.sentences import TimedText

UNKNOWN_LANGUAGE = "und"
"""BCP 47's word for a language that nobody named."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LANGUAGE_SUFFIX = re.compile(r"\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)$")
_HEADER_LANGUAGE = re.compile(r"^Language:[ \t]*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*$", re.M)
_ID_IN_NAME = re.compile(r"\s*\[([A-Za-z0-9_-]{11})\]")
"""As yt-dlp names its files: `Title [dQw4w9WgXcQ].en.vtt`."""
_SAMPLE_BYTES = 200_000


@dataclass(frozen=True, slots=True)
class CaptionFile:
    """A parsed file: at least one segment, in order of start, and what the file says of itself."""

    segments: Sequence[TimedText]
    title: str
    language: str = UNKNOWN_LANGUAGE
    youtube_id: str | None = None
    channel: str | None = None
    duration_ms: int = 0

    def content_hash(self) -> str:
        """SHA-256 of times and texts: the same captions under any file name are the same video."""
        digest = hashlib.sha256()
        for segment in self.segments:
            digest.update(f"{segment.start_ms} {segment.duration_ms} {segment.text}\n".encode())
        return digest.hexdigest()


def parse_file(name: str, content: bytes) -> CaptionFile:
    """Parse a caption file, its kind known by the name's suffix.

    Raises WrongKindOfFile for another suffix, and LoadingFailed with reason `bad_file` and the
    line where the file cannot be understood.
    """
    path = PurePath(name)
    suffix = path.suffix.lower()
    if suffix not in (".srt", ".vtt", ".json"):
        raise WrongKindOfFile(
            f'"{path.name}" is no caption file. Give one that ends in .srt, .vtt or .json.'
        )
    text = _decode(path.name, content)
    if suffix == ".json":
        parsed = _from_json(path, parse_json(path.name, text))
    else:
        parsed = _from_cues(path, text)
    if not parsed.segments:
        raise cues.bad_file(f'"{path.name}" holds no captions: none of its cues has any words.')
    end_ms = max(segment.start_ms + segment.duration_ms for segment in parsed.segments)
    return replace(parsed, duration_ms=max(parsed.duration_ms, end_ms))


def _from_cues(path: PurePath, text: str) -> CaptionFile:
    is_vtt = path.suffix.lower() == ".vtt"
    found = cues.parse_vtt(path.name, text) if is_vtt else cues.parse_srt(path.name, text)
    in_header = _HEADER_LANGUAGE.search(text[:1000]) if is_vtt else None
    in_name = _LANGUAGE_SUFFIX.search(path.stem)
    title = path.stem[: in_name.start()] if in_name else path.stem
    named = _ID_IN_NAME.search(title)
    language = in_header or in_name
    return CaptionFile(
        segments=found,
        title=_ID_IN_NAME.sub("", title).strip() or title,
        language=language.group(1) if language else UNKNOWN_LANGUAGE,
        youtube_id=named.group(1) if named else None,
    )


def _from_json(path: PurePath, file: TranscriptJson) -> CaptionFile:
    if file.video_id is not None and not is_youtube_id(file.video_id):
        raise cues.bad_file(
            f'"{path.name}": video_id must be a YouTube id of 11 characters, '
            f"not {file.video_id[:40]!r}."
        )
    segments = [
        TimedText(round(segment.start_s * 1000), round(segment.duration_s * 1000), words)
        for segment in file.segments
        if (words := cues.clean(segment.text))
    ]
    segments.sort(key=lambda segment: segment.start_ms)
    return CaptionFile(
        segments=segments,
        title=cues.clean(file.title or "") or path.stem,
        language=file.language or UNKNOWN_LANGUAGE,
        youtube_id=file.video_id,
        channel=cues.clean(file.channel or "") or None,
        duration_ms=round((file.duration_s or 0) * 1000),
    )


def _decode(name: str, content: bytes) -> str:
    """Text in any encoding that caption files are found in; UTF-8 before any guess."""
    if not content.strip():
        raise cues.bad_file(f'"{name}" is empty.')
    encoding = next((name_ for bom, name_ in _BOMS if content.startswith(bom)), None)
    try:
        if encoding is not None:
            return content.decode(encoding).removeprefix("\ufeff")
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = _guess(name, content)
    if "\x00" in text[:_SAMPLE_BYTES]:
        raise cues.bad_file(f'"{name}" is not a text file.')
    return text


def _guess(name: str, content: bytes) -> str:
    best = charset_normalizer.from_bytes(content[:_SAMPLE_BYTES]).best()
    if best is None:
        raise cues.bad_file(f'"{name}" is not a text file.')
    # A sample may end inside a character, and one odd byte must not cost the whole file.
    return content.decode(best.encoding, errors="replace")
