"""Which video a person means who names it by its title, a part of it, or nearly so; pure."""

import re
from collections.abc import Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

from agent.languages import is_request_word, message_language
from agent.library import Shelved
from agent.plain import QUOTES, all_matches
from agent.wording import fold, search
from talker.text import any_stem, stop_words, tokens

MIN_WORD_RATIO = 82
"""rapidfuzz's ratio at which a word is another one mistyped."""

MIN_MENTION = 93
"""Its partial ratio at which a whole title stands in a message."""

MIN_MENTION_CHARS = 8
MIN_TYPED_CHARS = 5
MIN_NEAR = 60
MAX_FITTING = 20
"""Words that more videos have name none of them."""

PREFIX_CHARS = 3
_SIGNS = " .,;:!?…¿¡\"'“”„«»‘’()[]"


def fitting(phrase: str, videos: Sequence[Shelved]) -> list[Shelved]:
    """The videos whose titles have every word of a phrase that says something."""
    words = name_words(phrase)
    if not words:
        return []
    prefixes = [word[:PREFIX_CHARS] for word in words]
    likely = [video for video in videos if all(prefix in fold(video.title) for prefix in prefixes)]
    found = [video for video in likely if has_words(video.title, words)]
    return found if len(found) <= MAX_FITTING else []


def named_whole(text: str, videos: Sequence[Shelved]) -> list[Shelved]:
    """The videos whose whole title, or what stands before a | in it, is in a message."""
    folded = fold(text)
    titles = {
        video: title
        for video in videos
        if len(title := fold(video.title.split(" | ")[0])) >= MIN_MENTION_CHARS
        and len(title) <= len(folded) + 2
        and title[:PREFIX_CHARS] in folded
    }
    return [
        video for video, title in titles.items() if fuzz.partial_ratio(title, folded) >= MIN_MENTION
    ]


def without_titles(text: str, videos: Sequence[Shelved]) -> str:
    """A message without the titles it names, which are often in another language than it is."""
    for video in videos:
        for title in (video.title, video.title.split(" | ")[0]):
            text = re.sub(re.escape(title), " ", text, flags=re.IGNORECASE)
    return text


def nearest(phrase: str, videos: Sequence[Shelved], limit: int = 3) -> list[str]:
    """The titles most like a phrase, best first; none where none is like it at all."""
    titles = list(dict.fromkeys(video.title for video in videos))
    words = " ".join(name_words(phrase)) or fold(phrase)
    found = process.extract(words, titles, scorer=fuzz.token_set_ratio, processor=fold, limit=limit)
    return [title for title, score, _ in found if score >= MIN_NEAR]


def as_written(phrase: str, text: str) -> str:
    """A folded phrase as a message has it, with its capitals and accents."""
    words, count = text.split(), len(phrase.split())
    for at in range(len(words) - count + 1):
        piece = " ".join(words[at : at + count]).strip(_SIGNS)
        if fold(piece) == phrase:
            return piece
    return phrase


def name_words(phrase: str) -> list[str]:
    """The words of a phrase that can tell one title from another."""
    small = stop_words("en") | stop_words(message_language(phrase))
    folded_small = {fold(word) for word in small} if not phrase.isascii() else small
    return [
        word
        for word in dict.fromkeys(tokens(fold(phrase)))
        if word not in folded_small and not _is_video(word)
    ]


def subject(asked: str) -> str:
    """What a folded request is about: its words without those that requests are made of."""
    return " ".join(word for word in name_words(asked) if not is_request_word(word))


def subject_as_written(asked: str) -> str:
    """The same as a request has it, with the small words inside; all of it where that is nothing.

    What it is made of lies nearer to passages about it than the whole request does: see
    bench/README.md.
    """
    words, wanted = asked.split(), set(subject(fold(asked)).split())
    named = [at for at, word in enumerate(words) if wanted & set(tokens(fold(word)))]
    if not named:
        return asked
    end, language = named[-1] + 1, message_language(asked)
    while end < len(words) and not is_small(fold(words[end]).strip(_SIGNS), language):
        end += 1
    return " ".join(words[named[0] : end]).strip(_SIGNS)


def is_small(word: str, language: str) -> bool:
    return word in stop_words("en") or word in stop_words(language)


@lru_cache(maxsize=10_000)
def _is_video(word: str) -> bool:
    found = search("video", word)
    return found is not None and found[1][0] == word


def has_words(text: str, words: Sequence[str]) -> bool:
    """Whether a title, or what was said, has every one of some folded words in some form."""
    said = tokens(fold(text))
    return all(any(_same(word, one) for one in said) for word in words)


def _same(word: str, other: str) -> bool:
    if word == other or any_stem(word) & any_stem(other):
        return True
    return len(word) >= MIN_TYPED_CHARS and fuzz.ratio(word, other) >= MIN_WORD_RATIO


def phrases_in(text: str, *, topics: bool = False) -> list[list[str]]:
    """The phrases by which a message may name videos, each with its parts, the longest first.

    With `topics` what stands beside the word "video" is what videos are looked for by, and only
    what is quoted is a name.

    A part begins and ends where a small word does: of "behind the fall of rome video" these are
    "behind the fall of rome", "the fall of rome", "fall of rome" and "rome".
    """
    folded, language = fold(text), message_language(text)
    found = [[quoted[1]] for quoted in QUOTES.finditer(folded)]
    for match in () if topics else all_matches("name", folded):
        groups = match.groupdict()
        if before := groups.get("before"):
            words = _clause(before, last=True).split()
            found.append([" ".join(words[at:]) for at in _starts(words, language)])
        if after := groups.get("after"):
            words = _clause(after, last=False).split()
            backwards = words[::-1]
            found.append(
                [" ".join(words[: len(words) - at]) for at in _starts(backwards, language)]
            )
    return [parts for parts in found if parts]


def _clause(text: str, *, last: bool) -> str:
    """What stands at one side of the commas and the like of a text."""
    for mark in ",.?!;:、。，？":
        if mark in text:
            text = text.rsplit(mark, 1)[1] if last else text.split(mark, 1)[0]
    return text.strip()


def _starts(words: Sequence[str], language: str) -> list[int]:
    """Where parts begin: at the first word, and behind each small one."""
    return [
        at for at in range(len(words)) if at == 0 or is_small(words[at - 1].strip("'\""), language)
    ]
