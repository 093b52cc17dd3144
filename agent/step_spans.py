"""Graph runs, their steps and model calls as OpenTelemetry spans. Imported only where it is set."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from opentelemetry import trace
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.trace import Span, SpanKind

from talker.otel import Sender, mark_failed

STEP = "talker.step"


class StepSpans(BaseCallbackHandler):
    """Follows runs through LangChain's callbacks, whose ids say what belongs to what; names and
    counts are told, never what was asked, read or written."""

    run_inline = True

    def __init__(self, sender: Sender, provider: str) -> None:
        self._tracer = sender.tracer
        self._provider = provider
        self._spans: dict[UUID, Span] = {}
        self._inside: dict[UUID, Span] = {}

    def on_chain_start(
        self,
        serialized: Any,  # noqa: ARG002 - LangChain's signature
        inputs: Any,  # noqa: ARG002 - the same
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        name, told = kwargs.get("name"), metadata or {}
        if parent_run_id is None:
            self._begin(run_id, None, f"graph {name}", SpanKind.INTERNAL, _thread(told))
        elif name == told.get("langgraph_node"):
            self._begin(run_id, parent_run_id, f"step {name}", SpanKind.INTERNAL, {STEP: str(name)})
        elif (around := self._inside.get(parent_run_id)) is not None:
            self._inside[run_id] = around

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:  # noqa: ARG002 - the same
        self._end(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error)

    def on_chat_model_start(
        self,
        serialized: Any,  # noqa: ARG002 - the same
        messages: Sequence[Sequence[BaseMessage]],  # noqa: ARG002 - the same
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> None:
        told = metadata or {}
        model = str(told.get("ls_model_name", ""))
        attributes = {
            gen_ai.GEN_AI_OPERATION_NAME: "chat",
            gen_ai.GEN_AI_PROVIDER_NAME: self._provider,
            gen_ai.GEN_AI_REQUEST_MODEL: model,
            **_thread(told),
        }
        self._begin(run_id, parent_run_id, f"chat {model}", SpanKind.CLIENT, attributes)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        span = self._spans.get(run_id)
        if span is not None:
            for key, value in _usage(response).items():
                span.set_attribute(key, value)
        self._end(run_id)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, error)

    def _begin(
        self,
        run_id: UUID,
        parent_run_id: UUID | None,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, str],
    ) -> None:
        around = self._inside.get(parent_run_id) if parent_run_id else None
        context = trace.set_span_in_context(around) if around is not None else None
        span = self._tracer.start_span(name, context=context, kind=kind, attributes=attributes)
        self._spans[run_id] = self._inside[run_id] = span

    def _end(self, run_id: UUID, error: BaseException | None = None) -> None:
        self._inside.pop(run_id, None)
        span = self._spans.pop(run_id, None)
        if span is None:
            return
        if error is not None:
            mark_failed(span, error)
        span.end()


def _thread(metadata: Mapping[str, Any]) -> dict[str, str]:
    thread = metadata.get("thread_id")
    return {gen_ai.GEN_AI_CONVERSATION_ID: str(thread)} if thread else {}


def _usage(response: LLMResult) -> dict[str, str | int]:
    """Tokens and the model that really answered, as far as the service tells."""
    generation = response.generations[0][0] if response.generations else None
    if not isinstance(generation, ChatGeneration) or not isinstance(generation.message, AIMessage):
        return {}
    message = generation.message
    found: dict[str, str | int] = {}
    if usage := message.usage_metadata:
        found[gen_ai.GEN_AI_USAGE_INPUT_TOKENS] = usage["input_tokens"]
        found[gen_ai.GEN_AI_USAGE_OUTPUT_TOKENS] = usage["output_tokens"]
    if model := message.response_metadata.get("model_name"):
        found[gen_ai.GEN_AI_RESPONSE_MODEL] = str(model)
    return found
