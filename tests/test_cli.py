"""The command `colorize` on photos: which files, where to, what is kept, what is said of those that fail."""

import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
from importlib.metadata import entry_points

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps, TiffImagePlugin
from PIL.ExifTags import IFD, Base
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from colorize import batch, cli, console, images, metadata, weights
from colorize.colorizer import Colorizer
from colorize.lab import rgb_to_lab
from colorize.networks import SmallNet

NOTE = "colors guessed by colorize (network first, T = 0.38)"
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:Artist="Ada"/>
</rdf:RDF></x:xmpmeta>"""
# A photographer's caption as IPTC in a JPEG: Photoshop's segment, of the kind that archives write.
CAPTION = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0e\x1c\x02\x78\0\x09In Vienna"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with small networks."""
    root = tmp_path_factory.mktemp("data")
    (root / "weights").mkdir()
    torch.manual_seed(0)
    recipe = {"loss": "rebalanced"}
    weights.save(root / "weights" / "first.safetensors", SmallNet(width=4), {"width": 4}, 32, recipe)
    mild = recipe | {"temperature": 1.0}
    weights.save(root / "weights" / "mild.safetensors", SmallNet(width=4), {"width": 4}, 32, mild)
    means = SmallNet(outputs=2, width=4)
    weights.save(root / "weights" / "l2.safetensors", means, {"width": 4, "outputs": 2}, 32, {"loss": "l2"})
    return root


@pytest.fixture(autouse=True)
def use(data, monkeypatch, tmp_path):
    monkeypatch.setenv("COLORIZE_DATA", str(data))
    monkeypatch.chdir(tmp_path)


