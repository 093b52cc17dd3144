import time

import pytest

from ingestion.chapters import Chapter, chapters

INTRO = [Chapter(0, "Intro"), Chapter(75_000, "Why leaves"), Chapter(3_723_000, "The end")]


@pytest.mark.parametrize(
    "description",
    [
        "0:00 Intro\n1:15 Why leaves\n1:02:03 The end",
        "00:00 - Intro\n01:15 - Why leaves\n01:02:03 - The end",
        "All about leaves.\n\n(0:00) Intro\n(1:15) Why leaves\n(1:02:03) The end\n\nThanks!",
        "Intro 0:00\nWhy leaves 1:15\nThe end 1:02:03",
        "Intro: [0:00]\nWhy leaves: [1:15]\nThe end: [1:02:03]",
        "• 0:00 Intro\n• 1:15 Why leaves\n• 1:02:03 The end",
        "1. 0:00 Intro\n2. 1:15 Why leaves\n3. 1:02:03 The end",
        "▶ 00:00:00 | Intro\r\n▶ 00:01:15 | Why leaves\r\n▶ 01:02:03 | The end",
        "0:00-1:15 Intro\n1:15-1:02:03 Why leaves\n1:02:03-1:10:00 The end",
        "0:00 Intro\nwith a line of its own\n\n1:15 Why leaves\n1:02:03 The end",
        "0:00 Intro\n1:15 Why leaves\n1:02:03 The end\n\n0:00 Anfang\n1:15 Blätter\n2:00 Ende",
        "Live on Monday 18:30\n0:00 Intro\n1:15 Why leaves\n1:02:03 The end",
    ],
)
def test_chapters_are_read_however_people_write_them(description: str) -> None:
    assert chapters(description, 4_200_000) == INTRO
    assert chapters(description) == INTRO


@pytest.mark.parametrize(
    "description",
    [
        "",
        "No times at all.",
        "0:00 Intro\n1:15 The end",
        "0:05 Intro\n1:15 Why leaves\n2:30 The end",
        "0:00 Intro\n2:30 Why leaves\n1:15 The end\n3:00 More",
        "0:00 Intro\n0:09 Why leaves\n1:15 The end\n3:00 More",
        "0:00 Intro\n1:15 Why leaves\n1:15 The end",
        "0:00\n1:15\n2:30",
        "Call 555-0100 or 0800 123 456\nMonday 10:00 am\nTuesday 11:00 am\nWednesday 12:00 pm",
        "10:00 AM Opening\n11:30 AM Talk\n12:30 PM Lunch",
        "Team A - Team B 0:00\nTeam C - Team D 2:10\nTeam E - Team F 1:20",
        "12.05.2024 concert\n2024-05-01 18:30:00 log\n16:9 in 4:3\n1:0 for us",
        "https://example.org/0:00\nratio 0:00:00:01\n1:2:3 go\n0:60 no\n99:99 no",
    ],
)
def test_what_is_no_list_of_chapters_makes_none(description: str) -> None:
    assert chapters(description, 4_200_000) == []


def test_times_outside_of_the_video_are_no_chapters() -> None:
    listed = "0:00 Intro\n1:15 Why leaves\n2:30 The end\n18:30 Doors open\n3:33:33 More"
    assert [one.title for one in chapters(listed, 200_000)] == ["Intro", "Why leaves", "The end"]
    assert chapters("0:00 a\n1:00 b\n2:00 c", 100_000) == []


def test_a_hostile_description_is_read_in_no_time() -> None:
    start = time.process_time()
    assert chapters("0:00" * 2_000 + "\n" + "(" * 5_000 + "\n" + " 1:11" * 1_000) == []
    assert chapters("-" * 5_000 + "1:1\n" + "1:11:" * 1_000) == []
    assert time.process_time() - start < 2
