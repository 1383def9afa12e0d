# Run these through ./just, which brings Python's packages and `just` itself: ./just up

set positional-arguments

python := ".venv/bin/python"

compile := ".venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header"

# The names that the settings read: what somebody's shell says of them must not reach tests and checks.
forget_settings := '''
    unset DJANGO_SETTINGS_MODULE $(cat src/core/settings/*.py | tr -d '\n ' | grep -oE 'env\.[a-z_]+\("[A-Z_]+' | sed 's/.*"//')
'''

# List the recipes
[private]
default:
    @{{ just_executable() }} --list --unsorted

# Run the product on this machine until Ctrl-C: http://127.0.0.1:8000
up *args:
    @exec ./just up "$@"

# Run one of Django's commands, as in `./just manage createsuperuser`
[no-exit-message]
manage *args:
    @exec {{ python }} src/manage.py "$@"

# Print who publishes and receives each fact, and who asks and answers each question; --write updates the docs
[no-exit-message]
events *args:
    @exec {{ python }} src/manage.py list_events "$@"

# Load the demo members and their sessions
demo:
    @exec {{ python }} src/manage.py load_demo_data

# Run all tests on SQLite, on PostgreSQL where one answers, and in a browser if there is one; arguments go to pytest
[no-exit-message]
test *args: _development
    #!/usr/bin/env bash
    set -uo pipefail
    database_url=${TEST_DATABASE_URL:-postgres://postgres@127.0.0.1:5432/postgres}
    {{ forget_settings }}
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 130' INT
    # What pytest says of a run without any test, until one has run.
    status=5
    results=()

    run() {
        local name=$1
        shift
        printf '\n=== Tests: %s ===\n' "$name"
        mkdir "$scratch/$name"
        # Each process has a database of its own.
        DATA_DIR="$scratch/$name" {{ python }} -m pytest -n auto "$@"
        case $? in
            0)
                results+=("$name: passed")
                if [ "$status" -eq 5 ]; then status=0; fi
                ;;
            5) results+=("$name: has none of these tests") ;;
            *)
                results+=("$name: FAILED")
                status=1
                ;;
        esac
    }

    skip() {
        local name=$1 why=$2 required=$3
        results+=("$name: did not run, $why")
        if [ -n "$required" ]; then status=1; fi
    }

    run_on() {
        local name=$1
        shift
        # In their order, since tests that commit come last.
        run "$name" --maxprocesses 8 --dist loadgroup --no-loadscope-reorder --ignore tests/browser "$@" -m 'not browser'
    }

    run_on SQLite "$@"

    # A name of its own for each checkout, so that two on one server do not meet; pytest makes the database and drops it.
    if where=$({{ python }} - "$database_url" "peer_learning_$(pwd -P | cksum | cut -d ' ' -f 1)" <<'END'
    import sys
    from urllib.parse import urlsplit

    import psycopg

    def no(why):
        print(why)
        sys.exit(1)

    url, name = sys.argv[1:]
    # Never an error's own words: they may repeat the URL, and with it a password.
    try:
        parts = urlsplit(url)
        server = f"{parts.hostname}:{parts.port or 5432}"
        psycopg.connect(url, connect_timeout=5).close()
    except ValueError:
        no("TEST_DATABASE_URL cannot be read")
    except psycopg.Error:
        no(f"no connection to {server}")
    print(parts._replace(path=f"/{name}").geturl())
    END
    ); then
        # Without what is the same on every database: that modules can be removed, starts that are refused, what is in
        # files and where they lie, and what never asks one.
        DATABASE_URL=$where run_on PostgreSQL --ignore tests/system/test_modules_are_removable.py \
            --ignore tests/system/test_memory.py --ignore tests/core/storages \
            --ignore tests/system/test_boundaries.py --ignore tests/system/test_openapi.py \
            --ignore tests/system/test_chromium.py --ignore tests/core/settings/test_settings.py \
            --ignore tests/core/time/test_icalendar.py --ignore tests/core/time --ignore tests/core/text/test_sizes.py \
            --ignore tests/core/jobs/task_queue/test_single_entry_point.py --ignore tests/core/jobs/task_queue/test_storages.py \
            --ignore tests/modules/materials/test_hostile_files.py --ignore tests/modules/materials/test_pictures.py \
            --ignore tests/modules/materials/test_kinds_of_files.py --ignore tests/modules/materials/test_places.py \
            --deselect tests/system/test_supervisor.py::test_what_is_unsafe_is_not_started "$@"
    else
        skip PostgreSQL "$where" "${REQUIRE_POSTGRESQL-}"
    fi

    # By themselves: what drives the browser leaves an event loop in the process, and few processes share the machine
    # with several of Chromium.
    if where=$({{ python }} -m screenshots.chromium); then
        TEST_CHROMIUM=$where run Browser --maxprocesses 2 -o testpaths=tests/browser "$@" -m browser
    else
        skip Browser "$where" "${REQUIRE_BROWSER-}"
    fi

    printf '\n'
    printf '%s\n' "${results[@]}"
    exit $status

