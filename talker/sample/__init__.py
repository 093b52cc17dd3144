"""A talk written for this project, as a caption file: something to ask before a video is loaded."""

from importlib import resources

NAME = "sample.json"


def content() -> bytes:
    return (resources.files(__name__) / NAME).read_bytes()
