"""Which videos of a library are listed, and in which order."""

import re
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    text,
)

from talker.models import (
    Chunk,
    CollectionVideo,
    LibraryEntry,
    Transcript,
    User,
    Video,
    VideoStatus,
)
from talker.text import is_spaceless, tokens

Sort = Literal["added", "title", "published", "duration", "channel", "position"]
Order = Literal["asc", "desc"]

MAX_WORDS = 12
"""Of a search; more than that many would only make it slow."""

SIMPLE = text("'simple'::regconfig")
"""Words as they are, lower-cased: the library speaks many languages."""

_QUOTED_OR_WORD = re.compile(r'"([^"]+)"|(\S+)')
_EDGES = "\"'.,;:?!()"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What narrows a list of videos and orders it; null or empty narrows nothing.

    `position`, the order of a collection, needs a `collection_id`. Without an `order` the newest
    come first, and everything else from the smallest up.
    """

    q: str = ""
    status: VideoStatus | None = None
    channel: str | None = None
    language: str | None = None
    collection_id: UUID | None = None
    sort: Sort = "added"
    order: Order | None = None


def listed(user: User, wanted: Wanted) -> Select[Video, LibraryEntry, int]:
    """The videos of a person's library that are wanted, and how many they are, in order: those
    whose title has all of `q` before the others."""
    words = words_of(wanted.q)
    query = (
        select(Video, LibraryEntry, func.count().over())
        .join(LibraryEntry, LibraryEntry.video_id == Video.id)
        .where(LibraryEntry.user_id == user.id, *_conditions(wanted))
        .where(*(_found(user, word) for word in words))
    )
    if wanted.collection_id is not None:
        in_it = and_(
            CollectionVideo.video_id == Video.id,
            CollectionVideo.collection_id == wanted.collection_id,
        )
        query = query.join(CollectionVideo, in_it)
    if words:
        titled = and_(*(Video.title.icontains(word, autoescape=True) for word in words))
        query = query.order_by(case((titled, 0), else_=1))
    return query.order_by(_by(wanted), LibraryEntry.added_at.desc(), Video.id)


def words_of(q: str) -> list[str]:
    """What a search looks for: each word, or what stands between quotation marks as it is."""
    found = [
        quoted or word.strip(_EDGES)
        for quoted, word in _QUOTED_OR_WORD.findall(q.replace("\x00", ""))
    ]
    words = list(dict.fromkeys(word for word in found if word.strip()))
    return ([word for word in words if tokens(word)] or words)[:MAX_WORDS]


def _found(user: User, word: str) -> ColumnElement[bool]:
    """Whether a video has a word in its title, its channel's name or what is said in it."""
    return or_(
        Video.title.icontains(word, autoescape=True),
        Video.channel.icontains(word, autoescape=True),
        Video.id.in_(_saying(user, word)),
    )


def _saying(user: User, word: str) -> Select[UUID]:
    """The videos in which a word is said, or a phrase as it stands; others' videos among them.

    The index knows where the words are, not in which order, so a phrase is looked for in what it
    finds; a script without spaces has no words to look up, so that the person's chunks are read.
    """
    if any(is_spaceless(character) for character in word):
        own = select(LibraryEntry.video_id).where(LibraryEntry.user_id == user.id)
        return select(Chunk.video_id).where(Chunk.video_id.in_(own), _has(word)).distinct()
    # Not narrowed to the person's own: Postgres may then take theirs first and make every one's
    # word list anew, which takes seconds. Cast as the index has it, which only then is used.
    words = func.to_tsvector(SIMPLE, Chunk.text)
    said: ColumnElement[bool] = words.bool_op("@@")(func.plainto_tsquery(SIMPLE, word))
    if len(word.split()) > 1:
        said = and_(said, Chunk.text.icontains(word, autoescape=True))
    return select(Chunk.video_id).where(said).distinct()


def _has(word: str) -> ColumnElement[bool]:
    if word.lower() != word.upper():
        return Chunk.text.icontains(word, autoescape=True)
    return func.strpos(Chunk.text, word) > 0  # a quarter of ILIKE's time


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(Video.status == wanted.status)
    if wanted.channel is not None:
        conditions.append(Video.channel == wanted.channel)
    if wanted.language is not None:
        language = func.lower(Transcript.language)
        asked = wanted.language.lower()
        dialect = language.startswith(f"{asked}-", autoescape=True)
        conditions.append(
            exists().where(Transcript.video_id == Video.id, or_(language == asked, dialect))
        )
    return conditions


def _by(wanted: Wanted) -> ColumnElement[Any]:
    columns: dict[Sort, SQLColumnExpression[Any]] = {
        "added": LibraryEntry.added_at,
        "title": func.lower(Video.title),
        "published": Video.published_at,
        "duration": Video.duration_ms,
        "channel": func.lower(Video.channel),
        "position": CollectionVideo.position,
    }
    order = wanted.order or ("desc" if wanted.sort in ("added", "published") else "asc")
    column = columns[wanted.sort]
    return (column.desc() if order == "desc" else column.asc()).nulls_last()
