"""What the person named, resolved: videos, a channel, a period, the newest few, a stretch."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from agent.library import Shelved, channels_of, collections_of, shelf
from agent.links import Links
from agent.plain import QUOTES, Reading, mentions_videos, style_of
from agent.state import Citation, Span
from agent.times import Period, newest_in, period_in, span_in
from agent.titles import fitting, name_words, named_whole, phrases_in, subject
from agent.wording import fold, search
from talker.database import autocommit, statement

ABOUT_VIDEOS = ("summarize", "compose", "list_videos", "find_videos")
"""Intents whose words name videos more often than not."""

WHOLE = ("key_moments", "chapters", "study_guide")

PLAIN_CHANNEL_CHARS = 7
"""A channel's name of one shorter word may be any word; it must be written as the channel is."""


@dataclass(frozen=True)
class Named:
    """`videos` are the ones named, newest first; null where nothing narrows what may be read.

    `missing` is a name that fits none, `everything` that the whole library was asked for,
    `is_subject` that a subject was named in place of videos; `candidates` could have been named.
    """

    videos: list[Shelved] | None = None
    span: Span | None = None
    missing: str | None = None
    everything: bool = False
    is_subject: bool = False
    candidates: Sequence[Shelved] = ()

    @property
    def video_ids(self) -> list[str] | None:
        return None if self.videos is None else [str(video.id) for video in self.videos]

    def knows(self, links: Links) -> bool:
        """Whether all that is linked are videos that may be read already."""
        known = {video.youtube_id for video in self.videos or ()}
        return len(links.youtube_ids) == len(links.written) and known >= set(links.youtube_ids)


@dataclass(frozen=True)
class Before:
    """What the turn before was about: its videos, and what its answer cited."""

    video_ids: Sequence[str] = ()
    citations: Sequence[Citation] = ()

    def ids(self) -> list[str]:
        """The videos that "it" and "that video" stand for."""
        if self.video_ids:
            return list(self.video_ids)
        counted = Counter(citation["video_id"] for citation in self.citations)
        return [video_id for video_id, _ in counted.most_common(1)]


async def resolve(
    sessions: async_sessionmaker[AsyncSession],
    user_id: UUID,
    scope: Collection[str] | None,
    text: str,
    reading: Reading,
    *,
    links: Links | None = None,
    before: Before | None = None,
) -> Named:
    """What a message names, within the ready videos of `scope`.

    The library is read only where the words suggest a name; else it costs one small query.
    """
    folded = fold(text)
    if not links and not await _suggests_name(sessions, user_id, text, folded, reading):
        span = span_in(text)
        return Named(span=span.within(None) if span else None)
    ids = None if scope is None else [UUID(video_id) for video_id in scope]
    async with autocommit(sessions) as session:
        videos = await shelf(session, user_id, ids)
    named = Named(candidates=videos, everything=search("everything", folded) is not None)
    if links and links.youtube_ids:
        return _spanned(replace(named, videos=_linked(videos, links) or None), text)
    narrowed = _narrowed(videos, text, folded, reading)
    within = videos if narrowed is None else narrowed
    found, missing = _by_name(within, text, reading)
    if len(videos) == 1 and not QUOTES.search(text):
        missing = None  # there is no other one to mean
    if not found and missing:
        async with autocommit(sessions) as session:
            found = await _in_collection(session, user_id, missing, within)
    if not found and not missing and before:
        found = _meant_before(within, folded, reading, before)
    count = newest_in(text)
    if not found and count is not None:
        found, missing = _newest(within, count, of_channel=narrowed is not None), None
    if not found and narrowed is not None:
        return _spanned(replace(named, videos=narrowed), text)
    if not found and not missing and reading.intent == "summarize" and not named.everything:
        rest = subject(reading.asked) if len(videos) > 1 else ""
        # A form that only a whole video has speaks of one, as the word itself does.
        of_videos = mentions_videos(folded) or style_of(text) in WHOLE
        named = replace(named, is_subject=bool(rest) and not of_videos)
        missing = rest if of_videos and rest else None
    return _spanned(replace(named, videos=found or None, missing=missing), text)


def _meant_before(
    videos: Sequence[Shelved], folded: str, reading: Reading, before: Before
) -> list[Shelved]:
    """The videos of the turn before, where a message says "it", or which one it means is open."""
    if reading.intent != "summarize" and search("this", folded) is None:
        return []
    if search("everything", folded) or newest_in(folded) is not None:
        return []
    wanted = set(before.ids())
    return [video for video in videos if str(video.id) in wanted]


async def _suggests_name(
    sessions: async_sessionmaker[AsyncSession],
    user_id: UUID,
    text: str,
    folded: str,
    reading: Reading,
) -> bool:
    if reading.intent in ABOUT_VIDEOS or mentions_videos(folded) or QUOTES.search(folded):
        return True
    if any(search(rule, folded) for rule in ("newest", "this", "channel")) or span_in(folded):
        return True
    if reading.intent != "answer":
        return False
    channels = await channels_of(partial(statement, sessions), user_id)
    return any(_is_named(channel, text, folded) for channel in channels)


