"""`./just drill`: the fault drill on SQLite, and on PostgreSQL with Redis where they answer."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

from drill import scenario as scenarios
from drill.counting import count
from drill.records import Records
from drill.report import build_table
from drill.scenario import Scenario
from drill.scratch_databases import POSTGRESQL, QUEUES, REDIS, SQLITE, ServerMissing, create_scratch_databases

DATABASES = {"sqlite": (SQLITE,), "postgresql": (POSTGRESQL,), "both": (SQLITE, POSTGRESQL)}


def main() -> int:
    """Drill on each database; returns 1 if something was violated, or if a required server is missing."""
    # An exception rather than the default, so that scratch data is removed.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(143))
    options = read_options()
    scenario = build_scenario(options)
    status = 0
    tables: list[str] = []
    for database in DATABASES[options.database]:
        say(f"\n=== Drill on {database}: {scenario.seconds} s, {scenario.sessions} sessions, seed {scenario.seed} ===")
        try:
            lines, passed = run_drill(database, scenario, queue=options.queue, keep=options.keep)
        except ServerMissing as missing:
            lines, passed = [f"{database}: did not run, {missing}"], not is_required(options.database)
        status |= not passed
        tables += ["", *lines]
    say("\n".join(tables))
    return status


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./just drill", description=__doc__)
    parser.add_argument("--database", choices=DATABASES, default="both")
    parser.add_argument(
        "--queue", choices=QUEUES, default=REDIS, help="with PostgreSQL: Redis, or a file as with SQLite"
    )
    parser.add_argument("--short", action="store_true", help="the short form that the tests run")
    parser.add_argument("--seconds", type=int, help="for how long workers are killed")
    parser.add_argument("--sessions", type=int)
    parser.add_argument("--workers", type=int, help="how many run at a time")
    parser.add_argument("--rate", type=float, help="how many times as fast as real time the product's clock runs")
    parser.add_argument("--seed", type=int, default=1, help="makes the actions of the members repeatable")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="where to keep the records and the log of the processes"
    )
    return parser.parse_args()


def build_scenario(options: argparse.Namespace) -> Scenario:
    build = scenarios.build_short if options.short else scenarios.build_full
    seconds = {"seconds": options.seconds} if options.seconds else {}
    scenario = build(seed=options.seed, **seconds)
    others = {name: getattr(options, name) for name in ("sessions", "workers", "rate")}
    return replace(scenario, **{name: value for name, value in others.items() if value is not None})


def is_required(database: str) -> bool:
    """Whether a missing server is a failure: if PostgreSQL was named, or in CI."""
    return database == "postgresql" or bool(os.environ.get("REQUIRE_POSTGRESQL"))


def run_drill(database: str, scenario: Scenario, *, queue: str, keep: Path | None) -> tuple[list[str], bool]:
    """Return the lines of the table and whether there was no violation; raises `ServerMissing`."""
    with create_scratch_databases(database, queue=queue) as environment:
        command = [sys.executable, "-m", "drill.director", json.dumps(asdict(scenario))]
        result = subprocess.run(command, env=environment, check=False)
        folder = Path(environment["DATA_DIR"])
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for name in ("records.json", "processes.log"):
                if (folder / name).exists():
                    shutil.copy(folder / name, keep / f"{database.lower()}-{name}")
        if result.returncode != 0:
            return [f"{database}: the drill itself failed"], False
        records = Records.model_validate_json((folder / "records.json").read_text())
    counts = count(records)
    return list(build_table(database, counts)), counts.is_clean


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
