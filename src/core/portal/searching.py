"""Search in a list, by words in its own rows and in related rows.

Django's search joins all tables and scans the result until a page is full, which takes long if few rows match. Here the
related rows (members, sessions) are searched first: if few match, the list is filtered by their ids, through its index.
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

# The prefixes in Django's `search_fields`.
LOOKUPS = {"^": "istartswith", "=": "iexact"}
# Up to so many related rows the list is filtered by their ids; with more, a scan finds a page soon.
MAX_RELATED_IDS = 500
# The rest is ignored: each word makes the query longer.
MAX_WORDS = 20
# In characters; no searched field is longer.
MAX_WORD_LENGTH = 2048


def search(rows: "QuerySet[Any]", fields: Iterable[str], text: str) -> "QuerySet[Any]":
    """Filter the rows that have each word of the text in one of the fields; text in quotes is one word.

    A field is one of the rows (`title`) or of a related row (`user__username`). As in Django, `^` before it matches its
    beginning and `=` all of it.
    """
    own: list[str] = []
    of_related: dict[str, list[str]] = defaultdict(list)
    for field in fields:
        path = field.lstrip("^=").rpartition("__")[0]
        (of_related[path] if path else own).append(field.replace(f"{path}__", "") if path else field)
    for word in islice(_split_words(strip_blanks(text)), MAX_WORDS):
        if not is_findable(word):
            return rows.none()
        condition = _match_any(rows.model, own, word)
        for path, names in of_related.items():
            related: Any = rows.model._meta.get_field(path).related_model
            matching = related._base_manager.filter(_match_any(related, names, word)).order_by()
            keys = list(matching.values_list("pk", flat=True)[: MAX_RELATED_IDS + 1])
            condition |= (
                Q(**{f"{path}__in": keys})
                if len(keys) <= MAX_RELATED_IDS
                else _match_any(related, names, word, path=f"{path}__")
            )
        rows = rows.filter(condition)
    return rows


def is_findable(word: str) -> bool:
    """Whether a database can store the word, in a field of a searched length."""
    return len(word) <= MAX_WORD_LENGTH and "\x00" not in word


def _match_any(model: type[Model], names: Iterable[str], word: str, *, path: str = "") -> Q:
    """Return the condition that one of these fields has the word; `path` is the prefix of lookups from another model.

    A field that cannot hold the word does not match.
    """
    condition = Q(pk__in=[])
    for name in names:
        lookup = LOOKUPS.get(name[0], "icontains")
        field: Any = model._meta.get_field(name.lstrip("^="))
        if isinstance(field, EmailField):
            condition |= Q(**{f"{path}{field.name}__{lookup}": normalize_address_if_valid(word)})
            continue
        if lookup == "iexact" and not isinstance(field, CharField | TextField):
            lookup = "exact"
            try:
                field.to_python(word)
            except ValidationError:
                continue
        # Stored texts are composed (NFC), except older ones.
        for form in {word, compose(word)}:
            condition |= Q(**{f"{path}{field.name}__{lookup}": form})
    return condition


def _split_words(text: str) -> Iterator[str]:
    for word in smart_split(text):
        is_quoted = len(word) > 1 and word[0] in "\"'" and word[0] == word[-1]
        yield unescape_string_literal(word) if is_quoted else word
