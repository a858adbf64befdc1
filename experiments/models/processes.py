"""Several processes that run the same stage side by side, started by ``accelerate launch``.

All of them run the same code on the same profile. Work that falls into batches is shared out by
`shared_out`; whatever is written to disk, the main process writes. With one process nothing is imported
and nothing is sent.
"""

import datetime
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Item = TypeVar("Item")
Value = TypeVar("Value")

PATIENCE = datetime.timedelta(days=1)
"""How long a process waits for the others: a training by the main process alone may take hours."""


@dataclass(frozen=True)
class Processes:
    """This process, number `rank` from 0 among `count`; all of them must call each method."""

    rank: int = 0
    count: int = 1

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, by rank, pickled on the way."""
        if self.count == 1:
            return [value]
        from accelerate.utils import gather_object

        return gather_object([value])

    def broadcast(self, value: Any) -> Any:
        """Return the value of the main process, pickled on the way; those of the others are ignored."""
        if self.count == 1:
            return value
        from accelerate.utils import broadcast_object_list

        return broadcast_object_list([value])[0]

    def all_reduce(self, tensor: Any) -> Any:
        """Return the sum of the tensors of all processes, computed in the same order everywhere."""
        if self.count == 1:
            return tensor
        from accelerate.utils import reduce

        return reduce(tensor, "sum")

    def barrier(self) -> None:
        """Return when all processes have called it."""
        if self.count > 1:
            from accelerate.utils import wait_for_everyone

            wait_for_everyone()


ALONE = Processes()


def is_main(processes: Processes) -> bool:
    """Tell whether this is the process that writes."""
    return processes.rank == 0


def among(environ: Mapping[str, str] = os.environ) -> Processes:
    """Return this process among those that a launcher started, or `ALONE` where it started no others."""
    if int(environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    from accelerate import PartialState
    from torch import cuda

    state = PartialState(cpu=not cuda.is_available(), timeout=PATIENCE)
    return Processes(state.process_index, state.num_processes)


def shared_out(processes: Processes, work: Callable[[Item], Value], items: Sequence[Item]) -> Iterator[Value]:
    """Yield ``work(item)`` for every item in order, to all processes; each item is one process's work.

    An item must be worth sending about: a batch. Its result is that of a single process, since batches
    are not cut up.
    """
    for first in range(0, len(items), processes.count):
        own = first + processes.rank
        result = work(items[own]) if own < len(items) else None
        yield from processes.gather(result)[: len(items) - first]
