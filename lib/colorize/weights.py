"""Weights files: one network each, ``data/weights/NAME.safetensors``.

Numbers of 16 bits, or of 8 with a scale for each filter, with what is needed to use the network and to know where it comes
from. Loading runs no code from the file.
"""

import difflib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized
from torch import Tensor, nn

from .files import data_folder, write_whole

FORMAT = "1"  # of the file
SCALE = ".scale"  # ends the name of what a tensor of 8-bit numbers is multiplied by
BITS = (8, 16)  # of a number in the file


class WeightsError(ValueError):
    """A weights file is missing, damaged, or not one of ours; the sentence names it."""


class Loaded(NamedTuple):
    """What a weights file holds."""

    network: nn.Module
    size: int  # pixels, the shorter side at which the network works
    name: str
    recipe: dict  # how it was made
    results: dict  # what it reached


def shipped(kinds: Mapping[str, type[nn.Module]]) -> list[str]:
    """Return the names of the files in ``data/weights/`` that hold a network of these kinds, or cannot be read, sorted.

    A damaged file is listed: who asks for it learns what is wrong with it.
    """
    names = []
    for path in (data_folder() / "weights").glob("*.safetensors"):
        try:
            with safe_open(path, framework="pt") as file:
                about = file.metadata() or {}
        except (SafetensorError, OSError):
            about = {}
        if about.get("format") != FORMAT or about.get("network") in kinds:
            names.append(path.stem)
    return sorted(names)


def load(name: str | Path, kinds: Mapping[str, type[nn.Module]], also: str = "") -> Loaded:
    """Load a network by its name in ``data/weights/``, or from a file that ends in .safetensors.

    Parameters
    ----------
    kinds : the classes it may be of, by their names.
    also : what else there is, for the sentence about a name that does not exist.

    Raises
    ------
    WeightsError if there is none, or the file is damaged or holds something else.
    """
    path = Path(name)
    if path.suffix != ".safetensors":
        path = data_folder() / "weights" / f"{name}.safetensors"
    if not path.is_file():
        names = shipped(kinds)
        close = difflib.get_close_matches(str(name), names, n=1)
        raise WeightsError(
            f"there is no network {str(name)!r}; there are {', '.join(names) or 'none'}{also}"
            + (f": did you mean {close[0]}?" if close else "")
        )
    numbers, about = _read(path)
    tensors = restored(numbers)
    if about["network"] not in kinds:
        raise WeightsError(f"{path} holds a {about['network']}, and {' or '.join(kinds)} was expected")
    network = kinds[about["network"]](**json.loads(about["arguments"]))
    expected = {key: value.shape for key, value in network.state_dict().items()}
    lost = [key for key in expected if key not in tensors and not key.endswith("num_batches_tracked")]
    lost += [key for key in tensors if expected.get(key) != tensors[key].shape]
    if lost:
        raise WeightsError(
            f"{path} does not fit {about['network']}: {', '.join(lost[:3])} missing, unknown, or of another shape"
        )
    network.load_state_dict(tensors, strict=False)
    recipe, results = json.loads(about["recipe"]), json.loads(about["results"])
    return Loaded(network.eval(), int(about["size"]), path.stem, recipe, results)


def stored(network: nn.Module, bits: int = 16) -> dict[str, Tensor]:
    """Return a network's numbers as its file holds them: float16; with 8 bits filters and matrices as int8 and a scale.

    The scale (float32, one for each filter or row) maps its largest number to 127:
    q = round(w / s), s = max abs(w) / 127, so that no number moves by more than s / 2. Vectors (biases, batch norm) are
    few and stay float16. Running means and variances too: float16 keeps three digits of them, which changes no pixel by
    more than a level. The counters of batch norm play no part in the answer and are left out.

    >>> layer = nn.Linear(3, 1, bias=False)
    >>> layer.weight.data[:] = torch.tensor([[2.54, -1.0, 0.017]])
    >>> {key: value.flatten().tolist() for key, value in stored(layer, bits=8).items() if value.dtype == torch.int8}
    {'weight': [127, -50, 1]}

    Raises
    ------
    ValueError if bits is neither 8 nor 16.
    """
    if bits not in BITS:
        raise ValueError(f"bits must be 8 or 16, got {bits!r}")
    numbers = {}
    for key, value in network.state_dict().items():
        value = value.detach().cpu().contiguous()
        if bits == 8 and value.dim() > 1:
            scale = value.float().flatten(1).abs().amax(dim=1) / 127
            scale = scale.clamp(min=torch.finfo(torch.float32).tiny)  # a filter of zeros
            numbers[key] = (value / _across(scale, value)).round().to(torch.int8)
            numbers[key + SCALE] = scale
        elif value.is_floating_point():
            numbers[key] = value.half()
    return numbers


def restored(numbers: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict, float32, from the numbers of a file: the inverse of :func:`stored`, up to rounding."""
    return {
        key: value.float() * _across(numbers[key + SCALE], value) if key + SCALE in numbers else value.float()
        for key, value in numbers.items()
        if not key.endswith(SCALE)
    }


def _across(scale: Tensor, value: Tensor) -> Tensor:
    """Shape one scale for each filter so that it multiplies all of its numbers."""
    return scale.view(-1, *[1] * (value.dim() - 1))


def save(
    path: str | Path,
    network: nn.Module,
    arguments: dict,
    size: int,
    recipe: dict,
    results: dict | None = None,
    bits: int = 16,
) -> None:
    """Write a network's weights, with its class, arguments, recipe, results and a checksum.

    Parameters
    ----------
    path : ends in .safetensors.
    arguments : what the network's class was called with.
    size : the photo's shorter side at which it works.
    recipe, results : how it was made and what it reached, to be kept with it; anything JSON can hold.
    bits : of a number in the file, 16 or 8: see :func:`stored`.

    Raises
    ------
    WeightsError if a number is not finite, or too large for float16; ValueError if bits is neither 8 nor 16.
    """
    tensors = stored(network, bits)
    if bad := [key for key, value in tensors.items() if not value.isfinite().all()]:
        raise WeightsError(
            f"{', '.join(bad[:3])}: values too large for float16, or not finite; {path} was not written"
        )
    about = {
        "format": FORMAT,
        "network": type(network).__name__,
        "arguments": json.dumps(arguments, sort_keys=True),
        "size": str(size),
        "recipe": json.dumps(recipe, sort_keys=True),
        "results": json.dumps(results or {}, sort_keys=True),
        "sha256": _checksum(tensors),
    }
    with write_whole(path) as file:
        file.write(serialized(tensors, about))


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  no dictionary
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no weights file that can be read ({error})") from None
    if about.get("format") != FORMAT or "network" not in about:
        raise WeightsError(f"{path} holds no network of this course (format {about.get('format')!r})")
    if about.get("sha256") != _checksum(tensors):
        raise WeightsError(
            f"{path} is damaged: its numbers do not have the checksum that was stored with them"
        )
    return tensors, about


def _checksum(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(key.encode())
        digest.update(tensors[key].numpy().tobytes())
    return digest.hexdigest()
