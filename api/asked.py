"""What one run is to answer, in the form in which any process can take it up."""

from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID, uuid4

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage
from pydantic import TypeAdapter

from agent.state import Question

Event = dict[str, Any]


@dataclass
class Turn:
    """A message of before, for a conversation whose memory is not there to go on from."""

    role: Literal["user", "assistant"]
    content: str


@dataclass
class Asked:
    """The question with all that decides how it is answered; its rows are committed before the
    run starts.

    `checkpoint_id` is the end of the turn before in the conversation's memory: null for a first
    turn, and where that memory is gone, which `before` then stands in for.
    """

    run_id: UUID
    conversation_id: UUID
    user_id: UUID
    question_id: UUID
    answer_id: UUID
    content: str
    video_ids: list[UUID] | None
    model: str | None
    template: str | None = None
    variables: dict[str, str] | None = None
    new_title: str | None = None
    checkpoint_id: str | None = None
    before: list[Turn] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        asked: dict[str, Any] = ASKED.dump_python(self, mode="json", exclude_defaults=True)
        return asked

    def question(self) -> Question:
        """The graph's input."""
        earlier: list[AnyMessage] = [
            HumanMessage(turn.content) if turn.role == "user" else AIMessage(turn.content)
            for turn in self.before
        ]
        return Question(
            messages=[*earlier, HumanMessage(self.content, id=str(self.question_id))],
            video_ids=None if self.video_ids is None else [str(id_) for id_ in self.video_ids],
            template=self.template,
            variables=self.variables,
        )


ASKED = TypeAdapter(Asked)


@dataclass
class Claim:
    """A run in the hands of one attempt, which alone may write for it.

    Another attempt has another `owner`. Its events are numbered from `after` + 1.
    """

    asked: Asked
    owner: UUID = field(default_factory=uuid4)
    attempt: int = 1
    after: int = 0
    stop_requested: bool = False
    accepted: bool | None = None
    settled: bool = False


USAGE = ("input_tokens", "output_tokens", "cost_usd")
ANSWER_COLUMNS = ("id", "content", "citations", "intent", "model", *USAGE, "metadata_")


def message_event(answer: dict[str, Any]) -> Event:
    """`answer` has the columns of the message's row, its id included."""
    return {
        "type": "message",
        "id": str(answer["id"]),
        "role": "assistant",
        "content": answer["content"],
        "citations": answer["citations"],
        "intent": answer["intent"],
        "model": answer["model"],
        "usage": {name: answer[name] for name in USAGE},
        "metadata": answer["metadata_"],
    }
