"""Prompts as Markdown files beside this module, filled by `string.Template`."""

from functools import cache
from importlib import resources
from string import Template


@cache
def _template(name: str) -> Template:
    return Template((resources.files(__name__) / f"{name}.md").read_text(encoding="utf-8"))


def fill(name: str, **values: object) -> str:
    """The prompt `name` with every `$place` filled; a missing one raises KeyError."""
    return _template(name).substitute(values)
