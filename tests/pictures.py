"""Broken and strange pictures, some 280 files, the same each time: what a folder of old photos may hold, and what an attacker sends.

    python tests/pictures.py FOLDER

``make(folder)`` writes them and says of each what is expected: the (height, width) of the picture that must come out, "refused"
for a sentence, or None where either will do, because a damage may hit what a decoder never looks at.
"""

import io
import os
import random
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageFile
from PIL.PngImagePlugin import PngInfo

FORMATS = {
    "jpg": "JPEG",
    "png": "PNG",
    "tif": "TIFF",
    "webp": "WEBP",
    "bmp": "BMP",
    "gif": "GIF",
    "ppm": "PPM",
}
HEIGHT, WIDTH = 40, 56
MODES = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "tif": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F"),
    "jpg": ("L", "RGB", "CMYK", "YCbCr"),
    "webp": ("RGB", "RGBA"),
    "gif": ("1", "L", "P"),
    "bmp": ("1", "L", "P", "RGB", "RGBA"),
    "ppm": ("1", "L", "RGB", "I;16"),
}
REFUSED = "refused"
Expected = tuple[int, int] | str | None


def make(folder: Path) -> dict[Path, Expected]:
    """Write all of them into a folder that is there; returns what is expected of each."""
    found: dict[Path, Expected] = {}

    def put(name: str, data: bytes, expected: Expected) -> Path:
        path = folder / name
        path.write_bytes(data)
        found[path] = expected
        return path

    photo, chance = picture("RGB"), random.Random(0)
    whole = {suffix: encode(photo, suffix) for suffix in FORMATS}
    for suffix, data in whole.items():
        put(f"whole.{suffix}", data, (HEIGHT, WIDTH))
        for tenth in range(10):
            put(f"cut_{tenth}.{suffix}", data[: len(data) * tenth // 10], REFUSED if tenth < 9 else None)
        for number in range(8):
            flipped, last = bytearray(data), 64 if number < 4 else len(data) - 1
            for _ in range(3):
                flipped[chance.randint(0, last)] ^= 1 << chance.randrange(8)
            put(f"flipped_{number}.{suffix}", bytes(flipped), None)
        for mode in MODES[suffix]:
            put(f"mode_{mode.replace(';', '_')}.{suffix}", encode(picture(mode), suffix), (HEIGHT, WIDTH))
        put(f"dot.{suffix}", encode(photo.resize((1, 1)), suffix), (1, 1))
        put(f"garbage_behind.{suffix}", data + b"\0garbage" * 99, (HEIGHT, WIDTH))
        put(f"garbage_before.{suffix}", b"\0garbage" + data, REFUSED)
        put(f"zeros_behind_the_first_bytes.{suffix}", data[:24].ljust(3000, b"\0"), None)
    for suffix, other in zip(FORMATS, [*list(FORMATS)[1:], "jpg"], strict=True):
        put(f"{FORMATS[suffix].lower()}_inside.{other}", whole[suffix], (HEIGHT, WIDTH))

    _other_files(put, whole)
    _bombs(put)
    _sizes_and_pages(put, photo)
    _metadata(put, photo)
    _deep_and_odd_pngs(put)
    _names_and_places(put, folder, found, whole["jpg"])
    return found


def picture(mode: str) -> Image.Image:
    """A smooth picture with an edge, in a mode of Pillow."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / HEIGHT
    rgb = np.stack([y, x / 1.4, np.where(x + y > 1, 0.8, 0.1)], axis=2)
    image = Image.fromarray((rgb * 255).round().astype(np.uint8))
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.fromarray((y * 255).astype(np.uint8)))
    if mode in ("I;16", "I", "F"):
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        return Image.fromarray((y * (1 if mode == "F" else 65535)).astype(kind))
    if mode == "LAB":
        profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(image, *profiles, outputMode="LAB")
        image.info.clear()  # the profile, in which the time stands
        return image
    return image.convert(mode)


def encode(image: Image.Image, suffix: str, **options) -> bytes:
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, FORMATS[suffix], **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, bits: int, color: int, data: bytes, extra: bytes = b"", interlaced: int = 0
) -> bytes:
    """A PNG from what stands in its chunks."""
    header = struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _other_files(put, whole: dict[str, bytes]) -> None:
    """What is no picture at all, or of a kind that nobody should open unasked."""
    for suffix in FORMATS:
        put(f"empty.{suffix}", b"", REFUSED)
        put(f"one_byte.{suffix}", whole[suffix][:1], REFUSED)
    others = {
        "text.jpg": b"Dear Grandmother,\nthank you for the photos.\n",
        "page.png": b"<!doctype html><html><body>404 not found</body></html>",
        "archive.jpg": b"PK\3\4\24\0\0\0\10\0" + b"\7" * 400,
        "document.png": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
        "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) (w) file closefile\nshowpage\n",
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "pickle.jpg": b"\x80\4\x95\x0b\0\0\0\0\0\0\0\x8c\2os\x94.",
        "program.jpg": b"\x7fELF\2\1\1" + b"\0" * 200,
        "film.jpg": b"\0\0\0\x18ftypisom\0\0\0\0isommp41" + b"\0" * 40,
        "noise.png": random.Random(1).randbytes(5000),
    }
    for name, data in others.items():
        put(name, data, REFUSED)


def _bombs(put) -> None:
    """Small files that would be large pictures, or say so."""
    put("bomb.png", png(100_000, 100_000, 8, 2, b""), REFUSED)
    put("bomb_of_zeros.png", png(30_000, 20_000, 1, 0, zlib.compress(bytes(20_000 * 3751), 9)), REFUSED)
    put("bomb_most.png", png(2**31 - 1, 2**31 - 1, 16, 6, b""), REFUSED)
    put("bomb_nothing.png", png(0, 0, 8, 2, b""), REFUSED)
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100_000_000), 9))
    put("bomb_in_a_text.png", png(1, 1, 8, 0, zlib.compress(b"\0\0"), text), None)
    profile = chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(100_000_000), 9))
    put("bomb_in_a_profile.png", png(1, 1, 8, 0, zlib.compress(b"\0\0"), profile), None)
    put("bomb_more_than_it_says.png", png(2, 2, 8, 0, zlib.compress(bytes(50_000_000), 9)), None)
    header = struct.pack(
        "<2sIHHIIiiHHIIiiII", b"BM", 54, 0, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0
    )
    put("bomb.bmp", header, REFUSED)
    put("bomb.gif", b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0, 0, 0) + b";", REFUSED)
    put("bomb.ppm", b"P6 99999 99999 255\n", REFUSED)
    put("bomb_text.ppm", b"P6 " + b"9" * 5000 + b" 1 255\n", REFUSED)
    data = bytearray(encode(picture("RGB"), "jpg"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    put("bomb.jpg", bytes(data), REFUSED)
    tags = [
        (256, 4, 70_000),
        (257, 4, 70_000),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (279, 4, 9),
    ]
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    put("bomb.tif", b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + body + bytes(4), REFUSED)
    ring = b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 8)  # its next page is this one
    put("ring.tif", ring, REFUSED)
    canvas = (16_382).to_bytes(3, "little")
    chunk_ = b"VP8X" + struct.pack("<I", 10) + bytes(4) + canvas * 2
    put("bomb.webp", b"RIFF" + struct.pack("<I", 4 + len(chunk_)) + b"WEBP" + chunk_, REFUSED)


def _sizes_and_pages(put, photo: Image.Image) -> None:
    """Long and narrow pictures, and several in one file."""
    for suffix in ("jpg", "png", "tif"):
        put(f"row.{suffix}", encode(photo.resize((5000, 1)), suffix), (1, 5000))
        put(f"column.{suffix}", encode(photo.resize((1, 5000)), suffix), (5000, 1))
    pages = [photo.rotate(90 * k) for k in (1, 2)]
    several = {"save_all": True, "append_images": pages}
    for suffix in ("gif", "webp", "png"):
        put(f"animated.{suffix}", encode(photo, suffix, duration=50, **several), (HEIGHT, WIDTH))
    put("pages.tif", encode(photo, "tif", **several), (HEIGHT, WIDTH))
    buffer = io.BytesIO()
    photo.save(buffer, "MPO", **several)
    put("two_eyes.jpg", buffer.getvalue(), (HEIGHT, WIDTH))
    other = [photo.resize((9, 7))]
    put("pages_of_two_sizes.tif", encode(photo, "tif", save_all=True, append_images=other), (HEIGHT, WIDTH))


def _metadata(put, photo: Image.Image) -> None:
    """Orientations, broken EXIF, profiles of all kinds, texts without end."""
    for value in (*range(1, 9), 0, 9, 65_535):
        exif = Image.Exif()
        exif[274] = value
        turned = (WIDTH, HEIGHT) if value in range(5, 9) else (HEIGHT, WIDTH)
        for suffix in ("jpg", "png", "webp") if value <= 8 else ("jpg",):
            put(f"turned_{value}.{suffix}", encode(photo, suffix, exif=exif.tobytes()), turned)
    start = b"Exif\0\0"
    ifd = struct.pack("<HHHII", 1, 274, 3, 1, 6)
    broken = {
        "nothing": start,
        "half": start + b"II*\0\x08\0\0\0\x05\0",
        "far": start + b"II*\0\xff\xff\xff\x7f",
        "ring": start + b"II*\0\x08\0\0\0" + ifd + struct.pack("<I", 8),
        "order": start + b"XX*\0\x08\0\0\0",
        "many": start + b"II*\0\x08\0\0\0\xff\xff" + b"\x12\1\3\0" * 999,
        "string": start + b"II*\0\x08\0\0\0" + struct.pack("<HHHI4s", 1, 274, 2, 4, b"six\0") + bytes(4),
    }
    for name, exif in broken.items():
        put(f"exif_{name}.jpg", encode(photo, "jpg", exif=exif), None if name == "ring" else (HEIGHT, WIDTH))
    srgb, lab, xyz = (_profile(kind) for kind in ("sRGB", "LAB", "XYZ"))
    profiles = {"srgb": srgb, "lab": lab, "xyz": xyz, "half": srgb[: len(srgb) // 2], "text": b"no profile"}
    profiles |= {
        "zeros": bytes(200_000),
        "size": struct.pack(">I", 2**31) + srgb[4:],
        "class": srgb[:12] + b"abst" + srgb[16:],
    }
    profiles |= {"cmyk": srgb[:16] + b"CMYK" + srgb[20:], "gray": srgb[:16] + b"GRAY" + srgb[20:]}
    for name, profile in profiles.items():
        for suffix in ("jpg", "png"):
            put(f"profile_{name}.{suffix}", encode(photo, suffix, icc_profile=profile), (HEIGHT, WIDTH))
    for mode in ("L", "CMYK"):
        put(f"profile_of_rgb_{mode}.jpg", encode(picture(mode), "jpg", icc_profile=srgb), (HEIGHT, WIDTH))
    texts = PngInfo()
    for number in range(3000):
        texts.add_text(f"key {number}", "\0\n\r\x1b[31m" + "x" * 300)
    put("many_texts.png", encode(photo, "png", pnginfo=texts), (HEIGHT, WIDTH))
    texts = PngInfo()
    texts.add_text("Comment", "x" * 900_000)
    put("long_text.png", encode(photo, "png", pnginfo=texts), (HEIGHT, WIDTH))
    put("long_comment.jpg", encode(photo, "jpg", comment=b"\xff" * 65_000), (HEIGHT, WIDTH))
    put("resolution.jpg", encode(photo, "jpg", dpi=(65_535, 1)), (HEIGHT, WIDTH))
    for name, value in (("nothing", b""), ("endless", b"<x:xmpmeta" + b"<a>" * 20_000)):
        put(f"xmp_{name}.webp", encode(photo, "webp", xmp=value), (HEIGHT, WIDTH))


def _profile(space: str) -> bytes:
    """A profile without the date of today."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()
    return data[:24] + bytes(12) + data[36:]


def _deep_and_odd_pngs(put) -> None:
    """16 bits, interlaced, progressive, transparent in odd ways, and chunks that are not as they should be."""
    row = struct.pack(">6H", *range(0, 60_000, 10_000))
    put("color_of_16_bits.png", png(2, 2, 16, 2, zlib.compress((b"\0" + row) * 2)), (2, 2))
    put("opacity_of_16_bits.png", png(1, 1, 16, 6, zlib.compress(b"\0" + row[:8])), (1, 1))
    put("color_of_16_bits.ppm", b"P6 2 2 65535\n" + row * 2, (2, 2))
    put("deep.ppm", b"P2 2 1 65536\n0 1\n", None)
    first = zlib.compress(
        b"\0\7" + b"\0\7" * 3 + b"\0\7\7"
    )  # passes 1, 4 (rows), ... of a picture of few pixels
    put("interlaced_short.png", png(4, 4, 8, 0, first, interlaced=1), None)
    passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    lines = b""
    for x, y, right, down in passes:  # Adam7 of 16 x 16 gray pixels
        lines += (b"\0" + bytes(len(range(x, 16, right)))) * len(range(y, 16, down))
    put("interlaced.png", png(16, 16, 8, 0, zlib.compress(lines), interlaced=1), (16, 16))
    put("interlaced_unknown.png", png(16, 16, 8, 0, zlib.compress(lines), interlaced=7), None)
    put("progressive.jpg", encode(picture("RGB"), "jpg", progressive=True), (HEIGHT, WIDTH))
    put("of_one_color.png", encode(picture("P"), "png", transparency=3), (HEIGHT, WIDTH))
    put("with_opacities.png", encode(picture("P"), "png", transparency=bytes(range(200))), (HEIGHT, WIDTH))
    put("palette_missing.png", png(2, 2, 8, 3, zlib.compress(b"\0\1\2" * 2)), None)
    palette = chunk(b"PLTE", b"\1\2\3")
    put("palette_too_short.png", png(2, 2, 8, 3, zlib.compress(b"\0\1\xff" * 2), palette), (2, 2))
    put("depth_unknown.png", png(2, 2, 3, 0, zlib.compress(b"\0\1" * 2)), REFUSED)
    put("two_headers.png", png(2, 2, 8, 0, zlib.compress(b"\0\1\1" * 2), chunk(b"IHDR", bytes(13))), None)
    data = png(2, 2, 8, 0, zlib.compress(b"\0\1\1" * 2))
    put("checksum.png", data[:-20] + bytes([data[-20] ^ 1]) + data[-19:], None)
    put("no_end.png", data[:-12], None)
    values = np.array([[np.nan, 0.5]], np.float32)
    put("not_a_number.tif", encode(Image.fromarray(values), "tif"), REFUSED)
    put("infinite.tif", encode(Image.fromarray(np.array([[np.inf, 0.5]], np.float32)), "tif"), REFUSED)
    put("below_zero.tif", encode(Image.fromarray(np.array([[-5, 5]], np.int32)), "tif"), REFUSED)
    for name in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg", "group4"):
        image = picture("1" if name == "group4" else "RGB")
        data = encode(image, "tif", compression=name)
        put(f"packed_{name}.tif", data, (HEIGHT, WIDTH))
        put(f"packed_{name}_cut.tif", data[: len(data) // 2], None)


def _names_and_places(put, folder: Path, found: dict, jpeg: bytes) -> None:
    """Photos under names that programs stumble over, and what is no file."""
    odd = (
        "a b.jpg",
        "-o.jpg",
        "--help.png",
        "Großmutter und 祖母.jpg",
        "new\nline.jpg",
        "\x1b[31mred.jpg",
        "%s{0}$HOME.jpg",
    )
    for name in (
        *odd,
        "'\"`;&|.jpg",
        "n" * 240 + ".jpg",
        "UPPER.JPG",
        "two.dots.jpg",
        os.fsdecode(b"latin-\xff.jpg"),
    ):
        put(name, jpeg, (HEIGHT, WIDTH))

    def place(name: str, expected: Expected) -> Path:
        found[folder / name] = expected
        return folder / name

    place("link.jpg", (HEIGHT, WIDTH)).symlink_to("a b.jpg")
    place("link_to_nothing.jpg", REFUSED).symlink_to("not there.jpg")
    place("link_to_itself.jpg", REFUSED).symlink_to("link_to_itself.jpg")
    place("zeros_without_end.jpg", REFUSED).symlink_to("/dev/zero")
    os.mkfifo(place("pipe.jpg", REFUSED))
    place("folder.jpg", REFUSED).mkdir()
    locked = place("locked.jpg", REFUSED if os.geteuid() else (HEIGHT, WIDTH))  # nothing is locked for root
    locked.write_bytes(jpeg)
    locked.chmod(0)


if __name__ == "__main__":
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    target = Path(sys.argv[1])
    target.mkdir(parents=True)
    print(f"{len(make(target))} pictures in {target}")
