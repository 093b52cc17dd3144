"""The chat models that can be chosen."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.dependencies import AppModels

router = APIRouter(tags=["models"])


class ModelOut(BaseModel):
    id: str
    default: bool


class ModelList(BaseModel):
    """`chat_configured` is false where no model can be called and answers are quotations."""

    items: list[ModelOut]
    total: int
    default: str | None
    chat_configured: bool


@router.get("/models")
async def list_models(models: AppModels) -> ModelList:
    names = models.names if models.configured else ()
    return ModelList(
        items=[ModelOut(id=name, default=name == names[0]) for name in names],
        total=len(names),
        default=names[0] if names else None,
        chat_configured=models.configured,
    )
