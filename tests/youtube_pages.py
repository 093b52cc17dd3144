"""YouTube's pages of playlists and channels, as far as yt-dlp reads them.

A page holds `ytInitialData`; what does not fit on it is asked for with the token of its last item.
Each kind of list has a shape of its own for its videos.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

PAGE, TAB_PAGE = 100, 30
"""How many videos a page of a playlist, and of a channel's tab, has."""
_TABS = {"videos": "Videos", "streams": "Live", "shorts": "Shorts"}


@dataclass
class Listed:
    youtube_id: str
    title: str = "A talk"
    channel: str = "A channel"
    duration_s: int | None = 60


@dataclass
class YouTubeList:
    """A playlist has `videos` alone. With an `alert` there is nothing but that sentence."""

    title: str = "A list"
    videos: Sequence[Listed] = ()
    streams: Sequence[Listed] = ()
    shorts: Sequence[Listed] = ()
    alert: str | None = None


def page(key: str, found: YouTubeList, tab: str) -> str:
    """The HTML of a playlist (`tab` is `playlist`) or of a channel's tab."""
    if found.alert is not None:
        body: dict[str, Any] = {
            "contents": {},
            "alerts": [{"alertRenderer": {"type": "ERROR", "text": _text(found.alert)}}],
        }
    elif tab == "playlist":
        body = _playlist(key, found, [one for one in found.videos if not _is_placeholder(one)])
    else:
        body = _channel(key, found, tab)
    return (
        '<html><script>ytcfg.set({"INNERTUBE_API_KEY": "key"});</script>'
        f"<script>var ytInitialData = {json.dumps(body)};</script></html>"
    )


def whole_playlist(key: str, found: YouTubeList) -> Mapping[str, Any]:
    """A playlist with its private and deleted videos, which its page leaves out."""
    return _playlist(key, found, found.videos)


def continued(key: str, found: YouTubeList, tab: str, start: int) -> Mapping[str, Any]:
    """The items after a page."""
    items = _items(key, found, tab, start)
    return {
        "onResponseReceivedActions": [
            {"appendContinuationItemsAction": {"continuationItems": items}}
        ]
    }


def _playlist(key: str, found: YouTubeList, videos: Sequence[Listed]) -> dict[str, Any]:
    shown = YouTubeList(found.title, videos)
    contents = {"playlistVideoListRenderer": {"contents": _items(key, shown, "playlist", 0)}}
    section = {"itemSectionRenderer": {"contents": [contents]}}
    tab = {"selected": True, "content": {"sectionListRenderer": {"contents": [section]}}}
    return {
        "metadata": {"playlistMetadataRenderer": {"title": found.title}},
        "contents": {"twoColumnBrowseResultsRenderer": {"tabs": [{"tabRenderer": tab}]}},
    }


def _channel(key: str, found: YouTubeList, selected: str) -> dict[str, Any]:
    tabs = [
        {"tabRenderer": _tab(key, found, name, selected=name == selected)}
        for name in _TABS
        if name == selected or getattr(found, name)
    ]
    return {
        "metadata": {
            "channelMetadataRenderer": {
                "title": found.title,
                "externalId": "UCYO_jab_esuFRV4b17AJtAw",
            }
        },
        "contents": {"twoColumnBrowseResultsRenderer": {"tabs": tabs}},
    }


def _tab(key: str, found: YouTubeList, name: str, *, selected: bool) -> dict[str, Any]:
    url = {"webCommandMetadata": {"url": f"/{key}/{name}"}}
    tab: dict[str, Any] = {"title": _TABS[name], "endpoint": {"commandMetadata": url}}
    if selected:
        grid = {"contents": _items(key, found, name, 0)}
        tab |= {"selected": True, "content": {"richGridRenderer": grid}}
    return tab


def _items(key: str, found: YouTubeList, tab: str, start: int) -> list[dict[str, Any]]:
    videos = found.videos if tab == "playlist" else getattr(found, tab)
    end = start + (PAGE if tab == "playlist" else TAB_PAGE)
    items = [_SHAPES[tab](video) for video in videos[start:end]]
    if end < len(videos):
        token = {"continuationCommand": {"token": f"{key}|{tab}|{end}"}}
        items.append({"continuationItemRenderer": {"continuationEndpoint": token}})
    return items


def _in_playlist(video: Listed) -> dict[str, Any]:
    if _is_placeholder(video):
        return {"playlistVideoRenderer": {"videoId": video.youtube_id, "title": _text(video.title)}}
    return {
        "playlistVideoRenderer": {
            "videoId": video.youtube_id,
            "title": _text(video.title),
            "shortBylineText": _text(video.channel),
            "lengthSeconds": str(video.duration_s),
        }
    }


def _in_videos(video: Listed) -> dict[str, Any]:
    seconds = video.duration_s or 0
    badge = {"thumbnailBadgeViewModel": {"text": f"{seconds // 60}:{seconds % 60:02}"}}
    overlay = {"thumbnailOverlayBadgeViewModel": {"thumbnailBadges": [badge]}}
    lockup = {
        "contentId": video.youtube_id,
        "contentType": "LOCKUP_CONTENT_TYPE_VIDEO",
        "contentImage": {"thumbnailViewModel": {"overlays": [overlay]}},
        "metadata": {"lockupMetadataViewModel": {"title": {"content": video.title}}},
    }
    return {"richItemRenderer": {"content": {"lockupViewModel": lockup}}}


def _in_streams(video: Listed) -> dict[str, Any]:
    renderer = {
        "videoId": video.youtube_id,
        "title": _text(video.title),
        "lengthText": {"simpleText": f"{video.duration_s} seconds"},
        "publishedTimeText": {"simpleText": "Streamed 2 years ago"},
    }
    return {"richItemRenderer": {"content": {"videoRenderer": renderer}}}


def _in_shorts(video: Listed) -> dict[str, Any]:
    lockup = {
        "entityId": f"shorts-shelf-item-{video.youtube_id}",
        "onTap": {"innertubeCommand": {"reelWatchEndpoint": {"videoId": video.youtube_id}}},
        "overlayMetadata": {"primaryText": {"content": video.title}},
    }
    return {"richItemRenderer": {"content": {"shortsLockupViewModel": lockup}}}


_SHAPES = {
    "playlist": _in_playlist,
    "videos": _in_videos,
    "streams": _in_streams,
    "shorts": _in_shorts,
}


def _is_placeholder(video: Listed) -> bool:
    return video.title in ("[Private video]", "[Deleted video]")


def _text(text: str) -> dict[str, Any]:
    return {"runs": [{"text": text}]}
