"""Templates for posts: those that come with the app, a person's own, and how one is filled."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from talker.errors import (
    BadTemplate,
    BadVariables,
    BuiltInTemplate,
    TemplateNameTaken,
    TemplateNotFound,
    TooManyTemplates,
)
from talker.models import Place, Template, User

MAX_NAME = 100
MAX_DESCRIPTION = 500
MAX_BODY = 8_000
MAX_VARIABLES = 20
MAX_VALUE = 2_000
MAX_TEMPLATES = 200
"""How many templates of their own a person may keep."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    place: Place
    description: str


BUILT_IN: Mapping[str, BuiltIn] = {
    builtin.place: builtin
    for builtin in (
        BuiltIn("linkedin", "A LinkedIn post: plain text, short paragraphs, a few hashtags."),
        BuiltIn("blog", "A blog post in Markdown, with a title and headings."),
        BuiltIn("x_thread", "A thread for X: numbered posts of at most 280 characters."),
        BuiltIn("newsletter", "A newsletter: subject, preview text and sections in Markdown."),
    )
}
"""By name; one for each place."""


async def find(
    session: AsyncSession, user_id: UUID, reference: str, *, lock: bool = False
) -> Template | BuiltIn:
    """The template of a name or of an own one's id.

    Raises TemplateNotFound, also for someone else's.
    """
    if reference in BUILT_IN:
        return BUILT_IN[reference]
    query = select(Template).where(Template.user_id == user_id)
    id_ = _as_id(reference)
    query = query.where(Template.name == reference if id_ is None else Template.id == id_)
    found = await session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise TemplateNotFound(reference)
    return found


async def find_own(session: AsyncSession, user: User, reference: str) -> Template:
    """The person's own template, to be changed. Raises TemplateNotFound and BuiltInTemplate."""
    found = await find(session, user.id, reference, lock=True)
    if isinstance(found, BuiltIn):
        raise BuiltInTemplate(reference)
    return found


async def create(
    session: AsyncSession,
    user: User,
    *,
    name: str,
    description: str,
    body: str,
    place: Place | None,
) -> Template:
    """A new template. Raises BadTemplate, TemplateNameTaken and TooManyTemplates."""
    variables_of(body)
    own = select(func.count()).where(Template.user_id == user.id)
    if (await session.scalar(own) or 0) >= MAX_TEMPLATES:
        raise TooManyTemplates(MAX_TEMPLATES)
    made = Template(user_id=user.id, name=name, description=description, body=body, place=place)
    await _named(session, made, name)
    return made


async def change(session: AsyncSession, template: Template, values: Mapping[str, object]) -> None:
    """Change some of a template's columns. Raises BadTemplate and TemplateNameTaken."""
    if isinstance(body := values.get("body"), str):
        variables_of(body)
    for column, value in values.items():
        setattr(template, column, value)
    await _named(session, template, template.name)


async def _named(session: AsyncSession, template: Template, name: str) -> None:
    """Write a template whose name may be new. Raises TemplateNameTaken."""
    if name in BUILT_IN:
        raise TemplateNameTaken(name)
    try:
        async with session.begin_nested():
            session.add(template)
    except IntegrityError as error:
        raise TemplateNameTaken(name) from error


def _as_id(reference: str) -> UUID | None:
    try:
        return UUID(reference)
    except ValueError:
        return None


def variables_of(body: str) -> list[str]:
    """The variables a template uses, each once, in order.

    Raises BadTemplate for braces that hold no variable's name, and for too many.
    """
    names = [found.strip() for found in _BRACES.findall(body)]
    for name in names:
        if not _NAME.fullmatch(name):
            raise BadTemplate(
                f"{{{{{name}}}}} is no variable: between the braces goes a name of up to 40 small "
                "letters, digits and underscores, such as {{audience}}."
            )
    variables = list(dict.fromkeys(names))
    if len(variables) > MAX_VARIABLES:
        raise BadTemplate(
            f"The template has {len(variables)} variables; at most {MAX_VARIABLES} are allowed."
        )
    return variables


def check_values(variables: Sequence[str], values: Mapping[str, str]) -> None:
    """Raise BadVariables where a variable has no value, or a value no variable."""
    missing = [name for name in variables if not values.get(name, "").strip()]
    if missing:
        raise BadVariables(f"The template needs a value for {_listed(missing)} in `variables`.")
    unknown = [name for name in values if name not in variables]
    if unknown:
        known = f"has only {_listed(variables)}" if variables else "has no variables"
        raise BadVariables(f"The template {known}, and no {_listed(unknown)}.")
    long = [name for name, value in values.items() if len(value) > MAX_VALUE]
    if long:
        raise BadVariables(
            f"The value for {_listed(long)} is too long; at most {MAX_VALUE:,} characters are read."
        )


def render(body: str, values: Mapping[str, str]) -> str:
    """The template with its values in their places; nothing in a value is filled again.

    Raises BadVariables for values that do not fit.
    """
    check_values(variables_of(body), values)
    return _BRACES.sub(lambda braces: values[braces[1].strip()].strip(), body)


def _listed(names: Sequence[str]) -> str:
    quoted = [f"“{name}”" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
