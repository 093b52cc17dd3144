"""A draft as a model writes it: its markers, its sentences, and the Markdown it may not have."""

import re

import regex

from agent.claims import MARK, without_numbers, without_times
from agent.harmless import Preview, plain

_HELD = re.compile(r"\s*(?:[\[【][^\[\]【】\n]{0,60})?$")
"""What may yet become a marker: white space, an opening bracket and what is in it so far."""

_FENCE = re.compile(r"^```.*$\n?", re.MULTILINE)
_LINE_MARKUP = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?)", re.MULTILINE)
_BULLET = re.compile(r"^([ \t]*)[*+•][ \t]+", re.MULTILINE)
_EMPHASIS = re.compile(r"(\*\*\*|\*\*|__|\*|`)(?=\S)(.+?)(?<=\S)\1")
_UNDERLINED = re.compile(r"(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)")
_RULE = re.compile(r"^[ \t]*(?:-{3,}|\*{3,}|_{3,})[ \t]*$", re.MULTILINE)

_MARKS = rf"(?:{MARK.pattern})*"
_ENDS = regex.compile(
    rf"(?:[.!?…\u0964\u061f\u06d4]+[\"'”’»)\]*_]*{_MARKS}(?=\s|$)|[。！？]+[」』”）]*{_MARKS})\s*"
)
"""A sentence's end with the markers and the white space behind it."""

_NO_END = regex.compile(
    r"(?:^|[\s(„“\"])(?:\p{Lu}|\p{L}\.\p{L}|\d{1,2}|mr|mrs|ms|dr|prof|st|vs|etc|approx|fig|no|ca|bzw|np"
    r"|tj|sr|sra)\.$",
    regex.IGNORECASE,
)


class PostPreview(Preview):
    """A draft while it streams, also without its markers; `nothing` is a reply not to be shown."""

    def __init__(self, nothing: str) -> None:
        super().__init__()
        self._nothing = nothing
        self._begun = False
        self._kept_back = ""

    def add(self, text: str) -> str:
        """What can be shown by now; what may yet become a marker is held back."""
        text = without_numbers(self._kept_back + text)
        self._begun = self._begun or not self._may_be_nothing(text)
        held = _HELD.search(text)
        end = held.start() if held and self._begun else len(text) if self._begun else 0
        self._kept_back = text[end:]
        return super().add(text[:end])

    def end(self) -> str:
        """What was held back to the end and is no marker."""
        rest = self._kept_back.rstrip() if self._begun else ""
        return super().add(rest) + super().end()

    def _may_be_nothing(self, text: str) -> bool:
        return self._nothing.startswith(text.strip()[: len(self._nothing)])


def tidied(draft: str, *, as_plain_text: bool) -> str:
    """A draft without links, pictures and HTML, and where it is to be plain text without Markdown.

    Addresses in a draft are the model's own and lead nowhere; those of the videos are put in
    later, by code. Markers stay.
    """
    text = without_times(plain(_FENCE.sub("", draft.replace("\r\n", "\n").strip())))
    if as_plain_text:
        text = _without_markdown(text)
    text = re.sub(r"[ \t]+(?=[.,;:!?)\n]|$)", "", re.sub(r"(?<=\S)[ \t]{2,}", " ", text))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _without_markdown(text: str) -> str:
    text = _BULLET.sub(r"\1- ", _LINE_MARKUP.sub("", _RULE.sub("", text)))
    for _ in range(3):  # emphasis within emphasis
        text = _EMPHASIS.sub(r"\2", text)
    return _UNDERLINED.sub(r"\1", text)


def sentences(line: str) -> list[str]:
    """A line's sentences with the markers and the white space behind each; joined, the line."""
    found, start = [], 0
    for end in _ENDS.finditer(line):
        if _goes_on(line, end.start(), end.end()):
            continue
        found.append(line[start : end.end()])
        start = end.end()
    return [*found, line[start:]] if start < len(line) else found


def _goes_on(line: str, stop: int, after: int) -> bool:
    """Whether a full stop ends no sentence: one of "Dr.", of a list's "1." or before a small
    letter."""
    if line[after : after + 1].islower():
        return True
    return line[stop] == "." and _NO_END.search(line[: stop + 1]) is not None
