"""Photos as people have them on disk: each file is made here, each expected value is computed another way."""

import concurrent.futures
import io
import os
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageCms, ImageOps, TiffImagePlugin, features

from colorize import images
from colorize.images import ImageError, bundled, center_crop, read, resize, save, square, to_tensor, to_uint8

RNG = np.random.default_rng(7)
NOISE = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
# Smooth, so that lossy formats keep it within a few levels.
SMOOTH = np.stack(np.meshgrid(np.linspace(20, 230, 48), np.linspace(200, 40, 32)), -1)
SMOOTH = np.concatenate([SMOOTH, np.full((32, 48, 1), 90.0)], -1).round().astype(np.uint8)


def pixels(tensor):
    """(3, H, W) in [0, 1] -> (H, W, 3) float64 in 0..255, after the promises on type and range."""
    assert tensor.dtype == torch.float32 and tensor.ndim == 3 and tensor.shape[0] == 3
    assert tensor.is_contiguous() and tensor.min() >= 0 and tensor.max() <= 1
    return tensor.permute(1, 2, 0).double().numpy() * 255


def sentence(error, *parts):
    """The message: one line, in the form every message has, with all the parts."""
    text = str(error.value)
    assert type(error.value) is ImageError and error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
    assert len(text.splitlines()) == 1 and ": expected " in text and ", received " in text, text
    for part in parts:
        assert str(part) in text, f"{part!r} is not in {text!r}"
    return text


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, color_type, rows, extra=b""):
    """A PNG written by hand, since Pillow writes neither 16-bit color nor pictures of any size."""
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def tiff(values, photometric, bits, sample_format=1, order="<", width=None):
    """A TIFF of one gray strip, written by hand: Pillow chooses these tags itself."""
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    height, width = values.shape[0], width or values.shape[1]
    data += b"\0" * (len(data) % 2)
    tags = [(256, width), (257, height), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1)]
    tags += [(278, height), (279, len(data)), (339, sample_format)]
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data)) + data
    out += struct.pack(order + "H", len(tags))
    out += b"".join(struct.pack(order + "HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    return out + struct.pack(order + "I", 0)


# --- color profiles, made by hand -----------------------------------------------------------------

D50 = np.array([0.9642, 1.0, 0.8249])
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
ADOBE = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))


def matrix_to_d50(primaries, white=(0.3127, 0.3290)):
    """Linear RGB with these chromaticities -> XYZ, adapted to D50 as ICC profiles demand."""
    xyz = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    white = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    to_xyz = xyz * np.linalg.solve(xyz, white)
    scale = np.diag((BRADFORD @ D50) / (BRADFORD @ white))
    return np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ to_xyz


