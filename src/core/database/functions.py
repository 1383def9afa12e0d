"""Database functions."""

from typing import Any

from django.db.models import Func, IntegerField


class Octets(Func):
    """The length of a text in UTF-8 bytes."""

    arity = 1
    output_field = IntegerField()
    function = "OCTET_LENGTH"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # SQLite's LENGTH counts the characters of a text.
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)
