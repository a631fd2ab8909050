"""One plain loop that trains any network of this course on any loss.

What it promises: the same seed gives the same network; Ctrl-C ends the training after the step at hand, and the network
stays what it has become; a run that was stopped
goes on from its checkpoint exactly as if it had not been.
"""

import contextlib
import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from .files import write_whole
from .lab import rgb_to_lab

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass
class History:
    """What a training run has done: the loss of each step, and whether all steps were taken."""

    losses: list[float] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0  # of training, all sessions together

    @property
    def finished(self) -> bool:
        """True if the planned number of steps was reached."""
        return len(self.losses) >= self.steps

    def smooth(self, window: int = 50) -> list[float]:
        """Return the running mean of the losses, for a curve that can be read."""
        return [
            sum(part) / len(part)
            for i in range(len(self.losses))
            if (part := self.losses[max(0, i + 1 - window) : i + 1])
        ]


def fit(
    network: nn.Module,
    data,
    loss: Loss,
    steps: int,
    batch_size: int = 32,
    learning_rate: float = 2e-3,
    weight_decay: float = 0.01,
    seed: int = 0,
    bfloat16: bool = False,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    log: str | Path | None = None,
    progress: bool = True,
) -> History:
    """Train a network in place.

    Each step draws ``data.batch(batch_size, seed of the step)``, converts it to Lab, gives L to the network, and compares
    its answer with a and b at the network's resolution (every ``network.stride``-th pixel, as the paper does). AdamW; the
    learning rate rises for the first 5 % of the steps and then falls to 0 along a cosine.

    Parameters
    ----------
    network : takes L (N, 1, H, W), has a ``stride``; trained on the device that holds it.
    data : anything with ``batch(n, seed)`` that returns pictures (n, 3, S, S), or a tuple that begins with them.
    loss : takes the network's answer and the true ab, (N, 2, H/s, W/s); see :mod:`colorize.losses`.
    steps : how many batches.
    seed : decides what is drawn. The network's own random start is the caller's: call ``torch.manual_seed`` before making it.
    bfloat16 : compute convolutions in half precision.
    checkpoint : file to save to, every ``checkpoint_every`` steps and at the end. If it is there, training goes on from it.
    log : CSV file with step, loss, learning rate.

    Returns
    -------
    History. After Ctrl-C it is shorter than ``steps``, and the network is what it had become.

    Raises
    ------
    ValueError if the checkpoint belongs to another plan, or the loss is not finite.
    """
    network.to(memory_format=torch.channels_last)  # in place; convolutions are a third faster that way
    device = next(network.parameters()).device
    optimizer = torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, steps))
    plan = {
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "seed": seed,
    }
    history = History(steps=steps)
    if checkpoint is not None and Path(checkpoint).exists():
        history.losses, history.seconds = _resume(Path(checkpoint), plan, network, optimizer, schedule)
    network.train()
    quiet = {} if progress else {"disable": True}  # nothing said, tqdm asks the variable TQDM_DISABLE
    bar = tqdm(total=steps, initial=len(history.losses), unit="step", **quiet)
    with bar, _ctrl_c() as pressed:
        while not history.finished and not pressed:
            step, start = len(history.losses), time.perf_counter()
            drawn = data.batch(batch_size, seed * 1_000_003 + step)
            rgb = (drawn[0] if isinstance(drawn, tuple) else drawn).to(device)
            lab = rgb_to_lab(rgb)
            true_ab = lab[:, 1:, :: network.stride, :: network.stride]
            with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                answer = network(lab[:, :1].contiguous(memory_format=torch.channels_last))
            value = loss(answer, true_ab)
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
            schedule.step()
            history.losses.append(value.item())
            history.seconds += time.perf_counter() - start
            if not math.isfinite(history.losses[-1]):
                raise ValueError(
                    f"the loss is {history.losses[-1]} at step {step + 1}: try a smaller learning rate"
                )
            bar.update()
            if step % 10 == 9:
                bar.set_postfix(loss=f"{sum(history.losses[-50:]) / len(history.losses[-50:]):.3f}")
            if checkpoint is not None and (step + 1) % checkpoint_every == 0:
                _save(Path(checkpoint), plan, network, optimizer, schedule, history)
    if pressed:
        print(f"stopped after {len(history.losses)} of {steps} steps; the network stays as it is")
    if checkpoint is not None:
        _save(Path(checkpoint), plan, network, optimizer, schedule, history)
    if log is not None:
        _write_log(Path(log), history)
    network.eval()
    return history


@contextlib.contextmanager
def _ctrl_c() -> Iterator[list]:
    """Collect Ctrl-C instead of raising: a step that has begun is finished, so that nothing is half updated.

    Pressed a second time it ends the program as usual.
    """
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return

    def note(number, _frame) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _rate(step: int, steps: int) -> float:
    """Factor on the learning rate: up over 5 % of the steps, then down along a cosine."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _save(path: Path, plan: dict, network, optimizer, schedule, history: History) -> None:
    state = {
        "plan": json.dumps(plan),
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict()["last_epoch"],
        "losses": torch.tensor(history.losses, dtype=torch.float64),
        "seconds": history.seconds,
    }
    with write_whole(path) as file:
        torch.save(state, file)


def _resume(path: Path, plan: dict, network, optimizer, schedule) -> tuple[list[float], float]:
    state = torch.load(path, weights_only=True)
    if (theirs := json.loads(state["plan"])) != plan:
        changed = ", ".join(
            f"{k} {theirs.get(k)} there, {plan[k]} here" for k in plan if theirs.get(k) != plan[k]
        )
        raise ValueError(
            f"the checkpoint {path} belongs to another plan ({changed}): remove it to start afresh"
        )
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    losses = state["losses"].tolist()
    schedule.load_state_dict(schedule.state_dict() | {"last_epoch": state["schedule"]})
    schedule._last_lr = [group["lr"] for group in optimizer.param_groups]
    return losses, state.get("seconds", 0.0)


def _write_log(path: Path, history: History) -> None:
    lines = [("step", "loss"), *enumerate(history.losses, start=1)]
    with write_whole(path) as file:
        file.write("".join(f"{step},{value}\n" for step, value in lines).encode())
