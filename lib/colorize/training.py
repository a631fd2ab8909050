"""One plain loop that trains any network of this course on any loss.

What it promises: the same seed gives the same network; Ctrl-C ends the training after the step at hand, and the network
stays what it has become; a run that was stopped, or killed, goes on from its checkpoint exactly as if it had not been.
The loop that trains a toy on a laptop for a minute trains the paper's network on eight GPUs for days.
"""

import contextlib
import math
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from . import checkpoints, parallel
from .files import write_whole
from .lab import rgb_to_lab

Loss = Callable[[Any, Any], Tensor]  # of what the network answers, and of the second of the examples
Rate = Callable[[int, int], float]
Examples = Callable[[tuple[Tensor, ...]], tuple[Tensor, Any]]
PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class History:
    """What a training run has done: the loss of each step, what was measured on the way, whether it is finished."""

    losses: list[float] = field(default_factory=list)
    reports: list[dict[str, float]] = field(default_factory=list)  # "step", and what ``report`` returned
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


def cosine(step: int, steps: int) -> float:
    """Factor on the learning rate: up over the first 5 % of the steps, then down to 0 along a cosine."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def staircase(factors: dict[int, float]) -> Rate:
    """Make a learning rate that changes at given steps: ``{200: 0.1}`` is 1 before step 200 and 0.1 from there on."""
    return lambda step, steps: next((factors[at] for at in sorted(factors, reverse=True) if step >= at), 1.0)


def colors(stride: int) -> Examples:
    """Make the examples of a colorization: from pictures to L, and a and b of every ``stride``-th pixel.

    >>> L, ab = colors(2)((torch.rand(1, 3, 8, 8),))
    >>> L.shape, ab.shape
    (torch.Size([1, 1, 8, 8]), torch.Size([1, 2, 4, 4]))
    """

    def examples(batch: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        lab = rgb_to_lab(batch[0])
        return lab[:, :1], lab[:, 1:, ::stride, ::stride]

    return examples


def fit(
    network: nn.Module,
    data: Any,
    loss: Loss,
    steps: int,
    batch_size: int = 32,
    learning_rate: float = 2e-3,
    weight_decay: float = 0.01,
    seed: int = 0,
    *,
    optimizer: type = torch.optim.AdamW,
    betas: tuple[float, float] = (0.9, 0.999),
    rate: Rate = cosine,
    examples: Examples | None = None,
    precision: str = "float32",
    accumulate: int = 1,
    compiled: bool = False,
    frozen_norm: bool = False,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    log: str | Path | None = None,
    report: Callable[[History], dict[str, float] | None] | None = None,
    report_every: int = 500,
    progress: bool = True,
) -> History:
    """Train a network in place, on the device that holds it.

    Each step draws a batch, converts it to Lab on the device, gives L to the network, and compares its answer with a and b
    at the network's resolution (every ``network.stride``-th pixel, as the paper does).

    Parameters
    ----------
    network : takes L (N, 1, H, W), has a ``stride``.
    data : anything with ``batch(n, seed)`` that returns pictures (n, 3, S, S), or a tuple that begins with them; or with
        ``stream(...)``, as :class:`colorize.folders.PhotoFolder` has it.
    loss : takes the network's answer and the true ab, (N, 2, H/s, W/s); a mean over N. See :mod:`colorize.losses`.
    steps, batch_size : how many batches, of how many pictures, those of all processes together.
    seed : decides what is drawn. The network's own random start is the caller's: call ``torch.manual_seed`` before making it.
    optimizer, betas, weight_decay : AdamW, or ``torch.optim.Adam``, in which weight decay is a part of the gradient.
    rate : factor on the learning rate at a step: :func:`cosine`, :func:`staircase`, or a function of (step, steps).
    examples : what is asked and what is right: takes a batch as the data draw it, as a tuple, and returns what goes into the
        network, and what the loss compares the answer with. Left out: :func:`colors` at the network's resolution.
    precision : "float32", or "bfloat16" or "float16" for the convolutions; weights and loss stay in float32.
    accumulate : cut a batch into so many parts, one after the other, for a GPU that cannot hold it as a whole.
    compiled : let ``torch.compile`` make the network faster; it takes a minute to begin.
    frozen_norm : batch norms use their stored statistics and do not change them.
    checkpoint : file to save to, every ``checkpoint_every`` steps and at the end. If it is there, training goes on from it.
    log : CSV file with step, loss, learning rate and reports, written with the checkpoint.
    report : called every ``report_every`` steps and after the last; measures, draws, saves what it likes (the network is in
        evaluation mode), and returns numbers for ``history.reports`` and the log. In the first process only.

    Returns
    -------
    History. After Ctrl-C it is shorter than ``steps``, and the network is what it had become.

    Raises
    ------
    ValueError if the checkpoint belongs to another plan, the loss is not finite, or a batch cannot be shared out evenly.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    if batch_size % (parallel.world() * accumulate):
        shares = f"{parallel.world()} processes x {accumulate} parts"
        raise ValueError(f"batch_size {batch_size} cannot be shared out evenly among {shares}")
    # In place; convolutions are a third faster that way.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # PyTorch declares it for tensors only
    device, is_first = next(network.parameters()).device, parallel.rank() == 0
    adam = optimizer(network.parameters(), learning_rate, betas=betas, weight_decay=weight_decay)
    scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
    plan = {
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "seed": seed,
        "optimizer": optimizer.__name__,
        "betas": list(betas),
        "precision": precision,
        "frozen_norm": frozen_norm,
    }
    parts = {"network": network, "optimizer": adam, "scaler": scaler}
    history = History(steps=steps)
    if checkpoint is not None and Path(checkpoint).exists():
        values = checkpoints.resume(checkpoint, plan, parts)
        history.losses, history.seconds = values["losses"].tolist(), values["seconds"]
        history.reports = values["reports"]

    def train_mode() -> None:
        network.train()
        for module in network.modules():
            if frozen_norm and isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()

    def save() -> None:
        if checkpoint is not None and is_first:
            losses = torch.tensor(history.losses, dtype=torch.float64)
            checkpoints.save(
                checkpoint, plan, parts, losses=losses, seconds=history.seconds, reports=history.reports
            )
        if log is not None and is_first:
            _write_log(Path(log), history, lambda step: learning_rate * rate(step, steps))

    train_mode()
    wrapped: Callable[[Tensor], Any] = parallel.shared(network)
    if compiled:
        wrapped = torch.compile(wrapped)
    examples = examples or colors(network.stride)  # type: ignore[arg-type]  # to PyTorch any attribute is a Module
    unread: list[Tensor] = []  # losses still on the device: to read one is to wait for it
    # Nothing said, tqdm asks the variable TQDM_DISABLE.
    quiet: dict[str, Any] = {} if progress and is_first else {"disable": True}
    bar = tqdm(total=steps, initial=len(history.losses), unit="step", **quiet)
    batches = draw_batches(data, batch_size, seed, len(history.losses), steps)
    clock = time.perf_counter()
    with bar, ctrl_c() as pressed, contextlib.closing(batches):
        for step in range(len(history.losses), steps):
            for group in adam.param_groups:
                group["lr"] = learning_rate * rate(step, steps)
            adam.zero_grad(set_to_none=True)
            batch = tuple(drawn.to(device, non_blocking=True) for drawn in next(batches))
            total = _gradients(wrapped, batch, loss, scaler, examples, accumulate, PRECISIONS[precision])
            scaler.step(adam)
            scaler.update()
            unread.append(total)
            is_last = step + 1 == steps
            is_due = checkpoint is not None and (step + 1) % checkpoint_every == 0
            is_report = report is not None and (is_last or (step + 1) % report_every == 0)
            stop = parallel.anywhere(bool(pressed), device)
            if device.type == "cpu" or len(unread) == 20 or is_due or is_report or is_last or stop:
                for value in torch.stack(unread).tolist():
                    history.losses.append(value)
                    if not math.isfinite(value):
                        at = len(history.losses)
                        raise ValueError(f"the loss is {value} at step {at}: try a smaller learning rate")
                unread.clear()
                history.seconds, clock = history.seconds + time.perf_counter() - clock, time.perf_counter()
            bar.update()
            if step % 10 == 9 and history.losses:
                bar.set_postfix(loss=f"{sum(history.losses[-50:]) / len(history.losses[-50:]):.3f}")
            if report and is_report and is_first:
                network.eval()
                history.reports.append({"step": step + 1, **(report(history) or {})})
                train_mode()
            if is_due and not is_last:
                save()
            if is_report or is_due:
                clock = time.perf_counter()
            if stop:
                break
    if not history.finished and is_first:
        print(f"stopped after {len(history.losses)} of {steps} steps; the network stays as it is")
    save()
    network.eval()
    return history


