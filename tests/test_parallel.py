"""Two processes that share a batch learn what one process learns from all of it, if no batch norm looks at the batch."""

import subprocess
import sys

import pytest
import torch
import trainee
from lessons import ROOT

from colorize import parallel


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Weights that two processes arrive at, {kind of network: state}."""
    out, kinds = tmp_path_factory.mktemp("two"), ("plain", "frozen", "live")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, ROOT / "tests" / "trainee.py", out, *kinds], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return {kind: torch.load(out / f"{kind}.pt", weights_only=True)["network"] for kind in kinds}


def difference(one, other):
    return max((one[key].double() - other[key].double()).abs().max().item() for key in one)


@pytest.mark.parametrize("kind", ["plain", "frozen"])
def test_two_halves_are_one_batch(two, kind):
    network, _ = trainee.run(kind, steps=4, batch_size=8, learning_rate=1e-4)
    assert difference(network.state_dict(), two[kind]) < 1e-6
    half, _ = trainee.run(kind, steps=4, batch_size=4, learning_rate=1e-4)
    assert difference(half.state_dict(), two[kind]) > 1e-5  # the test can tell


def test_with_live_batch_norm_two_halves_are_not_one_batch(two):
    network, _ = trainee.run("live", steps=4, batch_size=8, learning_rate=1e-4)
    assert difference(network.state_dict(), two["live"]) > 1e-5


def test_parts_of_a_batch_add_up():
    """Gradient accumulation: the same promise within one process."""
    for kind in ("plain", "frozen"):
        whole, history = trainee.run(kind, steps=4, batch_size=8, learning_rate=1e-4)
        parts, others = trainee.run(kind, steps=4, batch_size=8, learning_rate=1e-4, accumulate=4)
        assert difference(whole.state_dict(), parts.state_dict()) < 1e-6
        assert others.losses == pytest.approx(history.losses, rel=1e-5)


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(
        ValueError, match="batch_size 8 cannot be shared out evenly among 1 processes x 3 parts"
    ):
        trainee.run("plain", steps=1, batch_size=8, accumulate=3)


def test_alone_nothing_is_wrapped():
    network = trainee.make("live")
    with parallel.processes("cpu") as device:
        assert device == torch.device("cpu")
        assert (parallel.rank(), parallel.world()) == (0, 1)
        assert parallel.shared(network) is network
        assert parallel.synchronized(network) is network
        assert parallel.anywhere(True, device) is True
        assert parallel.anywhere(False, device) is False


def test_a_device_that_is_not_there_is_named():
    missing = f"cuda:{torch.cuda.device_count()}"
    with (
        pytest.raises(ValueError, match=f"the device '{missing}' is not there; this machine has cpu"),
        parallel.processes(missing),
    ):
        pass
    with pytest.raises(ValueError, match="the device 'gpu' is not there"), parallel.processes("gpu"):
        pass
