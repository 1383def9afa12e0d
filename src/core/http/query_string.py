"""What the parameters of a query mean, for every operation (docs/contract.md, "Pages")."""

from collections.abc import Collection
from typing import Any

from django.utils.datastructures import MultiValueDict

from core.text.normalization import strip_blanks


class Repeated(list[str]):
    """The values of a parameter that takes one and was given several times: `GivenOnce` refuses it by name."""


def read_query(parameters: "MultiValueDict[str, str]", *, lists: Collection[str]) -> dict[str, Any]:
    """The values by name: a list for each of `lists`, which may be given several times, else one value.

    What is left empty was not given: that is what a form sends for a field that nobody has filled in.
    """
    values: dict[str, Any] = {}
    for name, given in parameters.lists():
        filled = [value for value in given if strip_blanks(value)]
        if name in lists:
            values[name] = filled
        elif len(given) > 1:
            values[name] = Repeated(given)
        elif filled:
            [values[name]] = filled
    return values