def gray(width=48, height=36):
    """A picture that is not symmetric, so that every turn shows."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray((x * 3 + y * 2 + 20 * (x > y)).clip(0, 255).astype(np.uint8))


def exif(orientation=6) -> Image.Exif:
    found = Image.Exif()
    found[Base.Make], found[Base.Software], found[Base.Orientation] = "Leica", "Darkroom", orientation
    found[Base.Artist] = "Ada"
    found.get_ifd(IFD.Exif).update({Base.DateTimeOriginal: "1950:05:01 12:00:00", Base.ExifImageWidth: 48})
    found.get_ifd(IFD.Exif).update({Base.ExifImageHeight: 36, Base.ColorSpace: 65535})
    found.get_ifd(IFD.Exif)[IFD.Interop] = {1: "R03"}  # of Adobe RGB
    found.get_ifd(IFD.GPSInfo)[1] = "N"
    return found


def write(path, **options):
    """A gray photo with all metadata that its format can hold."""
    if path.suffix == ".jpg":
        segment = b"\xff\xed" + (len(CAPTION) + 2).to_bytes(2, "big") + CAPTION
        options |= {"extra": segment, "comment": b"scanned", "quality": 95}
    if path.suffix == ".png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["pnginfo"].add_text("Title", "Großmutter")
    elif path.suffix != ".tif":
        options["xmp"] = XMP
    if path.suffix == ".webp":
        options["lossless"] = True
    known = exif()
    if path.suffix == ".tif":
        known[700] = XMP
    gray().convert("RGB").save(path, exif=known.tobytes(), dpi=(300, 300), **options)


def run(*arguments) -> int:
    return cli.main([str(argument) for argument in arguments])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
def test_size_orientation_and_metadata_are_kept(tmp_path, suffix):
    source, target = tmp_path / f"a{suffix}", tmp_path / "out" / f"a{suffix}"
    write(source)
    before = source.read_bytes()
    assert run(source, "-o", "out", "-d", "cpu") == 0
    assert source.read_bytes() == before
    with Image.open(source) as old, Image.open(target) as new:
        new.load()
        upright = ImageOps.exif_transpose(old).convert("L")
        assert new.size == upright.size == (36, 48)
        found, details = new.getexif(), new.getexif().get_ifd(IFD.Exif)
        assert found.get(Base.Orientation, 1) == 1
        assert (found[Base.Make], found[Base.Artist]) == ("Leica", "Ada")
        assert found[Base.Software] == "Darkroom; colorize"
        assert details[Base.DateTimeOriginal] == "1950:05:01 12:00:00"
        assert (details[Base.ExifImageWidth], details[Base.ExifImageHeight]) == (36, 48)
        assert details[Base.ColorSpace] == 1
        assert details[metadata.HISTORY] == NOTE
        assert found.get_ifd(IFD.GPSInfo)[1] == "N"
        if suffix != ".webp":
            assert new.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert b'tiff:Orientation="1"' in new.info["xmp"]
        assert b'tiff:Artist="Ada"' in new.info["xmp"]
        assert IFD.Interop not in details
        if suffix == ".jpg":
            assert ("APP13", CAPTION) in new.applist
            assert new.info["comment"] == b"scanned"
        if suffix == ".png":
            assert new.text["Title"] == "Großmutter"
            assert new.text["Comment"] == NOTE
    colored, plain = rgb_to_lab(images.read(target)[None]), rgb_to_lab(images.to_tensor(upright)[None])
    assert (colored[:, 0] - plain[:, 0]).abs().mean() < 2  # its lightness, in its place
    assert colored[:, 1:].abs().mean() > 1


def test_colored_again_the_note_stands_once_for_each_network(tmp_path):
    write(tmp_path / "a.jpg")
    assert run("a.jpg", "-o", "b.jpg") == 0
    assert run("b.jpg", "-o", "c.jpg", "--network", "l2") == 0
    assert run("c.jpg", "-o", "d.jpg", "--network", "l2") == 0
    with Image.open("d.jpg") as picture:
        assert picture.getexif()[Base.Software] == "Darkroom; colorize"
        history = picture.getexif().get_ifd(IFD.Exif)[metadata.HISTORY]
    assert history == f"{NOTE}; colors guessed by colorize (network l2)"


def test_metadata_that_cannot_be_read_lose_no_photo(tmp_path):
    gray().save("a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08" + b"\xff" * 40)
    gray().save("b.png", dpi=(0, 0))
    big = Image.Exif()
    big[Base.ImageDescription] = "x" * 65_000
    big.get_ifd(IFD.Exif)[Base.UserComment] = b"y" * 400
    gray().save("c.png", exif=big.tobytes())
    gray().save("d.tif", exif=big.tobytes())
    full = Image.Exif()
    full[Base.ImageDescription] = "x" * 65_440  # the note would be too much
    gray().save("e.jpg", exif=full.tobytes())
    gray().save("f.tif", tiffinfo={282: IFDRational(0, 0), 283: IFDRational(0, 0), 296: 2})
    names = ("a.jpg", "b.png", "c.png", "d.tif", "e.jpg", "f.tif")
    assert run(*names, "-o", "out") == 0
    for name in names:
        with Image.open(tmp_path / "out" / name) as picture:
            picture.load()
            assert picture.getexif().get_ifd(IFD.Exif)[metadata.HISTORY] == NOTE


def test_what_pillow_would_lose_is_kept(tmp_path, recwarn):
    """Letters beyond ASCII, IPTC in a TIFF, two resolutions, resolution in a WebP, a comment on the way to PNG."""
    known = exif()
    known[Base.Artist] = metadata._Text("Großmutter".encode().decode("latin-1"))
    known.update({Base.XResolution: 300.0, Base.YResolution: 240.0, Base.ResolutionUnit: 2})
    for suffix in ("jpg", "png", "tif", "webp"):
        gray().save(f"a.{suffix}", exif=known)
    caption = CAPTION[-16:]  # said to be numbers, as many programs write it
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory[33723], directory.tagtype[33723] = caption, 7
    gray().save("b.tif", tiffinfo=directory)
    content = (tmp_path / "b.tif").read_bytes()
    entry = struct.pack("<HHI", 33723, 7, 16)
    assert content.count(entry) == 1
    (tmp_path / "b.tif").write_bytes(content.replace(entry, struct.pack("<HHI", 33723, 4, 4)))
    gray().save("c.gif", comment=b"scanned")
    gray().save("e.webp", xmp=b"x" * 200_000)
    gray().save("f.jpg", xmp=b"x" * 65_504)
    texts = PngInfo()
    texts.add_text("Raw profile type exif", "\nexif\n 8\n4d4d002a00000008\n")
    gray().save("d.png", pnginfo=texts)
    assert (
        run("a.jpg", "a.png", "a.tif", "a.webp", "b.tif", "c.gif", "d.png", "e.webp", "f.jpg", "-o", "out")
        == 0
    )
    for name, size in (("e.webp", 200_000), ("f.jpg", 65_504)):
        with Image.open(f"out/{name}") as picture:
            assert len(picture.info["xmp"]) == size
    for suffix in ("jpg", "png", "tif", "webp"):
        with Image.open(f"out/a.{suffix}") as picture:
            found = picture.getexif()
            assert found[Base.Artist].encode("latin-1").decode() == "Großmutter"
            across, down = found[Base.XResolution], found[Base.YResolution]
            if suffix != "jpg":  # of a JPEG without JFIF's Pillow reads one
                assert (across, down) == (240, 300)  # it was turned
    with Image.open("out/b.tif") as picture:
        assert picture.tag_v2[33723] == caption
    with Image.open("out/c.gif.png") as picture:
        assert picture.text["Comment"] == f"scanned; {NOTE}"
    with Image.open("out/d.png") as picture:
        assert "Raw profile type exif" not in picture.text
    assert [str(warning.message) for warning in recwarn] == []


def test_profiles_are_converted_and_not_kept():
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    gray().convert("RGB").save("a.jpg", icc_profile=profile)
    assert run("a.jpg", "-o", "out") == 0
    with Image.open("out/a.jpg") as picture:
        assert "icc_profile" not in picture.info  # it is sRGB, as a file without a profile


BROKEN = {
    "empty.jpg": b"",
    "text.png": b"no picture at all",
    "html.webp": b"<!doctype html><title>404</title>",
    "zeros.tif": bytes(3000),
    "gif.gif": b"GIF89a",
    "bmp.bmp": b"BM" + bytes(60),
    "heic.heic": b"\0\0\0\x18ftypheic" + bytes(40),
    "cut.jpg": None,
    "sub/cut.png": None,
    "folder.jpg": None,
}


def test_a_folder_of_100_with_10_broken(tmp_path, capsys):
    album = tmp_path / "album"
    (album / "sub" / "deeper").mkdir(parents=True)
    suffixes = (".jpg", ".jpeg", ".JPG", ".png", ".tif", ".webp", ".gif", ".bmp", ".ppm")
    places = ("", "sub", "sub/deeper")
    good = [album / places[k % 3] / f"{k} é{suffixes[k % 9]}" for k in range(90)]
    for k, path in enumerate(good):
        picture = gray(20 + k % 7, 16 + k % 5)
        few = path.suffix in (".png", ".tif", ".gif", ".bmp")
        picture.convert(("L", "RGB", *("1", "P") * few)[k % (2 + 2 * few)]).save(path)
    for name, content in BROKEN.items():
        if content is not None:
            (album / name).write_bytes(content)
    (album / "cut.jpg").write_bytes(good[0].read_bytes()[:-300])
    (album / "sub" / "cut.png").write_bytes((good[3]).read_bytes()[:-40])
    os.symlink(album / "nowhere.jpg", album / "folder.jpg")
    (album / "notes.txt").write_text("no photo, left alone")
    (album / ".hidden.jpg").write_text("a camera's own file, left alone")
    assert run(album, "-o", tmp_path / "out") == 1
    said = capsys.readouterr()
    assert "90 photos colored, in " in said.out
    assert "10 failed:\n" in said.err
    sentences = said.err.split("10 failed:\n")[1].splitlines()
    assert len(sentences) == 10
    for name, sentence in zip(sorted(BROKEN, key=lambda name: album / name), sentences, strict=True):
        assert sentence.startswith(f"  {album / name}: expected "), sentence
    written = {path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()}
    plain = {".gif", ".bmp", ".ppm"}
    expected = {path.relative_to(album) for path in good}
    assert written == {
        path.with_name(path.name + ".png") if path.suffix in plain else path for path in expected
    }
    for path in written:
        source = album / path
        with (
            Image.open(tmp_path / "out" / path) as new,
            Image.open(source if source.exists() else source.with_suffix("")) as old,
        ):
            assert new.size == old.size


def test_nothing_is_overwritten_unless_told(tmp_path, capsys):
    write(tmp_path / "a.png")
    write(tmp_path / "b.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_text("mine")
    assert run("a.png", "b.png", "-o", "out") == 0
    said = capsys.readouterr().out
    assert "1 photo colored, in out" in said
    assert "1 photo left out: already there (--overwrite replaces)" in said
    assert (tmp_path / "out" / "a.png").read_text() == "mine"
    assert run("a.png", "b.png", "-o", "out", "--overwrite") == 0
    with Image.open("out/a.png") as picture:
        assert picture.size == (36, 48)


def test_a_photo_itself_is_never_overwritten(tmp_path, capsys):
    write(tmp_path / "a.png")
    os.link("a.png", "same.png")
    before = (tmp_path / "a.png").read_bytes()
    assert run("a.png", "-o", ".", "--overwrite") == 1
    assert "a.png: a.png would be written over a photo itself" in capsys.readouterr().err
    assert run(tmp_path, "-o", tmp_path, "--overwrite") == 1
    assert run("a.png", "-o", "same.png", "--overwrite") == 1
    (tmp_path / "sub").mkdir()
    Image.new("L", (9, 9)).save("sub/a.png")
    assert run("sub", "a.png", "-o", ".", "--overwrite") == 1  # another one's target, and named itself
    assert (tmp_path / "a.png").read_bytes() == before


def test_where_things_go(tmp_path):
    from pathlib import Path

    for name in ("x/a.jpg", "x/sub/a.jpg", "y/a.jpg", "x/out/old.jpg", "x/a.gif"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    x, y = Path("x"), Path("y")
    jobs, failed = batch.plan([x, y, x / "a.jpg", Path("missing"), Path("y/none")], x / "out")
    names = [(job.source.as_posix(), job.target.as_posix()) for job in jobs]
    assert names == [
        ("x/a.gif", "x/out/a.gif.png"),
        ("x/a.jpg", "x/out/a.jpg"),  # and not again when it is named a second time
        ("x/sub/a.jpg", "x/out/sub/a.jpg"),
    ]  # x/out is where colored photos lie
    assert [str(path) for path, _ in failed] == ["missing", "y/none", "y/a.jpg"]
    assert failed[0][1] == "missing: there is no such file or folder"
    assert "x/out/a.jpg belongs to x/a.jpg already" in failed[2][1]
    (tmp_path / "z").symlink_to("x")
    _, failed = batch.plan([x / "a.jpg", tmp_path / "z" / "a.jpg", x / "sub", Path("x" * 300)], x / "out")
    assert [sentence for _, sentence in failed] == [  # the same file by another way is no other file
        f"{'x' * 300}: expected a file or folder, received none that can be read (File name too long)",
        "x/sub/a.jpg: x/out/a.jpg belongs to x/a.jpg already; color it into another folder",
    ]
    (job,), _ = batch.plan([y / "a.jpg"], Path("new.png"))
    assert job.target == Path("new.png")
    for inputs in ([x / "a.jpg", y / "a.jpg"], [x]):
        with pytest.raises(ValueError, match=r"new.png is the name of one picture"):
            batch.plan(inputs, Path("new.png"))
    (tmp_path / "empty").mkdir()
    _, ((_, sentence),) = batch.plan([Path("empty")], Path("out"))
    assert sentence.startswith("empty: no photo in it (looked for .avif, .bmp")


def test_the_temperature_is_the_networks_own_unless_named(capsys):
    gray().save("a.png")
    for options, words in (
        ((), "network first, T = 0.38, on cpu"),
        (("-t", "0"), "network first, T = 0, on cpu"),
        (("-n", "mild"), "network mild, T = 1, on cpu"),
        (("-n", "mild", "-t", "0.5"), "network mild, T = 0.5, on cpu"),
        (("-n", "l2"), "network l2, on cpu"),
    ):
        assert run("a.png", "--overwrite", "-d", "cpu", *options) == 0
        assert capsys.readouterr().out.startswith(words)


def test_a_place_that_cannot_be_written_to(tmp_path, capsys):
    write(tmp_path / "a.png")
    (tmp_path / "file").write_text("a file")
    assert run("a.png", "-o", "file/out") == 1
    assert "a.png: file/out/a.png could not be written (" in capsys.readouterr().err
    assert run("a.png", "-o", "x" * 300) == 1
    assert capsys.readouterr().err.endswith(" could not be written (File name too long)\n")


def test_two_photos_with_one_target_only_the_file_system_knows_of(tmp_path, capsys):
    """As of a.png and A.png where capitals count for nothing; here through a link."""
    (tmp_path / "album" / "sub").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(".")
    for path in ("album/a.png", "album/sub/a.png"):
        gray().save(path)
    assert run("album", "-o", "out", "--overwrite") == 1
    said = capsys.readouterr().err
    assert "  album/sub/a.png: out/sub/a.png belongs to album/a.png already; color it into another" in said


def test_what_is_no_file_is_not_waited_for(tmp_path, capsys):
    (tmp_path / "album").mkdir()
    os.mkfifo("album/pipe.jpg")
    (tmp_path / "album" / "zero.jpg").symlink_to("/dev/zero")
    (tmp_path / "album" / "loop.jpg").symlink_to("loop.jpg")
    assert run("album", "album/pipe.jpg", "-o", "out") == 1
    sentences = capsys.readouterr().err.splitlines()
    assert [sentence.rpartition("(")[2] for sentence in sentences[1:]] == [
        "Too many levels of symbolic links)",
        "a pipe or a device)",
        "a pipe or a device)",
    ]
    with pytest.raises(SystemExit):
        run("evaluate", "album")


def test_folders_that_cannot_be_read_are_named(monkeypatch):
    from pathlib import Path

    def walk(folder, onerror):
        onerror(PermissionError(13, "Permission denied", f"{folder}/closed"))
        yield str(folder), [], ["a.jpg"]

    monkeypatch.setattr(batch.os, "walk", walk)
    jobs, failed = batch.plan([Path(".")], Path("out"))
    assert [job.source.name for job in jobs] == ["a.jpg"]
    sentence = "./closed: expected a folder that can be read, received one that cannot (Permission denied)"
    assert [sentence for _, sentence in failed] == [sentence]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_a_terminal_cannot_show(tmp_path, capsys, monkeypatch):
    names = ["new\nline.png", "red\x1b[31m.png", os.fsdecode(b"bytes\xff.png"), "-d.png", "Ü 'quoted'.png"]
    for name in names:
        gray(9, 8).save(name)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert run("-o", "Ü", "--", *names, "no\nwhere\x1b.png") == 1
    assert sorted(os.listdir("Ü")) == sorted(names)
    sys.stdout.seek(0)
    assert r"5 photos colored, in \xdc (" in sys.stdout.read()
    assert r"no\nwhere\x1b.png: there is no such file" in capsys.readouterr().err.splitlines()[-1]


def test_sides_that_the_network_cannot_look_at(capsys):
    Image.new("L", (3000, 20)).save("long.png")
    Image.new("L", (1, 1)).save("one.png")
    assert run("long.png", "one.png", "-o", "out") == 1
    assert "long.png: expected sides of which one is at most 100 times the" in capsys.readouterr().err
    assert os.listdir("out") == ["one.png"]


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("[..] can't allocate memory: you tried")],
)
def test_too_large_for_the_memory(tmp_path, capsys, monkeypatch, error):
    write(tmp_path / "a.png")
    write(tmp_path / "b.png")

    def colorize(self, image, T):
        if image.shape[1] == 48 and not (tmp_path / "out").exists():
            (tmp_path / "out").mkdir()
            raise error
        return np.zeros((48, 36, 3), np.uint8)

    monkeypatch.setattr(Colorizer, "colorize", colorize)
    assert run("a.png", "b.png", "-o", "out") == 1
    assert "a.png: too large for the memory that is free" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.png"]


@pytest.fixture
def ctrl_c():
    """Python's own answer to Ctrl-C; a program that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_leaves_nothing_half_written(tmp_path, capsys, monkeypatch):
    for name in ("a.png", "b.png", "c.png"):
        write(tmp_path / name)
    real, count = images.Image.Image.save, []

    def save(self, file, *rest, **options):
        real(self, file, *rest, **options)
        count.append(1)
        if len(count) == 2:  # all bytes are there, the name is not
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(images.Image.Image, "save", save)
    assert run("a.png", "b.png", "c.png", "-o", "out") == 130
    assert "stopped; the same command goes on" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png"]
    assert run("a.png", "b.png", "c.png", "-o", "out") == 0
    assert "2 photos colored" in capsys.readouterr().out


