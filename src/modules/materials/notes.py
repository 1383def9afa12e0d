"""Validation of notes."""

from core.errors import Invalid

MAX_NOTE_LENGTH = 50_000


def validate_note(content: str) -> str:
    """Return the text with line feeds alone as line ends. Raises `Invalid` for `content` if it is blank or too long."""
    # Browsers send CR LF in forms.
    content = content.replace("\r\n", "\n")
    if not content.strip():
        raise Invalid({"content": ["A note needs a content."]})
    if len(content) > MAX_NOTE_LENGTH:
        raise Invalid({"content": [f"At most {MAX_NOTE_LENGTH} characters."]})
    return content
