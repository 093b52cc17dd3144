"""What people type is understood: a measured set, and what is easy to get wrong."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from agent.models import ChatModels
from agent.plain import read
from agent.state import Intent, Passage, Span
from agent.times import period_in, span_in
from talker.models import User, Video, now
from talker.resources import Resources
from tests.agent.utterances import (
    Half,
    Understood,
    Utterance,
    fill_shelf,
    read_utterances,
    understand,
    wrong,
)

FLOORS: dict[Half, tuple[float, float]] = {"development": (0.96, 0.91), "held_out": (0.97, 0.94)}
"""Shares of right intents, and of plans right in every part, that the rules alone reach."""


async def find_nothing(*_: Any, **__: Any) -> list[Passage]:
    return []


@pytest.fixture
async def models(resources: Resources) -> AsyncIterator[ChatModels]:
    """No chat model."""
    opened = ChatModels(resources.settings, resources.sessions)
    yield opened
    await opened.aclose()


@pytest.fixture
async def shelf(resources: Resources, user: User) -> dict[str, UUID]:
    return await fill_shelf(resources, user)


class Router:
    def __init__(self, *given: Any) -> None:
        self._given = given

    async def __call__(self, text: str, **values: Any) -> Understood:
        ids, resources, user, models = self._given
        one = Utterance(text=text, language="en", intent="answer", half="development", **values)
        return await understand(one, ids, resources, user, models, find_nothing)


@pytest.fixture
async def router(
    shelf: dict[str, UUID], resources: Resources, user: User, models: ChatModels
) -> Router:
    """The router over the shelf, without a model."""
    return Router(shelf, resources, user, models)


@pytest.mark.parametrize("half", ["development", "held_out"])
async def test_rules_alone_understand_nearly_all_that_people_type(
    half: Half, shelf: dict[str, UUID], resources: Resources, user: User, models: ChatModels
) -> None:
    found = [
        wrong(one, await understand(one, shelf, resources, user, models, find_nothing))
        for one in read_utterances()
        if one.half == half
    ]
    intents = sum("intent" not in parts for parts in found) / len(found)
    wholes = sum(not parts for parts in found) / len(found)
    assert (intents, wholes) >= FLOORS[half]
    assert wholes >= FLOORS[half][1]


def test_the_set_has_every_intent_in_ten_languages() -> None:
    utterances = read_utterances()
    assert len(utterances) >= 150
    intents: dict[str, set[str]] = {}
    for one in utterances:
        intents.setdefault(one.language, set()).add(one.intent)
    assert sum(len(known) == 7 for known in intents.values()) >= 10


def test_of_first_questions_hardly_any_needs_a_model() -> None:
    firsts = [one for one in read_utterances() if one.intent == "answer" and not one.before]
    known = {"en", "pl", "es", "de", "fr", "pt", "it", "hi", "ja", "zh", "ar", "ru"}
    unsure = [one.text for one in firsts if one.language in known and not read(one.text).sure]
    assert unsure == []


@pytest.mark.parametrize(
    ("message", "intent"),
    [
        ("Hello!", "converse"),
        ("¡Hola!", "converse"),
        ("thanks a lot, that helps", "converse"),
        ("show me all my videos please", "list_videos"),
        ("how many attention heads are in each block of GPT-3", "answer"),
        ("hi, what does the video say about yeast?", "answer"),
        ("what are my options for baking?", "answer"),
        ("thanks to what does the anglerfish glow?", "answer"),
        ("what is the summary statistic he mentions?", "answer"),
        ("what did the blog post get wrong?", "answer"),
        ("which video format is best?", "answer"),
        ("which videos explain entropy?", "find_videos"),
    ],
)
def test_a_question_is_not_taken_for_something_else(message: str, intent: Intent) -> None:
    reading = read(message)
    assert (reading.intent, reading.sure) == (intent, True)


async def test_a_name_that_fits_no_video_is_said_with_the_nearest(router: Router) -> None:
    found = await router("summarize the video about quantum turbulence")
    assert found.reply is not None
    assert "quantum turbulence" in found.reply
    assert "Visualizing turbulence" in found.reply
    polish = await router("podsumuj film o grawitacji kwantowej")
    assert (polish.reply or "").startswith("Nie znajduję w Twojej bibliotece filmu")


async def test_a_summary_of_nothing_named_asks_which_video(router: Router) -> None:
    found = await router("give me a summary")
    assert (found.reply or "").startswith("Which video do you mean?")
    scoped = await router("give me a summary", scope=["bread"])
    assert (scoped.reply, scoped.videos) == (None, ["bread"])
    everything = await router("summarize all my videos")
    assert (everything.reply, everything.videos) == (None, None)


async def test_the_summary_of_a_subject_is_an_answer(router: Router) -> None:
    found = await router("summarize what he says about gradient descent")
    assert (found.plan["intent"], found.reply) == ("answer", None)


async def test_that_video_is_the_one_that_was_cited(router: Router) -> None:
    turns = ["Who crossed the Rhine?", "The Vandals [1]."]
    found = await router("summarize that video", before=turns, cited=["rome"])
    assert (found.plan["intent"], found.videos) == ("summarize", ["rome"])


async def test_names_are_taken_within_what_is_asked_about(router: Router) -> None:
    found = await router("what is said in the turbulence video?", scope=["bread", "rome"])
    assert sorted(found.videos or ()) == ["bread", "rome"]


@pytest.mark.parametrize(
    ("message", "videos"),
    [
        ("summarize the turbulance video", ["turbulence"]),
        (
            "what does 3 blue 1 brown say about heads?",
            ["attention", "eigen", "neural", "turbulence"],
        ),
        ("what does astrofaza say about light", ["holes"]),
        ("how is a transformer trained in the attention video", ["attention"]),
        ("w filmie o czarnych dziurach co mówi o czasie?", ["holes"]),
        ("summarize my newest video", ["turbulence"]),
        ("what about the latest video from ada's kitchen?", ["bread"]),
        ("who runs with mo farah?", None),
        ("how does a video camera work?", None),
        ("what do you know about rome?", None),
    ],
)
async def test_videos_are_known_by_what_people_call_them(
    router: Router, message: str, videos: list[str] | None
) -> None:
    found = (await router(message)).videos
    assert (found and sorted(found)) == videos


async def test_a_link_to_a_known_video_is_that_video(
    router: Router, resources: Resources, shelf: dict[str, UUID]
) -> None:
    youtube_id = "dQw4w9WgXcQ"
    async with resources.sessions.begin() as session:
        video = await session.get_one(Video, shelf["bread"])
        video.youtube_id = youtube_id
    link = f"https://youtu.be/{youtube_id}"
    asked = await router(f"{link} how long does it rest?")
    assert (asked.plan["intent"], asked.videos) == ("answer", ["bread"])
    assert asked.plan["question"] == "how long does it rest"
    alone = await router(link)
    assert "How to bake sourdough bread at home" in (alone.reply or "")
    other = await router(f"{link} https://youtu.be/abcDEF12345 compare these")
    assert other.plan["intent"] == "add_videos"
    assert len(other.plan["sources"]) == 2


@pytest.mark.parametrize(
    ("message", "question"),
    [
        ("https://youtu.be/abcDEF12345", ""),
        ("please add https://youtu.be/abcDEF12345", ""),
        ("add https://youtu.be/abcDEF12345 and summarize it", "summarize it"),
        ("https://youtu.be/abcDEF12345 what is entropy?", "what is entropy"),
        ("dodaj https://youtu.be/abcDEF12345 i powiedz co to entropia", "powiedz co to entropia"),
    ],
)
async def test_the_question_that_comes_with_a_link_is_kept(
    router: Router, message: str, question: str
) -> None:
    plan = (await router(message)).plan
    assert (plan["intent"], plan["question"]) == ("add_videos", question)
    assert plan["sources"] == ["https://youtu.be/abcDEF12345"]


async def test_a_template_chosen_by_hand_makes_a_post_of_any_question(router: Router) -> None:
    plan = (await router("how does bread rise?", chosen_template="blog")).plan
    assert (plan["intent"], plan["template"]) == ("compose", "blog")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("in the first ten minutes", (0, 600_000)),
        ("between 5:00 and 10:00", (300_000, 600_000)),
        ("after 1:02:30", (3_750_000, None)),
        ("zwischen Minute 5 und 10", (300_000, 600_000)),
        ("po 12 minucie", (720_000, None)),
        ("最初の10分で", (0, 600_000)),
        ("in the last five minutes", (1_500_000, None)),
        ("what happens at the end of the video", (1_620_000, None)),
    ],
)
def test_a_stretch_is_understood(text: str, span: tuple[int, int | None]) -> None:
    named = span_in(text)
    assert named is not None
    assert named.within(1_800_000) == Span(start_ms=span[0], end_ms=span[1])


@pytest.mark.parametrize(
    "text",
    [
        "in the first ten minutes of boiling",
        "after 1945",
        "between 5 and 10 people",
        "at 7:30 am",
        "at the end of the experiment",
    ],
)
def test_other_times_are_no_stretch_of_a_video(text: str) -> None:
    assert span_in(text) is None


def test_a_period_is_of_adding_or_of_publishing() -> None:
    today = now()
    added = period_in("videos I added this week", today)
    published = period_in("wideo z marca 2024", today)
    assert added is not None
    assert published is not None
    assert (added.of, added.start_at.weekday()) == ("added", 0)
    assert (published.of, published.start_at.month, published.end_at.month) == ("published", 3, 4)


@pytest.mark.parametrize(
    ("message", "leans"),
    [
        ("and in three dimensions?", True),
        ("does it still work for other shapes?", True),
        ("a ile to kosztuje?", True),
        ("why?", True),
        ("why does the dough rest in the fridge when it is warm?", False),
        ("how many hashes per second could a really good graphics card do", False),
        ("cuánto dura la cocción del pan de masa madre", False),
    ],
)
async def test_the_turn_before_is_searched_for_only_where_a_message_leans_on_it(
    router: Router, message: str, leans: bool
) -> None:
    plan = (await router(message, before=["What is a knot?", "A loop [1]."])).plan
    assert plan["before"] == ("What is a knot?" if leans else "")
