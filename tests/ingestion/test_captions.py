"""Caption files, good ones and hostile ones."""

import json
import time

import pytest

from ingestion.captions import CaptionFile, parse_file
from talker.errors import LoadingFailed, WrongKindOfFile
from talker.sentences import TimedText

SRT = """1
00:00:01,000 --> 00:00:03,500
Plants look green.

2
00:00:03,500 --> 00:00:06,000
<i>Chlorophyll</i> absorbs
red &amp; blue light.
"""

VTT = """WEBVTT - A talk
Kind: captions
Language: en-GB

NOTE Written by hand,
over two lines.

STYLE
::cue { color: red }

intro
00:01.000 --> 00:03.500 align:start position:0%
<v Ada>Plants look green.

00:00:03.500 --> 00:00:06.000
{\\an8}Chlorophyll absorbs
red &amp; blue light.
"""

SEGMENTS = [
    TimedText(1000, 2500, "Plants look green."),
    TimedText(3500, 2500, "Chlorophyll absorbs red & blue light."),
]

ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.470 align:start position:0%
~
yeah<00:00:00.480><c> we</c><00:00:01.000><c> start</c>

00:00:02.470 --> 00:00:02.480 align:start position:0%
yeah we start
~

00:00:02.480 --> 00:00:05.000 align:start position:0%
yeah we start
with<00:00:02.600><c> plants</c>

00:00:05.000 --> 00:00:05.010 align:start position:0%
with plants
~

00:00:05.010 --> 00:00:07.000 align:start position:0%
with plants
with<00:00:05.600><c> plants</c>