def srgb_encode(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def srgb_decode(encoded):
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def icc(space, tags):
    """An ICC profile, version 2.1, for a display, out of its tags (4-letter name, bytes)."""
    offset, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags:
        data += b"\0" * (-len(data) % 4)
        table += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", offset + len(body), b"test", 0x02100000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + s15(*D50)
    return header.ljust(128, b"\0") + table + body


def s15(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def common_tags(name):
    text = name + b"\0"
    description = b"desc" + b"\0" * 4 + struct.pack(">I", len(text)) + text + b"\0" * 78
    return [(b"desc", description), (b"cprt", b"text\0\0\0\0none\0"), (b"wtpt", b"XYZ \0\0\0\0" + s15(*D50))]


def curve(function):
    values = np.round(function(np.linspace(0, 1, 1024)) * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(values)) + values.tobytes()


def rgb_profile(primaries, decode, name=b"made by hand"):
    matrix = matrix_to_d50(primaries)
    tags = [(key, b"XYZ \0\0\0\0" + s15(*matrix[:, i])) for i, key in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    tags += [(key, curve(decode)) for key in (b"rTRC", b"gTRC", b"bTRC")]
    return icc(b"RGB ", common_tags(name) + tags)


def gray_profile(decode):
    return icc(b"GRAY", [*common_tags(b"gray by hand"), (b"kTRC", curve(decode))])


def by_hand(rgb, primaries, decode):
    """What RGB in 0..255 of a space with these primaries is in sRGB, 0..255."""
    to_srgb = np.linalg.inv(matrix_to_d50(SRGB)) @ matrix_to_d50(primaries)
    return srgb_encode(decode(rgb / 255.0) @ to_srgb.T) * 255


# --- reading: formats and modes -------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "ppm"])
def test_lossless_formats_are_exact(tmp_path, suffix):
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(NOISE).save(path)
    expected = NOISE.astype(np.float32).transpose(2, 0, 1) / np.float32(255)
    assert np.array_equal(read(path).numpy(), expected)
    assert np.array_equal(read(str(path)).numpy(), expected)
    assert np.array_equal(read(path.read_bytes(), name="photo").numpy(), expected)


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_lossy_formats_are_near(tmp_path, suffix):
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(SMOOTH).save(path, quality=95)
    assert np.abs(pixels(read(path)) - SMOOTH).max() <= 10


def test_suffix_does_not_matter(tmp_path):
    path = tmp_path / "photo.jpg"
    Image.fromarray(NOISE).save(path, "PNG")
    assert np.array_equal(to_uint8(read(path)), NOISE)


def test_gray_and_one_bit(tmp_path):
    gray = NOISE[..., 0]
    Image.fromarray(gray).save(tmp_path / "gray.png")
    assert np.array_equal(to_uint8(read(tmp_path / "gray.png")), np.stack([gray] * 3, -1))
    bits = gray > 127
    for name in ("bits.png", "bits.tif"):
        Image.fromarray(bits).save(tmp_path / name)
        assert np.array_equal(pixels(read(tmp_path / name)), np.stack([bits * 255.0] * 3, -1))


def test_one_pixel(tmp_path):
    Image.new("RGB", (1, 1), (1, 2, 3)).save(tmp_path / "dot.png")
    assert to_uint8(read(tmp_path / "dot.png")).tolist() == [[[1, 2, 3]]]


def over_white(color, alpha):
    alpha = alpha[..., None] / 255
    return color * alpha + 255 * (1 - alpha)


def test_transparency_is_laid_over_white(tmp_path):
    alpha = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
    alpha[0, :2] = 0, 255
    Image.fromarray(np.dstack([NOISE, alpha])).save(tmp_path / "rgba.png")
    rgba = pixels(read(tmp_path / "rgba.png"))
    assert np.abs(rgba - over_white(NOISE, alpha)).max() < 1e-4
    assert rgba[0, 0].tolist() == [255, 255, 255]
    Image.fromarray(np.dstack([NOISE[..., 0], alpha])).save(tmp_path / "la.png")
    expected = over_white(np.stack([NOISE[..., 0]] * 3, -1), alpha)
    assert np.abs(pixels(read(tmp_path / "la.png")) - expected).max() < 1e-4
    Image.fromarray(np.dstack([NOISE, alpha])).save(tmp_path / "rgba.webp", lossless=True, exact=True)
    assert np.abs(pixels(read(tmp_path / "rgba.webp")) - over_white(NOISE, alpha)).max() < 1e-4


def test_premultiplied_modes():
    rgba = Image.fromarray(np.dstack([np.full((2, 2, 3), 200, np.uint8), np.full((2, 2), 128, np.uint8)]))
    assert np.abs(pixels(to_tensor(rgba.convert("RGBa"))) - over_white(200.0, np.full((2, 2), 128))).max() < 1
    la = rgba.convert("LA")
    assert np.abs(pixels(to_tensor(la.convert("La"))) - over_white(200.0, np.full((2, 2), 128))).max() < 1


@pytest.mark.parametrize("suffix", ["png", "gif"])
def test_palettes(tmp_path, suffix):
    index = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    colors = np.array([[255, 0, 0], [10, 200, 30], [0, 0, 250]], np.uint8)
    image = Image.fromarray(index)
    image.putpalette(colors.tobytes())
    image.save(tmp_path / f"palette.{suffix}")
    assert np.array_equal(to_uint8(read(tmp_path / f"palette.{suffix}")), colors[index])
    image.save(tmp_path / f"clear.{suffix}", transparency=1)
    expected = colors[index].copy()
    expected[index == 1] = 255
    assert np.array_equal(to_uint8(read(tmp_path / f"clear.{suffix}")), expected)


def test_palette_with_an_opacity_for_each_color(tmp_path):
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    image.putpalette(bytes([255, 0, 0, 0, 255, 0, 0, 0, 255]))
    image.save(tmp_path / "palette.png", transparency=bytes([0, 51, 255]))
    expected = [[[255, 255, 255], [204, 255, 204], [0, 0, 255]]]
    assert np.abs(pixels(read(tmp_path / "palette.png")) - expected).max() < 1e-4


@pytest.mark.parametrize(("mode", "key", "clear"), [("L", 7, 7), ("RGB", (9, 9, 9), 9), ("1", 0, 0)])
def test_one_transparent_color(tmp_path, mode, key, clear):
    values = np.array([[clear, 255, clear]], np.uint8)
    Image.fromarray(values).convert(mode).save(tmp_path / "key.png", transparency=key)
    assert (pixels(read(tmp_path / "key.png")) == 255).all()


def test_animations_give_the_first_picture(tmp_path):
    frames = [Image.new("RGB", (4, 3), color) for color in ((255, 0, 0), (0, 0, 255))]
    for suffix, options in (("gif", {}), ("png", {}), ("webp", {"lossless": True}), ("tif", {})):
        path = tmp_path / f"film.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:], **options)
        assert to_uint8(read(path)).reshape(-1, 3).tolist() == [[255, 0, 0]] * 12, suffix


# --- reading: more than 8 bits --------------------------------------------------------------------

DEEP = np.array([[0, 1, 127, 128, 255], [256, 257, 32768, 65534, 65535]], np.uint16)


def assert_deep(tensor, values=DEEP):
    expected = np.stack([values.astype(np.float32) / np.float32(65535)] * 3)
    assert tensor.dtype == torch.float32
    assert np.array_equal(tensor.numpy(), expected)


def test_gray_of_16_bits_is_exact(tmp_path):
    Image.fromarray(DEEP).save(tmp_path / "deep.png")
    assert_deep(read(tmp_path / "deep.png"))
    for order in "<>":
        (tmp_path / "deep.tif").write_bytes(tiff(DEEP, photometric=1, bits=16, order=order))
        assert_deep(read(tmp_path / "deep.tif"))
    (tmp_path / "deep.pgm").write_bytes(b"P5 5 2 65535\n" + DEEP.astype(">u2").tobytes())
    assert_deep(read(tmp_path / "deep.pgm"))
    for mode in ("I;16", "I;16L", "I;16B", "I"):
        values = DEEP.astype({"I": "<i4", "I;16B": ">u2"}.get(mode, "<u2"))
        assert_deep(to_tensor(Image.frombytes(mode, (5, 2), values.tobytes())))


def test_tiff_that_counts_from_white(tmp_path):
    (tmp_path / "white.tif").write_bytes(tiff(DEEP, photometric=0, bits=16))
    assert np.abs(read(tmp_path / "white.tif")[0].numpy() - (1 - DEEP / 65535)).max() < 1e-6
    (tmp_path / "white8.tif").write_bytes(tiff(NOISE[..., 0][:, :6], photometric=0, bits=8))
    assert np.array_equal(to_uint8(read(tmp_path / "white8.tif"))[..., 0], 255 - NOISE[..., 0][:, :6])


def test_tiff_of_12_bits(tmp_path):
    packed = np.array([[0x00, 0x0F, 0xFF]], np.uint8)  # 0 and 4095
    (tmp_path / "twelve.tif").write_bytes(tiff(packed, photometric=1, bits=12, width=2))
    assert read(tmp_path / "twelve.tif")[0].tolist() == [[0, 1]]


def test_gray_of_16_bits_with_a_transparent_value(tmp_path):
    extra = chunk(b"tRNS", struct.pack(">H", 256))
    data = png(5, 2, 16, 0, [row.astype(">u2").tobytes() for row in DEEP], extra)
    (tmp_path / "key.png").write_bytes(data)
    assert_deep(read(tmp_path / "key.png"), np.where(DEEP == 256, 65535, DEEP))


def test_color_of_16_bits_keeps_the_upper_8(tmp_path):
    values = RNG.integers(0, 65536, (3, 4, 3))
    (tmp_path / "deep.png").write_bytes(png(4, 3, 16, 2, [row.astype(">u2").tobytes() for row in values]))
    assert np.array_equal(to_uint8(read(tmp_path / "deep.png")), values >> 8)
    extra = chunk(b"tRNS", struct.pack(">3H", 256, 65535, 3))
    (tmp_path / "key.png").write_bytes(
        png(4, 3, 16, 2, [row.astype(">u2").tobytes() for row in values], extra)
    )
    assert np.array_equal(to_uint8(read(tmp_path / "key.png")), values >> 8)
    values = RNG.integers(0, 65536, (3, 4, 4))
    (tmp_path / "deep.png").write_bytes(png(4, 3, 16, 6, [row.astype(">u2").tobytes() for row in values]))
    expected = over_white((values >> 8)[..., :3], (values >> 8)[..., 3])
    assert np.abs(pixels(read(tmp_path / "deep.png")) - expected).max() < 1e-4


def test_float_tiff(tmp_path):
    values = np.array([[0, 0.25, 0.123456789, 1]], np.float32)
    Image.fromarray(values).save(tmp_path / "float.tif")
    assert np.array_equal(read(tmp_path / "float.tif").numpy(), np.stack([values] * 3))
    for bad, received in ((255.0, "0 to 255"), (-1.0, "-1 to 1"), (np.nan, "nan")):
        Image.fromarray(np.array([[0, bad, 1]], np.float32)).save(tmp_path / "float.tif")
        with pytest.raises(ImageError) as error:
            read(tmp_path / "float.tif")
        sentence(error, tmp_path / "float.tif", "0 to 1", received)


def test_whole_numbers_beyond_16_bits(tmp_path):
    (tmp_path / "long.tif").write_bytes(tiff(np.array([[0, 70000]], np.int32), 1, 32, sample_format=2))
    with pytest.raises(ImageError) as error:
        read(tmp_path / "long.tif")
    sentence(error, tmp_path / "long.tif", "0 to 65535", "0 to 70000")


# --- reading: other color spaces and profiles -----------------------------------------------------


@pytest.mark.parametrize("suffix", ["tif", "jpg"])  # Pillow writes CMYK in JPEG inverted, as Adobe does
def test_cmyk(tmp_path, suffix):
    ink = np.zeros((16, 64, 4), np.uint8)
    ink[:, :16] = 0, 255, 255, 0
    ink[:, 16:32] = 255, 0, 0, 0
    ink[:, 32:48] = 0, 0, 0, 128
    Image.fromarray(ink, "CMYK").save(tmp_path / f"ink.{suffix}", quality=100)
    seen = pixels(read(tmp_path / f"ink.{suffix}"))[8, 8::16]
    expected = [[255, 0, 0], [0, 255, 255], [127, 127, 127], [255, 255, 255]]
    assert np.abs(seen - expected).max() <= 3


def cmyk_profile():
    """A printer whose only ink is black, twice as dark as the plain formula has it: a table CMYK -> Lab."""
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += bytes(range(256)) * 4
    for corner in range(16):  # the last ink changes fastest
        table += bytes([0 if corner & 1 else 255, 128, 128])
    table += bytes(range(256)) * 3
    profile = icc(b"CMYK", [*common_tags(b"ink by hand"), (b"A2B0", table), (b"A2B1", table)])
    return profile[:12] + b"prtr" + profile[16:20] + b"Lab " + profile[24:]


def test_cmyk_with_a_profile(tmp_path):
    ink = np.zeros((4, 4, 4), np.uint8)
    ink[..., 0], ink[:2, :, 3] = 255, 128
    Image.fromarray(ink, "CMYK").save(tmp_path / "ink.tif", icc_profile=cmyk_profile())
    seen = pixels(read(tmp_path / "ink.tif"))
    gray = srgb_encode(((100 * (1 - 128 / 255) + 16) / 116) ** 3) * 255
    assert np.abs(seen[0, 0] - gray).max() <= 2
    assert np.abs(seen[3, 3] - 255).max() <= 1  # cyan leaves no trace, here


def test_ycbcr_and_lab_tiffs(tmp_path):
    Image.fromarray(SMOOTH).convert("YCbCr").save(tmp_path / "video.tif")
    with Image.open(tmp_path / "video.tif") as image:
        assert image.mode == "YCbCr"
    assert np.abs(pixels(read(tmp_path / "video.tif")) - SMOOTH).max() <= 3.5
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    muted = SMOOTH // 2 + 64  # 8 bits of Lab are coarse for saturated colors
    lab = ImageCms.profileToProfile(Image.fromarray(muted), *profiles, outputMode="LAB")
    lab.save(tmp_path / "lab.tif")
    with Image.open(tmp_path / "lab.tif") as image:
        assert image.mode == "LAB"
    assert np.abs(pixels(read(tmp_path / "lab.tif")) - muted).max() <= 4
    hsv = Image.fromarray(SMOOTH).convert("HSV")
    assert np.array_equal(to_uint8(to_tensor(hsv)), np.array(hsv.convert("RGB")))


def test_display_p3_is_converted(tmp_path):
    profile = rgb_profile(P3, srgb_decode)
    colors = np.array([[[255, 0, 0], [0, 255, 0], [200, 100, 50], [128, 128, 128], [90, 120, 60]]], np.uint8)
    expected = by_hand(colors, P3, srgb_decode)
    assert np.abs(expected - colors).max() > 15  # the profile matters
    for suffix, options in (("png", {}), ("tif", {}), ("webp", {"lossless": True})):
        path = tmp_path / f"phone.{suffix}"
        Image.fromarray(colors).save(path, icc_profile=profile, **options)
        assert np.abs(pixels(read(path)) - expected).max() <= 1.5
    flat = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    Image.fromarray(flat).save(tmp_path / "phone.jpg", icc_profile=profile, quality=100)
    assert np.abs(pixels(read(tmp_path / "phone.jpg")) - expected[0, 2]).max() <= 3


def test_profile_with_transparency_and_palette(tmp_path):
    profile, color = rgb_profile(P3, srgb_decode), np.full((2, 2, 3), (200, 100, 50), np.uint8)
    converted = by_hand(color, P3, srgb_decode)
    alpha = np.full((2, 2), 51, np.uint8)
    Image.fromarray(np.dstack([color, alpha])).save(tmp_path / "rgba.png", icc_profile=profile)
    assert np.abs(pixels(read(tmp_path / "rgba.png")) - over_white(converted, alpha)).max() <= 1.5
    Image.fromarray(color).quantize(4).save(tmp_path / "palette.png", icc_profile=profile)
    assert np.abs(pixels(read(tmp_path / "palette.png")) - converted).max() <= 1.5


def test_profile_of_srgb_changes_no_pixel(tmp_path):
    levels = np.arange(0, 256, 5, dtype=np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(52, -1, 3)
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (own, rgb_profile(SRGB, srgb_decode, b"no name")):
        Image.fromarray(grid).save(tmp_path / "same.png", icc_profile=profile)
        assert np.array_equal(to_uint8(read(tmp_path / "same.png")), grid)


def test_the_name_of_a_profile_proves_nothing(tmp_path):
    color = np.full((1, 1, 3), (200, 100, 50), np.uint8)
    profile = rgb_profile(P3, srgb_decode, b"sRGB IEC61966-2.1")
    Image.fromarray(color).save(tmp_path / "liar.png", icc_profile=profile)
    assert np.abs(pixels(read(tmp_path / "liar.png")) - by_hand(color, P3, srgb_decode)).max() <= 1.5


def test_gray_profiles(tmp_path):
    profile, gray = gray_profile(lambda x: x**1.8), np.arange(256, dtype=np.uint8)[None]
    expected = srgb_encode((gray / 255.0) ** 1.8) * 255
    assert np.abs(expected - gray).max() > 5
    Image.fromarray(gray).save(tmp_path / "gray.png", icc_profile=profile)
    assert np.abs(pixels(read(tmp_path / "gray.png"))[..., 0] - expected)[0, 8:].max() <= 1.5
    alpha = np.full_like(gray, 51)
    Image.fromarray(np.dstack([gray, alpha])).save(tmp_path / "la.png", icc_profile=profile)
    seen = pixels(read(tmp_path / "la.png"))[..., 0]
    assert np.abs(seen - (expected * 0.2 + 255 * 0.8))[0, 8:].max() <= 0.5
    deep = np.arange(4096, 65536, 16, dtype=np.uint16)[None]
    Image.fromarray(deep).save(tmp_path / "deep.png", icc_profile=profile)
    seen = read(tmp_path / "deep.png")[0].double().numpy()
    assert np.abs(seen - srgb_encode((deep / 65535) ** 1.8)).max() <= 1.5 / 255
    assert len(np.unique(seen)) > 3000  # the fine steps are still there


def test_profiles_that_do_not_fit_are_ignored(tmp_path):
    broken = rgb_profile(P3, srgb_decode)[:200]
    for profile in (b"junk", broken, gray_profile(srgb_decode), cmyk_profile()):
        Image.fromarray(NOISE).save(tmp_path / "odd.png", icc_profile=profile)
        assert np.array_equal(to_uint8(read(tmp_path / "odd.png")), NOISE)
    Image.fromarray(NOISE[..., 0]).save(tmp_path / "odd.png", icc_profile=rgb_profile(P3, srgb_decode))
    assert np.array_equal(to_uint8(read(tmp_path / "odd.png"))[..., 0], NOISE[..., 0])
    Image.fromarray(DEEP).save(tmp_path / "odd.png", icc_profile=b"junk")
    assert_deep(read(tmp_path / "odd.png"))


# --- reading: orientation -------------------------------------------------------------------------

TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", TURNS)
def test_orientation(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    for suffix, options in (("png", {}), ("tif", {}), ("webp", {"lossless": True})):
        path = tmp_path / f"turned.{suffix}"
        Image.fromarray(NOISE).save(path, exif=exif, **options)
        assert np.array_equal(to_uint8(read(path)), TURNS[orientation](NOISE)), suffix
    Image.fromarray(SMOOTH).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    assert np.abs(pixels(read(tmp_path / "turned.jpg")) - TURNS[orientation](SMOOTH)).max() <= 10
    Image.fromarray(DEEP).save(tmp_path / "deep.png", exif=exif)
    assert_deep(read(tmp_path / "deep.png"), TURNS[orientation](DEEP))
    alpha = np.dstack([NOISE, NOISE[..., 0]])
    Image.fromarray(alpha).save(tmp_path / "rgba.png", exif=exif)
    expected = TURNS[orientation](over_white(NOISE, NOISE[..., 0]))
    assert np.abs(pixels(read(tmp_path / "rgba.png")) - expected).max() < 1e-4


def test_orientation_is_applied_once():
    image = Image.fromarray(NOISE)
    image.getexif()[274] = 6
    assert np.array_equal(to_uint8(to_tensor(image)), np.rot90(NOISE, -1))
    assert image.size == (7, 5)  # the caller's image is as it was
    assert np.array_equal(to_uint8(to_tensor(ImageOps.exif_transpose(image))), np.rot90(NOISE, -1))


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0junk", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x01", b"Exif\0\0", b"x" * 40]
)
def test_broken_exif_is_ignored(tmp_path, exif):
    for suffix in ("png", "jpg", "webp"):
        Image.fromarray(SMOOTH).save(tmp_path / f"odd.{suffix}", exif=exif, quality=95)
        assert np.abs(pixels(read(tmp_path / f"odd.{suffix}")) - SMOOTH).max() <= 10


def test_tiff_with_an_unknown_orientation(tmp_path):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = 77
    Image.fromarray(NOISE).save(tmp_path / "odd.tif", tiffinfo=tags)
    assert np.array_equal(to_uint8(read(tmp_path / "odd.tif")), NOISE)


# --- reading: errors ------------------------------------------------------------------------------


def refused(path, *parts):
    """The sentence is the same for a path, and names the bytes by the name they are given."""
    with pytest.raises(ImageError) as error:
        read(path)
    text = sentence(error, path, *parts)
    if path.is_file():
        with pytest.raises(ImageError) as error:
            read(path.read_bytes(), name=str(path))
        assert sentence(error) == text
        with pytest.raises(ImageError) as error:
            to_tensor(path.read_bytes())
        assert sentence(error, *parts).startswith("the image: ")
    return text


def test_missing_folder_and_odd_names(tmp_path):
    refused(tmp_path / "nothing.jpg", "an image file", "none that can be read", "No such file")
    refused(tmp_path, "a folder")
    (tmp_path / "file.txt").write_text("x")
    refused(tmp_path / "file.txt" / "photo.jpg", "none that can be read")
    for name in ("a\0b.jpg", "x" * 5000, "two\nlines.jpg", ""):
        with pytest.raises(ImageError) as error:
            read(name)
        sentence(error, "none that can be read")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such permissions here")
def test_permission_denied(tmp_path):
    path = tmp_path / "secret.png"
    Image.fromarray(NOISE).save(path)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read anything
    try:
        with pytest.raises(ImageError) as error:
            read(path)
        sentence(error, path, "Permission denied")
        with pytest.raises(ImageError) as error:
            save(torch.zeros(3, 1, 1), tmp_path.parent.parent / "new.png")
    finally:
        os.seteuid(user)
    assert np.array_equal(NOISE, to_uint8(read(path))) if user == 0 else True


def test_files_are_opened_for_reading_only_and_closed(tmp_path, monkeypatch):
    Image.fromarray(NOISE).save(tmp_path / "photo.png")
    (tmp_path / "photo.png").chmod(0o444)
    opened, plain_open = [], open

    def spy(path, mode="r", *args, **kwargs):
        opened.append((mode, plain_open(path, mode, *args, **kwargs)))
        return opened[-1][1]

    monkeypatch.setattr("builtins.open", spy)
    assert np.array_equal(to_uint8(read(tmp_path / "photo.png")), NOISE)
    assert [(mode, file.closed) for mode, file in opened] == [("rb", True)]


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"", ["empty file (0 bytes)"]),
        (b"Dear reader, this is a letter.", ["an image (JPEG, PNG", "text", "Dear reader"]),
        (b"<!DOCTYPE html>\n<html>", ["text", "<!DOCTYPE html>"]),
        ("Änderung, ".encode() * 20, ["text"]),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", ["text", "%!PS"]),
        (bytes(range(64)), ["data that starts with"]),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 40, ["HEIC", "export it as JPEG"]),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + b"\0" * 40, ["HEIC", "export it as JPEG"]),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1" + b"\0" * 40, ["AVIF", "export it as JPEG"]),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp41" + b"\0" * 40, ["a film"]),
        (b"P", ["text"]),
        (b"\xff\xd8\xff\xe0", ["JPEG", "damaged, cut short"]),
        (b"\x89PNG\r\n\x1a\n" + b"\1" * 40, ["PNG", "damaged, cut short"]),
        (b"II*\0\x08\0\0\0", ["TIFF", "damaged, cut short"]),
    ],
)
def test_files_that_are_not_photos(tmp_path, data, parts):
    (tmp_path / "holiday.jpg").write_bytes(data)
    refused(tmp_path / "holiday.jpg", "an image (JPEG, PNG, TIFF, WebP, GIF or BMP)", *parts)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "webp", "gif", "bmp"])
