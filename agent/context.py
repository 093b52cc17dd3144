"""How much of each passage an answer is written from: what was asked about and fits; pure."""

from collections.abc import Sequence

from agent.quotes import support
from agent.state import Passage, Said, Span
from talker.sentences import Sentence, joined
from talker.text import token_estimate

CONTEXT_TOKENS = 2_500
"""Of transcript in a prompt: the eight passages of a question have some 1,600, so it binds only
where sentences are very long."""
PASSAGE_TOKENS = 600
"""No single passage pushes the others out."""
LEAST_TOKENS = 40
"""Less of a passage than this says little, and is left out."""


def within_budget(question: str, passages: Sequence[Passage]) -> list[Passage]:
    """The passages, best first, up to CONTEXT_TOKENS; numbers stay.

    One that is too long loses sentences at its ends, those with fewer of the question's words
    first, and never a part of one.
    """
    left = CONTEXT_TOKENS
    kept: list[Passage] = []
    for passage in passages:
        fitting = _shortened(question, passage, min(left, PASSAGE_TOKENS))
        if fitting is not None:
            kept.append(fitting)
            left -= token_estimate(fitting["text"])
    return kept or list(passages[:1])


def inside(passages: Sequence[Passage], span: Span | None) -> list[Passage]:
    """The passages' sentences that lie in a span, numbered anew; all where there is none."""
    if span is None:
        return list(passages)
    cut = [
        _of(passage, said)
        for passage in passages
        if (said := [one for one in passage["sentences"] if _lies_in(span, one)])
    ]
    for n, passage in enumerate(cut, 1):
        passage["n"] = n
    return cut


def _lies_in(span: Span, said: Said) -> bool:
    """Whether they overlap by at least half of the shorter one."""
    start_ms, end_ms = said["start_ms"], said["end_ms"]
    until_ms = end_ms if span["end_ms"] is None else span["end_ms"]
    shared_ms = min(end_ms, until_ms) - max(start_ms, span["start_ms"])
    return shared_ms > 0 and 2 * shared_ms >= min(end_ms - start_ms, until_ms - span["start_ms"])


def _shortened(question: str, passage: Passage, most: int) -> Passage | None:
    if token_estimate(passage["text"]) <= most:
        return passage
    said = list(passage["sentences"])
    shares = support(question, [_sentence(one) for one in said], passage["language"])
    text = passage["text"]
    while said and token_estimate(text) > most:
        end = 0 if shares[0] < shares[-1] else -1
        said.pop(end)
        shares.pop(end)
        text = joined([one["text"] for one in said])
    if token_estimate(text) < LEAST_TOKENS:
        return None
    return _of(passage, said)


def _of(passage: Passage, said: list[Said]) -> Passage:
    """The passage with these of its sentences."""
    if len(said) == len(passage["sentences"]):
        return passage.copy()
    text = joined([one["text"] for one in said])
    return {**passage, "sentences": said, "text": text, "shown": _as_one(said)}


def _sentence(said: Said) -> Sentence:
    return Sentence(said["start_ms"], said["end_ms"], said["text"], 0, 0)


def _as_one(said: Sequence[Said]) -> Said:
    return Said(
        start_ms=said[0]["start_ms"],
        end_ms=max(one["end_ms"] for one in said),
        text=joined([one["text"] for one in said]),
    )
