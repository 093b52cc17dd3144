"""Videos that a person names in words that no title has."""

from tests import make
from tests.conftest import App


async def load(app: App) -> None:
    for title, lines in (("The deep ocean", make.OCEAN), ("Baking bread", make.BREAD)):
        await make.upload(app.http, make.captions(lines, title=title))


async def asked(app: App, question: str) -> str:
    talk = await make.conversation(app.http)
    return str(make.only(await make.ask(app.http, talk, question), "message")["content"])


async def test_a_title_in_another_language_leads_to_the_videos_that_speak_of_it(app: App) -> None:
    await load(app)
    for question, name in (
        ("Resume el vídeo «El océano profundo»", "El océano profundo"),
        ("Streść film „Głęboki ocean”", "Głęboki ocean"),
    ):
        said = await asked(app, question)
        assert name in said
        assert said.splitlines()[-1] == "- The deep ocean"


async def test_videos_that_speak_of_it_are_found_in_whichever_language_they_are_asked_for(
    app: App,
) -> None:
    await load(app)
    for question, title in (
        ("Które z moich filmów mówią o pieczeniu chleba?", "Baking bread"),
        ("¿Cuáles de mis vídeos explican cómo se hornea el pan?", "Baking bread"),
        ("Quelles vidéos parlent de la cuisson du pain ?", "Baking bread"),
        ("Które filmy mówią o głębinach oceanu?", "The deep ocean"),
        ("Welche meiner Videos handeln von der Tiefsee?", "The deep ocean"),
    ):
        [line] = [line for line in (await asked(app, question)).splitlines() if line[:1].isdigit()]
        assert line.startswith(f"1. {title}"), question
    for question in (
        "Które z moich filmów mówią o piłce nożnej?",
        "¿Cuáles de mis vídeos explican la física cuántica?",
        "Which of my videos explain football?",
    ):
        assert "1. " not in await asked(app, question), question


async def test_a_name_of_which_nothing_is_said_leads_nowhere(app: App) -> None:
    await load(app)
    said = await asked(app, "Summarise the video “Quarterly tax returns of Norwegian banks”")
    assert said == (
        "I find no video called “Quarterly tax returns of Norwegian banks” in your library."
    )
