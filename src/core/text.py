"""Text that every database takes."""


def storable(text: str, *, most: int) -> str:
    """The text without what no database stores, and without its middle where it is longer than `most` characters."""
    if len(text) > most:
        half = most // 2
        text = f"{text[:half]}\n[...]\n{text[-half:]}"
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
