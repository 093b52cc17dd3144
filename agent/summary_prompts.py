"""What a model is sent to take notes on a transcript and to write a summary."""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from agent.fence import asked, name, unfenced
from agent.harmless import visible
from agent.phrases import language_name
from agent.prompts import fill
from agent.sections import ChapterPassages
from agent.state import Passage
from talker.models import SummaryStyle
from talker.text import token_estimate

NOTES_A_PART = 14
NOTES_KEPT = 30
"""How many notes are left of several parts' when a video is too long for all of them."""

TOKENS_A_MINUTE = 160
"""Of speech, about."""

PART_MATERIAL = (
    "What was said stands between <part> and </part>, in passages, each with its number."
)
NOTES_MATERIAL = (
    "Notes on everything that was said, in order, stand between <notes> and </notes>, each with "
    "the numbers of the passages that bear it out."
)


@dataclass(frozen=True, slots=True)
class Material:
    """What a summary is written from: all passages, and the notes where these are too many."""

    title: str
    passages: Sequence[Passage]
    chapters: Sequence[ChapterPassages]
    notes: Sequence[str]


def part_prompt(
    title: str,
    passages: Sequence[Passage],
    chapters: Sequence[ChapterPassages],
    part: int,
    parts: int,
) -> list[BaseMessage]:
    material = (
        f"{_part(passages, chapters)}\n\n"
        f"This is part {part + 1} of {parts} of the video “{name(title)}”."
    )
    return [SystemMessage(fill("summary_part", most=NOTES_A_PART)), HumanMessage(material)]


def shorter_notes_prompt(notes: Sequence[str]) -> list[BaseMessage]:
    return [
        SystemMessage(fill("summary_notes", most=NOTES_KEPT)),
        HumanMessage(_notes(notes)),
    ]


def summary_prompt(material: Material, style: SummaryStyle, language: str) -> list[BaseMessage]:
    own_chapters = style == "chapters" and bool(material.chapters)
    rules = fill(
        "summary",
        material=NOTES_MATERIAL if material.notes else PART_MATERIAL,
        language=_named(language),
        form=form(style, material.passages, own_chapters=own_chapters),
    )
    said = (
        _notes(material.notes)
        if material.notes
        else _part(material.passages, () if own_chapters else material.chapters)
    )
    chapters = f"\n\n{_chapters(material.chapters)}" if own_chapters else ""
    video = f"The video: “{name(material.title)}”."
    return [SystemMessage(rules), HumanMessage(f"{said}{chapters}\n\n{video}")]


def overview_prompt(
    videos: Sequence[tuple[str, str]],
    passages: Sequence[Passage],
    style: SummaryStyle,
    language: str,
    request: str,
) -> list[BaseMessage]:
    """`videos` are titles with their summaries, whose numbers are those of `passages`."""
    shape = fill("summary_overview_short") if style == "short" else form(style, passages)
    rules = fill("summary_overview", count=len(videos), language=_named(language), form=shape)
    told = "\n\n".join(f"## {name(title)}\n{_fenceless(text)}" for title, text in videos)
    return [
        SystemMessage(rules),
        HumanMessage(f"<videos>\n{told}\n</videos>\n\nThe person's words: {asked(request)}"),
    ]


def form(style: SummaryStyle, passages: Sequence[Passage], *, own_chapters: bool = False) -> str:
    """How a style is to look, as long as what was said deserves."""
    minutes = sum(token_estimate(passage["text"]) for passage in passages) / TOKENS_A_MINUTE
    match style:
        case "short":
            return fill("summary_short")
        case "detailed":
            return fill("summary_detailed", words=_between(150, 150 + 10 * minutes, 900))
        case "key_moments":
            return fill("summary_key_moments", count=_between(4, 4 + minutes / 6, 15))
        case "chapters" if own_chapters:
            return fill("summary_own_chapters")
        case "chapters":
            return fill("summary_chapters", count=_between(3, 3 + minutes / 6, 20))
        case "study_guide":
            return fill("summary_study_guide", count=_between(5, 5 + minutes / 10, 12))


def _between(least: int, wanted: float, most: int) -> int:
    return round(min(max(wanted, least), most))


def _part(passages: Sequence[Passage], chapters: Sequence[ChapterPassages]) -> str:
    titles = {chapter.first: chapter.title for chapter in chapters}
    lines = []
    for passage in passages:
        if passage["n"] in titles:
            lines.append(f"(Chapter: {name(titles[passage['n']])})")
        lines.append(f"[{passage['n']}] {unfenced(passage['text'])}")
    return "<part>\n" + "\n".join(lines) + "\n</part>"


def _notes(notes: Sequence[str]) -> str:
    return "<notes>\n" + "\n".join(map(_fenceless, notes)) + "\n</notes>"


def _chapters(chapters: Sequence[ChapterPassages]) -> str:
    lines = [
        f"{number}. {name(chapter.title)} (passages {chapter.first} to {chapter.last})"
        for number, chapter in enumerate(chapters, 1)
    ]
    return "<chapters>\n" + "\n".join(lines) + "\n</chapters>"


def _fenceless(text: str) -> str:
    """What a model wrote for us, which keeps its lines and numbers, without a fence."""
    return visible(text).replace("<", "‹").replace(">", "›")


def _named(language: str) -> str:
    return language_name(language) or f'the language with the ISO 639 code "{language}"'
