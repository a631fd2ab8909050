"""Photos in and out: whatever a person has on disk becomes a tensor (3, H, W), sRGB in [0, 1], and back.

Gray, transparent, turned, with a color profile: a photo comes out as a viewer shows it, or an `ImageError` names the file.
"""

import contextlib
import difflib
import importlib.util
import io
import math
import operator
import os
import re
import threading
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import Image, ImageCms, ImageOps
from torch import Tensor

from .files import write_whole

Readable = str | os.PathLike | bytes | BinaryIO
Picture = Readable | Image.Image | np.ndarray | Tensor
_PHOTOS = {"astronaut": "astronaut.png", "chelsea": "chelsea.png", "coffee": "coffee.png"}
_PHOTOS |= {"rocket": "rocket.jpg", "stereo_motorcycle": "motorcycle_left.png"}
BUNDLED = tuple(_PHOTOS)
# A list of our own, because Pillow also knows formats that start other programs (Ghostscript, for EPS).
_READS = ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF", "HEIF", "JPEG2000", "PPM")
WRITES = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"}
_LOCK, _INSIDE, _FILTERS = threading.Lock(), list[None](), contextlib.ExitStack()  # of _quiet


def read(
    path: Readable, max_pixels: int = 100_000_000, *, name: str | None = None, at_least: int | None = None
) -> Tensor:
    """Read a photo: (3, H, W) float32, sRGB in [0, 1].

    Transparent parts are laid over white, the orientation in EXIF is applied, an embedded color profile is converted to
    sRGB, of an animation the first picture is taken. Gray of 12 or 16 bits keeps all its values, gray of 32-bit floats must
    lie in [0, 1]; of color with 16 bits, Pillow keeps the upper 8.

    `path` may also be the bytes of a file, or a file opened in binary mode (read from its start, left open); `name` says
    what to call it in messages. Photos above `max_pixels`, or Pillow's own limit near 179 million, are refused undecoded.
    With `at_least`, a JPEG may be smaller, by 2, 4 or 8, if both sides keep that many pixels: much faster. Raises ImageError.
    """
    name = name or (os.fspath(path) if isinstance(path, (str, os.PathLike)) else getattr(path, "name", None))
    try:
        if isinstance(path, (str, os.PathLike)):
            if os.path.exists(path) and not os.path.isfile(path):  # a pipe might keep us waiting for ever
                raise OSError("a folder" if os.path.isdir(path) else "a pipe or a device")
            with open(path, "rb") as file:
                return _open(file, max_pixels, name, at_least)
        if not isinstance(path, bytes) and hasattr(path, "read"):
            if path.seekable():
                path.seek(0)
            path = path.read()
    except ImageError:
        raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _error(name, "an image file", f"none that can be read ({reason})") from None
    if not isinstance(path, (bytes, bytearray, memoryview)):
        raise _error(name, "a path, bytes, an open binary file, a PIL image, an array or a tensor", path)
    return _open(io.BytesIO(path), max_pixels, name, at_least)


def to_tensor(image: Picture, *, name: str | None = None) -> Tensor:
    """Turn anything that holds one picture into a tensor of its own: (3, H, W) float32, sRGB in [0, 1].

    Taken are what `read` takes, a PIL image, an array (H, W) or (H, W, 1, 3 or 4), and a tensor (1, 3 or 4,
    H, W), which stays on its device. Values are bool, uint8, uint16, or floats in [0, 1]; a fourth channel is
    opacity, over white; gray is repeated three times. Raises ImageError for all else.

    >>> to_tensor(np.full((2, 4), 255, np.uint8)).shape
    torch.Size([3, 2, 4])
    """
    if isinstance(image, Image.Image):
        with _quiet():
            return _decode(image, name or getattr(image, "filename", None))
    if isinstance(image, np.ndarray):
        planes: np.ndarray | Tensor = np.moveaxis(image, 2, 0) if image.ndim == 3 else image[None]
    elif isinstance(image, Tensor):
        planes = image
    else:
        return read(image, name=name)
    if planes.ndim != 3 or planes.shape[0] not in (1, 3, 4) or 0 in planes.shape:
        raise _error(name, "pixels: an array (H, W[, 1, 3 or 4]) or a tensor (1, 3 or 4, H, W)", image)
    color = _unit_range(planes, name)
    if len(color) == 4:
        color = color[:3] * color[3] + (1 - color[3])
    return color.expand(3, -1, -1).contiguous()


