"""Base classes and field types of the schemas of requests and responses."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, get_args

import ninja
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from core.http.query_string import Repeated
from core.text.normalization import compose, normalize_lines, strip_blanks


class ErrorBody(ninja.Schema):
    """The body of every response that is not 2xx."""

    model_config = ConfigDict(json_schema_extra={"example": {"error": "There is no such session."}})

    error: str = Field(description="One sentence that a person can act on.")
    fields: dict[str, list[str]] | None = Field(
        None,
        description="Only where values break a rule: the messages for each field.",
        examples=[{"duration": ["Must be at least 15."]}],
    )


def declare_responses(success: int, schema: Any, *errors: int) -> dict[int, Any]:
    """The responses of an operation, by status, for the OpenAPI document. 500 and 503 are always among them."""
    return {success: schema, **dict.fromkeys(sorted({*errors, 500, 503}), ErrorBody)}


@dataclass(frozen=True, kw_only=True)
class Normalization:
    """How the text of a field is normalized; an `Annotated` field may have another than `LINE`."""

    strips: bool
    composes: bool
    has_lines: bool = False

    def apply(self, text: str) -> str:
        text = normalize_lines(text) if self.has_lines else text
        text = strip_blanks(text) if self.strips else text
        return compose(text) if self.composes else text


LINE = Normalization(strips=True, composes=True)
# Passwords and tokens, byte for byte.
SECRET = Normalization(strips=False, composes=False)
# Text of several lines, whose indentation is kept.
LINES = Normalization(strips=False, composes=False, has_lines=True)
# E-mail addresses, URLs and user names: the composed form may be a different one.
EXACT_LINE = Normalization(strips=True, composes=False)


class SingleValueSchema(ninja.Schema):
    """Refuses a query parameter that is given more than once, unless it is a list."""

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_repeated(cls, value: Any) -> Any:
        if isinstance(value, Repeated):
            raise ValueError("May be given only once.")
        return value


class RequestSchema(SingleValueSchema):
    """A body or query of a request. Unknown fields are ignored, since clients send whole objects back.

    Text is normalized as a `LINE`, unless its field is annotated with another `Normalization`.
    """

    normalizations: ClassVar[dict[str, Normalization]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        cls.normalizations = {name: next(_find_normalizations(field), LINE) for name, field in cls.model_fields.items()}

    @field_validator("*", mode="before")
    @classmethod
    def _normalize(cls, value: Any, info: ValidationInfo) -> Any:
        """Normalize text, and refuse characters that a database cannot store."""
        if isinstance(value, list) and not isinstance(value, Repeated):
            return [cls._normalize(each, info) for each in value]
        if not isinstance(value, str):
            return value
        if "\x00" in value or any(0xD800 <= ord(letter) < 0xE000 for letter in value):
            raise ValueError("May not contain NUL characters or broken Unicode.")
        return cls.normalizations[str(info.field_name)].apply(value)


def _find_normalizations(annotated: Any) -> Iterator[Normalization]:
    """Those that a field or a type is annotated with, also within `X | None`."""
    if isinstance(annotated, FieldInfo):
        yield from (each for each in annotated.metadata if isinstance(each, Normalization))
        yield from _find_normalizations(annotated.annotation)
    for part in (*get_args(annotated), *getattr(annotated, "__metadata__", ())):
        if isinstance(part, Normalization):
            yield part
        else:
            yield from _find_normalizations(part)


# The control characters for bidirectional text (embeddings, overrides, isolates), and the one that closes each.
BIDI_CLOSED_BY = dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c") | dict.fromkeys("\u2066\u2067\u2068", "\u2069")
BIDI_CLOSING = frozenset(BIDI_CLOSED_BY.values())


def _validate_one_line(value: str) -> str:
    categories = {unicodedata.category(letter) for letter in value}
    if categories & {"Cc", "Zl", "Zp"}:
        raise ValueError("May not contain line breaks or control characters.")
    if value and all(category[0] in "CZ" for category in categories):
        raise ValueError("May not consist of invisible characters alone.")
    if not _closes_bidi_controls(value):
        raise ValueError("May not turn the direction of the text that comes after it.")
    return value


def _closes_bidi_controls(value: str) -> bool:
    """Whether each bidirectional control is closed, so that the text displayed after the value keeps its direction."""
    awaited: list[str] = []
    for letter in value:
        if letter in BIDI_CLOSED_BY:
            awaited.append(BIDI_CLOSED_BY[letter])
        elif letter in BIDI_CLOSING and (not awaited or awaited.pop() != letter):
            return False
    return not awaited


def _refuse_lenient_integers(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        raise ValueError("Must be a whole number.")
    return value


# For `Annotated`: visible text of one line (a title becomes the subject of a mail).
ONE_LINE = AfterValidator(_validate_one_line)
# For `Annotated`: pydantic parses `true` as 1, and `1_0` as 10.
WHOLE_NUMBER = BeforeValidator(_refuse_lenient_integers)

# The ids that a database can hold; any other in a path is a 404.
Identifier = Annotated[int, Field(ge=1, le=2**63 - 1), WHOLE_NUMBER]
