"""Every error raised on purpose.

TalkerError
├── BadSettings               an environment variable is wrong
├── BadRequest                what was sent makes no sense
│   ├── QuestionTooLong, UnknownModel
│   └── BadTemplate, BadVariables
├── NotAllowed
│   └── BuiltInTemplate       what comes with the app is not changed
├── NotFound
│   ├── VideoNotFound, JobNotFound, ConversationNotFound, RunNotFound, UserNotFound,
│   └── CollectionNotFound, TemplateNotFound, MessageNotFound, SummaryNotFound
├── Conflict                  not now, or not twice
│   ├── CollectionNameTaken, TemplateNameTaken, TooManyTemplates
│   ├── NothingToSummarize    what is asked for cannot be summarised, and why
│   │   └── VideoNotReady, NothingSaid, ChatModelNeeded
│   ├── IndexMismatch         the index was built with another embedding model
│   ├── ReindexRunning        another process builds an index
│   └── IndexIncomplete       a new index does not hold what it should
├── UploadTooLarge
├── WrongKindOfFile
├── Unavailable               a server of ours is away
│   ├── DatabaseUnavailable
│   ├── IndexUnavailable
│   ├── DiskFull
│   └── EmbeddedServerFailed   a server of our own does not start
├── ModelError                the model service did not answer as it should
│   ├── ModelUnavailable, NoProvider, ModelBusy, ModelTimedOut, ModelRefused,
│   ├── ModelNotOffered, ModelUnauthorised, ModelOutOfCredit, BlockedByGuardrail,
│   ├── QuestionFlagged, ContextTooLong, UnreadableReply, EmptyAnswer, MisfitReply,
│   ├── UnprovedPost          a text of which nothing holds
│   └── AnswerBrokenOff, AnswerCutShort, AnswerFiltered   what was written of it is kept
├── TooManyRequests           asked more often than the limits let
├── BudgetUsedUp              a person's models have cost what they may cost in a day
└── LoadingFailed             a video cannot be loaded; carries its typed reason
    └── LibraryFull           a person's quota has no room for it
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from uuid import UUID


class TalkerError(Exception):
    """Base of all: its text is a sentence for the person who caused it or meets it."""

    @classmethod
    def name(cls) -> str:
        """The stable name that clients see, such as `video_not_found`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()


class BadSettings(TalkerError):
    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("\n".join(sentences))


class BadRequest(TalkerError):
    pass


class QuestionTooLong(BadRequest):
    def __init__(self, chars: int, max_chars: int) -> None:
        super().__init__(
            f"The question has {chars:,} characters; at most {max_chars:,} are read. Shorten it."
        )


class UnknownModel(BadRequest):
    def __init__(self, model: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no model {model!r} here. Choose one of: {', '.join(known)}.")


class BadTemplate(BadRequest):
    pass


class BadVariables(BadRequest):
    """Values that do not fit a template's variables."""


class NotAllowed(TalkerError):
    pass


class BuiltInTemplate(NotAllowed):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"The template {name!r} comes with the app and stays as it is. Make one of your own "
            "with the same place instead."
        )


class NotFound(TalkerError):
    pass


class VideoNotFound(NotFound):
    def __init__(self, video_id: UUID | str) -> None:
        super().__init__(f"There is no video {video_id} in your library.")


class JobNotFound(NotFound):
    def __init__(self, job_id: UUID | str) -> None:
        super().__init__(f"There is no job {job_id}.")


class ConversationNotFound(NotFound):
    def __init__(self, conversation_id: UUID | str) -> None:
        super().__init__(f"There is no conversation {conversation_id}.")


class MessageNotFound(NotFound):
    def __init__(self, message_id: UUID | str) -> None:
        super().__init__(f"There is no message {message_id} among your conversations.")


class RunNotFound(NotFound):
    def __init__(self, run_id: UUID | str) -> None:
        super().__init__(f"There is no run {run_id} to resume; its events are kept for an hour.")


class CollectionNotFound(NotFound):
    def __init__(self, collection_id: UUID) -> None:
        super().__init__(f"There is no collection {collection_id}.")


class TemplateNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no template {name!r}.")


class SummaryNotFound(NotFound):
    def __init__(self, video_id: UUID, style: str, language: str) -> None:
        super().__init__(
            f"There is no {style} summary of this video in {language!r} yet. "
            f"POST to /api/videos/{video_id}/summary to have it written."
        )


class UserNotFound(NotFound):
    def __init__(self, email: str) -> None:
        super().__init__(f"There is no user {email}.")


class Conflict(TalkerError):
    pass


