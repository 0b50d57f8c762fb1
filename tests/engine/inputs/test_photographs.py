"""Photographs of any sizes and formats as an input."""

from __future__ import annotations

import errno
import io
import os
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from depthmask.codec.sample import Encode, ImageFormat, decode
from depthmask.data import Size, UInt8
from depthmask.engine.inputs.base import JobInput
from depthmask.engine.inputs.open import open_input
from depthmask.errors import DepthmaskError, MachineError, UsageError
from tests.support.profiles import DISPLAY_P3, SRGB, in_srgb, rgb_profile


def ramp(size: Size) -> Image.Image:
    """Red grows to the right, green downwards."""
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[..., 0] = np.linspace(30, 220, size[1])[None]
    pixels[..., 1] = np.linspace(30, 220, size[0])[:, None]
    return Image.fromarray(pixels)


def save(path: Path, size: Size = (24, 32), **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp(size).save(path, **options)  # type: ignore[arg-type]
    return path


def pixels_of(job_input: JobInput, index: int = 0) -> UInt8:
    return decode(job_input.read(index)).image


def keys(job_input: JobInput) -> list[str]:
    return [job_input.read(index).key for index in range(job_input.samples)]


def refusal(*paths: object, skip_damaged: bool = False) -> str:
    with pytest.raises(UsageError) as caught:
        open_input([str(path) for path in paths], skip_damaged=skip_damaged)
    text = str(caught.value)
    assert text.replace("\n", " ").isprintable()
    return text


def test_each_picture_keeps_its_size_and_its_file(tmp_path: Path) -> None:
    sizes = {"a/IMG_1.jpg": (24, 32), "b/IMG_1.jpg": (40, 20), "pano.JPG": (10, 90)}
    for name, size in sizes.items():
        save(tmp_path / name, size)
    photos = open_input([str(tmp_path)])
    assert keys(photos) == ["a/IMG_1", "b/IMG_1", "pano"]
    for index, (name, size) in enumerate(sizes.items()):
        encoded = photos.read(index)
        assert encoded.members["jpg"] == (tmp_path / name).read_bytes()
        sample = decode(encoded)
        assert sample.size == size
        assert not sample.mask.any()
        assert sample.meta["file"] == name
        assert sample.meta["size"] == list(size)
    assert photos.size == (10, 90)
    assert photos.smallest == (24, 32)
    assert photos.lines == [
        f"input     3 photographs of 24x32 to 10x90 in {tmp_path} and the folders below"
    ]


def test_a_pickled_input_reads_the_same(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg")
    photos = open_input([str(tmp_path)])
    assert pickle.loads(pickle.dumps(photos)).read(0) == photos.read(0)


UPRIGHT = {
    # By the standard, where the first row and the first column of the stored pixels belong.
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels.swapaxes(0, 1)[:, ::-1],
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels.swapaxes(0, 1)[::-1],
}
"""EXIF orientation -> what makes the stored pixels upright."""
LITTLE, BIG = b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"


def exif_block(orientation: int, header: bytes) -> bytes:
    """EXIF, a TIFF file of either byte order with the orientation alone."""
    order = "<" if header == LITTLE else ">"
    entry = struct.pack(f"{order}HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    return b"Exif\0\0" + header + entry


def turned(orientation: int, how: str) -> dict[str, object]:
    """What Pillow's `save` takes to say an orientation in this way."""
    if how == "XMP":
        xmp = f'<rdf:Description tiff:Orientation="{orientation}"/>'
        return {"xmp": xmp.encode()}
    return {"exif": exif_block(orientation, LITTLE if how == "little" else BIG)}


def text_chunks(orientation: int, how: str) -> PngInfo:
    """EXIF as ImageMagick writes it, or XMP, in text chunks of a PNG."""
    info = PngInfo()
    if how == "XMP":
        info.add_itxt("XML:com.adobe.xmp", f'<a tiff:Orientation="{orientation}"/>', zip=True)
    else:
        block = exif_block(orientation, LITTLE)
        info.add_text("Raw profile type exif", f"\nexif\n{len(block)}\n{block.hex()}\n", zip=True)
    return info


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("name", "how"),
    [
        *(("a.jpg", "little"), ("a.jpg", "big"), ("a.jpg", "XMP")),
        *(("a.png", "little"), ("a.png", "text"), ("a.png", "XMP")),
        *(("a.webp", "little"), ("a.webp", "XMP")),
    ],
)
def test_pictures_are_upright(tmp_path: Path, name: str, how: str, orientation: int) -> None:
    """In files without an orientation, whoever reads them: the mask has none either."""
    options = turned(orientation, how)
    if name == "a.png" and how != "little":
        options = {"pnginfo": text_chunks(orientation, how)}
    if name == "a.jpg":
        options |= {"quality": 95, "subsampling": 0}
    if name == "a.webp":
        options |= {"lossless": True}
    photos = open_input([str(save(tmp_path / name, (30, 50), **options))])
    upright = UPRIGHT[orientation](np.asarray(ramp((30, 50))))
    assert photos.size == upright.shape[:2]
    assert abs(pixels_of(photos).astype(int) - upright).mean() < 3
    encoded = photos.read(0)
    data = encoded.members.get("jpg") or encoded.members["png"]
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.size == upright.shape[1::-1]
        assert image.getexif().get(0x0112, 1) == 1
    assert decode(encoded).mask.shape == upright.shape[:2]


def test_an_orientation_that_is_none_turns_nothing(tmp_path: Path) -> None:
    for number, orientation in enumerate((0, 9)):
        save(tmp_path / f"{number}.jpg", (30, 50), exif=exif_block(orientation, LITTLE))
    photos = open_input([str(tmp_path)])
    assert [decode(photos.read(index)).size for index in (0, 1)] == [(30, 50)] * 2


def test_grey_of_16_bits_keeps_its_upper_bits(tmp_path: Path) -> None:
    grey = np.tile(np.linspace(0, 65535, 80).astype(np.uint16), (64, 1))
    Image.fromarray(grey).save(tmp_path / "deep.png")
    photos = open_input([str(tmp_path)])
    assert np.array_equal(pixels_of(photos)[..., 0], grey >> 8)
    assert "png" in photos.read(0).members
    assert "encoded   1 picture as png: 1 of 16 bits" in photos.lines


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        ("cmyk.jpg", "CMYK", {}),
        ("grey.jpg", "L", {}),
        ("progressive.jpg", "RGB", {"progressive": True}),
        ("alpha.png", "RGBA", {}),
        ("palette.png", "P", {}),
        ("clear.png", "P", {"transparency": bytes(range(256))}),
        ("grey.png", "LA", {}),
        ("black.png", "1", {}),
        ("lossy.webp", "RGB", {}),
        ("alpha.webp", "RGBA", {"lossless": True}),
        ("jpeg.png", "RGB", {"format": "jpeg"}),
    ],
)
def test_modes_and_formats(
    tmp_path: Path, name: str, mode: str, options: dict[str, object]
) -> None:
    path = tmp_path / name
    image = ramp((24, 32)).convert(mode)
    image.save(path, **options)  # type: ignore[arg-type]
    with Image.open(path) as again:
        # Transparent pixels keep their colour.
        expected = np.asarray(again.convert("RGBA").convert("RGB")).astype(int)
    difference = pixels_of(open_input([str(path)])) - expected
    assert abs(difference).mean() < 3


