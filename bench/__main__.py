"""Measure the library against named peers, in the same run, and write results.json and the table in RESULTS.md.

    python -m bench [--force]

It refuses to start when the machine is busy, since a ratio measured beside another program says nothing. The peers that
the course itself does not need: `pip install -c constraints.txt -e '.[bench]'`, which `make bench` does.
"""

import argparse
import datetime
import io
import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from skimage import color

from bench.metrics import measuring
from bench.network import inference
from bench.timing import Comparison, best, busy, compare, machine, peak_memory
from colorize import images
from colorize.bins import gamut_bins, soft_encode
from colorize.colorizer import Colorizer
from colorize.decode import annealed_mean, paint
from colorize.lab import rgb_to_lab
from colorize.losses import soft_cross_entropy
from colorize.networks import SmallNet
from colorize.widgets import jpeg

FOLDER = Path(__file__).parent
MEMORY = """
import torch
import torch.nn.functional as F
from colorize.bins import soft_encode
from colorize.losses import soft_cross_entropy
torch.manual_seed(0)
ab, logits = torch.randn(80, 2, 44, 44) * 20, torch.randn(80, 313, 44, 44, requires_grad=True)
soft_encode(ab[:1, :, :2, :2])
soft_cross_entropy(logits[:1, :, :2, :2].detach().requires_grad_(), *soft_encode(ab[:1, :, :2, :2])).backward()
mark()
index, weight = soft_encode(ab)
"""
OURS = "soft_cross_entropy(logits, index, weight).backward()"
DENSE = """
target = torch.zeros(80, 313, 44, 44).scatter_(1, index, weight)
(-(target * F.log_softmax(logits, dim=1)).sum(1).mean()).backward()
"""


def soft_encoding() -> list[Comparison]:
    """20,000 colors of real photos, 5 neighbors."""
    from sklearn.neighbors import NearestNeighbors

    photos = torch.stack([images.square(images.bundled(name), 256) for name in images.BUNDLED])
    ab = rgb_to_lab(photos)[:, 1:].flatten(2).movedim(1, 2).reshape(-1, 2)
    pick = torch.randperm(len(ab), generator=torch.Generator().manual_seed(0))[:20_000]
    points = ab[pick]
    picture = points.T.reshape(1, 2, 100, 200).contiguous()
    array, centers = points.numpy(), gamut_bins()
    tree = NearestNeighbors(n_neighbors=5, algorithm="ball_tree").fit(centers.numpy())

    def by_tree():
        distance, index = tree.kneighbors(array)
        weight = np.exp(-(distance**2) / 50)
        return index, weight / weight.sum(axis=1, keepdims=True)

    def by_sorting():
        distance, index = torch.cdist(points, centers).sort(dim=1)
        weight = torch.softmax(distance[:, :5] ** 2 / -50, dim=1)
        return torch.zeros(len(points), 313).scatter_(1, index[:, :5], weight)

    ours = soft_encode(picture)[1].flatten(2)[0].T
    assert np.abs(ours.numpy() - by_tree()[1]).max() < 1e-4, "the two must compute the same"
    return [
        compare(
            "soft encoding, 20,000 colors",
            lambda: soft_encode(picture),
            "scikit-learn, ball tree",
            by_tree,
            10,
        ),
        compare(
            "soft encoding, 20,000 colors",
            lambda: soft_encode(picture),
            "cdist, full sort, dense",
            by_sorting,
            10,
        ),
    ]


def encoding_and_loss() -> list[Comparison]:
    """A batch of 10 pictures with 44 x 44 codes, forward and backward, against dense targets."""
    random = torch.Generator().manual_seed(0)
    ab = torch.randn(10, 2, 44, 44, generator=random) * 20
    logits = torch.randn(10, 313, 44, 44, generator=random).requires_grad_()
    centers = gamut_bins()

    def ours():
        logits.grad = None
        soft_cross_entropy(logits, *soft_encode(ab)).backward()

    def dense():
        logits.grad = None
        points = ab.movedim(1, -1).reshape(-1, 2)
        distance, index = torch.cdist(points, centers).sort(dim=1)
        weight = torch.softmax(distance[:, :5] ** 2 / -50, dim=1)
        target = torch.zeros(len(points), 313).scatter_(1, index[:, :5], weight)
        target = target.view(10, 44, 44, 313).movedim(-1, 1)
        (-(target * F.log_softmax(logits, dim=1)).sum(1).mean()).backward()

    ours()
    mine = logits.grad.clone()
    dense()
    assert (mine - logits.grad).abs().max() < 1e-6, "the two must compute the same"
    return [compare("encoding + loss, 19,360 pixels", ours, "dense target", dense, 8)]


