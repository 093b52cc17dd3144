"""Caption files to segments with their milliseconds.

`.srt` and `.vtt`; `.json` of three shapes, of which ours is one object: `video_id` (YouTube's, or
null), `url`, `title`, `channel`, `language`, `duration_s`, and `segments` of `start_s`,
`duration_s` and `text`; `.json3` as YouTube and yt-dlp write it; `.txt` with times in its lines.
A file's name tells what the file itself does not: yt-dlp writes `Title [dQw4w9WgXcQ].en.vtt`.
"""

import codecs
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

import charset_normalizer

from ingestion import cues
from ingestion.timed_lines import parse_lines
from ingestion.transcript_json import parse_json
from talker.cleaning import plain_name
from talker.errors import WrongKindOfFile
from talker.sentences import TimedText
from talker.sources import FILE_SUFFIXES, KINDS_OF_FILES

UNKNOWN_LANGUAGE = "und"
"""BCP 47's word for a language that nobody named."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LANGUAGE_SUFFIX = re.compile(r"\.([a-z]{2,3}(?:-(?!orig$)[A-Za-z0-9]{2,8})*)(?:-orig)?$")
"""yt-dlp calls a video's own automatic captions `en-orig`, beside those translated into `en`."""

_HEADER_LANGUAGE = re.compile(r"^Language:[ \t]*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*$", re.M)
_ID_IN_NAME = re.compile(r"\s*\[([A-Za-z0-9_-]{11})\]")
_SAMPLE_BYTES = 200_000

MAX_SEGMENT_CHARS, MAX_CHARS = 100_000, 10_000_000
"""An hour of speech has 60,000."""


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
    path = PurePath(plain_name(name))
    suffix = path.suffix.lower()
    if suffix not in FILE_SUFFIXES:
        raise WrongKindOfFile(
            f'"{path.name}" is no caption file. Give one that ends in {KINDS_OF_FILES}.'
        )
    text = _decode(path.name, content)
    parsed = _parsed(path.name, suffix, text, _from_name(path.stem))
    if not parsed.segments:
        raise cues.bad_file(f'"{path.name}" holds no captions: none of its cues has any words.')
    _check_size(path.name, parsed.segments)
    end_ms = max(segment.start_ms + segment.duration_ms for segment in parsed.segments)
    return replace(parsed, duration_ms=max(parsed.duration_ms, end_ms))


def _check_size(name: str, segments: Sequence[TimedText]) -> None:
    sizes = [len(segment.text) for segment in segments]
    if max(sizes) > MAX_SEGMENT_CHARS or sum(sizes) > MAX_CHARS:
        raise cues.bad_file(
            f'"{name}" has more words than are said: at most {MAX_SEGMENT_CHARS:,} characters at '
            f"one time, and {MAX_CHARS:,} in all."
        )


def _from_name(stem: str) -> CaptionFile:
    """What a file's name says of it, as yet without segments."""
    language = _LANGUAGE_SUFFIX.search(stem)
    title = stem[: language.start()] if language else stem
    youtube_id = _ID_IN_NAME.search(title)
    return CaptionFile(
        segments=(),
        title=_ID_IN_NAME.sub("", title).strip() or title,
        language=language.group(1) if language else UNKNOWN_LANGUAGE,
        youtube_id=youtube_id.group(1) if youtube_id else None,
    )


def _parsed(name: str, suffix: str, text: str, named: CaptionFile) -> CaptionFile:
    match suffix:
        case ".srt":
            return replace(named, segments=cues.parse_srt(name, text))
        case ".txt":
            return replace(named, segments=parse_lines(name, text))
        case ".vtt":
            language = _HEADER_LANGUAGE.search(text[:1000])
            return replace(
                named,
                segments=cues.parse_vtt(name, text),
                language=language.group(1) if language else named.language,
            )
    found = parse_json(name, text)
    return CaptionFile(
        segments=found.segments,
        title=plain_name(found.title or "") or named.title,
        language=found.language or named.language,
        youtube_id=found.youtube_id or named.youtube_id,
        channel=plain_name(found.channel or "") or None,
        duration_ms=found.duration_ms,
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
