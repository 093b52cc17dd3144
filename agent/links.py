"""Links and ids of videos in a message, and the question that came with them."""

import re
from dataclasses import dataclass

from agent.plain import all_matches, bare, without_politeness
from agent.wording import fold, search
from talker.errors import LoadingFailed
from talker.sources import VideoSource, source_of

_LINK = re.compile(
    r"<?\b(?:https?://|www\.|(?:m\.|music\.)?youtube\.com/|youtu\.be/)[^\s<>\"'，。）]+",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<!\S)(?:@[\w.-]{3,60}|[A-Za-z0-9_-]{11,100})(?!\S)")
_ENDING = ".,;:!?)]}"
_YOUTUBE = re.compile(r"youtu\.?be", re.IGNORECASE)


@dataclass(frozen=True)
class Links:
    """`written` are the sources as the person wrote them, `youtube_ids` those of them that are
    single videos, `question` what they ask about them ("" where nothing)."""

    written: list[str]
    youtube_ids: list[str]
    question: str


def links_in(text: str) -> Links | None:
    """What a message gives to load; None where it names nothing of YouTube.

    A bare id, list id or @handle counts only alone or beside a word such as "add": words of
    eleven letters are no ids.
    """
    found = [m[0].lstrip("<").rstrip(_ENDING) for m in _LINK.finditer(text)]
    adding = search("add", fold(_LINK.sub(" ", text))) is not None
    alone = not bare(_LINK.sub(" ", text))
    written = [one for one in found if _YOUTUBE.search(one) or adding or alone]
    if not found and (adding or _NAME.fullmatch(text.strip())):
        written = [one for one in _NAME.findall(text) if _is_source(one)]
    if not written:
        return None
    named = [_youtube_id(one) for one in written]
    return Links(
        written=list(dict.fromkeys(written)),
        youtube_ids=[one for one in named if one],
        question=_question(text, written),
    )


def _is_source(name: str) -> bool:
    """Whether a bare word can only be an id or a handle: it mixes letters as no word does."""
    mixed = re.search(r"\d|_|[a-z][A-Z]|[A-Z]{2}.*[a-z]", name)
    if not name.startswith("@") and not mixed:
        return False
    try:
        source_of(name)
    except LoadingFailed:
        return False
    return True


def _youtube_id(written: str) -> str | None:
    try:
        source = source_of(written)
    except LoadingFailed:  # whoever adds it says what is wrong with it
        return None
    return source.youtube_id if isinstance(source, VideoSource) else None


def _question(text: str, written: list[str]) -> str:
    """The words around the links, without the request to add them."""
    split = re.compile("|".join(re.escape(one) for one in sorted(written, key=len, reverse=True)))
    parts = [_without_request(part) for part in split.split(text)]
    return " ".join(part for part in parts if part)


def _without_request(part: str) -> str:
    """A part of a message without its words about adding; what comes after an "and" is kept."""
    folded = without_politeness(bare(fold(part)))
    if not re.search(r"\w{2}", folded):
        return ""
    if not any(True for _ in all_matches("add", folded)) and search("add_only", folded) is None:
        return _without_joint(bare(part))
    joint = re.search(
        r"(?:,|\b(?:and|then|y|e|et|und|i|и|و|और)\b|并|，)\s*(.+)", part, re.IGNORECASE
    )
    return bare(joint[1]) if joint else ""


def _without_joint(part: str) -> str:
    return bare(re.sub(r"^(?:and|then|y|e|et|und|i|и)\s+", "", part, flags=re.IGNORECASE))