# Mistakes in the command

MISTAKES = {
    ("",): ("argument PHOTO: expected a file or folder, received ''", 2),
    ("a.png", "-o", ""): ("argument -o/--out: expected a file or folder, received ''", 2),
    ("a.png", "-o", "a.txt"): ("a.txt: expected a folder, or one picture's name", 2),
    ("a.png", "-o", "b.gif"): ("received '.gif'", 2),
    ("a.png", "-x.png"): ("there is no option -x.png; for the file, write ./-x.png", 2),
    ("a.png", "--device", "meta"): ("the device 'meta' computes nothing", 2),
    ("evaluate", ""): ("argument FOLDER: expected a file or folder, received ''", 2),
    ("trian",): ("trian: there is no such file or folder (did you mean train?)", 1),
    ("a.png", "-t", "-1"): (
        "argument -t/--temperature: expected a number from 0 to 1, or above, received '-1'",
        2,
    ),
    ("a.png", "-t", "nan"): ("received 'nan'", 2),
    ("a.png", "--quality", "0"): ("expected a whole number from 1 to 100, received '0'", 2),
    ("a.png", "--temprature", "1"): ("there is no option --temprature (did you mean --temperature?)", 2),
    ("a.png", "--temp", "1"): ("there is no option --temp (did you mean --temperature?)", 2),
    ("a.png", "--network", "frist"): (
        "there is no network 'frist'; there are first, l2, mild, and zhang2016",
        2,
    ),
    ("a.png", "--device", "cuda:99"): ("the device 'cuda:99' is not there; this machine has cpu", 2),
    ("a.png", "b.png", "-o", "c.png"): ("c.png is the name of one picture", 2),
    ("evaluate",): ("the following arguments are required: FOLDER", 2),
    ("evaluate", "nowhere"): ("there is no folder nowhere", 2),
    ("evaluate", ".", "--split", "test"): ("split must be 'train', 'validation' or 'all', got 'test'", 2),
    ("evaluate", ".", "--size", "4"): ("expected a whole number of at least 8, received '4'", 2),
    ("train", "--recipe", "l4", "--data", "."): ("there is no recipe 'l4'", 2),
    ("networks", ""): ("there is no use for ''", 2),
    ("networks", "all"): ("there is no use for 'all'", 2),
}


