"""`python -m tests.postgresql URL NAME`: the URL of a database of that name on a server, or why none answers.

Never an error's own words: they may repeat the URL, and with it a password.
"""

import sys
from urllib.parse import urlsplit

import psycopg


def main(url: str, name: str) -> int:
    try:
        parts = urlsplit(url)
        server = f"{parts.hostname}:{parts.port or 5432}"
        psycopg.connect(url, connect_timeout=5).close()
    except ValueError:
        return answer("TEST_DATABASE_URL cannot be read", 1)
    except psycopg.Error:
        return answer(f"no connection to {server}", 1)
    return answer(parts._replace(path=f"/{name}").geturl(), 0)


def answer(text: str, status: int) -> int:
    sys.stdout.write(f"{text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
