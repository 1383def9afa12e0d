"""Which tests run on PostgreSQL each time, and which there with `./just test --system` alone (see CONTRIBUTING.md)."""

import sys
from fnmatch import fnmatch
from pathlib import Path

# What is the same on every database: starts that are refused, what is in files and where they lie, what is sent, how
# pages look, and rules that are decided in Python. `./just test` runs it on SQLite alone, `./just test --system` on
# PostgreSQL too. A file that is not listed here runs on both.
ANY_DATABASE = (
    "tests/core/accounts/test_discretion.py",
    "tests/core/accounts/test_domains.py",
    "tests/core/accounts/*password*",
    "tests/core/accounts/test_profile.py",
    "tests/core/accounts/*token*",
    "tests/core/accounts/test_user_names.py",
    "tests/core/admin/*",
    "tests/core/http/*",
    "tests/core/jobs/task_queue/*",
    "tests/core/mail/test_wire.py",
    "tests/core/monitoring/*",
    "tests/core/portal/test_dashboard.py",
    "tests/core/portal/test_differences.py",
    "tests/core/portal/*export*",
    "tests/core/portal/test_history.py",
    "tests/core/portal/test_navigation.py",
    "tests/core/portal/test_query_counts.py",
    "tests/core/portal/test_spreadsheets.py",
    "tests/core/settings/*",
    "tests/core/storages/*",
    "tests/core/text/*",
    "tests/core/time/*",
    "tests/demo/*",
    "tests/modules/materials/*",
    "tests/modules/notifications/test_admin.py",
    "tests/modules/notifications/test_news*",
    "tests/modules/notifications/test_notices.py",
    "tests/modules/notifications/test_panel.py",
    "tests/modules/notifications/test_texts.py",
    "tests/modules/notifications/test_unsubscribing.py",
    "tests/modules/notifications/test_why.py",
    "tests/modules/sessions/calendar_feed/*",
    "tests/modules/sessions/decision_dialog/*",
    "tests/modules/sessions/session_actions/*",
    "tests/modules/sessions/transitions/*",
    "tests/modules/sessions/test_answers.py",
    "tests/modules/sessions/test_asking.py",
    "tests/modules/sessions/test_badge.py",
    "tests/modules/sessions/test_calendar_admin.py",
    "tests/modules/sessions/test_calendar_sequence.py",
    "tests/modules/sessions/test_dates.py",
    "tests/modules/sessions/test_editing.py",
    "tests/modules/sessions/test_emails.py",
    "tests/modules/sessions/test_leaving.py",
    "tests/modules/sessions/test_materials_question.py",
    "tests/modules/sessions/test_member_panels.py",
    "tests/modules/sessions/test_moderation.py",
    "tests/modules/sessions/test_offering.py",
    "tests/modules/sessions/test_session_history.py",
    "tests/modules/sessions/test_session_now.py",
    "tests/modules/sessions/test_session_page.py",
    "tests/modules/sessions/test_shapes.py",
    "tests/modules/sessions/test_wall_clock.py",
    "tests/system/errors/*",
    "tests/system/test_boundaries.py",
    "tests/system/test_chromium.py",
    "tests/system/test_documentation.py",
    "tests/system/test_earlier_database.py",
    "tests/system/test_facts_and_questions.py",
    "tests/system/test_memory.py",
    "tests/system/test_modules_are_removable.py",
    "tests/system/test_openapi.py",
    "tests/system/test_secrets_in_logs.py",
)
# Of those, what locks rows, commits or counts queries.
EACH_DATABASE = (
    "tests/modules/materials/*bytes_and_rows*",
    "tests/modules/materials/*deleting_files*",
    "tests/modules/materials/*killed_at_each_step*",
    "tests/modules/materials/*limits*",
    "tests/modules/materials/*listing*",
    "tests/modules/materials/*moving*",
)

# What never asks PostgreSQL anything: it starts processes on SQLite, or runs other tests again.
SQLITE_ONLY = (
    "tests/system/test_earlier_database.py",
    "tests/system/test_memory.py",
    "tests/system/test_modules_are_removable.py",
)

# What goes through every page, operation or limit with many values, or repeats a race. It takes seconds, and runs with
# `./just test --system`.
WALKS = (
    "tests/core/admin/test_admin_urls.py",
    "tests/core/monitoring/test_logs.py::test_all_configured_secrets_are_redacted",
    "tests/core/portal/test_hostile_parameters.py",
    "tests/core/portal/test_lookups.py",
    "tests/core/portal/test_query_counts.py",
    "tests/core/settings/test_checks.py::test_the_asgi_application_does_not_start_with_the_built_in_key",
    "tests/system/last_seat/",
    "tests/system/queue_away/",
    "tests/system/test_boundaries.py::test_a_planted_violation_is_noticed",
    "tests/system/test_boundaries.py::test_what_is_allowed_passes",
    "tests/system/test_hostile_values.py",
    "tests/system/test_migrations.py",
    "tests/system/test_sizes_of_answers.py",
)


def list_files_left_to_system() -> list[str]:
    """List the files whose tests `./just test` leaves out on PostgreSQL, so that it need not import them."""
    files = [path.as_posix() for path in Path("tests").rglob("test_*.py")]
    return [file for file in sorted(files) if gives_same_answer_on_any_database(file) or file.startswith(WALKS)]


def gives_same_answer_on_any_database(file: str) -> bool:
    """Whether a file of tests, named from the checkout, asks no database anything that only one of them answers so."""
    return _matches(file, ANY_DATABASE) and not _matches(file, EACH_DATABASE)


def _matches(file: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(file, pattern) for pattern in patterns)


if __name__ == "__main__":
    sys.stdout.writelines(f"--ignore={file}\n" for file in list_files_left_to_system())