# Kill workers and shut out mail while members go on, then count what was lost; `./just drill --help` says more
[no-exit-message]
drill *args: _development
    @exec {{ python }} -m drill "$@"

# Measure the sweeps, or after `portal` the pages of the admin, on full tables; as in `./just bench portal 10000`
[no-exit-message]
bench *what: _development
    #!/usr/bin/env bash
    set -uo pipefail
    here=${DATABASE_URL-}
    {{ forget_settings }}
    measured=sweeps
    if [ "${1-}" = portal ]; then
        measured=portal
        shift
    fi
    exec env ${here:+DATABASE_URL="$here"} {{ python }} -m "bench.$measured" "$@"

# Take the pictures in docs/images anew: pages of the demo, light and dark, on a desktop and a phone
[no-exit-message]
screenshots: _development
    #!/usr/bin/env bash
    set -uo pipefail
    {{ forget_settings }}
    PYTHONPATH=src exec {{ python }} -m screenshots

# Check style, types, import boundaries, migrations and Django's own checks
[no-exit-message]
check: _development
    #!/usr/bin/env bash
    set -uo pipefail
    {{ forget_settings }}
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 130' INT
    export DATA_DIR=$scratch PYTHONPATH=src
    failed=()

    step() {
        local name=$1
        shift
        printf '\n=== %s ===\n' "$name"
        "$@" || failed+=("$name")
    }

    step "Lint" .venv/bin/ruff check
    step "Format" .venv/bin/ruff format --check
    step "Types" .venv/bin/mypy
    step "Import boundaries" .venv/bin/lint-imports --no-logo
    step "Migrations" {{ python }} src/manage.py makemigrations --check --dry-run
    step "Django's checks" {{ python }} src/manage.py check --fail-level WARNING
    step "Django's checks, as deployed" env DEBUG=false SECRET_KEY="$(head -c 40 /dev/urandom | base64)" \
        ALLOWED_HOSTS=learning.example BEHIND_TLS_PROXY=true \
        {{ python }} src/manage.py check --deploy --fail-level WARNING

    printf '\n'
    if [ "${#failed[@]}" -gt 0 ]; then
        printf 'Failed: %s\n' "${failed[@]}"
        exit 1
    fi
    printf 'All checks passed.\n'

# Bring the code into shape
format: _development
    .venv/bin/ruff check --fix
    .venv/bin/ruff format

# Pin the requirements anew, with hashes; arguments go to uv, as in `./just lock --upgrade-package django`
lock *args:
    {{ python }} -m pip install --quiet --disable-pip-version-check uv
    {{ compile }} requirements/runtime.in --output-file requirements/runtime.txt "$@"
    {{ compile }} requirements/development.in --output-file requirements/development.txt \
        --constraint requirements/runtime.txt "$@"

_development:
    @./just --require development
