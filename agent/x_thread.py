"""Threads for X: how X counts characters, and posts that fit; pure."""

import re
import unicodedata
from collections.abc import Sequence

import regex

from agent.drafts import sentences

MAX_WEIGHT = 280
"""X's limit for a post: https://docs.x.com/fundamentals/counting-characters."""

ADDRESS_WEIGHT = 23
"""What every address counts, however long: X puts its own short one in its place."""

MIN_POSTS, MAX_POSTS = 3, 10
"""Our own: fewer are no thread, and few readers come to the eleventh."""

SINGLE = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Code points that count one; all others count two (twitter-text's configuration, version 3)."""

_EMOJI = regex.compile(
    r"\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3"
    r"|(?:(?![\u0000-\u10ff])\p{Extended_Pictographic}|[©®]\ufe0f)"
    r"(?:\ufe0f|\p{Emoji_Modifier})?[\U000e0020-\U000e007f]*"
    r"(?:\u200d\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?)*"
)
_ADDRESS = re.compile(r"https?://\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b(?:/\S*)?", re.IGNORECASE)
_HASHTAGS = re.compile(r"(?:#\w+\s*)+")
_NUMBERING = re.compile(r"^\s*(?:\(?\d{1,2}\s*/\s*(?:\d{1,2}|n)?\)?[.:)]?|\d{1,2}[.)])\s+")
_NUMBERING_BEHIND = re.compile(r"\s+\(?\d{1,2}/(?:\d{1,2}|n)\)?$")
_ROOM = MAX_WEIGHT - len("10/10 ")
ASKED_WEIGHT = 260
"""What a model is asked for: it counts badly, and our numbers take some."""


def weight(text: str) -> int:
    """How many of a post's characters a text takes, as X counts: an emoji two, whatever it is
    made of, an address 23, most scripts' letters one, those of Chinese, Japanese and Korean two.

    A word that only looks like an address ("Node.js") counts as one where that is more.
    """
    text = unicodedata.normalize("NFC", text)
    counted = 0
    for found in _ADDRESS.finditer(text):
        own = _plain_weight(found[0])
        counted += (ADDRESS_WEIGHT if "//" in found[0] else max(ADDRESS_WEIGHT, own)) - own
    return counted + _plain_weight(text)


def _plain_weight(text: str) -> int:
    rest = _EMOJI.sub("", text)
    emoji = len(_EMOJI.findall(text))
    singles = sum(any(first <= ord(one) <= last for first, last in SINGLE) for one in rest)
    return 2 * emoji + 2 * len(rest) - singles


def posts_of(text: str) -> list[str]:
    """A draft's posts: its paragraphs, without the numbers that a model gave them; hashtags alone
    are no post, and go to the one before."""
    posts: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        post = _NUMBERING_BEHIND.sub("", _NUMBERING.sub("", block)).strip()
        if posts and _HASHTAGS.fullmatch(post):
            posts[-1] += f"\n{post}"
        elif post:
            posts.append(post)
    return posts


def excess(text: str) -> str | None:
    """What of a draft does not fit a thread, as a sentence to the model; null where all does."""
    posts = posts_of(text)
    long = [str(n) for n, post in enumerate(posts, 1) if weight(post) > _ROOM]
    if long:
        return f"Post {', '.join(long)} is longer than {ASKED_WEIGHT} characters: shorten it."
    if len(posts) > MAX_POSTS:
        return f"There are {len(posts)} posts: at most {MAX_POSTS} are allowed."
    return None


def thread(text: str, last: str = "") -> str:
    """A draft as numbered posts that fit, a blank line between them; `last` is a post of ours.

    A post that is too long is divided between its sentences; a sentence that fits no post is left
    out, and so is what comes after the tenth.
    """
    posts = [piece for post in posts_of(text) for piece in _divided(post)]
    while 0 < len(posts) < MIN_POSTS:
        longest = max(range(len(posts)), key=lambda at: len(_sentences(posts[at])))
        if len(halves := _halves(posts[longest])) < 2:
            break
        posts[longest : longest + 1] = halves
    posts = posts[: MAX_POSTS - bool(last)]
    if last and posts:
        posts.append(last)
    return "\n\n".join(f"{n}/{len(posts)} {post}" for n, post in enumerate(posts, 1))


def _divided(post: str) -> list[str]:
    if weight(post) <= _ROOM:
        return [post]
    made: list[str] = []
    for sentence in _sentences(post):
        joined = made[-1] + sentence if made else sentence
        if made and weight(joined.strip()) <= _ROOM:
            made[-1] = joined
        elif weight(sentence.strip()) <= _ROOM:
            made.append(sentence)
    return [piece.strip() for piece in made]


def _halves(post: str) -> list[str]:
    said = _sentences(post)
    middle = (len(said) + 1) // 2
    pieces: Sequence[str] = ("".join(said[:middle]), "".join(said[middle:]))
    return [piece.strip() for piece in pieces if piece.strip()]


def _sentences(post: str) -> list[str]:
    """A post's sentences, its line ends with the sentence before them."""
    return [one for line in post.splitlines(keepends=True) for one in sentences(line)]