def test_cut_short_anywhere(tmp_path, suffix):
    path = tmp_path / f"photo.{suffix}"
    noise = RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8)  # does not compress: its pixels fill the file
    Image.fromarray(noise).save(path)
    data, reasons = path.read_bytes(), set()
    for length in np.linspace(1, len(data) * 0.95, 25).astype(int):
        path.write_bytes(data[:length])
        reasons.add(refused(path).split(": expected ")[1].split(",")[0])
    assert len(reasons) == (1 if suffix == "webp" else 2)  # at the header, among the pixels


def test_any_damage_gives_a_picture_or_a_sentence(tmp_path):
    for suffix in ("jpg", "png", "tif", "webp", "gif", "bmp"):
        Image.fromarray(SMOOTH).save(tmp_path / f"photo.{suffix}")
        data = np.frombuffer((tmp_path / f"photo.{suffix}").read_bytes(), np.uint8)
        for _ in range(60):
            wrong = data.copy()
            wrong[RNG.integers(0, min(len(wrong), 300), 3)] = RNG.integers(0, 256, 3)
            try:
                pixels(read(wrong.tobytes(), max_pixels=100_000))
            except ImageError as error:
                assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(("width", "height"), [(20_000, 20_000), (11_000, 10_000), (5, 3)])
