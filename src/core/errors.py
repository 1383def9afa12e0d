"""The errors that services raise; `core.http.error_responses` maps them to HTTP statuses."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """An operation was refused. `message` is one sentence for the user, who can act on it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(DomainError):
    """The object does not exist, or the user may not know of it."""

    def __init__(self, message: str = "Not found.") -> None:
        super().__init__(message)


class Forbidden(DomainError):
    """The user may see the object, but not do this."""


class StateForbids(DomainError):
    """The state of the object does not allow this."""


class NotAuthenticated(DomainError):
    """The credentials are missing, wrong or expired."""


class TooManyAtOnce(DomainError):
    """The user has as many concurrent operations of this kind as are allowed."""


class Unavailable(DomainError):
    """A service that this needs is temporarily unavailable."""


class Invalid(DomainError):
    """Values are invalid. `fields` maps the names of fields to their messages."""

    def __init__(self, fields: Mapping[str, Sequence[str]], message: str = "") -> None:
        self.fields = {name: list(messages) for name, messages in fields.items()}
        super().__init__(message or summarize(self.fields))


def summarize(fields: Mapping[str, Sequence[str]]) -> str:
    """Return the first message, prefixed with the name of its field."""
    for name, messages in fields.items():
        for message in messages:
            return f"{name}: {message}"
    return "The request is not valid."
