from experiments.preflight.disk import NEEDED, findings_of_disk
from experiments.preflight.findings import Findings
from experiments.stages import STAGES


def test_every_stage_declares_one_figure() -> None:
    assert list(NEEDED) == list(STAGES)
    assert all(size > 0 for size in NEEDED.values())


def test_the_aligned_captioners_checkpoints_fit_the_declared_figure() -> None:
    weights = 4 * 134_515_008  # in float32, with two moments each in a checkpoint, twice while it is replaced
    assert NEEDED["align"] > weights + 2 * 3 * weights


def test_disk_is_a_problem_only_where_what_would_run_does_not_fit() -> None:
    total = NEEDED["align"] + NEEDED["cnn"]
    enough = findings_of_disk(("align", "cnn"), free=total)
    assert enough.problems == ()
    for part in ("needs up to 4.5 GB in .cache (align 4.5 GB), at the sizes of", "4.5 GB are free"):
        assert part in enough.read[0]
    short = findings_of_disk(("align", "cnn"), free=total - 500_000_000)
    assert short.read == ()
    assert "Make 500 MB more free, or move .cache to another disk" in short.problems[0]
    assert findings_of_disk((), free=0) == Findings(), "where nothing would run no room is asked for"
