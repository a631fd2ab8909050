"""Checkpoints: all that a training run needs to go on exactly where it was.

A file is whole or absent, whenever the program is killed. It is read without running code from it.
"""

import contextlib
import json
from pathlib import Path
from typing import Any

import torch

from .files import write_whole


class CheckpointError(ValueError):
    """A checkpoint is damaged, or belongs to another plan; the sentence names it."""


def save(path: str | Path, plan: dict, parts: dict, **values: Any) -> None:
    """Write a checkpoint.

    Parameters
    ----------
    path : an older file of this name is replaced at the very end.
    plan : what must be the same when the run goes on; anything that JSON can hold.
    parts : by name, whatever has a ``state_dict``: network, optimizer, ...
    values : tensors and numbers.

    The state of PyTorch's random numbers is kept too: dropout goes on with the draws that come next.
    """
    path = Path(path)
    for left in path.parent.glob(f".{path.name}.*.part"):  # of a program that was killed while it wrote
        left.unlink(missing_ok=True)
    state = {"plan": json.dumps(plan), "random": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["random_cuda"] = torch.cuda.get_rng_state()
    state |= {f"part.{name}": part.state_dict() for name, part in parts.items()}
    state |= {f"value.{name}": value for name, value in values.items()}
    with write_whole(path) as file:
        torch.save(state, file)


def resume(path: str | Path, plan: dict, parts: dict) -> dict:
    """Read a checkpoint into the parts, in place.

    Returns
    -------
    The values that :func:`save` was given.

    Raises
    ------
    CheckpointError if the file is none, or was written under another plan; nothing is changed then.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        theirs = json.loads(state["plan"])
    except Exception as error:  # a damaged file fails in every way there is
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(
            f"{path} is no checkpoint that can be read ({reason}): remove it to start afresh"
        ) from None
    if theirs != plan:
        keys = [key for key in (*plan, *theirs) if theirs.get(key) != plan.get(key)]
        changed = ", ".join(
            f"{key} {theirs.get(key)} there, {plan.get(key)} here" for key in dict.fromkeys(keys)
        )
        raise CheckpointError(
            f"the checkpoint {path} belongs to another plan ({changed}): remove it to start afresh"
        )
    for name, part in parts.items():
        part.load_state_dict(state[f"part.{name}"])
    torch.set_rng_state(state["random"])
    if "random_cuda" in state and torch.cuda.is_available():
        with contextlib.suppress(RuntimeError):  # another kind of GPU
            torch.cuda.set_rng_state(state["random_cuda"])
    return {key.removeprefix("value."): value for key, value in state.items() if key.startswith("value.")}