def _linked(videos: Sequence[Shelved], links: Links) -> list[Shelved]:
    return [video for video in videos if video.youtube_id in links.youtube_ids]


def _spanned(named: Named, text: str) -> Named:
    """With the stretch that the message names; of one video its length is known."""
    span = span_in(text)
    if span is None:
        return named
    readable = named.candidates if named.videos is None else named.videos
    duration_ms = readable[0].duration_ms if len(readable) == 1 else None
    return replace(named, span=span.within(duration_ms))


def _narrowed(
    videos: Sequence[Shelved], text: str, folded: str, reading: Reading
) -> list[Shelved] | None:
    """The videos of the channel and the period that a message names; null where it names none."""
    channels = {video.channel for video in videos if video.channel}
    wanted = {channel for channel in channels if _is_named(channel, text, folded)}
    period = _period_of_videos(text, folded, reading)
    if not wanted and period is None:
        return None
    found = [video for video in videos if not wanted or video.channel in wanted]
    return [video for video in found if period is None or _lies_in(video, period)]


def _period_of_videos(text: str, folded: str, reading: Reading) -> Period | None:
    """The period that a message names for videos, rather than one that they speak of."""
    about_videos = reading.intent == "list_videos" or (
        mentions_videos(folded) and (search("added", folded) or search("published", folded))
    )
    return period_in(text, datetime.now(UTC)) if about_videos else None


def _lies_in(video: Shelved, period: Period) -> bool:
    at = video.added_at if period.of == "added" else video.published_at
    return at is not None and period.start_at <= at < period.end_at


def _is_named(channel: str, text: str, folded: str) -> bool:
    """Whether a message names a channel, written with or without spaces and signs."""
    words = re.findall(r"\w+", fold(channel))
    if not words:
        return False
    pattern = r"(?<!\w)" + r"[\W_]*".join(map(re.escape, words)) + r"(?!\w)"
    apart = re.search(pattern, folded)
    compact = "".join(words)
    if apart is None and (len(compact) < PLAIN_CHANNEL_CHARS or compact not in _compact(folded)):
        return False
    telling = len(words) > 1 or any(letter.isdigit() for letter in compact)
    return telling or _says(channel, words[0], text, folded)


def _says(channel: str, word: str, text: str, folded: str) -> bool:
    """Whether a channel's name of one word is written as the channel is, or stands where a
    speaker's or a channel's name does."""
    if re.search(rf"(?<!\w){re.escape(channel)}(?!\w)", text) and not channel.islower():
        return True
    at = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", folded)
    if at is None:
        return False
    before, behind = folded[: at.start()].split()[-1:], folded[at.end() :].split()[:1]
    says = search("says", " ".join(behind)) or search("channel", " ".join([*before, *behind]))
    return says is not None and (len(word) >= PLAIN_CHANNEL_CHARS or bool(before))


def _compact(folded: str) -> str:
    return re.sub(r"[\W_]", "", folded)


def _by_name(
    videos: Sequence[Shelved], text: str, reading: Reading
) -> tuple[list[Shelved], str | None]:
    """The videos whose titles a message has, or a part of them that tells; else the name that it
    has in their place, if it can only be one."""
    found: dict[UUID, Shelved] = {video.id: video for video in named_whole(text, videos)}
    missing: str | None = None
    for parts in phrases_in(text, topics=reading.intent == "find_videos"):
        fits = next((fits for part in parts if (fits := fitting(part, videos))), [])
        if fits:
            found |= {video.id: video for video in fits}
        elif subject(parts[-1]) and not _is_description(parts[-1]):
            missing = missing or parts[-1].strip()
    if not found and reading.intent == "summarize":
        found |= {video.id: video for video in fitting(subject(reading.asked), videos)}
    return list(found.values()), None if found else missing


def _is_description(phrase: str) -> bool:
    """Whether a phrase counts or orders videos, as in "the last three", or only asks for
    something, as in "summarise the", instead of naming one."""
    said = f"{phrase} video"
    rules = ("newest", "this", "everything", "maybe_summarize", "maybe_compose")
    return any(search(rule, said) for rule in rules) or all(
        word.isdecimal() for word in name_words(phrase)
    )


async def _in_collection(
    session: AsyncSession, user_id: UUID, name: str, videos: Sequence[Shelved]
) -> list[Shelved]:
    """The videos of the collection that a name is the name of."""
    wanted = set(name_words(name))
    for known, video_ids in (await collections_of(session, user_id)).items():
        if wanted and wanted == set(name_words(known)):
            members = set(video_ids)
            return [video for video in videos if video.id in members]
    return []


def _newest(videos: Sequence[Shelved], count: int, *, of_channel: bool) -> list[Shelved]:
    """The last to be added, or to be published where a channel's were asked for."""
    if not of_channel:
        return list(videos[:count])
    dated = sorted(
        videos,
        key=lambda video: (video.published_at or datetime.min.replace(tzinfo=UTC), video.added_at),
        reverse=True,
    )
    return dated[:count]
