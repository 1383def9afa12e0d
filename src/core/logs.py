"""What no log may hold: the tokens in links, each of which opens something to whoever reads it."""

import logging
import re

INSTEAD = "[redacted]"
# As in a query, also one inside another, and as in the parameters of one when Python shows them.
_TOKEN = re.compile(r"""(token(?:=|%3D|["']\s*:\s*\[?["']))[^\s&"'<>()\[\],;]+""", re.IGNORECASE)
# As in the path to a file: a number, when it runs out, and a signature.
_FILE = re.compile(r"(/api/files/)\d+-\d+(?::|%3A)[\w-]+", re.IGNORECASE)
_formatter = logging.Formatter()


def redacted(text: str) -> str:
    """The text with the value of every `token=...`, and of every path to a file, taken out."""
    return _FILE.sub(rf"\g<1>{INSTEAD}", _TOKEN.sub(rf"\g<1>{INSTEAD}", text))


class TokenFilter(logging.Filter):
    """Takes tokens out of a record: its message with all that is put into it, and its traceback. Whoever wrote it."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except Exception:
            # It does not fit its arguments, which logging itself reports.
            message = ""
        if (clean := redacted(message)) != message:
            record.msg, record.args = clean, None
        if record.exc_info and not record.exc_text:
            record.exc_text = _formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = redacted(record.exc_text)
        if record.stack_info:
            record.stack_info = redacted(record.stack_info)
        return True
