"""Learning the loss: one plain loop for two players, a generator that colors and a discriminator that judges.

Goodfellow et al. 2014; Isola et al. 2017, section 3; Agrawal & Sawhney, appendix 1. The generator's loss is that of being
found out, plus 100 times the distance to the true color. The distance, L1, is least at the median of what a pixel could
be; between two colors that are equally likely it has no opinion, and there the discriminator decides.

>>> p, q = torch.tensor([0.8, 0.2]), torch.tensor([0.2, 0.8])  # how often each of two colors is true, and is made up
>>> optimal_discriminator(p, q)
tensor([0.8000, 0.2000])
"""

import contextlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from . import checkpoints, parallel
from .files import write_whole
from .lab import rgb_to_lab
from .metrics import mean_chroma
from .networks.gan import UNIT
from .training import History, Rate, ctrl_c, draw_batches

L1_WEIGHT = 100.0  # lambda, of L1 where 110 ab units are 1
SIGNALS = ("adversarial", "l1", "discriminator", "real", "fake", "chroma", "true_chroma")


@dataclass
class Match(History):
    """What two players have done. ``losses`` are the generator's, all together; ``signals`` hold a list for each of

    adversarial : the generator's loss for being found out, in nats; ln 2 = 0.69 where the discriminator guesses.
    l1 : mean distance of a and of b from the truth, in ab units.
    discriminator : its loss; ln 2 where it guesses.
    real, fake : share of the true and of the made-up patches that it gets right.
    chroma, true_chroma : mean chroma of what was made up, and of the truth.
    """

    signals: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in SIGNALS})

    def recent(self, name: str, window: int = 50) -> float:
        """Mean of a signal over the last steps."""
        part = self.signals[name][-window:]
        return sum(part) / len(part)


def l1(pred_ab: Tensor, true_ab: Tensor) -> Tensor:
    """Mean absolute difference, over a and b of all pixels, in ab units: least at the median of each axis.

    >>> l1(torch.tensor([3.0, -1.0]).view(1, 2, 1, 1), torch.zeros(1, 2, 1, 1))
    tensor(2.)
    """
    if pred_ab.shape != true_ab.shape:
        shapes = f"{tuple(pred_ab.shape)} and {tuple(true_ab.shape)}"
        raise ValueError(f"pred_ab and true_ab must have the same shape, got {shapes}")
    return (pred_ab - true_ab).abs().mean()


