"""What a way of tuning costs: a few steps of it, in a fresh process that does nothing else."""

import math
import multiprocessing
import signal
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from experiments.captioning.captioners import saved as models
from experiments.captioning.tuning import Pairs, tune
from experiments.captioning.ways import Way, prepared
from experiments.models.peak_memory import peak_memory
from pipeline.errors import UserError

STEPS = 5
"""Steps that are timed, at least, after as many or fewer that warm up."""

_IMPORTED = "experiments.models.peft_imported"


@dataclass(frozen=True)
class Trial:
    """A few steps to take: the folder of the captioner, and the photos."""

    captioner: Path
    way: Way
    pairs: Pairs

    @property
    def batches(self) -> int:
        """The number of steps in which each photo is seen once."""
        return math.ceil(len(self.pairs.captions) / self.way.recipe.batch_size)


@dataclass(frozen=True)
class Cost:
    """What tuning costs, apart from how long it goes on.

    `peak_bytes` is the largest memory above that of the loaded model, as `peak_memory` has it; it holds an
    adapter, gradients, the optimiser's moments and activations. `seconds_per_step` is the mean wall-clock
    time.
    """

    peak_bytes: int | None
    seconds_per_step: float


def trial_of(captioner: Path, way: Way, pairs: Pairs) -> Trial:
    """Return the trial of a way on the first photos, as many as `STEPS` batches hold."""
    some = slice(0, STEPS * way.recipe.batch_size)
    return Trial(captioner, way, Pairs(np.array(pairs.features[some]), tuple(pairs.captions[some])))


def measured(trial: Trial) -> Cost:
    """Take the steps in a process of its own, whose memory nothing else of this run was in.

    Where processes can be forked, it is a fork of one that has imported the libraries and done nothing more.

    Raises:
        UserError: if the loss stops being finite, or the process ends without an answer.
    """
    can_fork = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver") if can_fork else multiprocessing.get_context("spawn")
    context.set_forkserver_preload([_IMPORTED])
    answers, answer = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(trial, answer), daemon=True)
    process.start()
    answer.close()
    try:
        found = answers.recv()
    except EOFError:
        process.join()
        raise UserError(
            f"the process that measured what tuning costs ({trial.way.name}) ended with code "
            f"{process.exitcode}: if it was out of memory, set a smaller batch_size in section [lora]."
        ) from None
    finally:
        process.terminate()
        process.join()
    if isinstance(found, UserError):
        raise found
    return found


def _answer(trial: Trial, answer: Connection) -> None:
    """Send the cost of a trial, or why there is none; the keyboard stops the process that waits for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        answer.send(_cost(trial))
    except UserError as error:
        answer.send(error)


def _cost(trial: Trial) -> Cost:
    """Take a first epoch over the trial's photos, which warms up, and as many more as make `STEPS` steps."""
    captioner = models.load(trial.captioner)
    for parameter in captioner.network.parameters():
        # A mapped file is read when it is used: it would seem to be the tuning that takes the memory.
        parameter.data = parameter.data.clone()
    timed = math.ceil(STEPS / trial.batches)
    ends: list[float] = []
    with peak_memory() as peak:
        tune(
            prepared(captioner, trial.way),
            trial.pairs,
            replace(trial.way.recipe, epochs=1 + timed),
            progress=lambda done, total, note: ends.append(time.perf_counter()),
        )
    return Cost(peak.bytes, (ends[-1] - ends[0]) / (timed * trial.batches))
