# Run these through ./just, which brings Python's packages and `just` itself: ./just up

set positional-arguments

python := ".venv/bin/python"

compile := ".venv/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header"

# The names that the settings read: what somebody's shell says of them must not reach tests and checks.
forget_settings := '''
    unset DJANGO_SETTINGS_MODULE $(cat src/core/settings/*.py | tr -d '\n ' | grep -oE 'env\.[a-z_]+\("[A-Z_]+' | sed 's/.*"//')
'''

# List the recipes
[private]
default:
    @{{ just_executable() }} --list --unsorted

# Run the product on this machine until Ctrl-C: http://127.0.0.1:8000
[group('run')]
up *args:
    @exec ./just up "$@"

# Run one of Django's commands, as in `./just manage createsuperuser`
[group('run')]
[no-exit-message]
manage *args:
    @exec {{ python }} src/manage.py "$@"

# Print who publishes and receives each fact, and who asks and answers each question; --write updates the docs
[group('run')]
[no-exit-message]
events *args:
    @exec {{ python }} src/manage.py list_events "$@"

# Load the demo members and their sessions
[group('run')]
demo:
    @exec {{ python }} src/manage.py load_demo_data

# Run the tests on SQLite, PostgreSQL and in a browser: all but --system; --fast while working; or paths and pytest's options
[group('change')]
[no-exit-message]
test *args: _development
    #!/usr/bin/env bash
    set -uo pipefail
    database_url=${TEST_DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres}
    {{ forget_settings }}
    export TEST_DATABASE_URL=$database_url
    exec tests/run "$@"

# Kill workers and interrupt the mail server, then count what was lost or done twice; see `./just drill --help`
[group('measure')]
[no-exit-message]
drill *args: _development
    @exec {{ python }} -m drill "$@"

# Plant known faults one after the other, and see whether the tests that reach them find each; names choose among them
[group('measure')]
[no-exit-message]
faults *args: _development
    #!/usr/bin/env bash
    set -uo pipefail
    database_url=${TEST_DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres}
    {{ forget_settings }}
    export TEST_DATABASE_URL=$database_url
    exec {{ python }} -m faults "$@"

# Measure the periodic jobs, or with `portal` the pages of the portal, on full tables; as in `./just bench portal 10000`
[group('measure')]
[no-exit-message]
bench *what: _development
    #!/usr/bin/env bash
    set -uo pipefail
    here=${DATABASE_URL-}
    {{ forget_settings }}
    measured=periodic_jobs
    if [ "${1-}" = portal ]; then
        measured=portal
        shift
    fi
    exec env ${here:+DATABASE_URL="$here"} {{ python }} -m "bench.$measured" "$@"

# Take the pictures in docs/images anew: pages of the demo, light and dark, on a desktop and a phone
[group('measure')]
[no-exit-message]
screenshots: _development
    #!/usr/bin/env bash
    set -uo pipefail
    {{ forget_settings }}
    PYTHONPATH=src exec {{ python }} -m screenshots

# Check style, types, import boundaries, migrations and Django's own checks; or one of them, as in `./just check types`
[group('change')]
[no-exit-message]
check step="all": _development
    #!/usr/bin/env bash
    set -uo pipefail
    wanted={{ quote(step) }}
    {{ forget_settings }}
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 130' INT
    export DATA_DIR=$scratch PYTHONPATH=src
    failed=()
    ran=0

    step() {
        local id=$1 name=$2
        shift 2
        if [ "$wanted" != all ] && [ "$wanted" != "$id" ]; then return; fi
        ran=1
        printf '\n=== %s ===\n' "$name"
        "$@" || failed+=("$name")
    }

    step lint "Lint" .venv/bin/ruff check
    step format "Format" .venv/bin/ruff format --check
    step types "Types" .venv/bin/mypy
    step boundaries "Import boundaries" .venv/bin/lint-imports --no-logo
    step migrations "Migrations" {{ python }} src/manage.py makemigrations --check --dry-run
    step django "Django's checks" {{ python }} src/manage.py check --fail-level WARNING
    step django "Django's checks, as deployed" env DEBUG=false SECRET_KEY="$(head -c 40 /dev/urandom | base64)" \
        ALLOWED_HOSTS=learning.example BEHIND_TLS_PROXY=true \
        {{ python }} src/manage.py check --deploy --fail-level WARNING

    if [ "$ran" -eq 0 ]; then
        printf 'The steps are lint, format, types, boundaries, migrations and django.\n'
        exit 2
    fi
    printf '\n'
    if [ "${#failed[@]}" -gt 0 ]; then
        printf 'Failed: %s\n' "${failed[@]}"
        exit 1
    fi
    printf 'All checks passed.\n'

# Bring the code into shape
[group('change')]
format: _development
    .venv/bin/ruff check --fix
    .venv/bin/ruff format

# Pin the requirements anew, with hashes; arguments go to uv, as in `./just lock --upgrade-package django`
[group('change')]
lock *args:
    {{ compile }} requirements/uv.in --output-file requirements/uv.txt "$@"
    {{ compile }} requirements/runtime.in --output-file requirements/runtime.txt "$@"
    {{ compile }} requirements/development.in --output-file requirements/development.txt \
        --constraint requirements/runtime.txt "$@"

_development:
    @./just --require development
