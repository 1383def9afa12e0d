"""One run of the drill for all tests in this folder, and a copy of its records to plant faults in."""

import pytest
from tests.system.drill.running import SERVER, Run, build_database_arguments, run_drill

from drill.records import Records


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    kept, scratch = tmp_path_factory.mktemp("kept"), tmp_path_factory.mktemp("scratch")
    ended = run_drill(
        "--short",
        *build_database_arguments(),
        "--keep",
        str(kept),
        TMPDIR=str(scratch),
        **({"TEST_DATABASE_URL": SERVER} if SERVER else {}),
    )
    found = list(kept.glob("*-records.json"))
    assert found, ended.stdout + ended.stderr
    records = Records.model_validate_json(found[0].read_text())
    return Run(pid=ended.pid, status=ended.returncode, printed=ended.stdout, records=records, scratch=scratch)


@pytest.fixture
def records(run: Run) -> Records:
    """A copy of the records of the run."""
    return run.records.model_copy(deep=True)
