"""Comparing what things cost, in one run on one machine. What they cost in milliseconds is for benchmarks/ to say."""

from collections.abc import Callable
from time import perf_counter


def quickest(
    *actions: Callable[[], object], times: int, clock: Callable[[], float] = perf_counter
) -> tuple[float, ...]:
    """The seconds that each action takes at its quickest.

    A busy machine makes most of the runs slower but not all, and the actions take turns, so that they share its moods.
    Actions longer than a time slice of the scheduler are better measured with `time.thread_time`.
    """
    least = [float("inf")] * len(actions)
    for _ in range(times):
        for number, action in enumerate(actions):
            began = clock()
            action()
            least[number] = min(least[number], clock() - began)
    return tuple(least)
