"""What a person gives as a source: a YouTube link of any form, an id, or a file's name."""

import re
import unicodedata
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from talker.errors import LoadingFailed
from talker.models import ListKind

FILE_SUFFIXES = (".srt", ".vtt", ".json", ".json3", ".txt")
KINDS_OF_FILES = f"{', '.join(FILE_SUFFIXES[:-1])} or {FILE_SUFFIXES[-1]}"

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_LIST_ID = re.compile(r"[A-Za-z0-9_-]{2,100}")
_BARE_LIST_ID = re.compile(r"(?:PL|UU|OL|FL)[A-Za-z0-9_-]{16,98}")
_CHANNEL_ID = re.compile(r"UC[A-Za-z0-9_-]{22}")
# YouTube writes handles with letters and digits of any script, and four signs between them.
_HANDLE = re.compile(r"@[\w.\u00b7-]{1,60}")
_NAME = re.compile(r"[^\s/?#]{1,100}")
_OWN_LISTS = ("WL", "LL", "LM", "HL")
_SITES = ("youtube.com", "youtube-nocookie.com", "youtubekids.com")
_THUMBNAILS = ("i.ytimg.com", "img.youtube.com")
_ID_FOLLOWS = ("shorts", "live", "embed", "v", "vi", "e", "watch")


@dataclass(frozen=True, slots=True)
class VideoSource:
    youtube_id: str


@dataclass(frozen=True, slots=True)
class ListSource:
    """A playlist by its id, or a channel by its id (UC…), handle (@…) or old name (c/…, user/…)."""

    kind: ListKind
    id: str

    @property
    def key(self) -> str:
        """Names the list in the database."""
        return f"{self.kind}:{self.id}"

    @property
    def url(self) -> str:
        """The address under which people know the list."""
        if self.kind == "playlist":
            return f"https://www.youtube.com/playlist?list={self.id}"
        path = f"channel/{self.id}" if self.id.startswith("UC") else self.id
        return f"https://www.youtube.com/{path}"


def is_file(source: str) -> bool:
    """Whether a source names a caption file rather than a video."""
    return "://" not in source and PurePath(source).suffix.lower() in FILE_SUFFIXES


def is_youtube_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def watch_url(youtube_id: str) -> str:
    """The address under which people know a video."""
    return f"https://www.youtube.com/watch?v={youtube_id}"


def source_of(text: str) -> VideoSource | ListSource:
    """What a link, a bare id or a bare @handle names.

    A link to a video inside a playlist names the video; a link to any tab of a channel names the
    whole channel. Raises LoadingFailed, `not_a_video`, for everything else.
    """
    bare = text.strip().strip("<>\"'")
    if is_youtube_id(bare):
        return VideoSource(bare)
    if _BARE_LIST_ID.fullmatch(bare):
        return ListSource("playlist", bare)
    if _CHANNEL_ID.fullmatch(bare):
        return ListSource("channel", bare)
    if bare.startswith("@") and (handle := _handle(bare)):
        return ListSource("channel", handle)
    parts = _split(bare)
    host = (parts.hostname or "").removesuffix(".") if parts else ""
    if parts is None or not _is_youtube(host):
        raise LoadingFailed(
            "not_a_video",
            f"{_quoted(text)} is not a link to a YouTube video.",
            "Copy the link from YouTube's Share button, or the address of the video's page.",
        )
    return _in_link(text, parts, host)


def youtube_id(source: str) -> str:
    """The id of the one video that a source names, where a list makes no sense.

    Raises LoadingFailed, `not_a_video`, for a playlist, a channel and everything else.
    """
    named = source_of(source)
    if isinstance(named, VideoSource):
        return named.youtube_id
    raise LoadingFailed(
        "not_a_video",
        f"{_quoted(source)} is a {named.kind}, not a video.",
        "Give the links of its videos instead.",
    )


def _in_link(text: str, parts: SplitResult, host: str) -> VideoSource | ListSource:
    found = _id_in(parts, host)
    if found is not None and is_youtube_id(found):
        return VideoSource(found)
    if found is not None:
        raise LoadingFailed(
            "not_a_video",
            f"{_quoted(text)} names no video: {_quoted(found)} is not an id of 11 letters, "
            "digits, - and _.",
            "Check that the link was copied whole.",
        )
    named = _playlist_in(text, parts) or _channel_in(parts)
    if named is not None:
        return named
    raise LoadingFailed(
        "not_a_video",
        f"{_quoted(text)} is a page of YouTube, but not a video's.",
        "Open the video and copy its address.",
    )


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


def _playlist_in(text: str, parts: SplitResult) -> ListSource | None:
    """Raises LoadingFailed for lists that only their viewer sees, or that have no end."""
    list_id = parse_qs(parts.query).get("list", [""])[0].strip()
    if not _LIST_ID.fullmatch(list_id):
        return None
    if list_id.startswith("RD"):
        raise LoadingFailed(
            "not_a_video",
            f"{_quoted(text)} is a mix, which YouTube makes anew for every viewer.",
            "Give the link of a playlist, or the links of the videos.",
        )
    if list_id in _OWN_LISTS:
        raise LoadingFailed(
            "not_a_video",
            f"{_quoted(text)} is a list of your own account, which nobody else can read.",
            "Put the videos into a playlist that is public or unlisted, and give its link.",
        )
    return ListSource("playlist", list_id)


def _channel_in(parts: SplitResult) -> ListSource | None:
    path = [unquote(piece) for piece in parts.path.split("/") if piece]
    match path:
        case [handle, *_] if handle.startswith("@"):
            found = _handle(handle)
        case ["channel", channel_id, *_]:
            found = channel_id if _CHANNEL_ID.fullmatch(channel_id) else None
        case ["c" | "user" as form, name, *_] if _NAME.fullmatch(name):
            found = f"{form}/{unicodedata.normalize('NFC', name)}"
        case _:
            found = None
    return ListSource("channel", found) if found else None


def _handle(text: str) -> str | None:
    """YouTube takes a handle in any case, so one channel has one name here."""
    handle = unicodedata.normalize("NFC", text).lower()
    return handle if _HANDLE.fullmatch(handle) else None


def _quoted(text: str, max_chars: int = 120) -> str:
    short = text if len(text) <= max_chars else f"{text[:max_chars]}…"
    return f'"{short.strip()}"'
