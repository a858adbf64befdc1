"""How the learning rate changes over a training."""


def learning_rate_factor(
    done: float, *, warm_up: float = 0.0, hold: float = 0.0, first: float = 0.1
) -> float:
    """Return the share of the peak learning rate to use when the share `done` in [0, 1) of all steps is done.

    It rises linearly from `first` to 1 while `done` < `warm_up`, stays at 1 while `done` < `hold`, then falls
    linearly to 0.
    """
    if done < warm_up:
        return first + (1 - first) * done / warm_up
    start = max(warm_up, hold)
    return 1.0 if done < start else (1 - done) / (1 - start)
