"""The faults that are planted in what a drill has left behind, each with the counter that has to notice it."""

from collections.abc import Callable

from drill.records import Records

Fault = Callable[[Records], object]
FAULTS: list[tuple[str, Fault]] = []


def noticed_as(counter: str) -> Callable[[Fault], Fault]:
    def plant(fault: Fault) -> Fault:
        FAULTS.append((counter, fault))
        return fault

    return plant
