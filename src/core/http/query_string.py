"""Parsing of query parameters, for every operation (docs/contract.md, "Pages")."""

from collections.abc import Collection
from typing import Any

from django.utils.datastructures import MultiValueDict

from core.text.normalization import strip_blanks


class Repeated(list[str]):
    """The values of a parameter that was repeated though it is not a list; `SingleValueSchema` refuses it."""


def parse_query(parameters: "MultiValueDict[str, str]", *, lists: Collection[str]) -> dict[str, Any]:
    """Return the values by name: a list for the parameters in `lists`, which may be repeated, else one value.

    Empty values are ignored: HTML forms send them for fields that were not filled in.
    """
    values: dict[str, Any] = {}
    for name, raw_values in parameters.lists():
        filled = [value for value in raw_values if strip_blanks(value)]
        if name in lists:
            values[name] = filled
        elif len(raw_values) > 1:
            values[name] = Repeated(raw_values)
        elif filled:
            [values[name]] = filled
    return values