def lab_conversion() -> list[Comparison]:
    """Sixteen photos of 256 x 256 pixels."""
    import kornia

    pixels = (images.square(images.bundled("coffee"), 256) * 255).byte().expand(16, -1, -1, -1).contiguous()
    floats, last = pixels.float() / 255, pixels.movedim(1, -1).contiguous().numpy()
    return [
        compare(
            "rgb_to_lab, 16 x 256 x 256, 8-bit",
            lambda: rgb_to_lab(pixels),
            "scikit-image",
            lambda: color.rgb2lab(last),
            1.5,
        ),
        compare(
            "rgb_to_lab, 16 x 256 x 256, floats",
            lambda: rgb_to_lab(floats),
            "kornia",
            lambda: kornia.color.rgb_to_lab(floats),
            1,
        ),
    ]


def _slider():
    """A photo of 256 x 256 and a network's answer to it, which looks at it at 128 pixels, as the shipped ones do."""
    torch.manual_seed(0)
    colorizer = Colorizer(SmallNet(), size=128)
    photo = images.square(images.bundled("astronaut"), 256)
    return colorizer, photo, *colorizer.answer(photo)


def slider_move() -> list[Comparison]:
    """One move of the temperature slider, up to the bytes that the browser gets.

    Against what a cell without a widget does: run the network again, draw a new figure, encode it.
    """
    colorizer, photo, lightness, answer = _slider()

    def from_memory():
        return jpeg(colorizer.paint(lightness, answer, 0.38)[0])

    def from_scratch():
        picture = colorizer.colorize(photo, 0.38)
        fig, ax = plt.subplots()
        ax.imshow(picture)
        buffer = io.BytesIO()
        fig.savefig(buffer, format="png")
        plt.close(fig)
        return buffer.getvalue()

    return [compare("slider move, 256 x 256", from_memory, "network and figure again", from_scratch, 20)]


def slider_parts() -> dict[str, float]:
    """What a move of the slider consists of, in milliseconds."""
    _, _, lightness, answer = _slider()
    ab = annealed_mean(answer, 0.38)
    painted = paint(lightness, ab)[0]
    return {
        "annealed mean of 313 x 64 x 64": best(lambda: annealed_mean(answer, 0.38)),
        "enlarge, Lab to sRGB": best(lambda: paint(lightness, ab)),
        "JPEG": best(lambda: jpeg(painted)),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.split("\n")[0])
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, and write nothing")
    options = parser.parse_args(arguments)
    if (why := busy()) and not options.force:
        print(f"{why}. Wait, or look at figures that mean little with --force.", file=sys.stderr)
        return 2
    plt.switch_backend("agg")
    rows = []
    for measure in (soft_encoding, encoding_and_loss, lab_conversion, slider_move, measuring, inference):
        for row in measure():
            rows.append(row)
            print(f"{row.name:36} {row.ours_ms:8.2f} ms  {row.peer:26} {row.peer_ms:8.2f} ms  {_short(row.ratio):>6} x (wanted {row.target:g})", flush=True)  # fmt: skip
    ours, dense = peak_memory(MEMORY + OURS), peak_memory(MEMORY + DENSE)
    if ours is None or dense is None:
        print("peak memory: not measured, it is asked of Linux", file=sys.stderr)
        return 2
    print(
        f"peak memory of encoding + loss: {ours:.0f} MB, dense {dense:.0f} MB, {ours / dense:.2f} of it (wanted 0.33)"
    )
    if why:
        return 2
    write(rows, slider_parts(), ours, dense)
    return 0


def _short(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 2 else f"{ratio:.1f}"


def write(rows: list[Comparison], parts: dict[str, float], ours: float, dense: float) -> None:
    """Write results.json and RESULTS.md."""
    date = datetime.date.today().isoformat()
    found = {
        "machine": machine(),
        "date": date,
        "command": "make bench",
        "times": [row.__dict__ | {"ratio": round(row.ratio, 2)} for row in rows],
        "slider_move_ms": {name: round(ms, 3) for name, ms in parts.items()},
        "peak_memory_mb": {"ours": round(ours, 1), "dense": round(dense, 1)},
    }
    (FOLDER / "results.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    table = "\n".join(
        f"| {row.name} | {row.ours_ms:.2f} ms | {row.peer} | {row.peer_ms:.2f} ms | {_short(row.ratio)} | {row.target:g} |"
        for row in rows
    )
    (FOLDER / "RESULTS.md").write_text(
        f"""# Benchmarks

`make bench` on {machine()}, {date}. Best of 7 turns each (of 2 where one takes seconds); the ratios are what counts, the times are this machine's.

| what | ours | peer | its time | times faster | wanted |
|---|---|---|---|---|---|
{table}

A row below its last column is not reached. "All measures" begins with bytes: each photo is brought to Lab and each prediction to
sRGB, which alone takes longer than decoding a small JPEG. What the paper reports, both AuC, does not.

A slider move consists of {", ".join(f"{name} {ms:.2f} ms" for name, ms in parts.items())}.

Peak memory of encoding and loss, forward and backward, 80 pictures of 44 x 44: {ours:.0f} MB, with a dense target
{dense:.0f} MB: {ours / dense:.2f} of it (wanted at most 0.33). One tensor of the size of the logits takes 194 MB.
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    sys.exit(main())
