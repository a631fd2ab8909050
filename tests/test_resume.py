"""A training run is killed again and again, without a chance to tidy up, and ends with the same bits."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch
import trainee
from lessons import ROOT

from colorize import checkpoints
from colorize.checkpoints import CheckpointError


def start(out, kind, seconds):
    process = subprocess.Popen(
        [sys.executable, ROOT / "tests" / "trainee.py", out, kind, str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "begins\n"
    return process


def losses(path):
    return torch.load(path, weights_only=True)["value.losses"] if path.exists() else []


def kill_and_finish(tmp_path, kind, kills):
    generator, path, sizes = random.Random(0), tmp_path / "run.pt", [0]
    for _ in range(kills):
        process = start(tmp_path, kind, 0.02)
        while len(losses(path)) == sizes[-1]:  # whole at any moment, or else this fails
            assert process.poll() is None, "it was over before it was killed"
        time.sleep(generator.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "it was over before it was killed"
        process.stdout.close()
        sizes.append(len(losses(path)))
    with start(tmp_path, kind, 0) as process:
        assert process.wait() == 0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    network, history = trainee.run(kind)
    torch.set_num_threads(threads)
    found = torch.load(tmp_path / f"{kind}.pt", weights_only=True)
    assert found["losses"] == history.losses
    assert all(torch.equal(found["network"][key], value) for key, value in network.state_dict().items())
    assert sizes == sorted(set(sizes))
    assert sizes[-1] < trainee.STEPS
    assert [name for name in os.listdir(tmp_path) if name.endswith(".part")] == []  # nothing left of any kill


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
def test_three_kills_change_nothing(tmp_path):
    kill_and_finish(tmp_path, "live", 3)


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("kind", ["live", "dropout"])
def test_twenty_kills_change_nothing(tmp_path, kind):
    kill_and_finish(tmp_path, kind, 20)


def test_dropout_goes_on_with_the_draws_that_come_next(tmp_path):
    whole, history = trainee.run("dropout", 10)

    class Stopped(Exception):
        pass

    def stop(found):
        if len(found.losses) == 6:
            raise Stopped

    with pytest.raises(Stopped):
        trainee.run(
            "dropout", 10, checkpoint=tmp_path / "run.pt", checkpoint_every=4, report=stop, report_every=6
        )
    torch.manual_seed(99)
    again, rest = trainee.run("dropout", 10, checkpoint=tmp_path / "run.pt")
    assert rest.losses == history.losses
    assert torch.equal(whole.body[0].weight, again.body[0].weight)


def test_what_is_no_checkpoint_is_said(tmp_path):
    path = tmp_path / "run.pt"
    for content in (b"", b"text", b"PK\x03\x04 cut short"):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=r"run\.pt is no checkpoint that can be read .*remove it"):
            checkpoints.resume(path, {}, {})
    torch.save({"something": 1}, path)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        checkpoints.resume(path, {}, {})
    path.unlink()
    trainee.run("plain", 3, checkpoint=path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="no checkpoint"):
        trainee.run("plain", 3, checkpoint=path)


def test_a_checkpoint_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "evil"),))

    torch.save({"plan": "{}", "x": Evil()}, tmp_path / "run.pt")
    with pytest.raises(CheckpointError):
        checkpoints.resume(tmp_path / "run.pt", {}, {})
    assert not (tmp_path / "evil").exists()
