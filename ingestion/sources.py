"""What a person gives as a source: a YouTube link of any form, an id, or a file's name."""

import re
from pathlib import PurePath
from urllib.parse import SplitResult, parse_qs, urlsplit

from talker.errors import LoadingFailed

FILE_SUFFIXES = (".srt", ".vtt", ".json")

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_SITES = ("youtube.com", "youtube-nocookie.com", "youtubekids.com")
_THUMBNAILS = ("i.ytimg.com", "img.youtube.com")
_ID_FOLLOWS = ("shorts", "live", "embed", "v", "vi", "e", "watch")
_CHANNEL_FOLLOWS = ("channel", "c", "user")


def is_file(source: str) -> bool:
    """Whether a source names a caption file rather than a video."""
    return "://" not in source and PurePath(source).suffix.lower() in FILE_SUFFIXES


def is_youtube_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def watch_url(youtube_id: str) -> str:
    """The address under which people know a video."""
    return f"https://www.youtube.com/watch?v={youtube_id}"


def youtube_id(source: str) -> str:
    """Return the 11-character id of the one video that a link or bare id names.

    A link to a video inside a playlist names the video. Raises LoadingFailed, `not_a_video`,
    for a playlist, a channel and everything else.
    """
    text = source.strip().strip("<>\"'")
    if is_youtube_id(text):
        return text
    parts = _split(text)
    host = (parts.hostname or "").removesuffix(".") if parts else ""
    if parts is None or not _is_youtube(host):
        raise LoadingFailed(
            "not_a_video",
            f"{_quoted(source)} is not a link to a YouTube video.",
            "Copy the link from YouTube's Share button, or the address of the video's page.",
        )
    found = _id_in(parts, host)
    if found is not None and is_youtube_id(found):
        return found
    raise _not_one_video(source, parts, found)


def _split(text: str) -> SplitResult | None:
    with_scheme = text if re.match(r"[a-zA-Z][a-zA-Z+.-]*://", text) else f"https://{text}"
    try:
        parts = urlsplit(with_scheme.replace("https:////", "https://"))
    except ValueError:
        return None
    return parts if parts.scheme in ("http", "https") else None


def _is_youtube(host: str) -> bool:
    return (
        host in ("youtu.be", "www.youtu.be", *_THUMBNAILS)
        or host in _SITES
        or host.endswith(tuple(f".{site}" for site in _SITES))
    )


def _id_in(parts: SplitResult, host: str) -> str | None:
    """What stands where a video's id belongs, be it one or not."""
    path = [piece for piece in parts.path.split("/") if piece]
    query = parse_qs(parts.query)
    if host.endswith("youtu.be"):
        return path[0] if path else None
    for name in ("v", "vi"):
        if name in query:
            return query[name][0].strip()
    if "u" in query and path[:1] == ["attribution_link"]:
        inner = _split("https://www.youtube.com" + query["u"][0])
        return _id_in(inner, "www.youtube.com") if inner else None
    if len(path) > 1 and path[0] in _ID_FOLLOWS and path[1] != "videoseries":
        return path[1]
    return None


def _not_one_video(source: str, parts: SplitResult, found: str | None) -> LoadingFailed:
    if found is not None:
        return LoadingFailed(
            "not_a_video",
            f"{_quoted(source)} names no video: {_quoted(found)} is not an id of 11 letters, "
            "digits, - and _.",
            "Check that the link was copied whole.",
        )
    first = next((piece for piece in parts.path.split("/") if piece), "")
    if "list" in parse_qs(parts.query) or first == "playlist":
        return LoadingFailed(
            "not_a_video",
            f"{_quoted(source)} is a playlist, not a video.",
            "Give the links of its videos instead.",
        )
    if first.startswith("@") or first in _CHANNEL_FOLLOWS:
        return LoadingFailed(
            "not_a_video",
            f"{_quoted(source)} is a channel, not a video.",
            "Give the links of its videos instead.",
        )
    return LoadingFailed(
        "not_a_video",
        f"{_quoted(source)} is a page of YouTube, but not a video's.",
        "Open the video and copy its address.",
    )


def _quoted(text: str, max_chars: int = 120) -> str:
    short = text if len(text) <= max_chars else f"{text[:max_chars]}…"
    return f'"{short.strip()}"'
