"""Templates for posts: the built-in ones, and a person's own."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from sqlalchemy import func, select

from api.dependencies import CurrentUser, Limit, Offset, Session, named
from api.problems import problems
from talker import templates
from talker.models import Place, Template
from talker.templates import BUILT_IN, BuiltIn

router = APIRouter(prefix="/templates", tags=["templates"])

NO_NUL = r"^[^\x00]*$"
"""Postgres stores no such character."""

Name = Annotated[
    str,
    BeforeValidator(named),
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=templates.MAX_NAME, pattern=NO_NUL
    ),
]
Description = Annotated[
    str, StringConstraints(max_length=templates.MAX_DESCRIPTION, pattern=NO_NUL)
]
Body = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=templates.MAX_BODY, pattern=NO_NUL
    ),
]


class TemplateOut(BaseModel):
    """`id` is what an ask names it by; a built-in one's is its name, and it has no `body`.

    `variables` are those the body uses, whose values an ask brings; `place` gives the post its
    length and form, free where it is null.
    """

    id: str
    name: str
    description: str
    body: str | None
    variables: list[str]
    place: Place | None
    builtin: bool
    created_at: datetime | None
    updated_at: datetime | None


class TemplateList(BaseModel):
    items: list[TemplateOut]
    total: int


class NewTemplate(BaseModel):
    """`body` is instructions; what stands in it like `{{audience}}` is filled when it is used."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = ""
    body: Body = Field(examples=["Three tips for {{audience}}, each in one sentence."])
    place: Place | None = None


class TemplateChange(BaseModel):
    """What is left out stays as it is; a `place` of null makes the form free."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Description | None = None
    body: Body | None = None
    place: Place | None = None

    def values(self) -> dict[str, str | None]:
        sent = self.model_dump(exclude_unset=True)
        return {key: value for key, value in sent.items() if value is not None or key == "place"}


@router.get("")
async def list_templates(
    session: Session, user: CurrentUser, limit: Limit = 100, offset: Offset = 0
) -> TemplateList:
    """The built-in templates, then the person's own by name."""
    built_in = [_built_in(template) for template in BUILT_IN.values()]
    own = select(Template).where(Template.user_id == user.id)
    total = await session.scalar(select(func.count()).select_from(own.subquery())) or 0
    first = built_in[offset : offset + limit]
    rows = await session.scalars(
        own.order_by(func.lower(Template.name), Template.id)
        .limit(limit - len(first))
        .offset(max(0, offset - len(built_in)))
    )
    return TemplateList(items=[*first, *map(own_template_out, rows)], total=len(built_in) + total)


@router.post("", status_code=201, responses=problems(409))
async def create_template(new: NewTemplate, session: Session, user: CurrentUser) -> TemplateOut:
    return own_template_out(await templates.create(session, user, **new.model_dump()))


@router.get("/{template_id}")
async def read_template(template_id: str, session: Session, user: CurrentUser) -> TemplateOut:
    """A template by its id or its name."""
    found = await templates.find(session, user.id, template_id)
    return _built_in(found) if isinstance(found, BuiltIn) else own_template_out(found)


@router.patch("/{template_id}", responses=problems(409))
async def change_template(
    template_id: str, change: TemplateChange, session: Session, user: CurrentUser
) -> TemplateOut:
    template = await templates.find_own(session, user, template_id)
    await templates.change(session, template, change.values())
    return own_template_out(template)


@router.delete("/{template_id}", status_code=204)
async def delete_template(template_id: str, session: Session, user: CurrentUser) -> None:
    """Delete a template; the posts made with it stay."""
    await session.delete(await templates.find_own(session, user, template_id))


def _built_in(template: BuiltIn) -> TemplateOut:
    return TemplateOut(
        id=template.place,
        name=template.place,
        description=template.description,
        body=None,
        variables=[],
        place=template.place,
        builtin=True,
        created_at=None,
        updated_at=None,
    )


def own_template_out(template: Template) -> TemplateOut:
    return TemplateOut(
        id=str(template.id),
        name=template.name,
        description=template.description,
        body=template.body,
        variables=templates.variables_of(template.body),
        place=template.place,
        builtin=False,
        created_at=template.created_at,
        updated_at=template.updated_at,
    )
