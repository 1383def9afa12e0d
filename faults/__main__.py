"""`./just faults`: plant one fault after the other in a copy of the product, and see whether its tests find it."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from faults.catalogue import Fault, list_problems, load_faults
from faults.copies import Copy, Result, make_copy

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """0 if each fault is found, 1 if one is not, 2 if one cannot be planted or tests fail without any."""
    arguments = _parse_arguments()
    faults = load_faults()
    unknown = sorted(set(arguments.names) - {fault.name for fault in faults})
    chosen = [fault for fault in faults if not arguments.names or fault.name in arguments.names]
    problems = [f"{name}: there is no such fault" for name in unknown]
    problems += [f"{fault.name}: {problem}" for fault in chosen for problem in list_problems(fault, ROOT)]
    if problems:
        _say(*problems)
        return 2
    if arguments.list:
        _say(*(f"{fault.name}: {fault.what}" for fault in chosen))
        return 0
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        copies = [make_copy(ROOT, Path(scratch) / str(number), number) for number in range(arguments.jobs)]
        if not arguments.skip_baseline and not _pass_without_faults(copies[0], chosen):
            return 2
        results = _run_all(copies, chosen)
    return _report(chosen, results)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./just faults", description=__doc__)
    parser.add_argument("names", nargs="*", help="the faults to plant; without any, all of them")
    parser.add_argument("--list", action="store_true", help="name the faults and check that each can be planted")
    parser.add_argument("--jobs", type=int, default=2, help="how many faults are planted at once (2)")
    parser.add_argument("--skip-baseline", action="store_true", help="do not run the tests without any fault first")
    return parser.parse_args()


def _pass_without_faults(copy: Copy, faults: Sequence[Fault]) -> bool:
    """Whether the tests pass as they are: a test that fails anyway finds nothing."""
    for on_postgresql in (False, True):
        tests = sorted({test for fault in faults if fault.on_postgresql is on_postgresql for test in fault.tests})
        if not tests:
            continue
        result, output = copy.run_tests(tests, on_postgresql=on_postgresql)
        if result is not Result.MISSED:
            _say("Tests fail without any fault:", output)
            return False
    return True


def _run_all(copies: Sequence[Copy], faults: Sequence[Fault]) -> list[Result]:
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def run(fault: Fault) -> Result:
        copy = free.get()
        try:
            result, seconds, output = copy.try_fault(fault)
        finally:
            free.put(copy)
        _say(f"{result.value:9} {seconds:5.1f} s  {fault.name}: {fault.what}")
        if result is Result.BROKEN:
            _say(output)
        return result

    with ThreadPoolExecutor(len(copies)) as executor:
        return list(executor.map(run, faults))


def _report(faults: Sequence[Fault], results: Sequence[Result]) -> int:
    counts = {result: results.count(result) for result in Result}
    _say("", ", ".join(f"{count} {result.value}" for result, count in counts.items() if count))
    missed = [fault.name for fault, result in zip(faults, results, strict=True) if result is Result.MISSED]
    if missed:
        _say(f"Not found: {', '.join(missed)}")
    if counts[Result.BROKEN]:
        return 2
    return 1 if missed else 0


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
