"""Times inside a video as people read them."""


def clock(ms: int) -> str:
    """`4:05`, or `1:04:05` from an hour on."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
