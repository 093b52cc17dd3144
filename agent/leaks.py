"""Our own instructions, kept out of answers: they are no answer to anything."""

import regex

RUN_WORDS = 8
"""So many words of the instructions in a row are no coincidence."""

_WORD = regex.compile(r"[\p{L}\p{N}]+")
_PIECE = regex.compile(r"[^\n.!?。！？]*[\n.!?。！？]+|[^\n.!?。！？]+$")


def without_instructions(text: str, *instructions: str) -> str:
    """The text without the sentences that repeat the instructions word for word.

    One that tells them in other words is let through; there is no secret in them.
    """
    known = {run for one in instructions for run in _runs(one)}
    if known.isdisjoint(_runs(text)):
        return text
    words = [(word.group().casefold(), word.start()) for word in _WORD.finditer(text)]
    repeated = [
        (words[at][1], words[at + RUN_WORDS - 1][1])
        for at in range(len(words) - RUN_WORDS + 1)
        if tuple(word for word, _ in words[at : at + RUN_WORDS]) in known
    ]
    return "".join(
        piece.group()
        for piece in _PIECE.finditer(text)
        if not any(start < piece.end() and end >= piece.start() for start, end in repeated)
    ).strip()


def _runs(text: str) -> set[tuple[str, ...]]:
    words = [word.group().casefold() for word in _WORD.finditer(text)]
    return {tuple(words[at : at + RUN_WORDS]) for at in range(len(words) - RUN_WORDS + 1)}
