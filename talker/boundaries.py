"""Where sentences end in captions without full stops, as automatic ones are; pure.

Each place between two words is given points for and against; of all ways to cut a stretch the one
with the most points in sum is taken. So what is cut between two ends does not depend on the text
outside of them, and a chunk's own text is cut again as it was in the whole transcript.

An author's sentence that is too long is cut into even parts instead: pieces at its commas are of
all sizes, and chunks made of them are found less often.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import regex

from talker.sentence_words import SentenceWords
from talker.text import is_spaceless, token_estimate

MAX_SENTENCE_TOKENS = 60
"""A longer one is cut, if there is any place for it: where a line ends, or words or signs tell."""

# Points for places and costs of sentences, so that there must be a reason for each. Found by
# search on half of the English corpus and the other languages, and as good on the half kept back;
# those of signs are set so that a capital or a Japanese predicate's end mostly decides.
SENTENCE, SHORT_TOKENS = 120, 8
LINE_ENDS, PAUSE, LONG_PAUSE = 30, 250, 130
OPENS, MAY_OPEN, NEVER_LAST, OFTEN_LAST = 140, 75, -650, 100
CAPITAL, POLITE_ENDS = 500, 700
PER_TOKEN_SHORT, PER_TOKEN_LONG = 42, 2
PAUSE_MS, LONG_PAUSE_MS = 300, 800

_WORD = regex.compile(r"\S+")
_WRITTEN_MARK = regex.compile(r"[,;:\u060c](?=\s|$)|[.!?…\u0964\u061f\u06d4。\uff01\uff1f]\P{L}*$")
"""A comma or the like, or the full stop at the end; Japanese captions have commas without stops."""

_MARKS = ",;:.?!\"'“”„«»()[]-–—、，"
_POLITE_END = regex.compile(
    r"(?:です|ます|ました|でした|ません|でしょう|ましょう|ください)(?:ね|よ|か)?(?![がかけねよのとっ\s]|し(?!か)|$)"
)
"""A Japanese predicate after which no particle goes on with the sentence."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """A place where a sentence may end: its character, the points for it, tokens before it."""

    at: int
    points: int
    tokens: int


def cut(
    text: str, start: int, end: int, pauses: Mapping[int, float], words: SentenceWords
) -> list[tuple[int, int]]:
    """Sentences of `text[start:end]` as first and past-the-last characters, one after another.

    `pauses` has the characters inside at which caption lines start, with the silence before each
    in milliseconds as far as it is known.
    """
    parts = max(1, -(-token_estimate(text[start:end]) // MAX_SENTENCE_TOKENS))
    marks = [mark.end() for mark in _WRITTEN_MARK.finditer(text, start, end)]
    if len(marks) >= max(1, parts - 1):
        return _even(start, end, parts, sorted(pauses) or marks)
    gaps = _gaps(text, start, end, pauses, words)
    costs, froms = [0], [0]
    for right in range(1, len(gaps)):
        best, best_from = 0, -1
        for left in range(right - 1, -1, -1):
            tokens = gaps[right].tokens - gaps[left].tokens
            if tokens > MAX_SENTENCE_TOKENS and best_from >= 0:
                break
            so_far = costs[left] + _cost(tokens)
            if best_from < 0 or so_far < best:
                best, best_from = so_far, left
        costs.append(best - gaps[right].points)
        froms.append(best_from)
    ends = [len(gaps) - 1]
    while ends[-1]:
        ends.append(froms[ends[-1]])
    return list(pairwise(gaps[number].at for number in reversed(ends)))


def _even(start: int, end: int, parts: int, places: Sequence[int]) -> list[tuple[int, int]]:
    """At most so many parts, of about one size, cut at some of the places."""
    cuts = [start]
    for place in places:
        if (place - cuts[-1]) * parts >= end - start:
            cuts.append(place)
    return list(pairwise([*cuts, end]))


def _cost(tokens: int) -> int:
    """What a sentence costs: more for each token that it is too short by."""
    over = tokens - SHORT_TOKENS
    return SENTENCE + (over * PER_TOKEN_LONG if over > 0 else -over * PER_TOKEN_SHORT)


def _gaps(
    text: str, start: int, end: int, pauses: Mapping[int, float], words: SentenceWords
) -> list[_Gap]:
    """The stretch's start, the places inside it that have something for them, and its end."""
    at = _places(text, start, end, pauses)
    said = [text[left:right].strip() for left, right in pairwise([*at, end])]
    folded = [word.casefold().strip(_MARKS) or word for word in said]
    found = [(start, 0)]
    for number in range(1, len(at)):
        line = at[number] in pauses
        points = _words_points(folded[number - 1 : number + 2], words)
        points += _capital_points(said[number], words)
        points += _pause_points(pauses[at[number]]) if line else 0
        if line or points > 0:
            found.append((at[number], points))
    found.append((end, 0))
    sizes = [token_estimate(text[left:right]) for (left, _), (right, _) in pairwise(found)]
    return [
        _Gap(place, points, tokens)
        for (place, points), tokens in zip(found, accumulate(sizes, initial=0), strict=True)
    ]


def _places(text: str, start: int, end: int, pauses: Mapping[int, float]) -> list[int]:
    """Where words start, or lines and Japanese sentences in a script without spaces."""
    places = {match.start() for match in _WORD.finditer(text, start, end)}
    places.update(match.end() for match in _POLITE_END.finditer(text, start, end))
    return sorted({start, *places, *pauses} - {end})


def _words_points(around: Sequence[str], words: SentenceWords) -> int:
    """For the words before and after a gap, and the one after that if there is one."""
    before, after, following = (*around, "")[:3]
    points = 0
    if _starts(after, words.opens):
        points += OPENS
    elif _starts(after, words.may_open):
        points += OPENS if following and _starts(following, words.opens) else MAY_OPEN
    if _ends(before, words.never_last):
        points += NEVER_LAST
    elif _ends(before, words.often_last):
        points += POLITE_ENDS if is_spaceless(before[-1]) else OFTEN_LAST
    return points


def _starts(word: str, kind: Collection[str]) -> bool:
    return word in kind or (is_spaceless(word[0]) and word.startswith(tuple(kind)))


def _ends(word: str, kind: Collection[str]) -> bool:
    return word in kind or (is_spaceless(word[-1]) and word.endswith(tuple(kind)))


def _capital_points(after: str, words: SentenceWords) -> int:
    """For a small word with a capital letter."""
    small = after.casefold() in words.small and after not in words.capital
    return CAPITAL if small and after[0].isupper() else 0


def _pause_points(pause_ms: float) -> int:
    return (
        LINE_ENDS
        + (PAUSE if pause_ms >= PAUSE_MS else 0)
        + (LONG_PAUSE if pause_ms >= LONG_PAUSE_MS else 0)
    )
