"""From what a model writes to a summary's text: numbers that count up, times that are proved."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence

import regex
from langchain_core.embeddings import Embeddings

from agent.citations import citation, cited_by_words, prove_citations, spoken
from agent.claims import MARK, numbers_in, without_numbers, without_times
from agent.clock import clock
from agent.harmless import Preview, plain
from agent.leaks import without_instructions
from agent.meaning import Meaning
from agent.phrases import unproved_note
from agent.sections import ChapterPassages
from agent.state import Citation, Passage
from talker.text import primary

HELD = re.compile(r"\s*(?:[\[【][^\[\]【】\n]{0,60}|[(（][\s\dat:–-]{0,20})?$")
"""What may become a number or a time when the stream goes on."""

BULLET = re.compile(r"^(?:[-*•–]|\d{1,3}[.)])\s+")
LEADING_TIME = re.compile(r"^\[?\d{1,3}:\d{2}(?::\d{2})?\]?\s*[-–—:]?\s*")
CHAPTER_LINE = re.compile(r"^[-*•\s]*(\d{1,3})\s*[.):]\s*(.+)$")


class SummaryText(ABC):
    """A text in the making: takes what the model writes, gives what the person may read.

    `embeddings` are the local ones, by which a claim in another language is proved.
    """

    def __init__(self, passages: Sequence[Passage], embeddings: Embeddings | None) -> None:
        self._passages = {passage["n"]: passage for passage in passages}
        self._meaning = Meaning(embeddings) if embeddings else None

    @abstractmethod
    async def add(self, piece: str) -> str:
        """What is sure to be read now that the model wrote this much more."""

    @abstractmethod
    async def finish(self, instructions: str) -> tuple[str, str, list[Citation]]:
        """The rest, then the whole text and its citations.

        The model's `instructions` are no part of a summary.
        """

    def close(self) -> None:
        """Nothing more is compared."""
        if self._meaning:
            self._meaning.close()


class Prose(SummaryText):
    """Text whose passages' numbers become 1, 2, 3 in the order in which they are cited."""

    def __init__(
        self, passages: Sequence[Passage], embeddings: Embeddings | None, language: str
    ) -> None:
        super().__init__(passages, embeddings)
        self._language = language
        self._preview = Preview()
        self._new: dict[int, int] = {}
        self._held = ""
        self._text = ""

    async def add(self, piece: str) -> str:
        whole = self._held + self._preview.add(piece)
        held = HELD.search(whole)
        end = held.start() if held else len(whole)
        self._held = whole[end:]
        return self._write(whole[:end])

    async def finish(self, instructions: str) -> tuple[str, str, list[Citation]]:
        rest = self._write((self._held + self._preview.end()).rstrip())
        if not self._new:  # a long transcript's sentences are many to compare with
            named = await asyncio.to_thread(cited_by_words, self._text, [*self._passages.values()])
            self._text = MARK.sub(self._renumbered, named)
        cited: list[Passage] = [{**self._passages[n], "n": new} for n, new in self._new.items()]
        proved = await prove_citations(
            without_instructions(self._text, instructions), cited, meaning=self._meaning
        )
        content = proved.content
        if proved.unproved:
            content += f"\n\n*{unproved_note(self._language, proved.unproved)}*"
        return rest, content, proved.citations

    def _write(self, text: str) -> str:
        written = MARK.sub(self._renumbered, without_times(text))
        self._text += written
        return written

    def _renumbered(self, mark: regex.Match[str]) -> str:
        known = [n for n in sorted(numbers_in(mark[0])) if n in self._passages]
        space = " " if known and mark[0][0].isspace() else ""
        return space + "".join(f"[{self._number(n)}]" for n in known)

    def _number(self, n: int) -> int:
        """A passage's new number; where it is in another language, it is embedded meanwhile."""
        if n not in self._new:
            self._new[n] = len(self._new) + 1
            passage = self._passages[n]
            if self._meaning and primary(passage["language"]) != self._language:
                self._meaning.begin(spoken(passage))
        return self._new[n]


