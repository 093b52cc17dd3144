"""Captions as speech recognition writes them: no full stops, no capitals, lines of equal length.

The talks' captions are made into such. How well the sentences are found again is judged by their
authors' full stops, and by what it does to retrieval, beside cuts into even parts.
"""

import json
import time
from collections.abc import Sequence
from functools import reduce
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import regex

from bench.golden import means
from bench.report import Row
from bench.retrieval import SECONDS, load_talks, our_spans, questions_and_talks
from talker.cleaning import clean
from talker.resources import open_resources
from talker.sentences import TimedText, sentences
from talker.settings import Settings
from talker.text import is_spaceless, token_estimate

SECTION = "cleaning"
LINE_CHARS = 40
SILENCE_MS = 2000
EVEN = "even parts"
EVEN_TOKENS = 45
"""With another line or so still a sentence that is cut no further."""

MEASURES = ("recall@5", "recall@300s", "nDCG@10", SECONDS)

_SIGNS = regex.compile(
    r"[!?…;:\u0964\u061f\u06d4。、\uff01\uff1f\uff0c\uff1b\uff1a\"“”„«»¿¡()\[\]「」『』]"
    r"|[.,](?!\d)|(?<!\d)[.,]|^[-\u2013\u2014]+$"
)
_PIECE = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\u30fc\u3001-\u3011\uff01-\uff1f]"
    r"|[^\s\p{Han}\p{Hiragana}\p{Katakana}\u30fc\u3001-\u3011\uff01-\uff1f]+"
)
"""A word, or a character of Japanese."""

_FULL_STOP = regex.compile(r"[.!?…\u0964。\uff01\uff1f][\"'\u2019\u201d»)\]」』]*$")

MIN_FULL_STOPS = 0.8
"""Of what `sentences` finds in a talk, so that its full stops tell where sentences end."""

Talk = dict[str, Any]
"""A transcript in our JSON form."""

End = tuple[int, int]
"""Of a sentence: the talk's number, and how many of its words are said by then."""


async def run() -> list[Row]:
    questions, contents = questions_and_talks()
    talks = [json.loads(content) for content in contents]
    bare = [_with_segments(talk, automatic(_segments(talk))) for talk in talks]
    even = [_with_segments(talk, _even(_segments(talk))) for talk in bare]
    searched = _searched(talks)
    known = {talks[number].get("video_id") or "sample" for number in searched}
    asked = [one for one in questions if known.issuperset(span.video for span in one.answers)]
    found = {}
    for name, kind in (("ours", bare), (EVEN, even)):
        with TemporaryDirectory(prefix="talker-bench-") as folder:
            Path(folder).chmod(0o755)  # the embedded Postgres may run as somebody else
            async with open_resources(Settings(_env_file=None, data_dir=Path(folder))) as resources:
                contents = [json.dumps(kind[number]).encode() for number in searched]
                names = await load_talks(resources, contents)
                found[name] = means(asked, await our_spans(resources, names, asked))
    return [*_boundaries(talks, bare, even), *_retrieval(found), _speed(bare)]


def _searched(talks: Sequence[Talk]) -> list[int]:
    """The numbers of the talks that are loaded: to embed all of them twice takes too long."""
    english = [number for number, talk in enumerate(talks) if talk["language"] == "en"]
    return english[::2]


def automatic(segments: Sequence[TimedText]) -> list[TimedText]:
    """The same words in lines of LINE_CHARS, each shown until the one after it is said."""
    lines: list[list[TimedText]] = []
    for word in (word for segment in segments for word in _words(segment)):
        before = lines[-1] if lines else []
        full = sum(len(one.text) + 1 for one in before) + len(word.text) > LINE_CHARS
        if not before or full or word.start_ms - _end_ms(before[-1]) > SILENCE_MS:
            lines.append([])
        lines[-1].append(word)
    shown = []
    for line, following in pairwise([*lines, lines[-1]]):
        silent = following[0].start_ms - _end_ms(line[-1]) > SILENCE_MS
        end_ms = _end_ms(line[-1] if silent else following[-1])
        text = reduce(_spaced, (word.text for word in line))
        shown.append(TimedText(line[0].start_ms, end_ms - line[0].start_ms, text))
    return shown