def test_too_many_pixels(tmp_path, width, height):
    """400 million is above all of Pillow's limits, 110 million above the one it warns at."""
    path = tmp_path / "wall.png"
    path.write_bytes(png(width, height, 8, 2, [b"\0"]))  # the header alone decides: there are no pixels here
    limit = 14 if width == 5 else 100_000_000
    with pytest.raises(ImageError) as error:
        read(path, max_pixels=limit)
    sentence(error, path, f"at most {limit:,} pixels", f"{width * height:,}")


def test_large_photo_below_the_limit_does_not_warn(tmp_path, monkeypatch):
    Image.fromarray(NOISE).save(tmp_path / "photo.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)  # 35 pixels: above what Pillow warns at
    with pytest.warns(Image.DecompressionBombWarning):
        Image.open(tmp_path / "photo.png").close()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert read(tmp_path / "photo.png").shape == (3, 5, 7)
    assert not seen


def test_what_read_takes(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(NOISE).save(path)
    expected = read(path)
    buffer = io.BytesIO(path.read_bytes())
    buffer.seek(0, io.SEEK_END)  # as left by whoever wrote it
    with path.open("rb") as file:
        for source in (buffer, file, bytearray(path.read_bytes()), memoryview(path.read_bytes())):
            assert torch.equal(read(source), expected) and torch.equal(to_tensor(source), expected)
        assert not file.closed
    for source in (None, 5, ["photo.png"], io.StringIO("text")):
        with pytest.raises(ImageError) as error:
            read(source)
        sentence(error, "a path, bytes")
    with pytest.raises(ImageError) as error, path.open("rb") as file:
        file.close()
        read(file)
    sentence(error, path, "closed file")


def test_pillow_is_left_as_it_was(tmp_path):
    from PIL import ImageFile

    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters)
    Image.fromarray(NOISE).save(tmp_path / "photo.png")
    read(tmp_path / "photo.png")
    with pytest.raises(ImageError):
        read(b"nothing")
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))


