"""JSON transcripts that other programs write: Supadata's answer and YouTube's json3."""

import json
from typing import Any

import pytest

from ingestion.captions import CaptionFile, parse_file
from talker.errors import LoadingFailed
from talker.sentences import TimedText

SUPADATA = {
    "content": [
        {"text": "Plants look green.", "offset": 1000, "duration": 2500, "lang": "en"},
        {"text": "Chlorophyll absorbs &amp; glows.", "offset": 3500, "duration": 2500.4},
    ],
    "lang": "en",
    "availableLangs": ["en", "pl"],
}

JSON3 = {
    "wireMagic": "pb3",
    "pens": [{}],
    "wsWinStyles": [{}, {"mhModeHint": 2, "juJustifCode": 0, "sdScrollDir": 3}],
    "wpWinPositions": [{}, {"apPoint": 6, "ahHorPos": 20, "avVerPos": 100}],
    "events": [
        {"tStartMs": 0, "dDurationMs": 9000, "id": 1, "wpWinPosId": 1, "wsWinStyleId": 1},
        {
            "tStartMs": 160,
            "dDurationMs": 4640,
            "wWinId": 1,
            "segs": [
                {"utf8": "yeah", "acAsrConf": 0},
                {"utf8": " we", "tOffsetMs": 320, "acAsrConf": 0},
                {"utf8": " start", "tOffsetMs": 840},
            ],
        },
        {
            "tStartMs": 2470,
            "dDurationMs": 2330,
            "wWinId": 1,
            "aAppend": 1,
            "segs": [{"utf8": "\n"}],
        },
        {"tStartMs": 2480, "dDurationMs": 4530, "wWinId": 1, "segs": [{"utf8": "with\nplants"}]},
    ],
}


def read(document: object, name: str = "talk.json") -> CaptionFile:
    return parse_file(name, json.dumps(document).encode())


def refused(document: object) -> str:
    with pytest.raises(LoadingFailed) as caught:
        read(document)
    assert caught.value.reason == "bad_file"
    return caught.value.detail


def test_supadatas_milliseconds_and_language_are_kept() -> None:
    file = read(SUPADATA)
    assert file.segments == [
        TimedText(1000, 2500, "Plants look green."),
        TimedText(3500, 2500, "Chlorophyll absorbs &amp; glows."),
    ]
    assert (file.language, file.title, file.duration_ms) == ("en", "talk", 6000)


@pytest.mark.parametrize("name", ["Leaves [dQw4w9WgXcQ].en.json3", "Leaves [dQw4w9WgXcQ].en.json"])
def test_each_json3_event_with_words_is_a_segment(name: str) -> None:
    file = read(JSON3, name)
    assert file.segments == [
        TimedText(160, 4640, "yeah we start"),
        TimedText(2480, 4530, "with plants"),
    ]
    assert (file.title, file.language, file.youtube_id) == ("Leaves", "en", "dQw4w9WgXcQ")


def test_the_language_of_a_videos_own_automatic_captions_is_its_own() -> None:
    assert read(JSON3, "Leaves [dQw4w9WgXcQ].en-orig.json3").language == "en"
    assert read(JSON3, "Leaves.zh-Hans.json3").language == "zh-Hans"


def test_a_name_fills_what_our_own_json_leaves_open() -> None:
    ours: dict[str, Any] = {"segments": [{"start_s": 0, "duration_s": 1, "text": "a"}]}
    named = read(ours, "Leaves [dQw4w9WgXcQ].pl.json")
    assert (named.title, named.language, named.youtube_id) == ("Leaves", "pl", "dQw4w9WgXcQ")
    said = read({**ours, "title": "Blätter", "language": "de"}, "Leaves.pl.json")
    assert (said.title, said.language) == ("Blätter", "de")


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"content": "All of it as one text."}, "content: "),
        ({"content": [{"text": "a", "offset": -1, "duration": 1}]}, "content[0].offset: "),
        ({"content": [{"text": "a", "offset": "1", "duration": 1}]}, "content[0].offset: "),
        ({"content": [{"text": "a", "duration": 1}]}, "content[0].offset: "),
        ({"content": []}, "holds no captions"),
        ({"events": [{"tStartMs": 1, "segs": [{"utf8": 7}]}]}, "events[0].segs[0].utf8: "),
        ({"events": [{"tStartMs": 1e99, "segs": []}]}, "events[0].tStartMs: "),
        ({"events": [{"tStartMs": 1, "segs": [{"utf8": "\n"}]}]}, "holds no captions"),
        ({"captions": []}, "segments (our own form), content (Supadata's) or events"),
        (["segments"], "is no transcript"),
    ],
)
def test_a_wrong_shape_is_refused_with_the_place(document: object, says: str) -> None:
    assert says in refused(document)
