"""Building blocks of what comes in and goes out."""

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
    """What every answer that is not 2xx looks like."""

    model_config = ConfigDict(json_schema_extra={"example": {"error": "There is no such session."}})

    error: str = Field(description="One sentence that a person can act on.")
    fields: dict[str, list[str]] | None = Field(
        None,
        description="Only where values break a rule: the messages for each field.",
        examples=[{"duration": ["Must be at least 15."]}],
    )


def answers_of(success: int, schema: Any, *errors: int) -> dict[int, Any]:
    """The answers of an operation for the OpenAPI document: one success, its errors, and what can always happen."""
    return {success: schema, **dict.fromkeys(sorted({*errors, 500, 503}), ErrorBody)}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How the text of a field is read; with `Annotated`, where it is not a single line for people."""

    trims: bool
    composes: bool
    has_lines: bool = False

    def read(self, text: str) -> str:
        text = normalize_lines(text) if self.has_lines else text
        text = strip_blanks(text) if self.trims else text
        return compose(text) if self.composes else text


LINE = Reading(trims=True, composes=True)
# Passwords and tokens are what was sent, to the letter.
SECRET = Reading(trims=False, composes=False)
# What a person wrote in several lines; blanks may be part of how it looks.
LINES = Reading(trims=False, composes=False, has_lines=True)
# Of mail or of the web: another form of its letters is another address.
ADDRESS = Reading(trims=True, composes=False)


class GivenOnce(ninja.Schema):
    """Parameters of a query, each of which is given once, but for those that are lists."""

    @field_validator("*", mode="before")
    @classmethod
    def _given_once(cls, value: Any) -> Any:
        """Of two values, nobody knows which one was meant."""
        if isinstance(value, Repeated):
            raise ValueError("May be given only once.")
        return value


class RequestSchema(GivenOnce):
    """What a client sends. Fields that it does not know are ignored, since clients send whole objects back.

    Every text is read as a `LINE`, unless its field is annotated with another `Reading`.
    """

    readings: ClassVar[dict[str, Reading]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        cls.readings = {name: next(_readings_in(field), LINE) for name, field in cls.model_fields.items()}

    @field_validator("*", mode="before")
    @classmethod
    def _as_it_is_kept(cls, value: Any, info: ValidationInfo) -> Any:
        """Text as it is stored and compared; what no database takes is the sender's error, not ours."""
        if isinstance(value, list) and not isinstance(value, Repeated):
            return [cls._as_it_is_kept(each, info) for each in value]
        if not isinstance(value, str):
            return value
        if "\x00" in value or any(0xD800 <= ord(letter) < 0xE000 for letter in value):
            raise ValueError("May not contain NUL characters or broken Unicode.")
        return cls.readings[str(info.field_name)].read(value)


def _readings_in(annotated: Any) -> Iterator[Reading]:
    """Those that a field or a type is annotated with, also within `X | None`."""
    if isinstance(annotated, FieldInfo):
        yield from (each for each in annotated.metadata if isinstance(each, Reading))
        yield from _readings_in(annotated.annotation)
    for part in (*get_args(annotated), *getattr(annotated, "__metadata__", ())):
        if isinstance(part, Reading):
            yield part
        else:
            yield from _readings_in(part)


# Embeddings and overrides, and isolates, by what ends each.
CLOSED_BY = dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c") | dict.fromkeys("\u2066\u2067\u2068", "\u2069")
CLOSING = frozenset(CLOSED_BY.values())


def _one_line(value: str) -> str:
    categories = {unicodedata.category(letter) for letter in value}
    if categories & {"Cc", "Zl", "Zp"}:
        raise ValueError("May not contain line breaks or control characters.")
    if value and all(category[0] in "CZ" for category in categories):
        raise ValueError("May not consist of invisible characters alone.")
    if not _closes_its_directions(value):
        raise ValueError("May not turn the direction of the text that comes after it.")
    return value


def _closes_its_directions(value: str) -> bool:
    """Whether each mark that turns the direction of text is closed: what is shown after the value keeps its own."""
    awaited: list[str] = []
    for letter in value:
        if letter in CLOSED_BY:
            awaited.append(CLOSED_BY[letter])
        elif letter in CLOSING and (not awaited or awaited.pop() != letter):
            return False
    return not awaited


def _whole_number(value: Any) -> Any:
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):
        raise ValueError("Must be a whole number.")
    return value


# For `Annotated`: text that fits on one line, and shows (a title ends up in the subject of a mail).
ONE_LINE = AfterValidator(_one_line)
# For `Annotated`: pydantic takes `true` for 1, and `1_0` for 10.
WHOLE_NUMBER = BeforeValidator(_whole_number)

# The ids that a database can hold; anything else in a path is simply not there.
Identifier = Annotated[int, Field(ge=1, le=2**63 - 1), WHOLE_NUMBER]