def test_threads_do_not_disturb_the_warning_filters(tmp_path, monkeypatch):
    Image.fromarray(RNG.integers(0, 256, (60, 60, 3), dtype=np.uint8)).save(tmp_path / "photo.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # every read warns
    before = list(warnings.filters)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: read(tmp_path / "photo.png"), range(200)))
    assert all(torch.equal(result, results[0]) for result in results)
    assert list(warnings.filters) == before


# --- to_tensor, to_uint8 --------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [None, 1, 3, 4])
@pytest.mark.parametrize("kind", ["bool", "uint8", "uint16", ">u2", "float16", "float32", "float64"])
def test_arrays(channels, kind):
    shape = (4, 6) if channels is None else (4, 6, channels)
    exact = RNG.random(shape)
    top = {"bool": 1, "uint8": 255, "uint16": 65535, ">u2": 65535}.get(kind)
    array = (exact.round() if kind == "bool" else exact * top if top else exact).astype(kind)
    share = array.astype(np.float64) / (top or 1)
    share = share.reshape(4, 6, -1)
    if channels == 4:
        share = share[..., :3] * share[..., 3:] + 1 - share[..., 3:]
    expected = np.broadcast_to(share, (4, 6, 3)) * 255
    assert np.abs(pixels(to_tensor(array)) - expected).max() < 1e-3
    assert np.abs(pixels(to_tensor(array[::-1, ::-1])) - expected[::-1, ::-1]).max() < 1e-3


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [torch.bool, torch.uint8, torch.uint16, torch.float16, torch.float64])
def test_tensors(channels, kind):
    top = {torch.bool: 1, torch.uint8: 255, torch.uint16: 65535}.get(kind)
    tensor = torch.rand(channels, 4, 6)
    tensor = (tensor.mul(top).round() if top else tensor).to(kind)
    expected = (tensor.double() / (top or 1)).float().expand(3, 4, 6)
    assert (to_tensor(tensor) - expected).abs().max() < 1e-6
    assert pixels(to_tensor(tensor)).shape == (4, 6, 3)