def draw_batches(
    data: Any, batch_size: int, seed: int, first: int, steps: int
) -> Generator[tuple[Tensor, ...], None, None]:
    """Draw the batches of the steps from ``first`` on, this process's share of each."""
    rank, world = parallel.rank(), parallel.world()
    if hasattr(data, "stream"):
        with contextlib.closing(data.stream(batch_size, seed, first, steps, rank, world)) as stream:
            for rgb in stream:
                yield (rgb,)
        return
    for step in range(first, steps):
        drawn = data.batch(batch_size, seed * 1_000_003 + step)
        drawn = drawn if isinstance(drawn, tuple) else (drawn,)
        yield tuple(part.chunk(world)[rank] for part in drawn)


def _gradients(
    wrapped: Any,
    batch: tuple[Tensor, ...],
    loss: Loss,
    scaler: torch.amp.GradScaler,
    examples: Examples,
    parts: int,
    dtype: torch.dtype | None,
) -> Tensor:
    """Add the gradients of one batch to the network, part by part; return its loss, still on the device."""
    device = batch[0].device
    total = torch.zeros((), device=device)
    for number, part in enumerate(zip(*(drawn.chunk(parts) for drawn in batch), strict=True), start=1):
        asked, right = examples(part)
        # Several processes exchange their gradients once a step, with the last part.
        waiting = parallel.world() > 1 and number < parts
        with wrapped.no_sync() if waiting else contextlib.nullcontext():
            with torch.autocast(device.type, dtype, enabled=dtype is not None):
                answer = wrapped(asked.contiguous(memory_format=torch.channels_last))
            value = loss(answer, right) / parts
            scaler.scale(value).backward()
        total += value.detach()
    return total


@contextlib.contextmanager
def ctrl_c() -> Iterator[list]:
    """Collect Ctrl-C instead of raising: a step that has begun is finished, so that nothing is half updated.

    Pressed a second time it ends the program as usual.
    """
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return

    def note(number: int, _frame: object) -> None:
        if pressed:
            raise KeyboardInterrupt
        pressed.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _write_log(path: Path, history: History, rate: Callable[[int], float]) -> None:
    """Write step, loss, learning rate, and the reports in columns of their own, empty where there was none."""
    names = sorted({name for report in history.reports for name in report} - {"step"})
    reports = {report["step"]: report for report in history.reports}
    lines: list[list] = [["step", "loss", "learning_rate", *names]]
    for step, value in enumerate(history.losses, start=1):
        found = reports.get(step, {})
        lines.append([step, value, f"{rate(step - 1):.6g}", *(found.get(name, "") for name in names)])
    with write_whole(path) as file:
        file.write("".join(",".join(map(str, line)) + "\n" for line in lines).encode())