class CollectionNameTaken(Conflict):
    def __init__(self, name: str) -> None:
        super().__init__(f"You have a collection named {name!r} already. Choose another name.")


class TemplateNameTaken(Conflict):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is a template named {name!r} already. Choose another name.")


class TooManyTemplates(Conflict):
    def __init__(self, most: int) -> None:
        super().__init__(f"You have {most} templates, and no more are kept. Delete one first.")


class NothingToSummarize(Conflict):
    pass


class VideoNotReady(NothingToSummarize):
    def __init__(self, title: str, status: str) -> None:
        super().__init__(
            f"“{title}” could not be loaded, so there is nothing to summarise. Load it again."
            if status == "failed"
            else f"“{title}” is still being loaded. Ask for its summary when it is ready."
        )


class NothingSaid(NothingToSummarize):
    def __init__(self, title: str) -> None:
        self.title = title
        super().__init__(
            f"Nothing is said in “{title}” that could be summarised: "
            "there are no words there, only silence, music or sounds."
        )


class ChatModelNeeded(NothingToSummarize):
    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} needs a chat model. Set OPENROUTER_API_KEY, or OPENROUTER_BASE_URL for a "
            "server of your own, and ask again."
        )


class IndexMismatch(Conflict):
    def __init__(self, name: str, built_with: str, wanted: str) -> None:
        super().__init__(
            f"The index {name} was built with the embedding model {built_with}, but "
            f"EMBEDDING_MODEL asks for {wanted}. "
            "Run `ingest reindex` to build one for it, or set it back."
        )


class ReindexRunning(Conflict):
    def __init__(self) -> None:
        super().__init__("Another reindex is under way; only one runs at a time. Wait for its end.")


class IndexIncomplete(Conflict):
    def __init__(self, what: str, found: int, chunks: int) -> None:
        super().__init__(
            f"The new index holds {found} of the {chunks} chunks {what}, so it was not switched "
            "to; the one before it stays in use. Run `ingest reindex` again."
        )


class UploadTooLarge(TalkerError):
    def __init__(self, max_mb: int) -> None:
        super().__init__(f"The file is larger than {max_mb} MB, the most that is taken.")


class WrongKindOfFile(TalkerError):
    pass


class Unavailable(TalkerError):
    pass


class DatabaseUnavailable(Unavailable):
    def __init__(self) -> None:
        super().__init__("The database (Postgres) does not answer. Try again in a moment.")


class IndexUnavailable(Unavailable):
    def __init__(self) -> None:
        super().__init__("The search index (Qdrant) does not answer. Try again in a moment.")


class DiskFull(Unavailable):
    def __init__(self) -> None:
        super().__init__(
            "The server's disk is full: nothing can be stored until whoever runs it makes room. "
            "What is stored already is safe."
        )


class EmbeddedServerFailed(Unavailable):
    def __init__(self, server: str, reason: str, log: Path) -> None:
        super().__init__(
            f"The embedded {server} does not start: {reason.rstrip('.')}. Its log is {log}."
        )


class ModelError(TalkerError):
    """The model service failed; `retryable` says whether the same question may pass later.

    `gives_way` says whether another model could do better; `retry_after_s`, where it is known,
    when the same one may be asked again.
    """

    retryable = True
    gives_way = True
    retry_after_s: float | None = None


