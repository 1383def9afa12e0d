"""The fixtures of the sessions' own tests, for tests that need other modules too."""

from tests.modules.sessions.conftest import (  # noqa: F401  (pytest finds fixtures by their names here)
    alice,
    clock,
    make_session,
    mallory,
    moderator,
    staff,
    victor,
)
from tests.modules.sessions.test_emails import people, session  # noqa: F401
