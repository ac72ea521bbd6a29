"""Images and masks in the many ways they are stored."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from dataset_dm.readers import SampleError
from dataset_dm.readers.images import read_channels, read_image, read_mask

IDS = np.array([[0, 1, 2], [3, 1, 0]], np.uint8)


def stored(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def palette() -> Image.Image:
    image = Image.fromarray(IDS)
    image.putpalette([value for i in range(256) for value in (255 - i, i, 7)])
    return image


def few_bits(bits: int) -> bytes:
    """A grey PNG of 2 or 4 bits a pixel, which pillow cannot write: its header and rows by hand."""
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b""
    for row in IDS:
        text = "".join(f"{int(value):0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows += b"\0" + bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    header = struct.pack(">IIBBBBB", IDS.shape[1], IDS.shape[0], bits, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    "content",
    [
        stored(palette()),
        stored(palette(), bits=2),
        stored(Image.fromarray(IDS)),
        stored(Image.fromarray(IDS.astype(np.uint16))),
        stored(Image.fromarray(np.stack([IDS] * 3, -1))),
        few_bits(2),
        few_bits(4),
    ],
    ids=["palette", "2-bit palette", "grey", "16-bit grey", "equal channels", "2-bit grey", "4-bit grey"],
)
def test_a_mask_gives_the_ids_that_were_stored(content):
    assert np.array_equal(read_mask(content, "a"), IDS)


def test_a_mask_of_one_bit_is_0_and_1():
    assert np.array_equal(read_mask(stored(Image.fromarray(IDS == 1)), "a"), (IDS == 1).astype(np.uint8))


def test_a_mask_turns_as_its_own_file_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = stored(Image.fromarray(np.rot90(IDS).copy()), exif=exif)
    assert np.array_equal(read_mask(turned, "a"), IDS)


def test_colours_are_no_ids():
    colours = np.stack([IDS, IDS + 1, IDS], -1)
    with pytest.raises(SampleError, match="a: mask has mode RGB, expected a palette or grey"):
        read_mask(stored(Image.fromarray(colours)), "a")
    with pytest.raises(SampleError, match="mask has id 300, expected 0..255"):
        read_mask(stored(Image.fromarray(IDS.astype(np.uint16) * 100)), "a")
    with pytest.raises(SampleError, match="annotation has mode L, expected RGB"):
        read_channels(stored(Image.fromarray(IDS)), "a")
    assert np.array_equal(read_channels(stored(Image.fromarray(colours)), "a"), colours)


GREY = np.array([[0, 90, 255], [30, 30, 30]], np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray(GREY),
        Image.fromarray(GREY).convert("LA"),
        Image.fromarray(GREY).convert("RGBA"),
        Image.fromarray(GREY).convert("P"),
        Image.fromarray(GREY.astype(np.uint16) * 257),
    ],
    ids=["grey", "grey with alpha", "alpha", "palette", "16-bit grey"],
)
def test_an_image_is_rgb_however_it_is_stored(image):
    assert np.array_equal(read_image(stored(image), "a"), np.stack([GREY] * 3, -1))


def test_the_first_image_of_an_mpo_called_jpg_is_read(tmp_path):
    left, right = (Image.new("RGB", (8, 8), colour) for colour in ((200, 10, 10), (10, 10, 200)))
    left.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[right])
    with Image.open(tmp_path / "a.jpg") as opened:
        assert opened.format == "MPO"
    image = read_image(tmp_path / "a.jpg", "a")
    assert image.shape == (8, 8, 3) and image[4, 4, 0] > 180 and image[4, 4, 2] < 40


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(orientation):
    upright = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
    # how a camera stores it, from the EXIF standard: 3 upside down, 6 and 8 on its side, 2 4 5 7 mirrored
    camera = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: np.rot90(upright, 2).T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = stored(Image.fromarray(camera.copy()), exif=exif)
    assert np.array_equal(read_image(content, "a")[..., 0], upright)
    if camera.shape != upright.shape:
        assert np.array_equal(read_image(content, "a", camera.shape)[..., 0], camera), "labels drawn as stored"


def test_no_image_is_one_line(tmp_path):
    for content in (b"", b"no image", stored(palette())[:60]):
        with pytest.raises(SampleError, match="a: image cannot be read .*; it is truncated") as caught:
            read_image(content, "a")
        assert "\n" not in str(caught.value)
