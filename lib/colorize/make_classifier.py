"""Train the small classifier that judges colorizations, and write data/weights/classifier.safetensors and its card.

    python -m colorize.make_classifier --photos FOLDER

FOLDER holds one folder for each class, such as the training pictures of CIFAR-10. The classifier learns from true colors
alone, as VGG-16 did: what it makes of gray and recolored pictures is the question. A run that was stopped goes on.
"""

import sys
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from . import weights
from .console import Parser
from .datasets import Labeled
from .files import cache_folder, data_folder, write_whole
from .lab import to_gray
from .networks import Classifier
from .parallel import machine
from .recognition import Judge, accuracy, confusion
from .training import History, fit

STEPS = 7000


def train(data: Labeled, steps: int = STEPS, **options: Any) -> tuple[Classifier, History]:
    """Train a :class:`colorize.networks.Classifier` from seed 0: cross-entropy against labels smoothed by 0.1.

    Parameters
    ----------
    data : pictures in color with labels.
    steps : of 128 pictures.
    options : for :func:`colorize.training.fit`.
    """
    torch.manual_seed(0)
    network = Classifier(len(data.classes))
    history = fit(
        network,
        data,
        _loss,
        steps,
        batch_size=128,
        learning_rate=5e-3,
        weight_decay=0.05,
        examples=lambda batch: (batch[0].float() / 255, batch[1]),
        precision="bfloat16",
        **options,
    )
    return network, history


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.float(), labels, label_smoothing=0.1)


def measured(network: Classifier, folder: Path) -> dict[str, float]:
    """Accuracy on the validation pictures of a folder, in percent: in color, and with their color taken away."""
    data = Labeled(folder, "validation")
    judge, photos = Judge(network, data.classes), data.photos.float() / 255
    found = {}
    for name, shown in (("color", photos), ("gray", to_gray(photos))):
        counts = confusion(data.labels, judge(shown).argmax(dim=1), len(data.classes))
        found[name] = round(accuracy(counts), 2)
    return {"pictures": len(data), **found}


def card(about: dict, results: dict) -> str:
    """Write the model card, Markdown, from the recipe and the results in the weights file."""
    return f"""# classifier

A small residual network (`colorize.networks.Classifier`, {about["parameters"]:,} numbers) that names what a picture of
32 x 32 pixels shows: {", ".join(about["classes"])}. It judges colorizations (lesson 8) and makes none.

**Trained on** {about["pictures"]:,} pictures of CIFAR-10 (see `data/README.md`) in their true colors, without the validation split,
{about["minutes"]:.0f} minutes on {about["machine"]}. Again: `make weights NAME=classifier PHOTOS=folder`.

- loss: cross-entropy, labels smoothed by 0.1
- steps: {about["steps"]:,} of 128 pictures, mirrored, and shifted by up to 4 pixels
- seed: 0

**Measured** on the {results["pictures"]:,} validation pictures, never trained on: {results["color"]:.1f} % right in color,
{results["gray"]:.1f} % when the same pictures are shown in gray. It learned from pictures as they are, and never had to do without
their colors: what it loses in gray is what a colorizer can give back.

**License.** MIT, as the code. The pictures were used for training only; their own terms bind those who copy them.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = Parser(prog="python -m colorize.make_classifier", description=__doc__.split("\n")[0])
    parser.add_argument("--photos", required=True, type=Path, help="folder with a folder for each class")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of 128 pictures ({STEPS})")
    parser.add_argument("--out", type=Path, help="folder for weights and card (data/weights)")
    options = parser.parse_args(arguments)
    out = options.out or data_folder() / "weights"
    try:
        data = Labeled(options.photos, "train")
        checkpoint = cache_folder() / "classifier.pt"
        network, history = train(data, options.steps, checkpoint=checkpoint)
        if not history.finished:
            return 1
        network.eval()
        about = {
            "loss": "cross_entropy",
            "classes": data.classes,
            "pictures": len(data),
            "steps": options.steps,
            "parameters": sum(p.numel() for p in network.parameters()),
            "minutes": round(history.seconds / 60, 1),
            "machine": machine(),
        }
        results = measured(network, options.photos)
        size = data.photos.shape[-1]
        weights.save(
            out / "classifier.safetensors", network, {"classes": len(data.classes)}, size, about, results
        )
        with write_whole(out / "classifier.md") as file:
            file.write(card(about, results).encode())
    except (ValueError, OSError) as error:
        parser.error(str(error))
    checkpoint.unlink()
    print(
        f"written: {out / 'classifier.safetensors'}; right in color {results['color']} %, in gray {results['gray']} %"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
