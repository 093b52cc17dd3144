"""Who the embedded Postgres runs as, and which folders that user may pass."""

import os
from pathlib import Path

from talker.embedded.unprivileged import User, closed_folder, user_for


def test_a_folder_is_closed_to_who_may_not_pass_it(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    inside = closed / "inside"
    inside.mkdir(parents=True)
    me = User("me", os.geteuid(), os.getegid())
    assert closed_folder(inside, me) is None
    closed.chmod(0o677)  # open to everybody but its owner
    assert closed_folder(inside, me) == closed
    closed.chmod(0o700)
    stranger = User("stranger", me.uid + 1, me.gid + 1)
    assert closed_folder(inside, stranger) in {closed, *closed.parents}


def test_postgres_never_runs_as_root(tmp_path: Path) -> None:
    user = user_for(tmp_path / "not there yet")
    if os.geteuid() == 0:
        assert user
        assert user.uid != 0
        os.chown(tmp_path, 12345, 12345)
        assert user_for(tmp_path) == User("12345", 12345, 12345)
    else:
        assert user is None