@pytest.mark.parametrize("command", MISTAKES, ids=" ".join)
def test_a_mistake_gets_one_sentence(tmp_path, capsys, command):
    sentence, status = MISTAKES[command]
    write(tmp_path / "a.png")
    for name in ("a.txt", "-x.png"):
        (tmp_path / name).write_text("a file")
    try:
        assert run(*command) == status
    except SystemExit as ended:
        assert ended.code == status
    said = capsys.readouterr()
    assert sentence in said.err
    assert len(said.err.splitlines()) == 2  # the sentence, and one line before or after it
    assert said.out == ""
    assert not (tmp_path / "colorized").exists()


def test_help_names_everything(capsys):
    for command, words in (
        ([], ("colorize train", "colorize evaluate", "colorize networks", "--temperature", "--overwrite")),
        (["train", "--help"], ("--recipe", "--data", "torchrun")),
        (["evaluate", "--help"], ("--network", "rebalanced AuC", "95 %")),
    ):
        with pytest.raises(SystemExit) as ended:
            run(*command)
        assert ended.value.code == 0
        said = capsys.readouterr().out
        assert [word for word in words if word not in said] == []


def test_help_comes_at_once():
    """Without PyTorch: nobody waits two seconds for a help."""
    code = "import sys; sys.modules['torch'] = None; from colorize.cli import main; main(['--help'])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