def test_png_among_jpeg_becomes_jpeg_unless_png_is_asked_for(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg")
    exact = np.asarray(Image.open(save(tmp_path / "b.png")))
    photos = open_input([str(tmp_path)])
    assert {"jpg"} <= photos.read(0).members.keys() & photos.read(1).members.keys()
    assert "encoded   1 picture as jpeg: 1 PNG; the others are copied" in photos.lines
    all_png = photos.adapted(None, Encode(image=ImageFormat.png))
    assert {"png"} <= all_png.read(0).members.keys() & all_png.read(1).members.keys()
    assert np.array_equal(pixels_of(all_png, 1), exact)


def test_png_alone_is_copied(tmp_path: Path) -> None:
    path = save(tmp_path / "b.png")
    assert open_input([str(tmp_path)]).read(0).members["png"] == path.read_bytes()


def test_all_are_resized(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg", (100, 60))
    save(tmp_path / "b.jpg", (60, 100))
    photos = open_input([str(tmp_path)]).adapted((20, 30), None)
    assert [decode(photos.read(index)).size for index in range(2)] == [(20, 30)] * 2
    assert (photos.size, photos.smallest) == ((20, 30), None)
    assert "(resized)" in photos.lines[0]


def test_files_folders_and_patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x/photos/1.jpg", "y/photos/1.jpg", "y/photos/2.png", "z/3.jpg"):
        save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert keys(open_input(["x/photos", "y/photos"])) == ["x/photos/1", "y/photos/1", "y/photos/2"]
    assert keys(open_input(["x/photos/1.jpg"])) == ["1"]
    assert keys(open_input(["y/photos/*"])) == ["1", "2"]
    assert keys(open_input(["*/photos/1.jpg", "z"])) == ["x/photos/1", "y/photos/1", "z/3"]
    assert keys(open_input(["y/photos/1.jpg", "y/photos", "y"])) == ["photos/1", "photos/2"]
    assert open_input(["y/**/*.jpg"]).paths == ("y/**/*.jpg",)
    (tmp_path / "link").symlink_to(tmp_path / "z")
    (tmp_path / "z/link.jpg").symlink_to(tmp_path / "x/photos/1.jpg")
    assert keys(open_input(["link"])) == ["3"]
    assert keys(open_input(["z/link.jpg"])) == ["link"]


@pytest.mark.parametrize(
    "hidden",
    [
        *("._a.jpg", ".a.jpg", ".ipynb_checkpoints/a-checkpoint.jpg", "b/.thumbnails/a.jpg"),
        *("__MACOSX/._a.jpg", "__macosx/b/a.jpg", "@eaDir/a.jpg/SYNOFILE_THUMB_M.jpg"),
        *("#recycle/a.jpg", "$RECYCLE.BIN/a.jpg", ".Trash-1000/files/a.jpg"),
    ],
)
@pytest.mark.parametrize("container", ["folder", "zip", "tar", "pattern"])
def test_hidden_files_are_no_pictures(tmp_path: Path, hidden: str, container: str) -> None:
    """macOS, Jupyter, thumbnailers and waste baskets leave pictures; half of them are none."""
    content = save(tmp_path / "in" / "a.jpg").read_bytes()
    path = tmp_path / "in" / hidden
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if container == "zip":
        with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
            for name in ("a.jpg", hidden):
                archive.writestr(f"in/{name}", content)
    if container == "tar":
        with tarfile.open(tmp_path / "in.tar", "w") as tar:
            tar.add(tmp_path / "in", ".")
    paths = {"folder": "in", "pattern": "in/**", "zip": "in.zip", "tar": "in.tar"}
    photos = open_input([str(tmp_path / paths[container])])
    assert keys(photos) == ["in/a" if container == "zip" else "a"]
    if container != "pattern":
        assert "1 hidden" in photos.lines[1]


def test_a_folder_in_a_hidden_one_may_be_named(tmp_path: Path) -> None:
    save(tmp_path / ".cache/photos/a.jpg")
    save(tmp_path / "b.jpg")
    photos = open_input([str(tmp_path / ".cache/photos"), str(tmp_path / "b.jpg")])
    assert photos.samples == 2


def test_archives(tmp_path: Path) -> None:
    content = save(tmp_path / "in" / "Käfer.jpg").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("a/Käfer.jpg", content)
        archive.writestr("__MACOSX/a/._Käfer.jpg", b"\0\5\x16\7")
    with tarfile.open(tmp_path / "two.tar", "w") as tar:
        tar.add(tmp_path / "in", "b")
    photos = open_input([str(tmp_path / name) for name in ("one.zip", "two.tar", "in")])
    assert keys(photos) == ["in/Käfer", "one_zip/a/Käfer", "two_tar/b/Käfer"]
    assert all(photos.read(index).members["jpg"] == content for index in range(3))
    assert "1 hidden" in photos.lines[1]


def test_what_is_not_used_is_counted(tmp_path: Path) -> None:
    for name in ("a.jpg", ".hidden.jpg", ".thumbnails/b.jpg", "done/preview.jpg", "c.gif", "d.TIF"):
        save(tmp_path / name, format="gif" if name == "c.gif" else None)
    for name in ("e.HEIC", "notes.txt", "film.mp4", "README", "done/plan.json"):
        (tmp_path / name).write_bytes(b"{}")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "a.jpg")
    photos = open_input([str(tmp_path)])
    assert keys(photos) == ["a"]
    assert photos.lines[1] == (
        "not used  11 files: 1 .gif (convert to JPEG or PNG), 1 .heic (convert to JPEG or PNG), "
        "1 .mp4, 1 .tif (convert to JPEG or PNG), 1 .txt, 2 hidden, 2 in folders of datasets, "
        "1 linked, 1 without a suffix"
    )
    left_out = {one.file: one.reason for one in photos.catalogue.left_out}
    assert left_out.keys() == {"c.gif", "d.TIF", "e.HEIC"}
    assert "convert it to JPEG or PNG" in left_out["e.HEIC"]


def damaged(folder: Path) -> None:
    """Two whole pictures, and four that cannot be used."""
    whole = save(folder / "a.jpg", (80, 80)).read_bytes()
    save(folder / "b.jpg")
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.png").write_bytes(b"not a picture")
    flipped = bytearray(save(folder / "flipped.png", (60, 60)).read_bytes())
    flipped[len(flipped) // 2] ^= 0xFF
    (folder / "flipped.png").write_bytes(flipped)


def test_damaged_pictures_are_named_before_the_work(tmp_path: Path) -> None:
    damaged(tmp_path)
    text = refusal(tmp_path)
    assert "4 of 6 pictures cannot be used" in text
    assert all(name in text for name in ("cut.jpg", "empty.jpg", "text.png", "flipped.png"))
    assert "--skip-damaged leaves them out; 3 more:\n" in text
    photos = open_input([str(tmp_path)], skip_damaged=True)
    assert keys(photos) == ["a", "b"]
    assert "4 damaged" in photos.lines[1]
    assert len(photos.catalogue.left_out) == 4


def test_many_damaged_pictures_are_counted(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02d}.jpg").write_bytes(b"x")
    text = refusal(tmp_path, skip_damaged=True)
    assert "30 of 30 pictures" in text
    assert "19.jpg" in text
    assert "20.jpg" not in text
    assert "no other is left; 29 more:\n" in text
    assert "and 10 more: " in text
    assert text.endswith("bad_files.txt has all of them")


def test_jpeg_with_small_faults_is_encoded_again(tmp_path: Path) -> None:
    """As viewers show it, which ignore a marker that does not belong in the data."""
    data = save(tmp_path / "a.jpg", (80, 80)).read_bytes()
    (tmp_path / "a.jpg").write_bytes(data[:-60] + b"\xff\xd4" + data[-60:])
    photos = open_input([str(tmp_path)])
    assert "1 with faults in the JPEG data" in photos.lines[-1]
    assert pixels_of(photos).shape == (80, 80, 3)


def test_a_picture_that_changes_meanwhile_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a.jpg")
    photos = open_input([str(tmp_path)])
    save(path, (9, 9))
    with pytest.raises(DepthmaskError, match=r"a\.jpg: has changed .* run the command again"):
        photos.read(0)


def test_sides_that_no_dataset_takes(tmp_path: Path) -> None:
    save(tmp_path / "wide.png", (8, 9000))
    photos = open_input([str(tmp_path)])
    with pytest.raises(UsageError, match=r"wide\.png: 8x9000 pixels.*size=\[H,W\] resizes"):
        photos.adapted(None, None)
    assert photos.adapted((16, 64), None).size == (16, 64)


def test_the_estimate_is_that_of_the_mean_size(tmp_path: Path) -> None:
    for number, size in enumerate([(300, 400), (10, 10), (20, 20)]):
        save(tmp_path / f"{number}.jpg", size)
    photos = open_input([str(tmp_path)])
    height, width = photos.typical_size
    assert height * width == pytest.approx((300 * 400 + 100 + 400) / 3, rel=0.02)
    sizes = [sum(map(len, photos.read(index).members.values())) for index in range(3)]
    assert 0.5 < photos.sample_bytes / np.mean(sizes) < 2
    assert photos.adapted((16, 16), None).typical_size == (16, 16)


def test_paths_with_nothing_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("photos", "texts", "empty", "assets/bg", "assets/fg", "outputs/demo"):
        (tmp_path / name).mkdir(parents=True)
    save(tmp_path / "assets/bg/a.jpg")
    save(tmp_path / "outputs/demo/preview.jpg")
    (tmp_path / "outputs/demo/plan.json").write_bytes(b"{}")
    (tmp_path / "texts/a.txt").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert refusal("phtos") == "phtos: no such file or folder; did you mean photos?"
    (tmp_path / "\u00fc").mkdir()
    assert "did you mean \u00fc? (the accents in it are spelled in another" in refusal("u\u0308")
    assert "photos/2024: no such file or folder; check the path" in refusal(
        "photos/2024/a.jpg"
    ) or ("check the path, photos exists" in refusal("photos/2024/a.jpg"))
    assert "no file has such a name" in refusal("photos/*.jpg")
    assert "the folder is empty" in refusal("empty")
    assert "its files are 1 .txt" in refusal("texts")
    assert "give assets/bg" in refusal("assets")
    assert "name one of the datasets, such as demo" in refusal("outputs")
    assert "neither a picture" in refusal("texts/a.txt")
    assert "neither a folder nor a regular file" in refusal("/dev/null")


def test_a_dataset_keeps_its_size(tmp_path: Path) -> None:
    from depthmask.cli.main import main

    words = ["source.rooms=1", "source.furniture=1", "samples=1", "size=[16,16]", "depth=none"]
    assert main([*words, f"output={tmp_path / 'out'}", "runner.workers=1"]) == 0
    with pytest.raises(UsageError, match=r"size=\[9, 9\].*keep their size, 16x16"):
        open_input([str(tmp_path / "out")]).adapted((9, 9), None)


def test_the_description_says_how_pictures_become_images(tmp_path: Path) -> None:
    save(tmp_path / "a.jpg")
    photos = open_input([str(tmp_path)])
    encode = Encode(quality=50)
    assert photos.description["photographs"] == {
        "resized": False,
        "encoded": False,
        "skip_damaged": False,
    }
    adapted = photos.adapted((9, 9), encode)
    assert adapted.description["photographs"]["resized"]
    assert adapted.description["photographs"]["encoded"]
    assert adapted.description["sha256"] == photos.sha256
    meta = orjson.loads(adapted.read(0).members["json"])
    assert meta == {
        "key": "a", "index": 0, "split": "train", "size": [9, 9], "background": "a", "layers": [],
        "file": "a.jpg",
    }  # fmt: skip


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EACCES, errno.EIO])
def test_what_the_machine_lacks_is_no_damage_of_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """It would be left out of the dataset."""
    for name in ("a.jpg", "b.jpg"):
        save(tmp_path / name)
    opened = os.open

    def refused(path: object, *more: int) -> int:
        if path == tmp_path / "b.jpg":
            raise OSError(code, os.strerror(code))
        return opened(path, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(MachineError, match=f"b.jpg: {os.strerror(code)}; "):
        open_input([str(tmp_path)], skip_damaged=True)


def test_photographs_of_other_colour_spaces_become_srgb(tmp_path: Path) -> None:
    """Readers of datasets heed no profile: what the network sees is what viewers show."""
    expected = in_srgb(np.array([60, 180, 60], np.uint8), DISPLAY_P3).astype(int)
    wide, usual = rgb_profile(DISPLAY_P3), rgb_profile(SRGB)
    for name, icc in {"a.jpg": wide, "b.png": wide, "c.webp": wide, "d.jpg": usual}.items():
        Image.new("RGB", (32, 24), (60, 180, 60)).save(tmp_path / name, icc_profile=icc)
    photos = open_input([str(tmp_path)])
    assert photos.lines[-1] == (
        "encoded   3 pictures as jpeg: 1 WebP, 2 converted to sRGB; the others are copied"
    )
    for index in range(3):
        data = photos.read(index).members["jpg"]
        assert "icc_profile" not in Image.open(io.BytesIO(data)).info
        assert abs(pixels_of(photos, index) - expected).mean() < 3
        assert abs(pixels_of(photos.adapted((8, 8), None), index) - expected).mean() < 3
    assert photos.read(3).members["jpg"] == (tmp_path / "d.jpg").read_bytes()


def test_png_of_another_colour_space_becomes_srgb(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    ramp((24, 32)).save(path, icc_profile=rgb_profile(DISPLAY_P3))
    photos = open_input([str(path)])
    assert photos.lines[-1] == "encoded   1 picture as png: 1 converted to sRGB"
    assert b"iCCP" not in photos.read(0).members["png"]
    expected = in_srgb(np.asarray(ramp((24, 32))), DISPLAY_P3)
    assert abs(pixels_of(photos).astype(int) - expected).max() <= 2