def test_result_is_a_copy():
    tensor, array = torch.zeros(3, 2, 2), np.zeros((2, 2, 3), np.float32)
    to_tensor(tensor).fill_(1)
    to_tensor(array).fill_(1)
    assert tensor.sum() == 0 and array.sum() == 0
    assert torch.equal(to_tensor(torch.full((3, 1, 1), 1.00005)), torch.ones(3, 1, 1))  # rounding is forgiven


@pytest.mark.parametrize("form", [np.asarray, torch.from_numpy])
@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ([0.0, 255.0], ["0 to 255", "divide by 255"]),
        ([-0.5, 1.0], ["-0.5 to 1", "clip"]),
        ([0.0, 1.5], ["0 to 1.5", "clip"]),
        ([0.0, np.nan], ["NaN"]),
        ([0.0, np.inf], ["0 to inf"]),
    ],
)
def test_floats_out_of_range(form, values, parts):
    with pytest.raises(ImageError) as error:
        to_tensor(form(np.array(values * 3).reshape((1, 2, 3) if form is np.asarray else (3, 1, 2))))
    sentence(error, "the image: ", "values in [0, 1]", *parts)


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        (np.zeros((2, 2), np.int64), ["uint8", "int64"]),
        (np.zeros((2, 2), complex), ["complex128"]),
        (np.zeros((2, 2), object), ["object"]),
        (torch.zeros(3, 2, 2, dtype=torch.int32), ["int32"]),
        (np.zeros((2, 2, 2)), ["(2, 2, 2)"]),
        (np.zeros((3, 20, 20)), ["an array (H, W[, 1, 3 or 4])", "(3, 20, 20)"]),
        (np.zeros(3), ["(3,)"]),
        (np.array(1.0), ["()"]),
        (np.zeros((0, 2, 3)), ["pixels", "(0, 2, 3)"]),
        (torch.zeros(1, 3, 2, 2), ["(1, 3, 2, 2)"]),
        (torch.zeros(20, 20, 3), ["a tensor (1, 3 or 4, H, W)", "(20, 20, 3)"]),
        (torch.zeros(20, 20), ["(20, 20)"]),
        (torch.zeros(3, 0, 2), ["pixels", "(3, 0, 2)"]),
        (Image.new("RGB", (0, 5)), ["at least one pixel", "0 x 5"]),
        ([[0, 1]], ["an array", "list"]),
        (None, ["NoneType"]),
    ],
)
def test_to_tensor_refuses(image, parts):
    with pytest.raises(ImageError) as error:
        to_tensor(image)
    sentence(error, "the image: ", *parts)


