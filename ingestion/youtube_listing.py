"""A program of its own that lists a playlist or channel: `python -m ingestion.youtube_listing`.

    python -m ingestion.youtube_listing URL LIMIT

It prints a JSON object a line: first `{"title", "channel"}` of the list, then `{"id", "title",
"channel", "duration_s"}` of each video, at last `{"end": true}` or, in its place,
`{"said", "status"}` of a failure: yt-dlp's sentence, and YouTube's HTTP status where it gave one.
A proxy comes from the environment, as YOUTUBE_PROXY, since others see the arguments of a program.

In a process of its own because yt-dlp takes 1.5 s and 40 MB to import, reads pages without
yielding to anybody, and can only be stopped by stopping its process.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from yt_dlp import YoutubeDL  # type: ignore[import-untyped]  # yt-dlp comes without types
from yt_dlp.networking.exceptions import HTTPError  # type: ignore[import-untyped]  # as above
from yt_dlp.utils import YoutubeDLError  # type: ignore[import-untyped]  # as above

SOCKET_TIMEOUT_S = 20
MOST_REDIRECTS = 3


class _Silent:
    """What yt-dlp says on its way is for nobody."""

    def debug(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


def options() -> dict[str, Any]:
    return {
        "quiet": True,
        "no_warnings": True,
        "logger": _Silent(),
        "skip_download": True,
        "cachedir": False,
        "extractor_retries": 1,
        "socket_timeout": SOCKET_TIMEOUT_S,
        "proxy": os.environ.get("YOUTUBE_PROXY") or None,
    }


def listed(youtube: Any, url: str, limit: int) -> Iterator[Mapping[str, Any]]:
    """The lines to print; pages are asked for as they are needed. `youtube` is a YoutubeDL."""
    try:
        found = youtube.extract_info(url, download=False, process=False)
        for _ in range(MOST_REDIRECTS):
            if found.get("_type") in ("url", "url_transparent"):
                found = youtube.extract_info(found["url"], download=False, process=False)
        yield {"title": found.get("title"), "channel": found.get("channel")}
        for video in islice(_videos(found), limit):
            yield {
                "id": video["id"],
                "title": video.get("title"),
                "channel": video.get("channel"),
                "duration_s": video.get("duration"),
            }
    except YoutubeDLError as error:
        yield {"said": str(error), "status": _status(error)}
    else:
        yield {"end": True}


def _videos(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A channel is a list of lists: its videos, streams and shorts; each video comes once."""
    known = set()
    for entry in _entries(found):
        if entry.get("ie_key") == "Youtube" and entry.get("id") not in known:
            known.add(entry["id"])
            yield entry


def _entries(found: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for entry in found.get("entries") or ():
        if entry.get("_type") == "playlist":
            yield from _entries(entry)
        else:
            yield entry


def _status(error: BaseException) -> int | None:
    """The HTTP status somewhere below an error."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, HTTPError):
            return int(below.status)
        info = getattr(below, "exc_info", None)
        below = (
            getattr(below, "cause", None)
            or (info[1] if info and info[1] is not below else None)
            or below.__cause__
        )
    return None


def main(youtube: Any, arguments: list[str]) -> None:
    url, limit = arguments
    for line in listed(youtube, url, int(limit)):
        sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    with YoutubeDL(options(), auto_init="no_verbose_header") as youtube:
        main(youtube, sys.argv[1:])