BARE = """
import runpy, sys
blocked = "pooch ipywidgets jupytext IPython nbformat skimage matplotlib".split()
sys.modules |= dict.fromkeys(blocked)
for command in (["a.png", "-o", "out"], ["networks"], ["evaluate", "folder", "--size", "32"]):
    sys.argv = ["colorize", *command]
    try:
        runpy.run_module("colorize", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        assert ended.code == 0, command
"""


def test_it_runs_where_nothing_but_the_library_needs_is_installed(tmp_path):
    write(tmp_path / "a.png")
    (tmp_path / "folder").mkdir()
    images.save(torch.rand(3, 40, 40), tmp_path / "folder" / "b.png")
    done = subprocess.run([sys.executable, "-W", "error", "-c", BARE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "1 photo colored, in out" in done.stdout
    assert "1 photo with color" in done.stdout


def test_ctrl_c_waits_for_an_import():
    with pytest.raises(KeyboardInterrupt), console.ctrl_c_waits():
        os.kill(os.getpid(), signal.SIGINT)
        imported = True
    assert imported


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux alone has a device that is always full")
def test_nobody_listens():
    """The reader of a pipe may be gone, as after ``| head -1``; the disk that takes the output may be full."""
    code = "from colorize.console import say; say('one'); say('two'); print('went on')"
    for target, said in (("pipe", b""), ("/dev/full", b"could not be written (No space left")):
        if target == "pipe":
            reader, writer = os.pipe()
            os.close(reader)
        else:
            writer = os.open(target, os.O_WRONLY)
        done = subprocess.run([sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE)
        os.close(writer)
        assert done.returncode == 0, done.stderr
        assert said in done.stderr
        assert b"Error" not in done.stderr


def test_the_command_is_installed():
    (command,) = entry_points(group="console_scripts", name="colorize")
    assert command.load() is cli.main


# The other commands


def test_a_damaged_network_is_named_and_the_others_are_listed(tmp_path, capsys, monkeypatch):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "broken.safetensors").write_bytes(b"no weights")
    weights.save(tmp_path / "weights" / "mine.safetensors", SmallNet(width=4), {"width": 4}, 32, {})
    monkeypatch.setenv("COLORIZE_DATA", str(tmp_path))
    assert run("networks") == 1
    said = capsys.readouterr()
    assert said.out.splitlines()[1].split()[0] == "mine"
    assert "broken.safetensors is no weights file that can be read" in said.err


def test_a_training_that_cannot_write_gets_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("a file")
    for k in range(3):  # 2.jpg is for validation
        write(tmp_path / f"{k}.jpg")
    (tmp_path / "r.toml").write_text(
        'loss = "l2"\n[[phases]]\nsize = 32\nsteps = 1\nbatch_size = 1\nlearning_rate = 0.1'
    )
    assert run("train", "--recipe", "r.toml", "--data", ".", "--out", "file") == 1
    assert capsys.readouterr().err == "colorize train: file: File exists\n"


def test_networks_are_listed(capsys):
    assert run("networks") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines[1:5]] == [
        ["*", "first", "0.38"],
        ["l2", "-", "-"],
        ["mild", "1", "-"],
        ["zhang2016", "1", "not"],
    ]


def test_networks_are_evaluated(tmp_path, capsys):
    from colorize import evaluation

    folder = tmp_path / "photos"
    folder.mkdir()
    for k, name in enumerate(images.BUNDLED):
        images.save(images.bundled(name, 80), folder / f"{k}.png")
    (folder / "broken.png").write_bytes(b"")
    images.save(torch.full((3, 50, 50), 0.5), folder / "gray.png")
    assert run("evaluate", folder, "--network", "first", "l2", "--size", "64") == 0
    said = capsys.readouterr()
    assert "1 of 7 photos were skipped; the first: " in said.err
    assert len(said.err.splitlines()) == 1
    assert said.out.startswith("5 photos with color, squares of 64 pixels\n")
    lines = said.out.splitlines()[3:]
    rows = {line[:26].strip(): line[26:] for line in lines[:-2]}
    for name, line in zip(("first", "l2"), lines[-2:], strict=True):
        count = sum(p.numel() for p in Colorizer.load(name).network.parameters())
        assert re.fullmatch(rf"{name}: {count:,} numbers, \d+ ms a photo", line)
    assert list(rows) == ["truth", "gray", "random", "constant", "first, T = 1", "first, T = 0.38", "l2"]
    photos = evaluation.validation_photos([folder / f"{k}.png" for k in range(5)], 64)
    (ab,) = evaluation.predict(Colorizer.load("l2"), photos, (1.0,)).values()
    expected = evaluation.numbers(evaluation.scores(ab, photos))
    assert float(rows["l2"].split()[0]) == pytest.approx(expected["raw_auc"], abs=0.06)
    assert float(rows["l2"].split()[-1]) == pytest.approx(expected["colorfulness"], abs=0.06)
    command = ("evaluate", folder, "--network", "first", "l2", "--size", "64", "--out", "found")
    assert run(*command) == 0
    assert (
        "written: found/evaluation.json, found/evaluation.jpg (gray, first, l2, true)"
        in capsys.readouterr().out
    )
    stored = json.loads((tmp_path / "found" / "evaluation.json").read_text())
    assert (stored["photos"], stored["pixels"]) == (5, 64)
    assert list(stored["rows"]) == list(rows)
    assert {name: found["temperature"] for name, found in stored["networks"].items()} == {
        "first": 0.38,
        "l2": 0.38,
    }
    assert all(0 < found["seconds"] < 60 for found in stored["networks"].values())
    assert stored["rows"]["l2"]["numbers"] == pytest.approx(expected, abs=0.011, nan_ok=True)
    grid = images.read(tmp_path / "found" / "evaluation.jpg")
    assert grid.shape == (3, 4 * 64, 5 * 64)  # gray, first, l2, true
    assert (grid[:, -64:, 64:128] - photos[1]).abs().mean() < 0.03
    assert (grid[0, :64] - grid[1, :64]).abs().max() < 0.03
    expected_row = Colorizer.load("first").colorize(photos[2], 0.38)
    assert abs(images.to_uint8(grid[:, 64:128, 128:192]).astype(int) - expected_row).mean() < 8
    with pytest.raises(SystemExit):
        run(*command)
    assert "found/evaluation.json is there already (--overwrite replaces)" in capsys.readouterr().err
    assert run(*command, "--overwrite") == 0
    (tmp_path / "file").write_text("")
    assert run(*command[:-1], "file/x") == 1
    assert "colorize evaluate: file/x: Not a directory\n" in capsys.readouterr().err
    assert (
        run("evaluate", folder, folder, "--network", "l2", "--size", "64") == 0
    )  # two folders: one set of photos
    assert capsys.readouterr().out.startswith("10 photos with color")
    assert run("evaluate", folder, "--limit", "3", "--size", "64") == 0
    assert capsys.readouterr().out.startswith("2 photos with color, of 7")  # every third; one of them is gray
    with pytest.raises(SystemExit):
        run("evaluate", folder, "--limit", "1", "--network", "l4")
    (folder / "0.png").unlink()
    for k in range(1, 5):
        (folder / f"{k}.png").write_bytes(b"")
    with pytest.raises(SystemExit):
        run("evaluate", folder)
    assert "none of 6 files is a readable photo with color" in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_hidden_as_a_lack_of_memory(tmp_path, monkeypatch, capsys):
    from colorize import evaluation

    for k in range(2):
        images.save(images.bundled("coffee", 48), tmp_path / f"{k}.png")

    def fails(error):
        def function(*_, **__):
            raise error

        return function

    bug = RuntimeError("shapes do not fit")
    monkeypatch.setattr(Colorizer, "colorize", fails(bug))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        run("0.png", "-o", "out")
    monkeypatch.setattr(evaluation, "compare", fails(bug))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        run("evaluate", ".", "--network", "l2", "--size", "16")
    monkeypatch.setattr(evaluation, "compare", fails(MemoryError()))
    with pytest.raises(SystemExit):
        run("evaluate", ".", "--network", "l2", "--size", "16")
    assert "too large for the memory that is free: take fewer photos (--limit)" in capsys.readouterr().err


def test_metadata_of_what_is_no_picture_are_the_note_alone(tmp_path):
    (tmp_path / "a.jpg").write_text("no picture")
    found = metadata.options(tmp_path / "a.jpg", ".jpg", (6, 4), "guessed")
    assert found["exif"].get_ifd(IFD.Exif)[metadata.HISTORY] == "guessed"
    assert set(found) == {"exif", "comment", "extra"} and not found["comment"] and not found["extra"]


def test_metadata_too_long_for_a_jpeg_are_left_out(tmp_path):
    exif = Image.Exif()
    exif[Base.Artist] = "x" * 70_000
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png", exif=exif)
    found = metadata.options(tmp_path / "a.png", ".jpg", (6, 4), "guessed")["exif"]
    assert Base.Artist not in found
    assert found.get_ifd(IFD.Exif)[metadata.HISTORY] == "guessed"
