"""Playlists and channels as yt-dlp lists them, by a program of its own (`youtube_listing`)."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ingestion.cues import clean
from ingestion.provider import ListedVideo, Listing, provider_down
from talker.errors import LoadingFailed, Reason
from talker.sources import ListSource, is_youtube_id

LISTER = (sys.executable, "-m", "ingestion.youtube_listing")
LONGEST_LISTING_S = 600.0
REST_AFTER_BLOCK_S = 600.0

_WITHOUT_TITLE = ("[Private video]", "[Deleted video]")
_REASONS: tuple[tuple[str, Reason], ...] = (
    (r"not a bot|captcha|unusual traffic|too many requests", "blocked"),
    (r"\bprivate\b", "private"),
    (r"does not exist|doesn.t exist|terminated|not available|unavailable|removed", "removed"),
)
"""Words in YouTube's English sentences on lists, as yt-dlp passes them on."""
_STATUS: dict[int, Reason] = {403: "blocked", 429: "blocked", 404: "removed"}


async def list_videos(
    source: ListSource, limit: int, *, proxy: str | None, lister: Sequence[str]
) -> Listing:
    """Raises LoadingFailed; stops the program when it is cancelled."""
    environment = {name: value for name, value in os.environ.items() if name != "YOUTUBE_PROXY"}
    # Other yt-dlp installations on this machine may have plugins; none of them is ours.
    environment |= {"YTDLP_NO_PLUGINS": "1"} | ({"YOUTUBE_PROXY": proxy} if proxy else {})
    process = await asyncio.create_subprocess_exec(
        *lister,
        source.url,
        str(limit),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is for us to hear, and to stop the program quietly
    )
    try:
        async with asyncio.timeout(LONGEST_LISTING_S):
            output, _ = await process.communicate()
    except TimeoutError:
        raise provider_down(f"YouTube did not list {source.url} in time.") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if not output.endswith(b"\n"):
        raise provider_down(f"The program that lists {source.url} broke off.")
    return _listing(source, [json.loads(line) for line in output.splitlines()])


def _listing(source: ListSource, lines: Sequence[dict[str, Any]]) -> Listing:
    last = lines[-1]
    if "said" in last:
        raise _failure(source, last["said"], last["status"])
    if "end" not in last:
        raise provider_down(f"The program that lists {source.url} broke off.")
    about, videos = lines[0], lines[1:-1]
    title = about["channel"] if source.kind == "channel" else None
    return Listing(
        title=clean(title or about["title"] or "") or source.id,
        videos=[
            _video(video, about["channel"] if source.kind == "channel" else None)
            for video in videos
            if is_youtube_id(video["id"])
        ],
    )


def _video(video: dict[str, Any], channel: str | None) -> ListedVideo:
    title = clean(video["title"] or "")
    seconds = video["duration_s"]
    return ListedVideo(
        youtube_id=video["id"],
        title=title if title and title not in _WITHOUT_TITLE else None,
        channel=clean(video["channel"] or channel or "") or None,
        duration_ms=round(seconds * 1000) if seconds else None,
    )


def _failure(source: ListSource, said: str, status: int | None) -> LoadingFailed:
    sentence = clean(said).removeprefix("ERROR: ")[:200]
    words = (reason for found, reason in _REASONS if re.search(found, sentence, re.IGNORECASE))
    match next(words, None) if status is None else _STATUS.get(status):
        case "blocked":
            return blocked()
        case "private":
            return LoadingFailed(
                "private",
                f"The {source.kind} {source.url} is private.",
                "Ask its owner to make it public or unlisted, or give the links of its videos.",
            )
        case "removed":
            return LoadingFailed(
                "removed",
                f"There is no such {source.kind}: {source.url}.",
                "Check the link; if it is your own, make it public or unlisted.",
            )
    return provider_down(f'YouTube does not list {source.url}: "{sentence}".')


def blocked() -> LoadingFailed:
    return LoadingFailed(
        "blocked",
        "YouTube blocks this machine's address.",
        "Set SUPADATA_API_KEY, or YOUTUBE_PROXY to a residential proxy, and retry; "
        "or upload the captions as a file.",
        retry_after_s=REST_AFTER_BLOCK_S,
    )
