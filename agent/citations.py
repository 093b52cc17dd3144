"""Citations proved by code: a number stays only where its passage bears the claim out."""

import re
from collections.abc import Sequence

from agent.quotes import prove
from agent.state import Citation, Passage, Said
from talker.sentences import Sentence

MARK = re.compile(r"\s*[\[【](\d+(?:\s*[,;]\s*\d+)*)[\]】](?!\()")
"""`[2]`, `[2, 3]` and the brackets some models prefer; not a Markdown link's text."""

CLAIM_START = re.compile(r"(?:[.!?…।。！？]['\"”’»)*_]*\s+|\n+|[。！？])")
QUOTED = re.compile(r"[“\"„«]([^“”\"„«»]{12,})[”\"»]")
"""Words that the answer puts in quotation marks and so says were said; shorter ones are names."""


def prove_citations(text: str, passages: Sequence[Passage]) -> tuple[str, list[Citation]]:
    """The answer with only those numbers that hold, and the moment behind each.

    A passage's number stands for the first moment it is cited for; a second moment of the same
    passage gets a number of its own, above all passages', so that each number plays one second.
    """
    numbered = _Numbering(passages)
    parts: list[str] = []
    claim = ""
    end = 0
    for mark in MARK.finditer(text):
        between = text[end : mark.start()]
        parts.append(between)
        end = mark.end()
        if between.strip():  # [1][2] and [1] [2] stand behind the same claim
            claim = _claim(between)
        kept = [numbered.cite(int(number), claim) for number in re.findall(r"\d+", mark[1])]
        written = "".join(f"[{n}]" for n in dict.fromkeys(kept) if n is not None)
        space = " " if mark[0][0].isspace() else ""
        parts.append(space + written if written else "")
    parts.append(text[end:])
    return "".join(parts).strip(), numbered.citations()


def _claim(text: str) -> str:
    """The last sentence of a stretch of text, which is what a number behind it speaks for."""
    bare = text.strip()
    starts = [found.end() for found in CLAIM_START.finditer(bare) if found.end() < len(bare)]
    return bare[starts[-1] :] if starts else bare


class _Numbering:
    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = {passage["n"]: passage for passage in passages}
        self._next = max(self._passages, default=0) + 1
        self._cited: dict[tuple[int, int, int], Citation] = {}

    def cite(self, n: int, claim: str) -> int | None:
        """The number of the moment that bears the claim out, or None where there is none."""
        passage = self._passages.get(n)
        if passage is None:
            return None
        quoted = QUOTED.search(claim)
        found = prove(claim, quoted[1] if quoted else None, spoken(passage), passage["language"])
        if found is None:
            return None
        key = (n, found.start_ms, found.end_ms)
        if key not in self._cited:
            said = Said(start_ms=found.start_ms, end_ms=found.end_ms, text=found.text)
            self._cited[key] = citation(self._number(n), passage, said)
        return self._cited[key]["n"]

    def _number(self, n: int) -> int:
        if all(cited_n != n for cited_n, _, _ in self._cited):
            return n
        self._next += 1
        return self._next - 1

    def citations(self) -> list[Citation]:
        return list(self._cited.values())


def spoken(passage: Passage) -> list[Sentence]:
    return [
        Sentence(said["start_ms"], said["end_ms"], said["text"], 0, 0)
        for said in passage["sentences"]
    ]


def citation(n: int, passage: Passage, said: Said) -> Citation:
    return Citation(
        n=n,
        video_id=passage["video_id"],
        youtube_id=passage["youtube_id"],
        title=passage["title"],
        start_ms=said["start_ms"],
        end_ms=said["end_ms"],
        quote=said["text"],
    )
