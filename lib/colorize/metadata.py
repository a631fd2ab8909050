"""What a photo's file says beside its pixels: taken from the gray photo, true of the colored one, written with it.

Camera, date, place, author, caption, resolution are kept: EXIF, XMP, IPTC, comments, PNG's texts. What would no longer be
true is changed: pixels are upright and sRGB now, a small gray preview is left out, and the file says that its colors are guesses.
"""

import os
import re
import warnings
from collections.abc import Mapping, MutableMapping
from typing import Any

from PIL import Image
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo

HISTORY = 0x9213  # EXIF's ImageHistory: what has been done to the picture
# Tags of the first directory that say how the pixels of that file are stored, not what they show (TIFF 6.0 and EXIF 2.3).
_STORAGE = {*range(254, 267), 273, 274, *range(277, 285), *range(288, 294), 296, 301, *range(317, 348)}
_STORAGE |= {*range(512, 533), 34675}
_TIFF_XMP, _TIFF_IPTC = 700, 33723
_JPEG_XMP = 65_504  # bytes that fit into the segment for it
_TURNED = {5, 6, 7, 8}  # orientations of a picture that lies on its side
# Copies that ImageMagick adds to a PNG: the profile and the orientation in them are no longer true.
_RAW_PROFILES = {f"Raw profile type {kind}" for kind in ("exif", "APP1", "icc", "icm", "xmp")}


class _Text(str):
    """Text of EXIF as Pillow reads it, a character for each byte; written as these bytes, not as ASCII with "?"."""

    def encode(self, *_how: str) -> bytes:
        return super().encode("latin-1")


def options(path: str | os.PathLike, suffix: str, size: tuple[int, int], note: str) -> dict:
    """Read a photo's metadata, as options for Pillow's ``Image.save``.

    Parameters
    ----------
    path : the photo.
    suffix : of the file to be written, such as ".jpg": each format has places of its own.
    size : (width, height) of the upright picture that will be written.
    note : what was done to it; it goes into EXIF's ImageHistory, after what may stand there.

    Returns
    -------
    Options for ``save``. Metadata that cannot be parsed are left out, but for the note.
    """
    found: dict[str, Any] = {}
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            exif, info, texts = image.getexif(), dict(image.info), dict(getattr(image, "text", {}))
            details = dict(exif.get_ifd(IFD.Exif))
            places = dict(exif.get_ifd(IFD.GPSInfo))
            segments = [data for name, data in getattr(image, "applist", ()) if name == "APP13"]  # IPTC
            if _TIFF_IPTC in exif and hasattr(image, "tag_v2"):  # as bytes; of numbers Pillow keeps the first
                exif[_TIFF_IPTC] = image.tag_v2._tagdata[_TIFF_IPTC]
            dpi = _resolution(exif, info)
    except Exception:  # Pillow lets struct.error, KeyError and others pass; the pixels are what matters
        exif, info, texts, details, places, segments, dpi = Image.Exif(), {}, {}, {}, {}, [], ()
    found["exif"] = _exif(exif, details, places, size, dpi, note)
    if dpi and suffix != ".webp":
        found["dpi"] = dpi
    xmp = info.get("xmp") or texts.get("XML:com.adobe.xmp", "")
    xmp = _upright(xmp.encode() if isinstance(xmp, str) else xmp)
    if suffix == ".png":
        if info.get("comment"):  # of a JPEG or a GIF
            texts.setdefault("Comment", info["comment"].decode("utf-8", "replace"))
        found["pnginfo"] = _texts(texts, xmp, note)
    elif xmp and (suffix == ".webp" or (suffix in (".jpg", ".jpeg") and len(xmp) <= _JPEG_XMP)):
        found["xmp"] = xmp
    if suffix in (".jpg", ".jpeg"):
        found["comment"] = info.get("comment", b"")
        found["extra"] = b"".join(
            b"\xff\xed" + (len(data) + 2).to_bytes(2, "big") + data for data in segments
        )
    return found


def _resolution(exif: Image.Exif, info: dict) -> tuple[float, ...]:
    """Pixels per inch of the upright picture, (across, down); () if the file says none that makes sense."""
    dpi, unit = info.get("dpi", ()), exif.get(Base.ResolutionUnit, 2)
    if not dpi and unit in (2, 3):
        inch = 2.54 if unit == 3 else 1  # 3: per centimeter
        dpi = [float(exif.get(tag, 0)) * inch for tag in (Base.XResolution, Base.YResolution)]
    dpi = tuple(map(float, dpi[::-1] if exif.get(Base.Orientation) in _TURNED else dpi))
    return dpi if len(dpi) == 2 and all(1 <= value < 65_536 for value in dpi) else ()


def _exif(
    exif: Image.Exif, details: dict, places: dict, size: tuple[int, int], dpi: tuple[float, ...], note: str
) -> Image.Exif:
    """Write EXIF anew, in three directories: what is known of the picture, of the exposure, of the place."""
    note = note.encode("utf-8", "replace").decode("latin-1")

    def add(directory: MutableMapping, tag: int, text: str) -> None:
        directory[tag] = _Text(_added(str(directory.get(tag, "")).strip("\0 "), text))

    def texts(directory: Mapping) -> dict:
        return {tag: _Text(value) if isinstance(value, str) else value for tag, value in directory.items()}

    def made(keep: bool) -> Image.Exif:
        new = Image.Exif()
        if keep:
            new.update({tag: value for tag, value in texts(exif).items() if tag not in _STORAGE | {*IFD}})
            if isinstance(new.get(_TIFF_XMP), bytes):
                new[_TIFF_XMP] = _upright(new[_TIFF_XMP])
        if dpi:
            new.update({Base.XResolution: dpi[0], Base.YResolution: dpi[1], Base.ResolutionUnit: 2})
        add(new, Base.Software, "colorize")
        detail = new.get_ifd(IFD.Exif)
        new[IFD.Exif] = 0  # an entry, without which TIFF's writer leaves it out
        if keep:
            detail.update({tag: value for tag, value in texts(details).items() if tag != IFD.Interop})
            if places:
                new.get_ifd(IFD.GPSInfo).update(texts(places))
                new[IFD.GPSInfo] = 0
        for tag, side in zip((Base.ExifImageWidth, Base.ExifImageHeight), size, strict=True):
            if tag in detail:
                detail[tag] = side
        detail[Base.ColorSpace] = 1  # sRGB
        add(detail, HISTORY, note)
        return new

    try:
        if len((new := made(keep=True)).tobytes()) <= 65_533:  # what a JPEG can hold
            return new
    except Exception:  # a value of a kind that EXIF does not know
        pass
    return made(keep=False)


def _added(before: str, text: str) -> str:
    """What was there, and the text behind it, once."""
    return before if text in before else f"{before}; {text}" if before else text


def _upright(xmp: bytes) -> bytes:
    """XMP that no longer asks for a turn."""
    return re.sub(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)[2-8]", rb"\g<1>1", xmp)


def _texts(before: dict[str, str], xmp: bytes, note: str) -> PngInfo:
    """PNG's texts: those of the source, and the note."""
    texts = PngInfo()
    for key, text in before.items():
        if key not in {"XML:com.adobe.xmp", "Software", "Comment"} | _RAW_PROFILES:
            texts.add_itxt(key, text)
    for key, text in (("Software", "colorize"), ("Comment", note)):
        texts.add_itxt(key, _added(before.get(key, ""), text))
    if xmp:
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    return texts
