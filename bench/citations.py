"""Citations on real captions: where those of answers without a model play, and which claims are
let through beside which passages.

True claims are sentences of the captions, quoted and with their small words left out, and the
questions' reference answers; false ones are the same beside other passages that were found for
the question, and with a figure changed or a "not" put in.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median
from uuid import UUID

import regex

from agent.citations import prove_citations
from agent.extract import extracted
from agent.meaning import Meaning
from agent.negation import denies
from agent.ranking import answers_question
from agent.retrieve import find_passages
from agent.search import Search
from agent.state import Passage
from bench.golden import NEEDS_EVERY_VIDEO, WHOLE_VIDEO, Question, Span, hits
from bench.report import Row
from talker.resources import Resources
from talker.text import content_words, primary

SECTION = "citations"
SLACK_S = 10.0
"""Give or take which a citation's start counts as within the span that answers."""
SENTENCES, WRONG_PASSAGES = 3, 3
MIN_QUOTED_CHARS = 12
NAMES = ("quoted", "reworded", "the reference answer", "a figure changed", "a “not” put in")
QUOTED, REWORDED, REFERENCE, FIGURE, DENIAL = NAMES
GOALS = {QUOTED: "at least 0.98", REWORDED: "at least 0.9", FIGURE: "at most 0.05"}
GOALS |= {DENIAL: "at most 0.1"}

_DIGITS = regex.compile(r"\d+")
_VERB = regex.compile(r"\b(is|are|was|were|can|will)\b")


async def measure(
    resources: Resources, names: Mapping[UUID, str], questions: Sequence[Question]
) -> list[Row]:
    """`names` are the videos' in the questions, by id."""
    search = Search(resources.chunks, resources.sessions)
    found = {
        one: await find_passages(
            one.text, None, None, search=search, sessions=resources.sessions, before=one.before
        )
        for one in questions
    }
    videos = {str(id_): name for id_, name in names.items()}
    assert resources.local_embeddings is not None
    meaning = Meaning(resources.local_embeddings)
    return [
        await _within_spans(found, videos, meaning),
        *await _claims(found, videos, meaning),
        await _time(found),
    ]


async def _within_spans(
    found: Mapping[Question, Sequence[Passage]], videos: Mapping[str, str], meaning: Meaning
) -> Row:
    """Of answers without a model to questions about a moment."""
    right: list[bool] = []
    for question, passages in found.items():
        cosines = [one["cosine"] for one in passages if one["cosine"] is not None]
        if not question.answers or question.kind in WHOLE_VIDEO or not answers_question(cosines):
            continue
        _, citations = await extracted(question.text, passages, meaning)
        right += [
            any(
                span.video == videos[one["video_id"]]
                and span.start_s - SLACK_S <= one["start_ms"] / 1000 <= span.end_s + SLACK_S
                for span in question.answers
            )
            for one in citations
        ]
    return Row(SECTION, "citations of extractive answers that start in the answer", fmean(right))


async def _claims(
    found: Mapping[Question, Sequence[Passage]], videos: Mapping[str, str], meaning: Meaning
) -> list[Row]:
    kept: defaultdict[tuple[str, bool], list[bool]] = defaultdict(list)
    for question, passages in found.items():
        if question.kind in WHOLE_VIDEO | NEEDS_EVERY_VIDEO:
            continue
        hitting = [one for one in passages if _hits(question, one, videos)][:1]
        others = [one for one in passages if not _hits(question, one, videos)][:WRONG_PASSAGES]
        for right in hitting:
            for kind, claim in _made(question, right):
                tampered = kind in (FIGURE, DENIAL)
                kept[kind, not tampered].append(await _is_kept(claim, right, meaning))
                if not tampered:
                    kept[kind, False] += [await _is_kept(claim, one, meaning) for one in others]
    return [
        Row(
            SECTION,
            f"{'true' if is_true else 'false'} claims that keep their number, {kind}",
            fmean(kept[kind, is_true]),
            goal=GOALS.get(kind, "") if is_true == (kind not in (FIGURE, DENIAL)) else "",
        )
        for kind, is_true in sorted(kept, key=lambda key: (not key[1], NAMES.index(key[0])))
    ]


def _made(question: Question, passage: Passage) -> Iterator[tuple[str, str]]:
    """Claims made of a passage's sentences, each with its kind, and the reference answer."""
    if question.reference:
        yield REFERENCE, question.reference.rstrip(".")
    for said in passage["sentences"][:SENTENCES]:
        text = said["text"].rstrip(".?!。")
        if len(text) < MIN_QUOTED_CHARS or '"' in text:
            continue
        yield QUOTED, f"The speaker says “{text}”"
        asserts = denies(text, passage["language"]) is False  # "not" is a small word
        if asserts and primary(passage["language"]) == "en":
            yield REWORDED, f"It is said that there {' '.join(content_words(text))}"
        if digits := _DIGITS.search(text):
            changed = str(int(digits[0]) + 7)
            yield FIGURE, text[: digits.start()] + changed + text[digits.end() :]
        if asserts and len(_VERB.findall(text)) == 1:
            yield DENIAL, _VERB.sub(r"\1 not", text)


async def _is_kept(claim: str, passage: Passage, meaning: Meaning) -> bool:
    alone: Passage = {**passage, "n": 1}
    return bool((await prove_citations(f"{claim} [1].", [alone], meaning=meaning)).citations)


async def _time(found: Mapping[Question, Sequence[Passage]]) -> Row:
    """Of an answer with five citations in the videos' language."""
    times_ms = []
    for passages in found.values():
        text = " ".join(f"{one['sentences'][0]['text']} [{one['n']}]" for one in passages[:5])
        began = time.perf_counter()
        await prove_citations(text, passages)
        times_ms.append((time.perf_counter() - began) * 1000)
    name = "five citations proved, median"
    return Row(SECTION, name, median(times_ms), "ms", goal="at most 50")


def _hits(question: Question, passage: Passage, videos: Mapping[str, str]) -> bool:
    shown = passage["shown"]
    span = Span(videos[passage["video_id"]], shown["start_ms"] / 1000, shown["end_ms"] / 1000)
    return any(hits(span, answer) for answer in question.answers)
