"""A trained network and a readout: photo in, photo out."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from . import weights
from .decode import annealed_mean, paint
from .downloads import DownloadError, fetch
from .files import data_folder
from .images import Picture, resize, to_tensor, to_uint8
from .lab import rgb_to_lab
from .networks import FusionNet, HypercolumnNet, SmallNet, UNet, ZhangNet
from .networks.zhang import from_published
from .weights import WeightsError

NETWORKS = {
    "SmallNet": SmallNet,
    "ZhangNet": ZhangNet,
    "HypercolumnNet": HypercolumnNet,
    "FusionNet": FusionNet,
    "UNet": UNet,
}
BEST = ("best", "first", "rebalanced", "classification", "l2")  # what load() takes when no name is given


# The authors' own network, in their PyTorch version: 256 pixels, no temperature, which is T = 1 here. The file's name ends with
# the first digits of its checksum; the rest is not known.
PUBLISHED = "zhang2016"
PUBLISHED_URL = "https://colorizers.s3.us-east-2.amazonaws.com/colorization_release_v2-9b330a0b.pth"
PUBLISHED_SHA256 = "9b330a0b"


def shipped() -> list[str]:
    """Return the names of the networks in ``data/weights/`` that color, sorted."""
    return weights.shipped(NETWORKS)


class Colorizer:
    """Colors photos with one network.

    Parameters
    ----------
    network : takes L (N, 1, H, W), answers with logits (N, 313, h, w) or with ab (N, 2, h, w); or with anything else, if it
        has a method ``readout(answer, lightness, T)`` that turns it into ab (see :func:`decoded`).
    size : the photo's shorter side as the network sees it, in pixels: the scale it was trained at.
    name : what to call it.
    recipe, results : how it was made and what it reached, as the weights file tells it.
    """

    def __init__(
        self,
        network: nn.Module,
        size: int,
        name: str = "",
        recipe: dict | None = None,
        results: dict | None = None,
    ) -> None:
        self.network, self.size, self.name = network.eval(), size, name
        self.recipe, self.results = recipe or {}, results or {}

    @property
    def temperature(self) -> float:
        """T at which this network is used when none is named: the paper's 0.38 if its recipe has no other."""
        return self.recipe.get("temperature", 0.38)

    @classmethod
    def load(cls, name: str | Path | None = None, device: str | torch.device = "cpu") -> "Colorizer":
        """Load a shipped network by name, or a weights file by path; the best shipped one when no name is given.

        "zhang2016" is the network that Zhang, Isola and Efros have published. It is downloaded once (129 MB) and kept in
        the cache. Their own code decodes it at T = 1.

        Raises
        ------
        WeightsError if there is none, or the file is damaged, or cannot be downloaded.
        """
        if name == PUBLISHED:
            network = _published()
            recipe = {"loss": "rebalanced", "temperature": 1.0, "from": PUBLISHED_URL}
            return cls(network.to(device), 256, PUBLISHED, recipe)
        if name is None:
            name = next((name for name in BEST if name in shipped()), None)
            if name is None:
                raise WeightsError(f"there are no trained networks in {data_folder() / 'weights'}")
        found = weights.load(name, NETWORKS, also=f", and {PUBLISHED}, which is downloaded")
        return cls(found.network.to(device), found.size, found.name, found.recipe, found.results)

    def answer(self, image: Picture) -> tuple[Tensor, Tensor]:
        """Run the network: the slow part, done once for a photo.

        Parameters
        ----------
        image : whatever :func:`colorize.images.to_tensor` takes. Its colors are not looked at.

        Returns
        -------
        lightness : (1, 1, H, W), L of the photo at its own size.
        answer : (1, 313, h, w) logits or (1, 2, h, w) ab, or what else the network answers, at the network's resolution.
        """
        device = next(self.network.parameters()).device
        rgb = to_tensor(image).to(device)
        lightness = rgb_to_lab(rgb)[None, :1]
        small = resize(lightness / 100, self.size) * 100  # resize keeps to [0, 1]
        with torch.inference_mode():
            return lightness, self.network(small)

    def paint(self, lightness: Tensor, answer: Tensor, T: float = 0.38) -> Tensor:
        """Turn an answer into a picture, the fast part: (1, 3, H, W) sRGB in [0, 1]. T is ignored for regression."""
        return paint(lightness, decoded(self.network, answer, lightness, T))

    def colorize(self, image: Picture, T: float = 0.38) -> np.ndarray:
        """Color a photo.

        Parameters
        ----------
        image : path, bytes, PIL image, array (H, W[, 3]) of uint8 or floats in [0, 1], or tensor (3, H, W) in [0, 1].
            If it has colors, they are not looked at.
        T : temperature of the annealed mean; with a rebalanced network, lower is more vivid. Ignored by a network trained on
            regression.

        Returns
        -------
        (H, W, 3) uint8 of the photo's own size: its lightness is kept, only the color is new.

        Raises
        ------
        ImageError for what is no picture. ValueError for T below 0.
        """
        lightness, answer = self.answer(image)
        return to_uint8(self.paint(lightness, answer, T)[0])


def decoded(network: nn.Module, answer: Tensor, lightness: Tensor, T: float) -> Tensor:
    """Turn a network's answer into ab, (N, 2, h, w) at its resolution.

    A network may bring its own way: ``network.readout(answer, lightness, T)``. Otherwise two channels are ab, and logits of
    the 313 bins are decoded by the annealed mean.

    Parameters
    ----------
    answer : (N, outputs, h, w).
    lightness : (N, 1, H, W), L in 0..100 at any resolution, for those that need it.
    T : temperature; ignored for regression.
    """
    readout = getattr(network, "readout", None)
    if readout is not None:
        return readout(answer, lightness, T)
    return answer if answer.shape[1] == 2 else annealed_mean(answer, T)


def _published() -> ZhangNet:
    """The authors' published network, downloaded if it is not in the cache."""
    try:
        path = fetch(PUBLISHED_URL, PUBLISHED_SHA256, 129)
        state = torch.load(path, map_location="cpu", weights_only=True)
        with torch.device("meta"):  # no time for a random start that is replaced at once
            network = ZhangNet()
        network.load_state_dict(from_published(state), assign=True)
    except DownloadError as error:
        raise WeightsError(str(error)) from None
    except Exception as error:  # a file with the right beginning of a checksum, and yet not theirs
        raise WeightsError(f"{path} is not the published network ({error})") from None
    return network
