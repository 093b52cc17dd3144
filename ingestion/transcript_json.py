"""The shape of a `.json` transcript, checked strictly."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ingestion.cues import bad_file

Seconds = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class SegmentJson(BaseModel):
    model_config = ConfigDict(strict=True)

    start_s: Seconds
    duration_s: Seconds
    text: str


class TranscriptJson(BaseModel):
    """Times are seconds from the video's start; unknown keys are passed over."""

    model_config = ConfigDict(strict=True)

    video_id: str | None = None
    title: str | None = None
    channel: str | None = None
    language: (
        Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None
    ) = None
    duration_s: Seconds | None = None
    segments: list[SegmentJson]


def parse_json(name: str, text: str) -> TranscriptJson:
    """Raises LoadingFailed, `bad_file`, that names the first thing that is wrong, and where."""
    try:
        return TranscriptJson.model_validate_json(text.encode(errors="replace"))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise bad_file(f'"{name}": {_place(first["loc"])}{first["msg"]}.') from None


def _place(location: tuple[int | str, ...]) -> str:
    """`segments[3].start_s: `, as a programmer would write where something is."""
    place = ""
    for part in location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"{place.removeprefix('.')}: " if place else ""
