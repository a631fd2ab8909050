"""What a learned loss decides where L1 has no opinion: an apple that is red or green, each half of the time.

    python -m colorize.toygan [--steps 1500]

L1 is least anywhere between the two colors, so that L1 alone leaves a brown apple. A discriminator has seen no brown apple.
The command trains the same network both ways on the toy world, and writes data/results/toy_gan.json.
"""

import sys
from typing import Any

import torch
from torch import Tensor, nn

from .adversarial import SIGNALS, Match, fit_pair, signs
from .console import Parser
from .files import write_results
from .lab import lab_to_rgb
from .networks import PatchDiscriminator, UNet
from .parallel import machine
from .toyscenes import KINDS
from .toyworld import Palette, ToyWorld
from .training import cosine

WIDTH, BATCH, RATE, L1_WEIGHT = 1 / 8, 16, 2e-3, 10.0
CLOSE = 22.5  # ab units, a quarter of the way from red to green: nearer than that, it has decided


class Discs:
    """The smallest world with a choice: one disc on gray, whose color is drawn from a palette of the toy world.

    Parameters
    ----------
    palette : the colors and their probabilities, the apple's when left out.
    size : S, pixels along each side, 12 or above.

    >>> Discs().batch(2, seed=0).shape
    torch.Size([2, 3, 16, 16])
    """

    def __init__(self, palette: Palette | None = None, size: int = 16) -> None:
        self.palette, self.size = palette or ToyWorld().palette("apple"), size
        low, high = next(kind.lightness for kind in KINDS if kind.name == "apple")
        self.lightness = (low + high) / 2

    def scenes(self, n: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw n scenes: L (n, 1, S, S), ab (n, 2, S, S), and where the disc is, (n, S, S) bool."""
        random = torch.Generator().manual_seed(seed)
        y, x = (torch.rand(2, n, 1, 1, generator=random) * 0.4 + 0.3) * self.size
        radius = (torch.rand(n, 1, 1, generator=random) * 0.15 + 0.2) * self.size
        drawn = torch.multinomial(self.palette.probabilities, n, replacement=True, generator=random)
        steps = torch.arange(self.size) + 0.5
        disc = (steps[:, None] - y).square() + (steps - x).square() < radius.square()
        ab = self.palette.colors[drawn].float()[:, :, None, None] * disc[:, None]
        return torch.where(disc, self.lightness, 90.0)[:, None], ab, disc

    def batch(self, n: int, seed: int) -> Tensor:
        """Draw n pictures: (n, 3, S, S) sRGB in [0, 1]."""
        lightness, ab, _ = self.scenes(n, seed)
        return lab_to_rgb(torch.cat((lightness, ab), dim=1))


def duel(
    data: Any, steps: int, adversarial: bool = True, width: float = WIDTH, seed: int = 0, **options: Any
) -> tuple[nn.Module, Match]:
    """Train a :class:`colorize.networks.UNet` with the discriminator, or, with the same draws, by L1 alone.

    Parameters
    ----------
    data : has ``batch(n, seed)``.
    adversarial : False for L1 alone.
    options : for :func:`colorize.adversarial.fit_pair`.
    """
    torch.manual_seed(seed)
    generator, discriminator = UNet(width=width), PatchDiscriminator(width=width)
    options = {"batch_size": BATCH, "learning_rate": RATE, "l1_weight": L1_WEIGHT, **options}
    options.setdefault("rate", cosine)  # at a constant rate the two chase each other for ever
    weight: dict[str, Any] = {} if adversarial else {"adversarial_weight": 0.0}
    return generator, fit_pair(generator, discriminator, data, steps, seed=seed, **options, **weight)


def decided(ab: Tensor, palette: Palette) -> tuple[Tensor, Tensor]:
    """Distance of answers, (M, 2), from the nearest color of a palette, (M,), and which one that is, (M,) int64."""
    distance, which = torch.cdist(ab.double(), palette.colors).min(dim=1)
    return distance, which


def things(
    network: nn.Module, world: ToyWorld, kind: str, scenes: int = 200, seed: int = 2 * 10**6
) -> Tensor:
    """Mean answer of a network on each thing of a kind, in scenes it has not seen: (M, 2) ab. Things below 9 pixels are left out."""
    found, number, means = world.scenes(scenes, seed), world.kinds.index(kind), []
    with torch.inference_mode():
        answer = torch.cat([network(part[:, None]) for part in found.lightness.split(50)])
    for ab, thing, kinds in zip(answer.movedim(1, -1), found.thing, found.kinds, strict=True):
        for slot in (kinds == number).nonzero().flatten():
            here = thing == slot
            if here.sum() > 8:
                means.append(ab[here].mean(dim=0))
    return torch.stack(means)


def measure(steps: int, seed: int = 0, progress: bool = True) -> dict:
    """Train both ways on the toy world, and say how the apples come out."""
    world, rows = ToyWorld(24), {}
    palette = world.palette("apple")
    for name, adversarial in (("l1", False), ("gan", True)):
        network, match = duel(world, steps, adversarial, seed=seed, progress=progress)
        apples = things(network, world, "apple")
        distance, which = decided(apples, palette)
        rows[name] = {
            "apples": len(apples),
            "distance": round(distance.mean().item(), 2),
            "decided": round((distance < CLOSE).double().mean().item(), 4),
            "red": round((palette.colors[which, 0] > 0).double().mean().item(), 4),
            "quantiles of a": [
                round(apples[:, 0].quantile(q).item(), 1) for q in (0.05, 0.25, 0.5, 0.75, 0.95)
            ],
            "signals": {name: round(match.recent(name), 4) for name in SIGNALS},
            "signs": signs(match),
            "seconds": round(match.seconds, 1),
        }
    return {"steps": steps, "scene": 24, "width": WIDTH, "l1_weight": L1_WEIGHT, "seed": seed, "rows": rows}


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = Parser(prog="python -m colorize.toygan", description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=1500, help="of 16 scenes (1500)")
    options = parser.parse_args(arguments)
    if options.steps < 1:
        parser.error(f"--steps must be 1 or more, got {options.steps}")
    found = measure(options.steps)
    about = {"command": f"python -m colorize.toygan --steps {options.steps}", "machine": machine()}
    path = write_results("toy_gan", about | found)
    print(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