def test_pil_image_that_is_cut_short(tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(NOISE).save(path)
    path.write_bytes(path.read_bytes()[:100])
    with Image.open(path) as image, pytest.raises(ImageError) as error:
        to_tensor(image)
    sentence(error, path, "a whole PNG file", "cut short")


def test_to_uint8_rounds_and_clips():
    values = torch.tensor([0.0, 0.4 / 255, 0.6 / 255, 254.6 / 255, 1.0, -3.0, 9.0, float("inf")])
    array = to_uint8(values.expand(3, 1, 8).requires_grad_())
    assert array.dtype == np.uint8 and array.shape == (1, 8, 3) and array.flags["C_CONTIGUOUS"]
    assert array[0, :, 1].tolist() == [0, 0, 1, 255, 255, 0, 255, 255]
    levels = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    for kind in (torch.float32, torch.float64, torch.float16):
        assert np.array_equal(to_uint8(to_tensor(levels).to(kind)), levels)
    for bad in (
        torch.zeros(1, 2, 2),
        torch.zeros(3, 2, 2, dtype=torch.uint8),
        levels,
        None,
        values * torch.nan,
    ):
        with pytest.raises(ImageError) as error:
            to_uint8(bad)
        sentence(error, "a float tensor (3, H, W)")


# --- resize, crop ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "expected"),
    [(20, (20, 30)), ((5, 70), (5, 70)), (80, (80, 120)), (1, (1, 2)), (np.int64(7), (7, 10))],
)
def test_resize_sizes(size, expected):
    image = torch.rand(40, 60)
    assert resize(image.expand(3, 40, 60), size).shape == (3, *expected)
    assert resize(image.T.expand(2, 1, 60, 40), size if isinstance(size, tuple) else int(size)).shape == (
        (2, 1, *expected) if isinstance(size, tuple) else (2, 1, *expected[::-1])
    )
    assert resize(torch.rand(2, 5, 4, 6, 6), 3).shape == (2, 5, 4, 3, 3)


def test_resize_matches_pillow():
    plane = RNG.random((40, 60)).astype(np.float32)
    for size in ((13, 17), (80, 90)):
        expected = np.array(Image.fromarray(plane).resize(size[::-1], Image.Resampling.BICUBIC)).clip(0, 1)
        seen = resize(torch.from_numpy(plane).expand(3, 40, 60), size)
        assert np.abs(seen[1].numpy() - expected).max() < 1e-5


def test_resize_is_antialiased_and_clipped():
    stripes = torch.zeros(3, 64, 64)
    stripes[:, :, ::2] = 1
    assert (resize(stripes, 8)[..., 1:-1] - 0.5).abs().max() < 0.05
    edge = torch.zeros(3, 8, 8)
    edge[..., 4:] = 1
    big = resize(edge, 32)
    assert big.min() == 0 and big.max() == 1


def test_resize_keeps_types_and_same_size():
    image = torch.rand(3, 9, 12)
    for kind in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        assert resize(image.to(kind), 5).dtype == kind
        assert torch.equal(resize(image.to(kind), (9, 12)), image.to(kind))
    whole = torch.randint(0, 256, (3, 9, 12), dtype=torch.uint8)
    assert resize(whole, 5).dtype == torch.uint8 and torch.equal(resize(whole, 9), whole)
    exact = resize(whole / 255, 5) * 255
    assert (resize(whole, 5) - exact).abs().max() <= 0.501
    leaf = torch.rand(3, 9, 12, requires_grad=True)
    resize(leaf, 5).sum().backward()
    assert leaf.grad.abs().sum() > 0


def test_crop_and_square():
    image = torch.arange(5 * 8).reshape(1, 5, 8).float()
    assert torch.equal(center_crop(image, (3, 4)), image[:, 1:4, 2:6])
    assert torch.equal(center_crop(image, 2), image[:, 1:3, 3:5])
    assert torch.equal(center_crop(image, (5, 8)), image)
    with pytest.raises(ImageError) as error:
        center_crop(image, 6)
    sentence(error, "6 x 6", "5 x 8")
    wide = torch.rand(2, 3, 30, 50)
    assert torch.equal(square(wide, 10), resize(wide, (10, 17))[..., 3:13])


@pytest.mark.parametrize("size", [0, -3, 2.5, "9", (4,) * 3, (), (3, 0), None, (2.0, 2.0)])
def test_bad_sizes(size):
    for function in (resize, center_crop, square):
        with pytest.raises(ImageError) as error:
            function(torch.zeros(3, 8, 8), size)
        sentence(error, "a size of one whole number or (H, W)", repr(size))


@pytest.mark.parametrize(
    "image", [torch.zeros(8, 8), np.zeros((8, 8, 3)), torch.zeros(3, 8, 8).int(), torch.zeros(3, 0, 8)]
)
def test_resize_refuses(image):
    for function in (resize, center_crop):
        with pytest.raises(ImageError) as error:
            function(image, 2)
        sentence(error, "a tensor (..., C, H, W)", tuple(image.shape))