def to_uint8(image: Tensor) -> np.ndarray:
    """The pixels of a float tensor (3, H, W) as an array (H, W, 3) uint8: rounded, and clipped to 0..255.

    >>> to_uint8(torch.tensor([-1.0, 0.5, 2.0]).reshape(3, 1, 1)).tolist()
    [[[0, 128, 255]]]
    """
    fits = isinstance(image, Tensor) and image.is_floating_point() and image.ndim == 3
    if not fits or image.shape[0] != 3 or image.isnan().any():
        raise _error(None, "a float tensor (3, H, W) without NaN", image)
    values = image.detach().cpu().float().clamp(0, 1).mul(255).round().to(torch.uint8)
    return values.permute(1, 2, 0).contiguous().numpy()


def resize(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Resize (..., C, H, W), floats in [0, 1] or uint8, bicubic, smoothed when shrinking; the dtype is kept.

    `size` is the length of the shorter side, or (H, W). The filter overshoots at edges, so that floats are
    clipped to [0, 1]: scale channels with another range first, as L / 100.
    """
    sides, sizes = _sides(image, size)
    if len(sizes) == 1:
        sizes = tuple(max(1, round(side * sizes[0] / min(sides))) for side in sides)
    planes = (image if image.dtype == torch.float64 else image.float()).reshape(-1, 1, *sides)
    planes = torch.nn.functional.interpolate(planes, sizes, mode="bicubic", antialias=True)
    planes = planes.clamp(0, 1) if image.is_floating_point() else planes.round().clamp(0, 255)
    return planes.reshape(*image.shape[:-2], *sizes).to(image.dtype)


def center_crop(image: Tensor, size: int | tuple[int, int]) -> Tensor:
    """The middle of (..., C, H, W), as a view. `size` is one length for both sides, or (H, W)."""
    (height, width), sizes = _sides(image, size)
    if sizes[0] > height or sizes[-1] > width:
        raise _error(None, f"at least {sizes[0]} x {sizes[-1]} pixels (H x W)", f"{height} x {width}")
    top, left = (height - sizes[0]) // 2, (width - sizes[-1]) // 2
    return image[..., top : top + sizes[0], left : left + sizes[-1]]


def square(image: Tensor, size: int) -> Tensor:
    """Resize the shorter side of (..., C, H, W) to `size`, then keep the middle: (..., C, size, size)."""
    return center_crop(resize(image, size), size)


def save(image: Picture, path: str | os.PathLike, quality: int = 95, metadata: dict | None = None) -> None:
    """Write a picture in the format of the suffix (.jpg, .png, .tif, .webp), whole or not at all.

    `image` is whatever `to_tensor` takes. `quality`, 1 to 100, is for JPEG (with its colors at full resolution)
    and WebP; PNG and TIFF keep every pixel. `metadata`: as `colorize.metadata.options` reads it. Raises
    ImageError for another suffix, a missing folder, a place where we cannot write, or a wrong image.
    """
    name, suffix = os.fspath(path), os.path.splitext(path)[1].lower()
    if suffix not in WRITES:
        raise _error(name, "a name that ends in .jpg, .png, .tif or .webp", repr(suffix))
    if not isinstance(quality, int) or not 1 <= quality <= 100:
        raise _error(name, "a quality from 1 to 100", repr(quality))
    folder, base = os.path.split(os.path.realpath(name))  # a link stays a link
    if not os.path.isdir(folder):
        raise _error(name, "a folder that exists", folder)
    picture = Image.fromarray(to_uint8(to_tensor(image)))
    try:
        with write_whole(os.path.join(folder, base)) as file:  # PNG and TIFF look at neither option
            picture.save(file, WRITES[suffix], quality=quality, subsampling=0, **(metadata or {}))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise _error(name, "a picture and a place to write it", f"a failure ({reason})") from None


def bundled(name: str, size: int | tuple[int, int] | None = None) -> Tensor:
    """A color photo that comes with scikit-image, one of `BUNDLED`: (3, H, W) float32, sRGB in [0, 1].

    `size` as in `resize`. The file is read from the package's folder, nothing is downloaded. The rocket's
    has the profile Adobe RGB: its colors here differ from `skimage.data.rocket()`, which ignores profiles.
    """
    if name not in BUNDLED:
        near = [f" (did you mean {match!r}?)" for match in difflib.get_close_matches(str(name), BUNDLED, n=1)]
        raise _error("bundled photo", f"one of {', '.join(BUNDLED)}", repr(name) + "".join(near))
    package = os.path.dirname(getattr(importlib.util.find_spec("skimage"), "origin", ""))
    path = os.path.join(package, "data", _PHOTOS[name])
    photo = read(path, name=f"bundled photo {name!r} of scikit-image ({path})")
    return photo if size is None else resize(photo, size)


def _open(file: BinaryIO, max_pixels: int, name: str | None, at_least: int | None) -> Tensor:
    """A file opened in binary mode -> (3, H, W); what Pillow has to say becomes an ImageError or nothing."""
    start = file.read(64)
    Image.init()
    with _quiet():
        try:
            image = Image.open(file, formats=[form for form in _READS if form in Image.OPEN])
        except Image.DecompressionBombError as error:
            limit, found = sorted(map(int, re.findall(r"\d+", str(error))))  # Pillow's own, and the file's
            raise _error(name, f"at most {min(max_pixels, limit):,} pixels", f"{found:,}") from None
        except Exception:  # plugins let struct.error, KeyError and others pass
            raise _error(name, "an image (JPEG, PNG, TIFF, WebP, GIF or BMP)", _unreadable(start)) from None
        with image:
            if (pixels := image.width * image.height) > max_pixels:
                received = f"{image.width} x {image.height} = {pixels:,}"
                raise _error(name, f"at most {max_pixels:,} pixels", received)
            if at_least is not None:
                image.draft(image.mode, (at_least, at_least))
            return _decode(image, name)


def _decode(image: Image.Image, name: str | None) -> Tensor:
    """A PIL image -> (3, H, W) float32, sRGB in [0, 1]."""
    try:
        image.load()
    except Exception as error:
        received = f"one that is damaged or cut short ({error})"
        raise _error(name, f"a whole {image.format or 'image'} file", received) from None
    if 0 in image.size:
        raise _error(name, "at least one pixel", "{} x {}".format(*image.size))
    profile, tags = image.info.get("icc_profile"), getattr(image, "tag_v2", {})  # TIFF tags vanish on turning
    with contextlib.suppress(Exception):  # EXIF that cannot be parsed is no reason to lose the photo
        image = ImageOps.exif_transpose(image)
    if image.mode == "F" or image.mode.startswith("I"):
        return _decode_deep_gray(image, profile, tags, name)
    if image.mode in ("La", "RGBa"):  # colors multiplied by opacity
        image = image.convert(image.mode.upper())
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    if image.mode in ("1", "LA"):
        image = image.convert("L")
    elif image.mode not in ("L", "CMYK", "LAB", "RGB"):
        image = image.convert("RGB")
    pixels = torch.from_numpy(np.array(_to_srgb(image, profile))).permute(2, 0, 1)
    color = pixels.to(torch.float32, memory_format=torch.contiguous_format).div_(255)
    opacity = 1.0 if alpha is None else torch.from_numpy(np.array(alpha)).float().div_(255)
    return color if alpha is None else color * opacity + (1 - opacity)


def _decode_deep_gray(image: Image.Image, profile: bytes | None, tags: Mapping, name: str | None) -> Tensor:
    """Gray of more than 8 bits, which Pillow's own conversion to 8 bits would clip at 255."""
    values = torch.from_numpy(np.array(image, dtype=np.float32))
    top = 1 if image.mode == "F" else 4095 if tags.get(258) == (12,) else 65535
    low, high = values.min().item(), values.max().item()
    if not (low >= 0 and high <= top):
        raise _error(name, f"gray values from 0 to {top}", f"{low:g} to {high:g}")
    clear = values == image.info.get("transparency", -1)
    values = 1 - values / top if tags.get(262) == 0 else values / top  # 262 = 0: TIFF that counts from white
    curve = np.array(_to_srgb(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), profile))[0, :, 0]
    if (curve != np.arange(256)).any():  # lcms returns 8 bits: interpolate its curve to keep the fine steps
        values = torch.from_numpy(np.interp(values.numpy() * 255, np.arange(256), curve) / 255).float()
    return values.masked_fill(clear, 1.0).expand(3, -1, -1).contiguous()


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """An image of mode L, RGB, CMYK or LAB -> RGB; a profile that is broken or of another mode is ignored."""
    plain = image.convert("RGB")
    if not profile:
        return plain
    how = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    try:
        profiles = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(*profiles, image.mode, "RGB", *how)
        # A profile's name proves nothing; one that moves no color by more than a rounding step is sRGB.
        grid = (np.indices((16, 16, 16)) * 17).reshape(3, 64, 64).transpose(1, 2, 0).astype(np.uint8)
        probe = Image.fromarray(grid).convert(image.mode)
        moved = np.array(ImageCms.applyTransform(probe, transform), int) - np.array(probe.convert("RGB"), int)
        return (ImageCms.applyTransform(image, transform) or plain) if abs(moved).max() > 1 else plain
    except Exception:
        return plain


