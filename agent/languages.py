"""The language that a person writes in, told from a message of a few words."""

import re
from collections import defaultdict
from functools import cache

from agent.wording import fold, search, wordings
from talker.text import language_scores, likeliest, primary, tokens

_LINK = re.compile(r"\S+://\S+|\S*youtu\S+")
_QUOTED = re.compile(r"[“\"„«「『][^“”\"„«»「」『』]{2,120}[”“\"»」』]")
_LITERAL = re.compile(r"(?<![\\\w<])([^\W\d_]{2,})(\\w)?")


def message_language(text: str) -> str:
    """ISO 639-1. What a message quotes, links and names is often in another language than it."""
    own = _QUOTED.sub(" ", _LINK.sub(" ", text))
    scores = defaultdict(float, language_scores(tokens(own if own.strip() else text)))
    for word in set(tokens(fold(own))):
        owners = _owners(word)
        for code in owners:
            scores[code] += 1 / len(owners)
    return primary(likeliest(scores))


def _owners(word: str) -> list[str]:
    """The languages whose tables have a word, whole or as the beginning of longer ones."""
    whole, beginnings = _vocabulary()
    found = set(whole.get(word, ()))
    for length in range(4, len(word)):
        found |= set(beginnings.get(word[:length], ()))
    return sorted(found)


def is_request_word(word: str) -> bool:
    """Whether a folded word is one that requests are made of, in any language."""
    return bool(_owners(word)) or any(
        search(rule, word) for rule in ("maybe_summarize", "maybe_compose")
    )


@cache
def _vocabulary() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Words of the tables with the languages that have them, and beginnings of words likewise."""
    whole: dict[str, set[str]] = {}
    beginnings: dict[str, set[str]] = {}
    for one in wordings():
        patterns = [*(p for rule in one.rules.values() for p in rule), *one.styles.values()]
        for pattern in patterns:
            for word, inflected in _LITERAL.findall(pattern.pattern):
                (beginnings if inflected else whole).setdefault(word, set()).add(one.code)
    return whole, beginnings
