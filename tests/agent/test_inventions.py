"""A model that invents: none of it is left in an answer, or it has lost its number."""

import json
import re

import pytest

from agent.citations import prove_citations
from talker.embeddings import LocalEmbeddings
from tests import make
from tests.agent.test_citations import passage
from tests.conftest import App
from tests.model_server import ModelServer

Server = tuple[ModelServer, str]

DEEP = [
    "The anglerfish carries a small lamp on its head that glows because of bacteria.",
    "At four thousand metres the pressure is four hundred times that at the surface.",
    "Whale falls feed whole communities of worms and crabs for fifty years.",
    "The deepest dive on record went down ten thousand nine hundred and thirty five metres.",
    "It does not hurt the fish.",
]
INVENTED = [
    # Figures, in either spelling.
    "Whale falls feed worms and crabs for ninety years [1].",
    "Whale falls feed worms and crabs for 500 years [1].",
    "The deepest dive on record went down 10,936 metres [1].",
    "The deepest dive on record went down twelve thousand metres [1].",
    "At 4,000 metres the pressure is 40 times that at the surface [1].",
    "The deepest dive on record went down [1] 99,000 metres.",
    "“Whale falls feed whole communities of worms and crabs for sixty years” [1].",
    # Denials.
    "The anglerfish's lamp never glows because of bacteria [1].",
    "Whale falls do not feed communities of worms and crabs for fifty years [1].",
    "“The anglerfish does not carry a small lamp on its head that glows” [1].",
    "It does hurt the fish [1].",
    # Numbers that name no passage, and other things in their place.
    "Whale falls feed worms and crabs for fifty years [3].",
    "Whale falls feed worms and crabs for fifty years [0][17].",
    "Whale falls feed worms and crabs for fifty years 【7†source】.",
    # Words that nobody said.
    "“Crabs will inherit the whole of the ocean floor one day” [1].",
    "The speaker sells submarines to collectors in Monaco [1].",
    "“Whale falls feed whole communities … because the moon tells them to do so” [1].",
    # Times, and videos that are not among the passages.
    "Whale falls feed worms and crabs for fifty years, as said at 12:34 [1].",
    "At 3 minutes whale falls feed worms and crabs for fifty years [1].",
    "In “A kitchen for everyone” whale falls feed worms and crabs for fifty years [1].",
    # Other languages.
    "Die Erde ist eine Scheibe, und niemand darf es wissen [1].",
    "Najgłębsze nurkowanie sięgnęło 12 000 metrów [1].",
]
TRUE = [
    "Whale falls feed worms and crabs for 50 years [1].",
    "The deepest dive on record went down 10,935 metres [1].",
    "The deepest dive on record went down 10 935 metres [1].",
    "At 4,000 metres the pressure is 400 times that at the surface [1].",
    "“Whale falls feed whole communities of worms and crabs for 50 years” [1].",
    "In “The deep”, whale falls feed worms and crabs for fifty years [1].",
    "In [1] it is said that whale falls feed worms and crabs for fifty years.",
    "Whale falls feed worms and crabs for fifty years [passage 1].",
    "Whale falls feed worms and crabs for fifty years [1, 12:34].",
    "It does not hurt the fish [1].",
    "Der tiefste Tauchgang ging 10.935 Meter hinab [1].",
]


@pytest.mark.parametrize("claim", INVENTED)
async def test_what_a_model_invents_keeps_no_number(claim: str) -> None:
    embeddings = LocalEmbeddings()
    kitchen = passage(2, "Bake the loaf in a hot pot.")
    kitchen["title"] = "A kitchen for everyone"
    text, citations, unproved = await prove_citations(
        claim, [passage(1, *DEEP), kitchen], embeddings
    )
    assert citations == [], claim
    assert not re.search(r"[\[【]", text), text
    assert unproved == ("【" not in claim)
    await embeddings.aclose()


@pytest.mark.parametrize("claim", TRUE)
async def test_what_was_said_keeps_its_number(claim: str) -> None:
    embeddings = LocalEmbeddings()
    text, citations, unproved = await prove_citations(claim, [passage(1, *DEEP)], embeddings)
    assert [citation["n"] for citation in citations] == [1], claim
    assert text.count("[1]") == 1
    assert (unproved, "12:34" in text) == (0, False)
    await embeddings.aclose()


async def test_invented_words_lose_their_quotation_marks() -> None:
    text, _, _ = await prove_citations(
        "She says “the moon is made of cheese” and “worms and crabs for fifty years” [1].",
        [passage(1, *DEEP)],
    )
    assert text == "She says the moon is made of cheese and “worms and crabs for fifty years”."


async def test_an_inventing_model_s_answer_is_marked(chat_app: App, model_server: Server) -> None:
    video = await make.upload(chat_app.http, make.captions(make.OCEAN))
    talk = await make.conversation(chat_app.http)
    model_server[0].script.append(
        "The deepest dive went down 10,935 metres [1] [2]. It took nine hundred days [1]. "
        "Its pilot was “the bravest woman who ever lived on land” [2], see (at 3:07) [9]."
    )
    events = await make.ask(chat_app.http, talk, "How deep did the deepest dive go?")
    message = make.only(events, "message")
    body, note = message["content"].split("\n\n")
    assert re.fullmatch(
        r"The deepest dive went down 10,935 metres \[\d\]\. It took nine hundred days\. "
        r"Its pilot was the bravest woman who ever lived on land, see\.",
        body,
    ), body
    assert note == (
        "*Not found in the videos' own words, and so without a source: 3 of these claims.*"
    )
    assert {c["video_id"] for c in message["citations"]} == {str(video)}
    assert json.dumps(message["citations"]).count("ten thousand nine hundred") == 1