def discriminator_loss(real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Half the cross-entropy of "true" for true patches, and half that of "made up" for made-up ones, from logits.

    Parameters
    ----------
    real, fake : logits, any shape each; D = sigmoid(logit) is the probability of "true".
    smoothing : s; true patches are to get 1 - s, so that D does not become too sure (Salimans et al. 2016, on one side only).

    >>> round(discriminator_loss(torch.zeros(3), torch.zeros(3)).item(), 4)  # guessing: ln 2
    0.6931
    """
    if not 0 <= smoothing < 1:
        raise ValueError(f"smoothing must be 0 or above and below 1, got {smoothing}")
    wanted = torch.full_like(real, 1 - smoothing)
    for_real = F.binary_cross_entropy_with_logits(real, wanted)
    return (for_real + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))) / 2


def generator_loss(fake: Tensor) -> Tensor:
    """Mean of -ln D for made-up patches, from their logits.

    Not ln(1 - D), of which the game would speak: its slope vanishes where D is sure (Goodfellow et al. 2014, section 3).
    """
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


def optimal_discriminator(p: Tensor, q: Tensor, smoothing: float = 0.0) -> Tensor:
    """Best answer of the discriminator, D* = (1 - s) p / (p + q). Goodfellow et al. 2014, proposition 1.

    Its loss is then ln 2 minus the Jensen-Shannon divergence of p and q (with s = 0): ln 2 where they are the same.

    Parameters
    ----------
    p, q : densities or probabilities of the same shape, true and made up, 0 or above. NaN where both are 0: never asked.
    """
    return (1 - smoothing) * p / (p + q)


def fit_pair(
    generator: nn.Module,
    discriminator: nn.Module,
    data: Any,
    steps: int,
    batch_size: int = 16,
    learning_rate: float = 2e-4,
    seed: int = 0,
    *,
    l1_weight: float = L1_WEIGHT,
    adversarial_weight: float = 1.0,
    balance: float = 1.0,
    smoothing: float = 0.0,
    betas: tuple[float, float] = (0.5, 0.999),
    rate: Rate = lambda step, steps: 1.0,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
    log: str | Path | None = None,
    report: Callable[[History], dict[str, float] | None] | None = None,
    report_every: int = 500,
    progress: bool = True,
) -> Match:
    """Train both in place, in turn: in each step the discriminator first, then the generator, on one batch.

    Ctrl-C, checkpoints and seeds are as in :func:`colorize.training.fit`; one process, float32.

    Parameters
    ----------
    generator : L (N, 1, H, W) -> ab (N, 2, H/s, W/s), has a ``stride`` s. Batch norm and dropout are at work.
    discriminator : (L, ab) -> logits, such as :class:`colorize.networks.PatchDiscriminator`; sees every s-th pixel.
    data, steps, batch_size, seed, rate, checkpoint, checkpoint_every, report, report_every, progress : as there.
    learning_rate : of both, with Adam; 2e-4 in Isola et al., 1e-3 in Agrawal & Sawhney.
    l1_weight : lambda, on L1 in units of 110. 0: the discriminator alone decides.
    adversarial_weight : 0: L1 alone. The discriminator still learns, and shows how easily such colors are told.
    balance : factor on the discriminator's learning rate, 0 or above.
    smoothing : see :func:`discriminator_loss`.
    log : CSV file with step, loss, learning rate, all signals of :class:`Match`, and reports.

    Returns
    -------
    Match. :func:`signs` reads it.

    Raises
    ------
    ValueError if the checkpoint belongs to another plan, a loss is not finite, or there are several processes.
    """
    if parallel.world() > 1:
        raise ValueError(f"two players are trained in one process, got {parallel.world()}")
    device = next(generator.parameters()).device
    make = torch.optim.Adam
    adam = make(generator.parameters(), learning_rate, betas=betas)
    rival_adam = make(discriminator.parameters(), learning_rate * balance, betas=betas)
    plan = {
        "steps": steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "seed": seed,
        "l1_weight": l1_weight,
        "adversarial_weight": adversarial_weight,
        "balance": balance,
        "smoothing": smoothing,
        "betas": list(betas),
    }
    parts: dict[str, Any] = {"generator": generator, "discriminator": discriminator}
    parts |= {"optimizer": adam, "rival_optimizer": rival_adam}
    match = Match(steps=steps)
    if checkpoint is not None and Path(checkpoint).exists():
        values = checkpoints.resume(checkpoint, plan, parts)
        match.losses, match.seconds, match.reports = (values[k] for k in ("losses", "seconds", "reports"))
        match.signals = values["signals"]

    def save() -> None:
        if checkpoint is not None:
            values = {key: getattr(match, key) for key in ("losses", "seconds", "reports", "signals")}
            checkpoints.save(checkpoint, plan, parts, **values)
        if log is not None:
            _write_log(Path(log), match, lambda step: learning_rate * rate(step, steps))

    generator.train(), discriminator.train()
    unread: list[Tensor] = []  # still on the device, as in training.fit
    quiet: dict[str, Any] = {} if progress else {"disable": True}
    bar = tqdm(total=steps, initial=len(match.losses), unit="step", **quiet)
    batches = draw_batches(data, batch_size, seed, len(match.losses), steps)
    clock = time.perf_counter()
    with bar, ctrl_c() as pressed, contextlib.closing(batches):
        for step in range(len(match.losses), steps):
            adam.param_groups[0]["lr"] = learning_rate * rate(step, steps)
            rival_adam.param_groups[0]["lr"] = learning_rate * rate(step, steps) * balance
            lab = rgb_to_lab(next(batches)[0].to(device, non_blocking=True))
            unread.append(
                _step(
                    generator, discriminator, lab, adam, rival_adam, l1_weight, adversarial_weight, smoothing
                )
            )
            is_last, stop = step + 1 == steps, bool(pressed)
            is_due = checkpoint is not None and (step + 1) % checkpoint_every == 0
            is_report = report is not None and (is_last or (step + 1) % report_every == 0)
            if device.type == "cpu" or len(unread) == 20 or is_due or is_report or is_last or stop:
                _read(match, torch.stack(unread))
                unread.clear()
                match.seconds, clock = match.seconds + time.perf_counter() - clock, time.perf_counter()
                shown = ("adversarial", "discriminator", "chroma")
                bar.set_postfix({name: f"{match.recent(name):.3g}" for name in shown}, refresh=False)
            bar.update()
            if report and is_report:
                generator.eval()
                match.reports.append({"step": step + 1, **(report(match) or {})})
                generator.train()
            if is_due and not is_last:
                save()
            if is_report or is_due:
                clock = time.perf_counter()
            if stop:
                break
    if not match.finished:
        print(f"stopped after {len(match.losses)} of {steps} steps; the networks stay as they are")
    save()
    generator.eval(), discriminator.eval()
    return match


def _step(
    generator: nn.Module,
    discriminator: nn.Module,
    lab: Tensor,
    adam: torch.optim.Optimizer,
    rival_adam: torch.optim.Optimizer,
    l1_weight: float,
    adversarial_weight: float,
    smoothing: float,
) -> Tensor:
    """One move of each player: the generator's whole loss, and the signals in their order, (8,), still on the device."""
    made = generator(lab[:, :1])
    lightness, true_ab = lab[:, :, :: generator.stride, :: generator.stride].split((1, 2), dim=1)

    rival_adam.zero_grad(set_to_none=True)
    real, fake = discriminator(lightness, true_ab), discriminator(lightness, made.detach())
    rival_loss = discriminator_loss(real, fake, smoothing)
    rival_loss.backward()
    rival_adam.step()

    adam.zero_grad(set_to_none=True)
    discriminator.requires_grad_(False)  # it is asked, and not taught
    adversarial = generator_loss(discriminator(lightness, made))
    distance = l1(made, true_ab)
    total = adversarial_weight * adversarial + l1_weight * distance / UNIT
    total.backward()
    adam.step()
    discriminator.requires_grad_(True)

    right = [(real > 0).float().mean(), (fake < 0).float().mean()]
    chroma = [mean_chroma(ab.detach()).mean() for ab in (made, true_ab)]
    return torch.stack([total, adversarial, distance, rival_loss, *right, *chroma]).detach()


def signs(match: Match, window: int = 50) -> dict[str, str]:
    """Read a match for what goes wrong, from its last steps and its first: a sentence for each sign that is there.

    "discriminator wins" : it gets more than 95 % of both right, and the generator's loss for being found out has risen to
        more than 1.5 times what it was. The generator learns nothing any more: give it a larger share (``balance`` below 1), or
        smoothing.
    "gray" : mean chroma is below half that of the truth.

    Parameters
    ----------
    window : steps that are averaged, at the end and at the beginning.
    """
    if not match.losses:
        raise ValueError("signs needs a match of one step or more")
    found = {}
    real, fake, loss = (match.recent(name, window) for name in ("real", "fake", "adversarial"))
    early = match.signals["adversarial"][: min(window, max(1, len(match.losses) // 2))]
    first = sum(early) / len(early)
    if min(real, fake) > 0.95 and loss > 1.5 * first:
        found["discriminator wins"] = (
            f"it gets {100 * real:.0f} % of the true and {100 * fake:.0f} % of the made-up patches right, "
            f"and the generator's loss rose from {first:.1f} to {loss:.1f}"
        )
    chroma, true_chroma = (match.recent(name, window) for name in ("chroma", "true_chroma"))
    if chroma < true_chroma / 2:
        found["gray"] = f"mean chroma is {chroma:.1f}, that of the truth {true_chroma:.1f}"
    return found


def _read(match: Match, rows: Tensor) -> None:
    """Move the numbers of some steps into the record; ValueError if one is not finite."""
    for total, *values in rows.tolist():
        match.losses.append(total)
        for name, value in zip(SIGNALS, values, strict=True):
            match.signals[name].append(value)
        if not all(map(math.isfinite, (total, *values))):
            at = len(match.losses)
            raise ValueError(f"the loss is {total} at step {at}: try a smaller learning rate")


def _write_log(path: Path, match: Match, rate: Callable[[int], float]) -> None:
    names = sorted({name for report in match.reports for name in report} - {"step"})
    reports = {report["step"]: report for report in match.reports}
    heads = [f"reported_{name}" if name in SIGNALS else name for name in names]  # chroma is a signal, too
    lines: list[list] = [["step", "loss", "learning_rate", *SIGNALS, *heads]]
    for step, total in enumerate(match.losses, start=1):
        signals = [match.signals[name][step - 1] for name in SIGNALS]
        found = reports.get(step, {})
        reported = [found.get(name, "") for name in names]
        lines.append([step, total, f"{rate(step - 1):.6g}", *signals, *reported])
    with write_whole(path) as file:
        file.write("".join(",".join(map(str, line)) + "\n" for line in lines).encode())
