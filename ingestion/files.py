"""Caption files on this machine's disk, as sources of the command line."""

import asyncio
from pathlib import Path

from ingestion.captions import CaptionFile, parse_file
from talker.errors import LoadingFailed, WrongKindOfFile
from talker.sources import is_file


def names_file(source: str) -> bool:
    return is_file(source) or ("://" not in source and Path(source).is_file())


def read_file(path: Path, max_mb: int) -> bytes:
    """A caption file's bytes. Raises LoadingFailed with reason `bad_file`."""
    try:
        if path.stat().st_size > max_mb * 1_000_000:
            raise bad_file(f"{path} is larger than {max_mb} MB, the most that is taken.")
        return path.read_bytes()
    except OSError as error:
        raise bad_file(f"{path} cannot be read: {error.strerror or error}.") from error


async def parsed(source: str, max_mb: int) -> CaptionFile:
    """Raises LoadingFailed with reason `bad_file`."""
    content = await asyncio.to_thread(read_file, Path(source), max_mb)
    try:
        return await asyncio.to_thread(parse_file, Path(source).name, content)
    except WrongKindOfFile as error:
        raise bad_file(str(error)) from error


def bad_file(detail: str) -> LoadingFailed:
    return LoadingFailed("bad_file", detail, "Check the file's name and add it once more.")
