"""Fixed sentences of the steps that write without a model, in the languages we have them in.

They stand in `phrases.toml`. What is counted stands behind a colon, so that no
language needs its plural forms.
"""

import tomllib
from functools import cache
from importlib import resources
from string import Template
from typing import Literal

from agent.fence import name
from agent.state import Passage
from talker.text import STEMMERS

NEAREST_CHARS = 120

_NAMES = {"ja": "Japanese", "ko": "Korean", "zh": "Chinese", "th": "Thai", "he": "Hebrew"}
_NAMES |= {"bg": "Bulgarian", "uk": "Ukrainian"}
_NAMES |= {code: algorithm.capitalize() for code, algorithm in STEMMERS.items()}

Phrase = Literal[
    "about_us", "not_said", "empty_library", "empty_scope", "count", "count_narrowed", "no_video",
    "more", "waiting", "being_loaded", "not_loaded", "found", "found_none", "unknown_video",
    "nearest", "which_video", "newest", "known_video", "nearest_said", "unproved", "load_this",
    "more_links", "not_found", "known_already", "videos", "price", "credits", "embeddings", "free",
    "nothing_loaded", "nothing_there", "no_loader", "loaded", "ready_of", "none_ready",
    "still_loading",
]  # fmt: skip


@cache
def _phrases() -> dict[str, dict[str, str]]:
    file = resources.files(__package__) / "phrases.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def phrase(key: Phrase, language: str, /, **values: object) -> str:
    """A fixed sentence in a language, in English where we have none; `$places` filled."""
    texts = _phrases()[key]
    return Template(texts.get(language, texts["en"])).substitute(values)


def not_said(language: str, nearest: Passage | None = None) -> str:
    """That the videos do not answer and, without citing it, what is nearest in them."""
    sentence = phrase("not_said", language)
    if nearest is None:
        return sentence
    topic, title = _short(nearest["shown"]["text"]), name(nearest["title"])
    return f"{sentence} {phrase('nearest_said', language, title=title, topic=topic)}"


def unproved_note(language: str, count: int) -> str:
    """The mark of an answer that holds claims whose citations did not hold."""
    return phrase("unproved", language, count=count)


def language_name(language: str) -> str | None:
    """In English; None for a language that we have no name for."""
    return _NAMES.get(language)


def _short(text: str) -> str:
    """The beginning of a text, cut between words."""
    bare = " ".join(text.split())
    if len(bare) <= NEAREST_CHARS:
        return bare
    return f"{bare[:NEAREST_CHARS].rsplit(' ', 1)[0].rstrip(',;:–-')} …"
