"""What can go wrong, in the language of the domain; only `core.http.error_responses` knows the statuses."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A request that was understood and refused. `message` is one sentence that a person can act on."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(DomainError):
    """There is no such thing, or the asker may not know of it."""

    def __init__(self, message: str = "Not found.") -> None:
        super().__init__(message)


class Forbidden(DomainError):
    """The asker may see the thing but not do this to it."""


class StateForbids(DomainError):
    """The thing is in a state in which this cannot be done."""


class NotAuthenticated(DomainError):
    """The asker did not show who they are, or what they showed holds no longer."""


class TooManyAtOnce(DomainError):
    """The asker does as many of these at once as anybody may."""


class Unavailable(DomainError):
    """What it takes to do this does not answer just now; later it may."""


class Invalid(DomainError):
    """Values that break a rule. `fields` maps each field's name to its messages."""

    def __init__(self, fields: Mapping[str, Sequence[str]], message: str = "") -> None:
        self.fields = {name: list(messages) for name, messages in fields.items()}
        super().__init__(message or summarize(self.fields))


def summarize(fields: Mapping[str, Sequence[str]]) -> str:
    """One sentence out of the messages for each field: the first one, with the field named."""
    for name, messages in fields.items():
        for message in messages:
            return f"{name}: {message}"
    return "The request is not valid."