def _words(segment: TimedText) -> list[TimedText]:
    """A line's bare words (or characters, where a script has no spaces), its time shared out."""
    pieces = _PIECE.findall(clean(segment.text))
    whole = sum(map(len, pieces)) or 1
    ends = accumulate((len(piece) for piece in pieces), initial=0)
    times = [segment.start_ms + segment.duration_ms * end // whole for end in ends]
    bare = [_SIGNS.sub("", piece).lower().strip() for piece in pieces]
    return [
        TimedText(start_ms, end_ms - start_ms, word)
        for word, (start_ms, end_ms) in zip(bare, pairwise(times), strict=True)
        if word
    ]


def _spaced(before: str, after: str) -> str:
    apart = not (is_spaceless(before[-1]) or is_spaceless(after[0]))
    return f"{before} {after}" if apart else before + after


def _even(segments: Sequence[TimedText]) -> list[TimedText]:
    """The lines with dots wherever one of the even parts ends, which even small letters follow."""
    tokens = [token_estimate(f"{one.text} ") for one in segments]
    part = sum(tokens) / -(-sum(tokens) // EVEN_TOKENS)
    marked, so_far = [], 0
    for segment, more in zip(segments, tokens, strict=True):
        so_far += more
        over = so_far >= part
        text = f"{segment.text}…" if over else segment.text
        marked.append(TimedText(segment.start_ms, segment.duration_ms, text))
        so_far = 0 if over else so_far
    return marked


def _boundaries(talks: Sequence[Talk], bare: Sequence[Talk], even: Sequence[Talk]) -> list[Row]:
    """Over the talks whose authors wrote full stops; for others there is nothing to judge by."""
    ends = [[_ends(talk, kind is talks) for talk in kind] for kind in (talks, bare, even)]
    rows = []
    for english, whose in ((True, "English"), (False, "other languages")):
        wanted, ours, theirs = (
            {
                (number, end)
                for number, talk in enumerate(talks)
                if (talk["language"] == "en") is english and _has_full_stops(talk)
                for end in found[number]
            }
            for found in ends
        )
        if not wanted:
            continue
        for name, measure in (("precision", _precision), ("recall", _recall), ("F1", _f1)):
            label = f"sentence ends, {name}, {whose}"
            rows.append(
                Row(SECTION, label, measure(ours, wanted), "", measure(theirs, wanted), EVEN)
            )
    return rows


def _ends(talk: Talk, written: bool) -> set[int]:
    """After how many of the talk's bare words its sentences end; at full stops alone, if written.

    The talk's own end is none of them.
    """
    texts = [one.text for one in sentences(_segments(talk))]
    said = accumulate(len(_words(TimedText(0, 0, text))) for text in texts)
    return {
        end
        for text, end in zip(texts[:-1], said, strict=False)
        if not written or _FULL_STOP.search(text)
    }


def _has_full_stops(talk: Talk) -> bool:
    found = sentences(_segments(talk))
    return fmean(_FULL_STOP.search(one.text) is not None for one in found) > MIN_FULL_STOPS


def _precision(found: set[End], wanted: set[End]) -> float:
    return len(found & wanted) / len(found)


def _recall(found: set[End], wanted: set[End]) -> float:
    return len(found & wanted) / len(wanted)


def _f1(found: set[End], wanted: set[End]) -> float:
    return 2 * len(found & wanted) / (len(found) + len(wanted))


def _retrieval(found: dict[str, dict[str, float]]) -> list[Row]:
    """The captions as their authors wrote them are in the section on retrieval."""
    ours, even = found["ours"], found[EVEN]
    return [
        Row(
            SECTION,
            f"{measure} without full stops",
            ours[measure],
            "s" if measure == SECONDS else "",
            even[measure],
            EVEN,
        )
        for measure in MEASURES
    ]


def _speed(bare: Sequence[Talk]) -> Row:
    hours = sum(talk["duration_s"] for talk in bare) / 3600
    kinds = [_segments(talk) for talk in bare]
    began = time.process_time()
    for segments in kinds:
        sentences(segments)
    took_ms = (time.process_time() - began) * 1000
    return Row(SECTION, "cleaning and cutting an hour", took_ms / hours, "ms", goal="under 100")


def _segments(talk: Talk) -> list[TimedText]:
    return [
        TimedText(round(one["start_s"] * 1000), round(one["duration_s"] * 1000), one["text"])
        for one in talk["segments"]
    ]


def _with_segments(talk: Talk, segments: Sequence[TimedText]) -> Talk:
    lines = [
        {"start_s": one.start_ms / 1000, "duration_s": one.duration_ms / 1000, "text": one.text}
        for one in segments
    ]
    return {**talk, "segments": lines}


def _end_ms(segment: TimedText) -> int:
    return segment.start_ms + segment.duration_ms
