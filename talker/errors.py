"""Every error raised on purpose.

TalkerError
├── BadSettings               an environment variable is wrong
├── BadRequest                what was sent makes no sense
│   ├── QuestionTooLong
│   └── UnknownModel
├── NotAllowed
├── NotFound
│   ├── VideoNotFound, JobNotFound, ConversationNotFound, RunNotFound, UserNotFound,
│   └── CollectionNotFound, TemplateNotFound
├── Conflict                  not now, or not twice
│   ├── CollectionNameTaken
│   ├── IndexMismatch         the index was built with another embedding model
│   ├── ReindexRunning        another process builds an index
│   └── IndexIncomplete       a new index does not hold what it should
├── UploadTooLarge
├── WrongKindOfFile
├── Unavailable               a server of ours is away
│   ├── DatabaseUnavailable
│   ├── IndexUnavailable
│   └── EmbeddedServerFailed   a server of our own does not start
├── ModelError                the model service did not answer as it should
│   ├── ModelUnavailable, ModelUnauthorised, ModelOutOfCredit, ModelBusy,
│   └── ModelTimedOut, ModelRefused
└── LoadingFailed             a video cannot be loaded; carries its typed reason
"""

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


class NotAllowed(TalkerError):
    pass


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


class RunNotFound(NotFound):
    def __init__(self, run_id: UUID | str) -> None:
        super().__init__(f"There is no run {run_id} to resume; its events are kept for an hour.")


class CollectionNotFound(NotFound):
    def __init__(self, collection_id: UUID) -> None:
        super().__init__(f"There is no collection {collection_id}.")


class TemplateNotFound(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no template {name!r}.")


class UserNotFound(NotFound):
    def __init__(self, email: str) -> None:
        super().__init__(f"There is no user {email}.")


class Conflict(TalkerError):
    pass


class CollectionNameTaken(Conflict):
    def __init__(self, name: str) -> None:
        super().__init__(f"You have a collection named {name!r} already. Choose another name.")


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


class EmbeddedServerFailed(Unavailable):
    def __init__(self, server: str, reason: str, log: Path) -> None:
        super().__init__(
            f"The embedded {server} does not start: {reason.rstrip('.')}. Its log is {log}."
        )


class ModelError(TalkerError):
    """The model service failed; `retryable` says whether the same question may pass later."""

    retryable = True


class ModelUnavailable(ModelError):
    def __init__(self) -> None:
        super().__init__("The model service does not answer. Try again in a moment.")


class ModelUnauthorised(ModelError):
    retryable = False

    def __init__(self) -> None:
        super().__init__("The model service refuses the key. Check OPENROUTER_API_KEY.")


class ModelOutOfCredit(ModelError):
    retryable = False

    def __init__(self) -> None:
        super().__init__("The model service's credit is used up. Add credit, then ask again.")


class ModelBusy(ModelError):
    def __init__(self, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        when = f"in {retry_after_s:.0f} s" if retry_after_s else "in a moment"
        super().__init__(f"The model service takes no more questions just now. Try again {when}.")


class ModelTimedOut(ModelError):
    def __init__(self) -> None:
        super().__init__("The model did not answer in time. Try again, or choose another model.")


class ModelRefused(ModelError):
    retryable = False

    def __init__(self, detail: str) -> None:
        super().__init__(f"The model service refused the question: {detail}")


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