class ModelUnavailable(ModelError):
    def __init__(self, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("The model service does not answer. Try again in a moment.")


class NoProvider(ModelUnavailable):
    def __init__(self, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        TalkerError.__init__(
            self,
            "Nobody serves this model just now. Try again in a moment, or choose another model.",
        )


class ModelUnauthorised(ModelError):
    retryable = False
    gives_way = False

    def __init__(self) -> None:
        super().__init__("The model service refuses the key. Check OPENROUTER_API_KEY.")


class ModelOutOfCredit(ModelError):
    retryable = False
    gives_way = False

    def __init__(self) -> None:
        super().__init__("The model service's credit is used up. Add credit, then ask again.")


class ModelBusy(ModelError):
    def __init__(self, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        when = f"in {retry_after_s:.0f} s" if retry_after_s else "in a moment"
        super().__init__(f"The model service takes no more questions just now. Try again {when}.")


class ModelTimedOut(ModelError):
    def __init__(self, *, begun: bool = False) -> None:
        what = "fell silent in the middle of its answer" if begun else "did not answer in time"
        super().__init__(f"The model {what}. Try again, or choose another model.")


class ModelRefused(ModelError):
    retryable = False

    def __init__(self, detail: str) -> None:
        super().__init__(f"The model service refused the question: {detail}")


class ModelNotOffered(ModelError):
    retryable = False

    def __init__(self, detail: str) -> None:
        super().__init__(
            f"The model service cannot offer this model: {detail.rstrip('.')}. "
            "Choose another model, or check CHAT_MODELS."
        )


class BlockedByGuardrail(ModelError):
    retryable = False
    gives_way = False

    def __init__(self) -> None:
        super().__init__(
            "A guardrail set at the model service blocked the question. Put it in other words, or "
            "have the guardrail changed."
        )


class QuestionFlagged(ModelError):
    """`reasons` are the moderation's words for what it saw, such as `violence`."""

    retryable = False

    def __init__(self, reasons: Sequence[str] = ()) -> None:
        why = f" for {', '.join(reasons)}" if reasons else ""
        super().__init__(
            f"The model's provider flagged the question{why}, and refuses it. Put it in other "
            "words, or choose another model."
        )


class ContextTooLong(ModelError):
    retryable = False

    def __init__(self) -> None:
        super().__init__(
            "That is more text than the model can read at once. Ask about fewer videos, begin a "
            "new conversation, or choose a model that reads more."
        )


class UnreadableReply(ModelError):
    def __init__(self) -> None:
        super().__init__(
            "The model service's reply cannot be read. Try again; if it stays so, check "
            "OPENROUTER_BASE_URL."
        )


class EmptyAnswer(ModelError):
    def __init__(self) -> None:
        super().__init__("The model gave an empty answer. Try again, or choose another model.")


class MisfitReply(ModelError):
    def __init__(self) -> None:
        super().__init__(
            "The model's reply does not have the form that was asked for. Try again, or choose "
            "another model."
        )


class UnprovedPost(ModelError):
    """None of what a model wrote for a post is borne out by its passages."""

    def __init__(self, claims: int) -> None:
        count = "its one claim" if claims == 1 else f"any of its {claims} claims"
        super().__init__(
            f"The model wrote a text, but the videos do not bear out {count}, so it is not shown. "
            "Try again, or choose another model."
        )


class AnswerBrokenOff(ModelError):
    def __init__(self) -> None:
        super().__init__("The answer broke off before its end. Try again, or choose another model.")


class AnswerCutShort(ModelError):
    def __init__(self) -> None:
        super().__init__(
            "The answer was cut where the model may write no more. Ask for less at once, or choose "
            "another model."
        )


class AnswerFiltered(ModelError):
    retryable = False

    def __init__(self) -> None:
        super().__init__(
            "The model's provider held the answer back: its content filter stopped it. Put the "
            "question in other words, or choose another model."
        )


class TooManyRequests(TalkerError):
    """`words` are the limit's, such as `60 questions a minute`."""

    def __init__(self, words: str, retry_after_s: float) -> None:
        self.retry_after_s = max(1, math.ceil(retry_after_s))
        super().__init__(f"That is more than {words}. Try again in {in_words(self.retry_after_s)}.")


def in_words(seconds: int) -> str:
    """A time to wait, as one says it: `12 seconds`, `3 minutes`, `5 hours`."""
    for unit, length in (("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{math.ceil(seconds / length)} {unit}s"
    return f"{seconds} seconds" if seconds > 1 else "a second"


class BudgetUsedUp(TalkerError):
    def __init__(self, budget_usd: float, hours_left: int) -> None:
        wait = f"{hours_left} hours" if hours_left > 1 else "an hour"
        super().__init__(
            f"Today's budget of ${budget_usd:,.2f} for models is used up. It starts anew at "
            f"midnight UTC, in less than {wait}; the administrator or "
            "DAILY_BUDGET_USD sets it."
        )


Reason = Literal[
    "no_captions",
    "no_speech",
    "private",
    "removed",
    "age_restricted",
    "members_only",
    "live",
    "upcoming",
    "blocked",
    "quota",
    "unauthorised",
    "provider_down",
    "too_long",
    "not_a_video",
    "bad_file",
    "library_full",
    "cancelled",
]
"""Why a video could not be loaded; public, as the API and `ingest status` name it."""


class LoadingFailed(TalkerError):
    """A video cannot be loaded: why, in a word and a sentence, and what to do about it.

    `retry_after_s` is how long the service that refused asks to be left alone.
    """

    def __init__(
        self, reason: Reason, detail: str, next_step: str, *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.reason = reason
        self.detail = detail
        self.next_step = next_step

    def as_json(self) -> dict[str, str]:
        return {"reason": self.reason, "detail": self.detail, "next_step": self.next_step}


class LibraryFull(LoadingFailed):
    """`what` is what a person has and may have, such as `12 of 12 videos`."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "library_full",
            f"Your library has no room for this: you have {what}.",
            "Take something out of it, or ask the administrator for more.",
        )