00:00:07.000 --> 00:00:07.010 align:start position:0%
with plants
~
""".replace("~", " ")


def transcript(**changes: object) -> dict[str, object]:
    return {
        "video_id": "dQw4w9WgXcQ",
        "url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "title": "Leaves",
        "channel": "A channel",
        "language": "en",
        "duration_s": 9.25,
        "segments": [{"start_s": 1.0, "duration_s": 2.5, "text": "Plants look green."}],
        **changes,
    }


def parse_json(**changes: object) -> CaptionFile:
    return parse_file("leaves.json", json.dumps(transcript(**changes)).encode())


def failure(name: str, content: bytes) -> LoadingFailed:
    with pytest.raises(LoadingFailed) as caught:
        parse_file(name, content)
    assert caught.value.reason == "bad_file"
    assert caught.value.next_step
    return caught.value


def test_subrip_cues_become_segments_with_their_milliseconds() -> None:
    file = parse_file("Leaves.srt", SRT.encode())
    assert file.segments == SEGMENTS
    assert file.title == "Leaves"
    assert file.duration_ms == 6000


def test_webvtt_notes_styles_and_settings_are_no_words() -> None:
    file = parse_file("leaves.vtt", VTT.encode())
    assert file.segments == SEGMENTS
    assert file.language == "en-GB"


def test_rolling_captions_say_each_line_once_at_the_time_it_is_spoken() -> None:
    file = parse_file("auto.vtt", ROLLING.encode())
    assert file.segments == [
        TimedText(160, 2310, "yeah we start"),
        TimedText(2480, 2520, "with plants"),
        TimedText(5010, 1990, "with plants"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        SRT.encode("utf-8-sig"),
        SRT.encode("utf-16"),
        SRT.encode("utf-32"),
        SRT.replace("\n", "\r\n").encode(),
        SRT.replace("\n", "\r").encode(),
        SRT.replace("1\n00:00:01,000", "00:00:01.000").encode(),
        SRT.replace("Plants", "\x00\x07Plants").encode().replace(b"\x00", b""),
    ],
)
def test_the_same_captions_are_read_from_any_writing_of_them(content: bytes) -> None:
    assert parse_file("leaves.srt", content).segments == SEGMENTS


def test_text_of_an_older_encoding_keeps_its_letters() -> None:
    polish = SRT.replace("Plants look green.", "Zażółć gęślą jaźń, a rośliny są zielone. " * 5)
    file = parse_file("liscie.srt", polish.encode("cp1250"))
    assert file.segments[0].text.startswith("Zażółć gęślą jaźń")


def test_a_blank_line_inside_a_subrip_cue_does_not_end_it() -> None:
    file = parse_file("x.srt", b"1\n00:00:01,000 --> 00:00:02,000\nOne\n\ntwo\n\n")
    assert file.segments == [TimedText(1000, 1000, "One two")]


def test_cues_out_of_order_and_overlapping_are_put_in_order() -> None:
    file = parse_file(
        "x.srt",
        b"1\n00:00:05,000 --> 00:00:09,000\nsecond\n\n2\n00:00:01,000 --> 00:00:06,000\nfirst\n",
    )
    assert [segment.text for segment in file.segments] == ["first", "second"]


def test_words_between_angle_brackets_that_are_no_markup_stay() -> None:
    file = parse_file(
        "x.srt", b"1\n00:00:01,000 --> 00:00:02,000\nif a<b and c>d --> then <b>go</b>\n"
    )
    assert file.segments[0].text == "if a<b and c>d --> then go"


@pytest.mark.parametrize(
    ("name", "language", "title", "youtube_id"),
    [
        ("Leaves.pl.srt", "pl", "Leaves", None),
        ("Leaves [dQw4w9WgXcQ].pt-BR.srt", "pt-BR", "Leaves", "dQw4w9WgXcQ"),
        ("v1.2.srt", "und", "v1.2", None),
    ],
)
def test_a_files_name_tells_its_title_language_and_video(
    name: str, language: str, title: str, youtube_id: str | None
) -> None:
    file = parse_file(name, SRT.encode())
    assert (file.language, file.title, file.youtube_id) == (language, title, youtube_id)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"\x00\x01\x02\xff\xfe" * 100, "not a text file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" * 20, "not a text file"),
        (b"Just some words.\n", "holds no captions"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n\n", "none of its cues has any words"),
        (b"1\n00:00:xx,000 --> 00:00:02,000\nA\n", "line 2: .* is no time"),
        (b"1\n-00:00:01,000 --> 00:00:02,000\nA\n", "line 2: .* is no time"),
        (
            b"1\n00:00:01,000 --> 00:00:02,000\nA\n\n2\n00:00:09,000 --> 00:00:08,000\nB\n",
            "line 6: .*ends before it starts",
        ),
        (b"1\n99999:00:01,000 --> 99999:00:02,000\nA\n", "line 2: .* is no time"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(content: bytes, says: str) -> None:
    assert_matches(failure("broken.srt", content).detail, says)


def assert_matches(text: str, pattern: str) -> None:
    with pytest.raises(AssertionError, match=pattern):
        raise AssertionError(text)


def test_a_webvtt_file_must_say_that_it_is_one() -> None:
    assert "line 1" in failure("x.vtt", SRT.encode()).detail


def test_a_json_transcript_keeps_what_it_knows_of_the_video() -> None:
    file = parse_json()
    assert file == CaptionFile(
        segments=[TimedText(1000, 2500, "Plants look green.")],
        title="Leaves",
        language="en",
        youtube_id="dQw4w9WgXcQ",
        channel="A channel",
        duration_ms=9250,
    )


def test_a_json_transcript_may_name_no_video() -> None:
    assert parse_json(video_id=None, url=None).youtube_id is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"video_id": "not an id"}, "video_id must be a YouTube id"),
        ({"video_id": 7}, "video_id: "),
        ({"language": "English!"}, "language: "),
        ({"duration_s": -1}, "duration_s: "),
        ({"segments": []}, "holds no captions"),
        ({"segments": {}}, "segments: "),
        ({"segments": [{"start_s": 0, "text": "a"}]}, r"segments\[0\].duration_s: "),
        ({"segments": [{"start_s": "1", "duration_s": 1, "text": "a"}]}, r"segments\[0\].start_s"),
        ({"segments": [{"start_s": float("nan"), "duration_s": 1, "text": "a"}]}, "start_s|JSON"),
        ({"segments": [{"start_s": -5, "duration_s": 1, "text": "a"}]}, r"segments\[0\].start_s"),
        ({"segments": [{"start_s": 1e99, "duration_s": 1, "text": "a"}]}, r"segments\[0\].start_s"),
        ({"segments": [{"start_s": 1, "duration_s": 1, "text": None}]}, r"segments\[0\].text"),
        ({"segments": [{"start_s": 1, "duration_s": 1, "text": " \n"}]}, "holds no captions"),
    ],
)
def test_a_wrong_json_transcript_is_refused_with_the_place(
    changes: dict[str, object], says: str
) -> None:
    content = json.dumps(transcript(**changes)).encode()
    assert_matches(failure("x.json", content).detail, says)


@pytest.mark.parametrize("content", [b"{", b"[]", b'"text"', b"null", b"[" * 100_000, b"{}"])
def test_what_is_no_json_transcript_is_refused(content: bytes) -> None:
    failure("x.json", content)


def test_text_that_the_database_could_not_hold_is_cleaned() -> None:
    content = b'{"segments": [{"start_s": 1, "duration_s": 1, "text": "a\\u0000b \\u0007c"}]}'
    assert parse_file("x.json", content).segments[0].text == "a b c"
    failure("x.json", b'{"segments": [{"start_s": 1, "duration_s": 1, "text": "\\ud800"}]}')


@pytest.mark.parametrize("name", ["talk.mp4", "talk", "", "talk.srt.exe"])
def test_other_kinds_of_files_are_refused_as_such(name: str) -> None:
    with pytest.raises(WrongKindOfFile, match="no caption file"):
        parse_file(name, SRT.encode())


def test_a_huge_file_is_read_in_seconds() -> None:
    cue = "{n}\n00:{m:02}:{s:02},000 --> 00:{m:02}:{s:02},900\n<i>some</i> words {n}\n\n"
    many = "".join(cue.format(n=n, m=n // 60 % 60, s=n % 60) for n in range(100_000))
    start = time.process_time()
    assert len(parse_file("x.srt", many.encode()).segments) == 100_000
    with pytest.raises(LoadingFailed, match="a line of more than"):
        parse_file("y.srt", (SRT + "<" * 1_000_000).encode())
    assert time.process_time() - start < 15


def test_the_same_captions_have_the_same_hash_under_any_name() -> None:
    assert (
        parse_file("a.srt", SRT.encode()).content_hash()
        == parse_file("b.vtt", VTT.encode()).content_hash()
    )