class Lines(SummaryText):
    """One moment a line: its time is that of the words that prove it, or it is left out."""

    def __init__(self, passages: Sequence[Passage], embeddings: Embeddings | None) -> None:
        super().__init__(passages, embeddings)
        self._held = ""
        self._lines: list[tuple[int, str]] = []
        self._citations: list[Citation] = []

    async def add(self, piece: str) -> str:
        *lines, self._held = (self._held + piece).split("\n")
        return "".join([await self._line(line) for line in lines])

    async def finish(self, instructions: str) -> tuple[str, str, list[Citation]]:
        # A line that repeats them is not in the transcript, and so was left out.
        del instructions
        rest = await self._line(self._held)
        in_order = sorted(self._lines, key=lambda line: line[0])
        return rest, "\n".join(line for _, line in in_order), self._citations

    async def _line(self, line: str) -> str:
        bare = LEADING_TIME.sub("", BULLET.sub("", without_times(line).strip()))
        said, cited = await self._proved(bare, list(self._passages.values()))
        if cited is None or any(
            known["start_ms"] == cited["start_ms"] for known in self._citations
        ):
            return ""
        return self._put(cited["start_ms"], f"{said} {self._cite(cited)}")

    async def _proved(self, line: str, passages: Sequence[Passage]) -> tuple[str, Citation | None]:
        """The line without numbers, and the first moment that bears it out."""
        proved = await prove_citations(line, passages, meaning=self._meaning)
        said = without_numbers(proved.content).strip()
        return said, proved.citations[0] if proved.citations else None

    def _cite(self, cited: Citation) -> str:
        self._citations.append({**cited, "n": len(self._citations) + 1})
        return f"[{len(self._citations)}]"

    def _put(self, start_ms: int, said: str) -> str:
        line = f"- {clock(start_ms)} {said}"
        start = "\n" if self._lines else ""
        self._lines.append((start_ms, line))
        return start + line


class OwnChapters(Lines):
    """A line for each of the video's own chapters: its time and title are the author's."""

    def __init__(
        self,
        passages: Sequence[Passage],
        chapters: Sequence[ChapterPassages],
        embeddings: Embeddings | None,
    ) -> None:
        super().__init__(passages, embeddings)
        self._chapters = chapters

    async def finish(self, instructions: str) -> tuple[str, str, list[Citation]]:
        del instructions
        rest = await self._line(self._held) + self._untold(len(self._chapters))
        return rest, "\n".join(line for _, line in self._lines), self._citations

    async def _line(self, line: str) -> str:
        told = CHAPTER_LINE.match(without_times(line).strip())
        number = int(told[1]) if told else 0
        if not told or not len(self._lines) < number <= len(self._chapters):
            return ""
        chapter = self._chapters[number - 1]
        inside = [self._passages[n] for n in range(chapter.first, chapter.last + 1)]
        said, cited = await self._proved(told[2], inside)
        return self._untold(number - 1) + self._chapter(chapter, said, cited)

    def _untold(self, count: int) -> str:
        """The chapters up to `count` of which the model said nothing."""
        untold = self._chapters[len(self._lines) : count]
        return "".join(self._chapter(chapter, "", None) for chapter in untold)

    def _chapter(self, chapter: ChapterPassages, said: str, cited: Citation | None) -> str:
        """Its title, with how it begins, then what was said of it, if that is proved."""
        first = self._passages[chapter.first]
        opening = citation(chapter.first, first, spoken(first)[0])
        line = f"**{plain(chapter.title).strip()}** {self._cite(opening)}"
        if cited:
            line += f": {said}"
            if cited["start_ms"] != opening["start_ms"]:
                line += f" {self._cite(cited)}"
        return self._put(chapter.start_ms, line)
