"""What a picture shows as a whole, in some hundred numbers: the embedding that Deep Koalarization fuses with local features.

A module that makes one takes L (N, 1, H, W) in 0..100, of any size, and answers with (N, ``size``). The gray picture is squashed
to the square that its classifier knows and stacked three times (section 3.1).
"""

import hashlib
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import Tensor, nn

from .. import weights
from ..files import write_whole
from ..lab import lab_to_rgb
from .classifier import Classifier


class EmbeddingError(ValueError):
    """An embedding cannot be had; the sentence says what is missing."""


def stacked(lightness: Tensor, side: int) -> Tensor:
    """Gray pictures as a classifier takes them: L (N, 1, H, W) in 0..100 -> sRGB (N, 3, side, side) in [0, 1].

    Squashed, not cropped: what stands at the border counts, and a wide picture gets narrow. The three channels are equal.

    >>> stacked(torch.full((1, 1, 20, 50), 100.0), 32).shape
    torch.Size([1, 3, 32, 32])
    """
    small = F.interpolate(lightness.float(), (side, side), mode="bilinear", antialias=True)
    lab = torch.cat((small, torch.zeros_like(small), torch.zeros_like(small)), dim=1)
    return lab_to_rgb(lab)[:, 1:2].expand(-1, 3, -1, -1)


class Frozen(nn.Module):
    """A part that a training does not touch: no gradients, batch norms with their stored statistics, whatever mode is asked for."""

    def train(self, mode: bool = True) -> "Frozen":
        """Stay in evaluation mode."""
        return super().train(False)


class Glance(Frozen):
    """The 160 numbers before the last layer of this course's classifier, frozen.

    It knows the ten classes of CIFAR-10, at 32 x 32 pixels. Untrained until :meth:`start`, or until it is loaded.

    >>> Glance()(torch.zeros(2, 1, 40, 60)).shape
    torch.Size([2, 160])
    """

    side, size = 32, 160

    def __init__(self) -> None:
        super().__init__()
        self.classifier = Classifier()
        self.requires_grad_(False)
        self.eval()

    def start(self, name: str | Path = "classifier") -> None:
        """Take the weights of the shipped classifier, or of a file. WeightsError if there is none."""
        found = weights.load(name, {"Classifier": Classifier})
        self.classifier.load_state_dict(found.network.state_dict())

    @torch.no_grad()
    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in 0..100 -> (N, 160), in float32 also where the rest of a network works in half precision."""
        with torch.autocast(lightness.device.type, enabled=False):
            return self.classifier.features(stacked(lightness, self.side))


class Inception(Frozen):
    """The answer of Inception-ResNet-v2 before its softmax, as in the paper, at 299 x 299 pixels; needs the package timm.

    The paper has 1,001 numbers: 1,000 classes of ImageNet and "background". The port in timm leaves the background out, and
    ``size`` is what the network at hand answers with. Its 56 million numbers are downloaded once, by timm, and are not a part
    of the state of the network that holds this: a weights file stays small, and who loads it needs timm, too.

    Raises
    ------
    EmbeddingError without timm, or without its weights.
    """

    side = 299

    def __init__(self) -> None:
        super().__init__()
        try:
            import timm  # only here: the course needs it for nothing else
        except ImportError:
            raise EmbeddingError(
                "Inception-ResNet-v2 comes with timm, which is not installed: pip install timm"
            ) from None
        try:
            model = timm.create_model("inception_resnet_v2", pretrained=True)
        except (OSError, RuntimeError) as error:
            raise EmbeddingError(f"the weights of Inception-ResNet-v2 cannot be had: {error}") from None
        self.held = [model.eval().requires_grad_(False)]  # in a list, where PyTorch does not look for weights
        self.size = int(model.num_classes)

    @torch.no_grad()
    def forward(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in 0..100 -> (N, size)."""
        (model,) = self.held
        with torch.autocast(lightness.device.type, enabled=False):
            return model.to(lightness.device)(2 * stacked(lightness, self.side) - 1)


class Embeddings:
    """Embeddings of pictures, each computed once, and found again by the picture: a cache. In a file, if one is named.

    A large classifier takes longer for its embedding than the colorizer for its colors. The paper's code, too, stores the
    embeddings with the pictures.

    Parameters
    ----------
    extractor : takes L (N, 1, H, W), answers with (N, size); has a ``size``.
    path : a .safetensors file to read, if it is there, and to write after each call that computed something new.

    Raises
    ------
    EmbeddingError if the file cannot be read, or holds embeddings of another size.

    >>> known = Embeddings(Glance())
    >>> once = known(torch.zeros(2, 1, 16, 16))  # two pictures, which are the same
    >>> len(known), once.shape
    (1, torch.Size([2, 160]))
    """

    def __init__(self, extractor: Any, path: str | Path | None = None, batch: int = 64) -> None:
        self.extractor, self.path, self.batch = extractor, path and Path(path), batch
        self.known: dict[str, Tensor] = {}
        if self.path and self.path.is_file():
            try:
                self.known = safetensors.torch.load(self.path.read_bytes())
            except (SafetensorError, OSError) as error:
                raise EmbeddingError(f"{self.path} holds no embeddings that can be read ({error})") from None
            if wrong := [one for one in self.known.values() if one.shape != (extractor.size,)]:
                raise EmbeddingError(
                    f"{self.path} holds embeddings of shape {tuple(wrong[0].shape)}, expected ({extractor.size},)"
                )

    def __len__(self) -> int:
        return len(self.known)

    def __call__(self, lightness: Tensor) -> Tensor:
        """L (N, 1, H, W) in 0..100 -> (N, size), on the same device. Pictures seen before are not looked at again."""
        keys = [picture_key(one) for one in lightness]
        new = [
            k for k, key in enumerate(keys) if key not in self.known and key not in keys[:k]
        ]  # each one once
        for part in torch.tensor(new, dtype=torch.int64).split(self.batch):
            if not len(part):
                continue
            with torch.no_grad():  # not inference_mode: its tensors could take no part in a training
                found = self.extractor(lightness[part.to(lightness.device)]).float().cpu()
            self.known |= {keys[k]: one.clone() for k, one in zip(part.tolist(), found, strict=True)}
        if new and self.path:
            with write_whole(self.path) as file:
                file.write(safetensors.torch.save(self.known))
        return torch.stack([self.known[key] for key in keys]).to(lightness.device)


def picture_key(picture: Tensor) -> str:
    """Name a picture by what it is: the SHA-256 of its shape, kind and numbers."""
    plain = picture.detach().cpu().contiguous()
    about = f"{tuple(plain.shape)} {plain.dtype} ".encode()
    return hashlib.sha256(about + plain.numpy().tobytes()).hexdigest()
