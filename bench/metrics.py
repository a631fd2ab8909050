"""Are photos measured as fast as they are decoded? 1,000 photos against reading the same from JPEG.

Two rows: the two AuC of the paper, from predicted and true ab; and all nine measures, from predicted ab and the photos' bytes.

The photos are the five bundled ones as squares of 256 pixels, JPEG of quality 90, over and over: anyone can repeat it. The peer
is Pillow, `Image.open(...).convert("RGB")` to an array of bytes. Both get the same number of threads: PyTorch's on one side, a
pool that decodes as many files at once on the other (Pillow holds no lock while it decodes).
"""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image

from bench.timing import Comparison, compare
from colorize import images
from colorize.lab import rgb_to_lab
from colorize.streaming import Accuracy, Measures

PHOTOS, BATCH = 1000, 50


def decode(file: bytes) -> np.ndarray:
    """Read a JPEG file: (256, 256, 3) uint8."""
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))


def files() -> list[bytes]:
    """Five photos as JPEG files of 256 x 256 pixels."""
    found = []
    for name in images.BUNDLED:
        buffer = io.BytesIO()
        pixels = (images.square(images.bundled(name), 256) * 255).round().byte().movedim(0, -1).numpy()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
        found.append(buffer.getvalue())
    return found


def measuring() -> list[Comparison]:
    """On one thread, and on all."""
    jpegs = files() * (BATCH // len(images.BUNDLED))
    photos = torch.from_numpy(np.stack([decode(file) for file in jpegs])).movedim(-1, 1).contiguous()
    predicted = rgb_to_lab(photos)[:, 1:].roll(1, dims=0) * 0.8  # the colors of another photo, paler

    def ours():
        measures = Measures()
        for _ in range(PHOTOS // BATCH):
            measures.update(predicted, photos)
        assert measures.photos == PHOTOS
        return measures.compute()

    true = rgb_to_lab(photos)[:, 1:].contiguous()

    def auc():
        accuracy = Accuracy()
        for _ in range(PHOTOS // BATCH):
            accuracy.update(predicted, true)
        return accuracy.auc(), accuracy.auc(rebalanced=True)

    rows, all_threads = [], torch.get_num_threads()
    try:
        for threads in sorted({1, all_threads}):
            torch.set_num_threads(threads)
            with ThreadPoolExecutor(threads) as pool:
                each = map if threads == 1 else pool.map

                def peer(each=each):
                    for _ in range(PHOTOS // BATCH):
                        for _ in each(decode, jpegs):
                            pass

                with_threads = f"1,000 photos, {threads} thread" + "s" * (threads > 1)
                for name, measure in (("both AuC", auc), ("all measures", ours)):
                    row = f"{name}, {with_threads}"
                    rows.append(compare(row, measure, "Pillow, decoding the JPEGs", peer, 1, turns=2))
    finally:
        torch.set_num_threads(all_threads)
    return rows
