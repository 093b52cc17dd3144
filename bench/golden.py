"""Questions with the spans that answer them, and how well ranked passages find these.

A passage hits a span of its video when they overlap by at least half of the shorter one. A
question across videos has one unit to find for each video; for any other its spans are
alternatives.
"""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

DEPTH = 10
BUDGET_S = 300.0
NEEDS_EVERY_VIDEO = {"cross_video", "metadata"}
WHOLE_VIDEO = {"summary", "metadata"}


@dataclass(frozen=True, slots=True)
class Span:
    video: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Question:
    """`before` is the user's turn before a follow-up; no answers means that it has none.

    `reference` answers it in other words than the video's.
    """

    text: str
    kind: str
    before: str
    answers: tuple[Span, ...]
    reference: str = ""

    @property
    def units(self) -> list[list[Span]]:
        if self.kind not in NEEDS_EVERY_VIDEO:
            return [list(self.answers)] if self.answers else []
        by_video: defaultdict[str, list[Span]] = defaultdict(list)
        for span in self.answers:
            by_video[span.video].append(span)
        return list(by_video.values())


def read_questions(file: Path) -> list[Question]:
    """One JSON object a line: question, type, answers (video_id, start_s, end_s), history."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        turns = [turn["content"] for turn in row["history"] if turn["role"] == "user"]
        spans = [Span(one["video_id"], one["start_s"], one["end_s"]) for one in row["answers"]]
        before = turns[-1] if turns else ""
        reference = row.get("reference", "")
        found.append(Question(row["question"], row["type"], before, tuple(spans), reference))
    return found


def hits(passage: Span, answer: Span) -> bool:
    overlap = min(passage.end_s, answer.end_s) - max(passage.start_s, answer.start_s)
    shorter = min(passage.end_s - passage.start_s, answer.end_s - answer.start_s)
    return passage.video == answer.video and overlap > 0 and overlap >= shorter / 2


def scores(question: Question, passages: Sequence[Span]) -> dict[str, float]:
    """Of one question that has answers, from 0 to 1."""
    units = question.units
    ranks = [
        next(
            (n for n, passage in enumerate(passages, 1) if any(hits(passage, a) for a in unit)),
            math.inf,
        )
        for unit in units
    ]
    affordable = _affordable(passages)
    ideal = sum(1 / math.log2(n + 1) for n in range(1, min(len(units), DEPTH) + 1))
    gained = sum(1 / math.log2(rank + 1) for rank in ranks if rank <= DEPTH)
    return {
        **{f"recall@{k}": fmean(rank <= k for rank in ranks) for k in (1, 5, DEPTH)},
        f"recall@{BUDGET_S:.0f}s": fmean(rank <= affordable for rank in ranks),
        f"nDCG@{DEPTH}": gained / ideal,
    }


def means(questions: Sequence[Question], found: Mapping[str, Sequence[Span]]) -> dict[str, float]:
    """Over the questions that have answers, and the median distance to their start."""
    rows = [scores(one, found[one.text]) for one in questions if one.answers]
    errors = [
        error
        for one in questions
        if one.kind not in WHOLE_VIDEO and (error := _start_error(one, found[one.text])) is not None
    ]
    measured = {name: fmean(row[name] for row in rows) for name in rows[0]}
    return {**measured, "start error": median(errors) if errors else math.nan}


def _affordable(passages: Sequence[Span]) -> int:
    """How many of the first passages fit in the budget; the first one always does."""
    spent_s = 0.0
    for count, passage in enumerate(passages):
        spent_s += passage.end_s - passage.start_s
        if count and spent_s > BUDGET_S:
            return count
    return len(passages)


def _start_error(question: Question, passages: Sequence[Span]) -> float | None:
    for passage in passages[:DEPTH]:
        errors = [abs(passage.start_s - a.start_s) for a in question.answers if hits(passage, a)]
        if errors:
            return min(errors)
    return None
