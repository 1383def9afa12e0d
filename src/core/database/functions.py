"""How long a text is once it is sent, as the database counts."""

from typing import Any

from django.db.models import Func, IntegerField


class Octets(Func):
    """The bytes of a text in UTF-8."""

    arity = 1
    output_field = IntegerField()
    function = "OCTET_LENGTH"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # Of a text, SQLite counts the characters.
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **context)
