"""Which passages fit in the prompt, and as much of each as there is room for; pure."""

from collections.abc import Sequence

from agent.quotes import support
from agent.state import Passage, Said
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
    shown = passage["shown"] if len(said) == len(passage["sentences"]) else _as_one(said)
    return {**passage, "sentences": said, "text": text, "shown": shown}


def _sentence(said: Said) -> Sentence:
    return Sentence(said["start_ms"], said["end_ms"], said["text"], 0, 0)


def _as_one(said: Sequence[Said]) -> Said:
    return Said(
        start_ms=said[0]["start_ms"],
        end_ms=max(one["end_ms"] for one in said),
        text=joined([one["text"] for one in said]),
    )
