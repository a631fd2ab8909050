"""How well does the release network use the machine? On a CPU against one large convolution, on a GPU against its peak.

    python -m bench.network [--device cuda] [--batch 256] [--photos FOLDER]

measures training and inference of ZhangNet on a GPU, and how fast this machine's workers read photos, and writes gpu.json and
GPU.md. `make bench` measures the CPU.
"""

import argparse
import datetime
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from bench.timing import Comparison, compare, machine
from colorize import images
from colorize.folders import PhotoFolder
from colorize.losses import classification
from colorize.networks import ZhangNet
from colorize.networks.zhang import multiply_adds
from colorize.training import fit

FOLDER = Path(__file__).parent


def inference() -> list[Comparison]:
    """Two pictures of 256 x 256 through the release network, against the time that its multiplications would take at the
    rate of one convolution alone: 512 to 512 channels, 3 x 3, on 2 x 32 x 32 pixels, as eleven of its layers are.
    """
    torch.manual_seed(0)
    network = ZhangNet().eval().to(memory_format=torch.channels_last)
    lightness = torch.rand(2, 1, 256, 256) * 100
    weight = torch.randn(512, 512, 3, 3).to(memory_format=torch.channels_last)
    x = torch.randn(2, 512, 32, 32).to(memory_format=torch.channels_last)
    times = 2 * multiply_adds(network, 256, 256) / (weight.numel() * 2 * 32 * 32)

    @torch.inference_mode()
    def ours():
        network(lightness)

    @torch.inference_mode()
    def alone():
        F.conv2d(x, weight, padding=1)

    found = compare("ZhangNet, 2 x 256 x 256", ours, "", alone, 0.9, turns=5)
    rate = 1e-6 * 2 * weight.numel() * 2 * 32 * 32 / found.peer_ms
    peer = f"one convolution's rate ({rate:.0f} GFLOP/s)"
    return [Comparison(found.name, peer, found.ours_ms, found.peer_ms * times, 0.9)]


class Held:
    """One batch of 8-bit pictures that is already on the device: a training without its photos."""

    def __init__(self, batch: int, size: int, device: torch.device) -> None:
        random = torch.Generator().manual_seed(0)
        self.pictures = torch.randint(256, (batch, 3, size, size), dtype=torch.uint8, generator=random).to(
            device
        )

    def batch(self, n: int, seed: int) -> torch.Tensor:
        return self.pictures[:n]


def waited(device: torch.device) -> float:
    """Wait until the device has done what it was told, and look at the clock."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def training(device: torch.device, batch: int, steps: int, size: int = 176) -> dict[str, float]:
    """The course's own loop: conversion to Lab, soft codes, loss, forward, backward, AdamW; bfloat16, compiled."""
    torch.manual_seed(0)
    network, data, loss = ZhangNet().to(device), Held(batch, size, device), classification()
    options = {"precision": "bfloat16", "compiled": device.type == "cuda", "progress": False}
    fit(network, data, loss, 30 if device.type == "cuda" else 1, batch, 1e-4, **options)  # compiles, warms up
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    start = waited(device)
    fit(network, data, loss, steps, batch, 1e-4, **options)
    rate = steps * batch / (waited(device) - start)
    memory = torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else float("nan")
    flops = 3 * 2 * multiply_adds(network, size, size)  # forward, and twice as much backward
    return {"images_per_s": rate, "tflops": 1e-12 * flops * rate, "memory_gib": memory}


def predicting(device: torch.device, batch: int, turns: int, size: int = 256) -> dict[str, float]:
    """Inference: L to the distribution over 313 colors, in bfloat16."""
    torch.manual_seed(0)
    network = ZhangNet().eval().to(device, memory_format=torch.channels_last)
    run = torch.compile(network) if device.type == "cuda" else network
    lightness = torch.rand(batch, 1, size, size, device=device) * 100
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
        for _ in range(3):
            run(lightness)
        start = waited(device)
        for _ in range(turns):
            run(lightness)
        rate = turns * batch / (waited(device) - start)
    return {"images_per_s": rate, "tflops": 1e-12 * 2 * multiply_adds(network, size, size) * rate}


def peak(device: torch.device, side: int) -> float:
    """TFLOP/s of one large product of matrices in bfloat16: what this device does at its best."""
    a = torch.randn(side, side, device=device, dtype=torch.bfloat16)
    for _ in range(3):
        a @ a
    start = waited(device)
    for _ in range(10):
        a @ a
    return 1e-12 * 10 * 2 * side**3 / (waited(device) - start)


def loading(photos: Path | None, batches: int) -> dict[str, float]:
    """Photos a second that the workers decode, shrink and crop to 176 pixels; without a folder, copies of a bundled one."""
    with tempfile.TemporaryDirectory() as folder:
        if photos is None:
            photos = Path(folder)
            for k in range(256):
                images.save(images.bundled("coffee", (375, 500)), photos / f"{k}.jpg", quality=90)
        data = PhotoFolder(photos, 176, split="all", workers=os.cpu_count())
        stream = data.stream(64, 0, 0, batches + 8)
        for _ in range(8):
            next(stream)
        start = time.perf_counter()
        for _ in range(batches):
            next(stream)
        rate = 64 * batches / (time.perf_counter() - start)
        stream.close()
    return {"images_per_s": rate, "workers": data.workers}


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.network", description=__doc__.split("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument(
        "--batch", type=int, default=256, help="pictures in a batch of training; a quarter in inference"
    )
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--photos", type=Path, help="folder of photos for the loader")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder for gpu.json and GPU.md")
    options = parser.parse_args(arguments)
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("not run: this machine has no GPU that PyTorch can use", file=sys.stderr)
        return 2
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    found = {
        "machine": f"{name}; {machine()}",
        "date": datetime.date.today().isoformat(),
        "command": "python -m bench.network " + " ".join(arguments or sys.argv[1:]),
        "peak_tflops": peak(device, 8192 if device.type == "cuda" else 512),
        "training": training(device, options.batch, options.steps),
        "inference": predicting(device, max(1, options.batch // 4), options.steps),
        "loading": loading(options.photos, max(2, options.steps)),
    }
    (options.out / "gpu.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (options.out / "GPU.md").write_text(report(found, options.batch), encoding="utf-8")
    print(report(found, options.batch))
    return 0


def report(found: dict, batch: int) -> str:
    """Write what was measured as Markdown."""
    rows = [
        (f"training, {batch} x 176 x 176, loss and conversion included", found["training"]),
        (f"inference, {max(1, batch // 4)} x 256 x 256", found["inference"]),
    ]
    lines = [
        f"| {what} | {row['images_per_s']:,.0f} | {row['tflops']:.1f} | {100 * row['tflops'] / found['peak_tflops']:.0f} % |"
        for what, row in rows
    ]
    return f"""# The release network on a GPU

`{found["command"]}` on {found["machine"]}, {found["date"]}. bfloat16, channels last, `torch.compile`.

| what | images/s | TFLOP/s | of a large product of matrices ({found["peak_tflops"]:.0f} TFLOP/s) |
|---|---|---|---|
{chr(10).join(lines)}

Training takes {found["training"]["memory_gib"]:.1f} GiB of the GPU's memory. {found["loading"]["workers"]} workers read {found["loading"]["images_per_s"]:,.0f} photos a second.
"""


if __name__ == "__main__":
    sys.exit(main())