# --- save -----------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))),
    st.sampled_from(["png", "tif"]),
)
def test_save_and_read_are_exact(tmp_path_factory, array, suffix):
    path = tmp_path_factory.mktemp("save") / f"photo.{suffix}"
    save(to_tensor(array), path)
    assert np.array_equal(to_uint8(read(path)), array)


@pytest.mark.parametrize(
    ("suffix", "form"),
    [
        ("jpg", "JPEG"),
        ("JPG", "JPEG"),
        ("jpeg", "JPEG"),
        ("png", "PNG"),
        ("tif", "TIFF"),
        ("tiff", "TIFF"),
        ("webp", "WEBP"),
    ],
)
def test_save_formats(tmp_path, suffix, form):
    path = tmp_path / f"photo.{suffix}"
    save(to_tensor(SMOOTH), path)
    with Image.open(path) as image:
        assert image.format == form and image.mode == "RGB"
    assert np.abs(pixels(read(path)) - SMOOTH).max() <= 10
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_save_quality_and_color_resolution(tmp_path):
    photo = torch.rand(3, 64, 64)
    save(photo, tmp_path / "fine.jpg", quality=95)
    save(photo, str(tmp_path / "rough.jpg"), quality=20)
    assert (tmp_path / "rough.jpg").stat().st_size < 0.7 * (tmp_path / "fine.jpg").stat().st_size
    with Image.open(tmp_path / "fine.jpg") as image:
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3  # no chroma subsampling
    save(NOISE, tmp_path / "array.png")  # whatever to_tensor takes
    assert np.array_equal(to_uint8(read(tmp_path / "array.png")), NOISE)


def test_save_refuses(tmp_path):
    image = torch.zeros(3, 2, 2)
    for name in ("photo.xyz", "photo", "photo.gif"):
        with pytest.raises(ImageError) as error:
            save(image, tmp_path / name)
        sentence(error, tmp_path / name, ".jpg, .png, .tif or .webp", repr(os.path.splitext(name)[1]))
    with pytest.raises(ImageError) as error:
        save(image, tmp_path / "no" / "photo.png")
    sentence(error, tmp_path / "no" / "photo.png", "a folder that exists")
    for quality in (0, 101, 9.5, "high"):
        with pytest.raises(ImageError) as error:
            save(image, tmp_path / "photo.jpg", quality)
        sentence(error, "1 to 100", repr(quality))
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ImageError) as error:
        save(image, tmp_path / "folder.png")
    sentence(error, tmp_path / "folder.png", "directory")
    with pytest.raises(ImageError) as error:
        save(torch.zeros(3, 1, 70_000), tmp_path / "long.jpg")
    sentence(error, tmp_path / "long.jpg", "a failure")
    with pytest.raises(ImageError) as error:
        save(image * 0 + 200, tmp_path / "bright.png")
    sentence(error, "divide by 255")
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder.png"]


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("moment", ["writing", "replacing"])
def test_save_that_is_interrupted_leaves_the_old_file(tmp_path, monkeypatch, failure, moment):
    path = tmp_path / "photo.png"
    save(to_tensor(NOISE), path)
    before = path.read_bytes()

    def half(self, file, *args, **kwargs):
        file.write(before[:50])
        raise failure

    def stop(*args):
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(*((Image.Image, "save", half) if moment == "writing" else (os, "replace", stop)))
        with pytest.raises(ImageError if isinstance(failure, OSError) else KeyboardInterrupt) as error:
            save(torch.zeros(3, 9, 9), path)
    if isinstance(failure, OSError):
        sentence(error, path, "No space left on device")
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["photo.png"]


@pytest.mark.skipif(os.name == "nt", reason="links and modes of Unix")
def test_save_follows_links_and_the_usual_mode(tmp_path):
    save(torch.zeros(3, 1, 1), tmp_path / "real.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    save(torch.ones(3, 1, 1), tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink() and read(tmp_path / "real.png").min() == 1
    (tmp_path / "plain").write_text("x")
    assert (tmp_path / "real.png").stat().st_mode == (tmp_path / "plain").stat().st_mode


# --- bundled --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in images.BUNDLED if name != "rocket"])
def test_bundled_photos_are_those_of_skimage(name):
    import skimage.data

    expected = getattr(skimage.data, name)()
    expected = expected[0] if name == "stereo_motorcycle" else expected
    assert np.array_equal(to_uint8(bundled(name)), expected)


def test_bundled_rocket_has_its_profile_applied():
    import skimage.data

    def decode(x):
        return x ** (563 / 256)

    raw = skimage.data.rocket()
    expected = by_hand(raw, ADOBE, decode)
    difference = np.abs(pixels(bundled("rocket")) - expected)
    assert np.percentile(difference, 99.9) <= 2 and np.abs(raw - expected).max() > 40


def test_bundled_sizes_and_errors(tmp_path, monkeypatch):
    assert bundled("chelsea", 60).shape == (3, 60, 90)
    assert bundled("coffee", (32, 32)).shape == (3, 32, 32)
    with pytest.raises(ImageError) as error:
        bundled("astronout")
    sentence(error, *images.BUNDLED, "'astronout' (did you mean 'astronaut'?)")
    with pytest.raises(ImageError) as error:
        bundled("zzz")
    assert "did you mean" not in sentence(error, "'zzz'")
    monkeypatch.setitem(images._PHOTOS, "coffee", "gone.png")
    with pytest.raises(ImageError) as error:
        bundled("coffee")
    sentence(error, "'coffee'", "scikit-image", "gone.png", "No such file")


def test_avif_is_read_where_pillow_can(tmp_path):
    if not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    Image.fromarray(SMOOTH).save(tmp_path / "photo.avif", quality=95)
    assert np.abs(pixels(read(tmp_path / "photo.avif")) - SMOOTH).max() <= 10
