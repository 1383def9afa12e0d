"""What a letter is, and who writes which kind: the ledger knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass

from core.mail.models import Mail


@dataclass(frozen=True, kw_only=True)
class Letter:
    subject: str
    body: str
    # Where it goes, if not to the address in the ledger.
    to: str = ""


# Writes one kind of letter when it is sent, and answers `None` if nobody is to be told.
Writer = Callable[[Mail], Letter | None]

WRITERS: dict[str, Writer] = {}


def writes(kind: str) -> Callable[[Writer], Writer]:
    """Declare that a function writes the letters of this kind."""

    def register(writer: Writer) -> Writer:
        WRITERS[kind] = writer
        return writer

    return register
