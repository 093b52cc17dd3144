"""Speech to load, cut from real captions: any number of talks of a given length, no two alike."""

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from talker.sentences import TimedText
from tests.supadata_server import SupadataVideo

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
SAMPLE = Path(__file__).parents[1] / "talker" / "sample" / "sample.json"
TEN_MINUTES_MS = 600_000

Talk = list[TimedText]


def talks(count: int, length_ms: int = TEN_MINUTES_MS) -> list[Talk]:
    """Talks of about `length_ms`, each from another place of the captions that are at hand: the
    corpus, else the sample. Each begins with its number, and where the captions are used again
    each word comes with another neighbour."""
    lines = _lines()
    return [_talk(number, lines, length_ms) for number in range(count)]


def _talk(number: int, lines: Iterator[tuple[int, str]], length_ms: int) -> Talk:
    talk = [TimedText(0, 2_000, f"This is talk number {number}.")]
    at_ms = 2_000
    while at_ms < length_ms:
        duration_ms, text = next(lines)
        talk.append(TimedText(at_ms, duration_ms, text))
        at_ms += duration_ms
    return talk


def _lines() -> Iterator[tuple[int, str]]:
    """The captions' lines with how long each lasts, over and over."""
    return cycle(
        [
            (round(segment["duration_s"] * 1000), segment["text"])
            for file in sorted(CORPUS.glob("*.json")) or [SAMPLE]
            for segment in json.loads(file.read_text(encoding="utf-8"))["segments"]
        ]
    )


def as_file(number: int, talk: Talk) -> dict[str, Any]:
    """A talk as a caption file in our JSON form."""
    last = talk[-1]
    return {
        "video_id": None,
        "url": None,
        "title": f"Talk {number}",
        "channel": "The bench",
        "language": "en",
        "duration_s": (last.start_ms + last.duration_ms) / 1000,
        "segments": [
            {
                "start_s": line.start_ms / 1000,
                "duration_s": line.duration_ms / 1000,
                "text": line.text,
            }
            for line in talk
        ],
    }


def as_video(number: int, talk: Talk) -> SupadataVideo:
    """A talk as Supadata has it."""
    last = talk[-1]
    lines = [(line.start_ms, line.duration_ms, line.text) for line in talk]
    seconds = (last.start_ms + last.duration_ms) / 1000
    return SupadataVideo({"en": lines}, f"Talk {number}", duration_s=seconds)