def _unit_range(image: np.ndarray | Tensor, name: str | None) -> Tensor:
    """An array or tensor of one of the known dtypes -> float32 tensor of the same shape, in [0, 1]."""
    kind = image.dtype.name if isinstance(image, np.ndarray) else str(image.dtype).removeprefix("torch.")
    top = {"bool": 1, "uint8": 255, "uint16": 65535}.get(kind)
    if (top is None and "float" not in kind) or image.dtype.itemsize > 8:
        raise _error(name, "bool, uint8, uint16 or float values", image)
    if isinstance(image, np.ndarray):
        image = torch.from_numpy(np.array(image, dtype=np.float32, order="C"))
    values = image.to(torch.float32)
    if top:
        return values / top
    low, high = values.min().item(), values.max().item()
    if not (low >= -1e-4 and high <= 1 + 1e-4):  # float32 arithmetic may leave [0, 1] by a little
        hint = "; clip them" if low < 0 or high <= 2 else "; divide by 255" if high <= 255 else ""
        raise _error(name, "values in [0, 1]", "NaN" if math.isnan(low) else f"{low:g} to {high:g}{hint}")
    return values.clamp(0, 1)


def _sides(image: Tensor, size: int | tuple[int, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(H, W) of a tensor of pictures (..., C, H, W), and size as a tuple (length,) or (H, W)."""
    fits = isinstance(image, Tensor) and image.ndim >= 3 and image.numel() > 0
    if not fits or not (image.is_floating_point() or image.dtype == torch.uint8):
        raise _error(None, "a tensor (..., C, H, W) of floats or uint8, of at least one pixel", image)
    with contextlib.suppress(TypeError):
        sizes = tuple(map(operator.index, size if isinstance(size, (tuple, list)) else (size,)))
        if len(sizes) in (1, 2) and min(sizes) >= 1:
            return image.shape[-2:], sizes
    raise _error(None, "a size of one whole number or (H, W), each at least 1", repr(size))


def _error(name: str | None, expected: str, received: Any) -> "ImageError":
    if not isinstance(received, str):
        shape = f" {tuple(received.shape)} of {received.dtype}" if hasattr(received, "dtype") else ""
        received = type(received).__name__ + shape
    return ImageError(f"{name or 'the image'}: expected {expected}, received {received}".replace("\n", " "))


def _unreadable(start: bytes) -> str:
    """What a file that Pillow did not open seems to be, from its first bytes."""
    if not start:
        return "an empty file (0 bytes)"
    if start[4:8] == b"ftyp":  # the container of HEIC, AVIF and films
        kinds = {b"avi": "AVIF", b"hei": "HEIC", b"hev": "HEIC", b"mif": "HEIC", b"msf": "HEIC"}
        return f"{kinds.get(start[8:11], 'a film')} that cannot be opened here: export it as JPEG"
    for form in _READS:
        accepts = Image.OPEN[form][1] if form in Image.OPEN else None
        if accepts and accepts(start.ljust(16)):
            return f"a {form} that is damaged, cut short or of a rare kind"
    is_text = all(byte >= 32 or byte in b"\t\r\n" for byte in start)
    return f"{'text' if is_text else 'data'} that starts with {start[:16].decode('ascii', 'replace')!r}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hide Pillow's warnings. Filters are the process's: the first thread in sets them, the last restores."""
    with _LOCK:
        _INSIDE.append(None)
        if len(_INSIDE) == 1:
            _FILTERS.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\b")
    try:
        yield
    finally:
        with _LOCK:
            _INSIDE.pop()
            if not _INSIDE:
                _FILTERS.close()


class ImageError(ValueError):
    """A photo that cannot be read, written or used. The sentence names it, what was expected, what came."""
