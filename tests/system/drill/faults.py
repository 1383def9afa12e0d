"""The registry of faults that are planted in the records of a drill, each with the counter that has to find it."""

from collections.abc import Callable

from drill.records import Records

Fault = Callable[[Records], object]
FAULTS: list[tuple[str, Fault]] = []


def found_by(counter: str) -> Callable[[Fault], Fault]:
    def plant(fault: Fault) -> Fault:
        FAULTS.append((counter, fault))
        return fault

    return plant
