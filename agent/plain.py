"""What a message asks for, as far as its words alone tell: read without a model."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from threading import Thread

from agent.languages import message_language
from agent.state import Intent
from agent.wording import Pattern, Wording, caught, fold, search, wordings
from talker.models import SummaryStyle
from talker.text import content_words, is_spaceless, tokens

ORDER: tuple[Intent, ...] = ("list_videos", "compose", "summarize", "find_videos")
"""What is looked for first: "list the videos", "write a summary post", "which video sums up"."""

MAYBE: tuple[Intent, ...] = ("compose", "summarize", "find_videos")

DEFAULT_TEMPLATE = "linkedin"

SHORT_QUESTION = 3
"""With so few words a message says too little to be understood alone."""

FEW_CONTENT_WORDS = 3
SPACELESS_TOKENS = 3
"""How many tokens a word has in a script without spaces, where a token is two characters."""

QUOTES = re.compile(r"[“\"„«「『]([^“”\"„«»「」『』]{2,120})[”“\"»」』]")
_PICTURES = re.compile(r"[:;]-?[)(dp](?!\w)|[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]")
_MARK = re.compile(r"[?？؟]\s*$")
_EDGES = " \t\n!?.,…:;¿¡。、！？،؟-–"


@dataclass(frozen=True)
class Reading:
    """`sure` is false where it takes more understanding than patterns have; `asked` is what is
    left of the folded message without politeness."""

    intent: Intent
    sure: bool
    asked: str


@lru_cache(maxsize=64)
def read(text: str) -> Reading:
    """The intent that the words of a message tell, in any language that has a table."""
    folded = bare(fold(_PICTURES.sub(" ", text)))
    if is_small_talk(folded):
        return Reading("converse", sure=True, asked=folded)
    asked = without_politeness(folded)
    if any(one.fullmatch(words) for one in _abouts() for words in (folded, asked)):
        return Reading("converse", sure=True, asked=asked)
    unquoted = bare(QUOTES.sub(" … ", asked))
    for intent in ORDER:
        if search(intent, unquoted):
            return Reading(intent, sure=True, asked=asked)
    if is_question(text, asked):
        return Reading("answer", sure=True, asked=asked)
    for intent in MAYBE:
        if search(f"maybe_{intent}", unquoted):
            return Reading(intent, sure=False, asked=asked)
    known = message_language(text) in {one.code for one in wordings()}
    return Reading("answer", sure=known, asked=asked)


def read_ahead() -> None:
    """Have the tables compiled before the first message comes: half a second, in a thread."""
    Thread(target=language_of, args=("Is it so?",), kwargs={"request": True}, daemon=True).start()
    Thread(target=read, args=("Is it so?",), daemon=True).start()


def bare(text: str) -> str:
    return text.strip(_EDGES)


def is_small_talk(folded: str) -> bool:
    """Whether a message is nothing but greetings, thanks and the like."""
    return not folded or any(one.fullmatch(folded) for one in _small_talks())


@cache
def _small_talks() -> tuple[Pattern, ...]:
    """One pattern per language for any number of small phrases in a row."""
    return tuple(
        re.compile(rf"(?:(?:{_either(one, 'converse')})[\s,.!?;:、。！()-]*)+")
        for one in wordings()
    )


@cache
def _abouts() -> tuple[Pattern, ...]:
    return tuple(re.compile(_either(one, "about")) for one in wordings())


@cache
def _polite() -> tuple[Pattern, Pattern]:
    """Politeness before and behind a request, in any language."""
    words = "|".join(_either(one, "please") for one in wordings() if one.rules.get("please"))
    return (
        re.compile(rf"(?:(?:{words})[\s,.!:、]+|(?:请问?|帮我|麻烦|你能|能不能|给我))+"),
        re.compile(rf"(?:[\s,]+(?:{words}))+$"),
    )


def without_politeness(folded: str) -> str:
    before, behind = _polite()
    lead = before.match(folded)
    asked = bare(folded[lead.end() :] if lead else folded)
    return bare(behind.sub("", asked)) or folded


def _either(wording: Wording, rule: str) -> str:
    return "|".join(one.pattern for one in wording.rules.get(rule, ())) or "(?!)"


def is_question(text: str, asked: str) -> bool:
    """Whether a message has the mark of a question, or a word that questions begin with: at its
    own beginning, or behind what it names ("in the bread video, why …")."""
    return bool(_MARK.search(text)) or search("question", asked) is not None


def style_of(text: str) -> SummaryStyle | None:
    """The style of summary that a message asks for; null where it leaves that open."""
    asked = fold(QUOTES.sub(" ", text))
    order: tuple[SummaryStyle, ...] = (
        "study_guide",
        "key_moments",
        "chapters",
        "detailed",
        "short",
    )
    return next(
        (style for style in order if any(_has(one.styles, style, asked) for one in wordings())),
        None,
    )


def template_of(text: str) -> str:
    """The built-in template that a request to compose names; LinkedIn's where it names none."""
    asked = fold(QUOTES.sub(" ", text))
    order = ("newsletter", "x_thread", "linkedin", "blog")
    return next(
        (name for name in order if any(_has(one.templates, name, asked) for one in wordings())),
        DEFAULT_TEMPLATE,
    )


def _has(patterns: object, name: str, text: str) -> bool:
    assert isinstance(patterns, dict)
    return name in patterns and patterns[name].search(text) is not None


def language_of(text: str, *, request: bool) -> str:
    """The language to answer in, ISO 639-1: the one asked for, else the message's own.

    `request` says that the message asks for a text to be written, where "… in Spanish" means
    that text; at the end of a question these may be words of the question itself.
    """
    folded = bare(fold(text))
    for wording in wordings():
        for found in wording.finditer("answer_in", folded):
            name = caught(found, "language")
            if name is None or (
                "telling" in found.groupdict() and not (request and found["telling"])
            ):
                continue
            return next(code for code, one in wording.languages.items() if one.fullmatch(name))
    return message_language(text)


def leans_on_before(text: str) -> bool:
    """Whether a message needs the turn before it to be understood.

    It does when it begins as a sentence goes on, and when it is short and has a word such as
    "it": in a longer one that word stands for something in the message itself.
    """
    asked = bare(fold(text))
    said = tokens(asked)
    each = SPACELESS_TOKENS if any(map(is_spaceless, asked)) else 1
    if len(said) <= SHORT_QUESTION * each or search("goes_on", asked):
        return True
    few = len(content_words(asked)) <= FEW_CONTENT_WORDS * each
    return few and search("leans", asked) is not None


def mentions_videos(text: str) -> bool:
    return search("video", text) is not None


def all_matches(rule: str, text: str) -> "chain[re.Match[str]]":
    return chain.from_iterable(one.finditer(rule, text) for one in wordings())
