from collections.abc import Iterator

from api import asking, health, runs  # noqa: F401 - their errors are part of the tree
from api.errors import status_of
from talker.errors import TalkerError


def every_error(of: type[TalkerError]) -> Iterator[type[TalkerError]]:
    for cls in of.__subclasses__():
        yield cls
        yield from every_error(cls)


def test_every_error_has_a_status_and_a_stable_name() -> None:
    for cls in every_error(TalkerError):
        assert 400 <= status_of(cls) <= 599, cls
        assert cls.name().replace("_", "").isalpha(), cls
        assert cls.name().islower(), cls
