"""Searching a list for words of its own rows and of the rows that they belong to.

Django joins all tables and looks at every row of the result until it has enough. That is soon where a word is common,
and never where nobody is found: so the rows that others belong to (the member, the session) are searched first, by
themselves, and where few of them have the word, the list is asked for theirs, through its index.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import CharField, EmailField, Model, Q, QuerySet, TextField
from django.utils.text import smart_split, unescape_string_literal

from core.text.email_addresses import normalize_address_if_valid
from core.text.normalization import compose, strip_blanks

# As Django has them in `search_fields`.
LOOKUPS = {"^": "istartswith", "=": "iexact"}
# Of so many rows a list is asked for what belongs to them; more are soon found by looking.
FEW = 500
# Beyond it a database is kept busy by one search, or does not take it at all; what follows is not looked for.
MOST_WORDS = 20
# No field that is searched has a longer text.
LONGEST_WORD = 2048


def search(rows: "QuerySet[Any]", fields: Iterable[str], text: str) -> "QuerySet[Any]":
    """The rows in which each word of the text is found in one of the fields; what stands in quotes is one word.

    A field is one of the rows' own (`title`), or of what they belong to (`user__username`); as in Django, `^` before
    it asks for its beginning and `=` for all of it.
    """
    own: list[str] = []
    theirs: dict[str, list[str]] = defaultdict(list)
    for field in fields:
        path = field.lstrip("^=").rpartition("__")[0]
        (theirs[path] if path else own).append(field.replace(f"{path}__", "") if path else field)
    for word in islice(_split_words(strip_blanks(text)), MOST_WORDS):
        if not is_findable(word):
            return rows.none()
        found = _match_any(rows.model, own, word)
        for path, names in theirs.items():
            related: Any = rows.model._meta.get_field(path).related_model
            matching = related._base_manager.filter(_match_any(related, names, word)).order_by()
            keys = list(matching.values_list("pk", flat=True)[: FEW + 1])
            found |= (
                Q(**{f"{path}__in": keys}) if len(keys) <= FEW else _match_any(related, names, word, path=f"{path}__")
            )
        rows = rows.filter(found)
    return rows


def is_findable(word: str) -> bool:
    """Whether any field could hold it."""
    return len(word) <= LONGEST_WORD and "\x00" not in word


def _match_any(model: type[Model], names: Iterable[str], word: str, *, path: str = "") -> Q:
    """That one of these fields has the word, for the model's own rows or those that lead to one by the path. Nothing
    has what no field can hold."""
    found = Q(pk__in=[])
    for name in names:
        lookup = LOOKUPS.get(name[0], "icontains")
        field: Any = model._meta.get_field(name.lstrip("^="))
        if isinstance(field, EmailField):
            # As it is stored, however it was typed.
            found |= Q(**{f"{path}{field.name}__{lookup}": normalize_address_if_valid(word)})
            continue
        if lookup == "iexact" and not isinstance(field, CharField | TextField):
            lookup = "exact"
            try:
                field.to_python(word)
            except ValidationError:
                continue
        # What is stored is composed, but for some of what was stored before that was so.
        for form in {word, compose(word)}:
            found |= Q(**{f"{path}{field.name}__{lookup}": form})
    return found


def _split_words(text: str) -> Iterator[str]:
    for word in smart_split(text):
        quoted = len(word) > 1 and word[0] in "\"'" and word[0] == word[-1]
        yield unescape_string_literal(word) if quoted else word
