import pytest

from agent.route import plain_intent
from agent.state import Intent


@pytest.mark.parametrize(
    ("message", "intent"),
    [
        ("Hello!", "converse"),
        ("thanks a lot", "converse"),
        ("Dziękuję bardzo!", "converse"),
        ("¡Hola!", "converse"),
        ("What can you do?", "converse"),
        ("list my videos", "list_videos"),
        ("Which videos do I have?", "list_videos"),
        ("show me all my videos please", "list_videos"),
        ("jakie mam filmy?", "list_videos"),
        ("how many videos do I have?", "list_videos"),
    ],
)
def test_what_is_plain_needs_no_model(message: str, intent: Intent) -> None:
    assert plain_intent(message) == intent


@pytest.mark.parametrize(
    "message",
    [
        "how many attention heads are in each block of GPT-3",
        "hi, what does the video say about yeast?",
        "what are my options for baking?",
        "which videos explain entropy?",
        "thanks to what does the anglerfish glow?",
    ],
)
def test_a_question_is_not_taken_for_small_talk_or_a_list(message: str) -> None:
    assert plain_intent(message) is None
