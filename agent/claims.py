"""What an answer claims: its sentences, and the numbers of passages behind each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import regex

from talker.text import content_words

MARK = regex.compile(
    r"\s*[\[【]\s*(?:[\^#]|(?:passages?|sources?)\s)?\s*(\d{1,4}(?:\s*(?:[,;&–-]|and)\s*\d{1,4})*)"
    r"(?:[†:@,;]\s?[^\[\]【】]{0,40})?[\]】]"
)
"""`[2]`, `[2, 3]`, and other brackets and words that models put there, such as `【4:0†source】`.

What stands behind a number, as a time might, is none of the model's to say.
"""

_MARKS = regex.compile(rf"(?:{MARK.pattern})+")
LONGEST_RANGE = 8

_ENDS = regex.compile(r"(?:[.!?…।。！？]['\"”’»)*_]*\s+|\n+|[。！？])")
_QUOTED = regex.compile(r"[“\"„«]([^“”\"„«»]{12,})[”“\"»]|[「『]([^「」『』]{6,})[」』]")
"""Words in quotation marks, which so are said to have been said; shorter ones are names."""

_TIME = regex.compile(
    r"\s*[\[(（]\s*(?:at\s+)?\d{1,3}:[0-5]\d(?::[0-5]\d)?(?:\s*[-–]\s*\d{1,3}:[0-5]\d(?::[0-5]\d)?)?\s*[\])）]"
)
"""A moment in brackets, as models add them by themselves."""

_OTHER_MARKS = regex.compile(r"\s*【[^】\n]{0,80}】|\s*[\[【]\d[\d,; ]*$")
"""Marks that name no number, and one that was cut off."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A stretch of text up to the numbers behind it, `space` being what parts the two.

    `claim` is what the numbers speak for; `rest` is what its sentence says after them.
    """

    text: str
    space: str
    numbers: tuple[int, ...]
    claim: str
    rest: str


def without_times(text: str) -> str:
    """The text without moments in brackets and marks that name nothing."""
    return _OTHER_MARKS.sub("", _TIME.sub("", text))


def cited(text: str) -> Iterator[Cited]:
    """The text in order, cut behind its numbers; the last stretch may have none."""
    end = 0
    for marks in _MARKS.finditer(text):
        before, after = text[end : marks.start()], text[marks.end() :]
        claim, rest = _last_sentence(before), _rest(after)
        if len(content_words(claim)) < 2:  # "In [1] it is said that" speaks for what follows
            claim, rest = f"{claim} {_sentence(after)}".strip(), ""
        space = " " if marks[0][0].isspace() else ""
        yield Cited(before, space, _numbers(marks[0]), claim, rest)
        end = marks.end()
    yield Cited(text[end:], "", (), "", "")


def numbers_in(text: str) -> set[int]:
    """Every number of a passage that a text has behind its claims."""
    return {n for marks in _MARKS.finditer(text) for n in _numbers(marks[0])}


def without_numbers(text: str) -> str:
    return _MARKS.sub("", text)


def numbered(text: str, number: Callable[[str], int | None]) -> str:
    """The text with a number behind each sentence that `number` has one for."""
    parts: list[str] = []
    start = 0
    for end in [*(found.end() for found in _ENDS.finditer(text)), len(text)]:
        sentence = text[start:end].rstrip()
        n = number(sentence)
        parts += [sentence, "" if n is None else f" [{n}]", text[start + len(sentence) : end]]
        start = end
    return "".join(parts)


def sentence_count(text: str) -> int:
    return len([sentence for sentence in _ENDS.split(text) if sentence.strip()])


def quotes(text: str) -> list[str]:
    """The words that a text puts in quotation marks."""
    return [match[1] or match[2] for match in _QUOTED.finditer(text)]


def without_quotes(text: str) -> str:
    return _QUOTED.sub(" ", text)


def unquoted(text: str, invented: Sequence[str]) -> str:
    """The text with those quotes as plain words."""

    def bare(match: regex.Match[str]) -> str:
        words: str = match[1] or match[2]
        return words if words in invented else match[0]

    return _QUOTED.sub(bare, text)


def _numbers(marks: str) -> tuple[int, ...]:
    found: list[int] = []
    for mark in MARK.finditer(marks):
        for part in regex.split(r"\s*(?:[,;&]|and)\s*", mark[1]):
            ends = [int(n) for n in regex.split(r"\s*[–-]\s*", part)]
            found += range(ends[0], min(ends[-1], ends[0] + LONGEST_RANGE) + 1)
    return tuple(dict.fromkeys(found))


def _last_sentence(text: str) -> str:
    bare = text.strip()
    starts = [found.end() for found in _ENDS.finditer(bare) if found.end() < len(bare)]
    return bare[starts[-1] :] if starts else bare


def _sentence(text: str) -> str:
    """A text's first sentence, up to the next number."""
    bare = text[: found.start()] if (found := MARK.search(text)) else text
    end = _ENDS.search(bare)
    return bare[: end.start()] if end else bare


def _rest(after: str) -> str:
    """What a sentence goes on to say behind its number, unless another number speaks for that."""
    end, mark = _ENDS.search(after), MARK.search(after)
    until = end.start() if end else len(after)
    return "" if mark and mark.start() <= until else after[:until]
