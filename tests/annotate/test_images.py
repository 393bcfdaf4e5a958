"""Images of items: kept by their bytes, shown to members only, never anything but an image."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotate.image_size import image_size
from annotate.models import Item

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c489".replace(" ", ""))

GIF = b"GIF89a" + bytes([7, 0, 5, 0, 0, 0, 0, 0x3B])


@pytest.fixture
def files(settings, tmp_path):
    settings.FILES_DIR = tmp_path / "files"
    folder = tmp_path / "set"
    folder.mkdir()
    return folder


def bring_in(folder, **images):
    """A set with one item for each image file; returns what the import says of images."""
    rows = "".join(f'{{"id": "{name}", "image": "{name}.png", "prompt": "What is this?"}}\n' for name in images)
    (folder / "items.jsonl").write_text(rows)
    for name, content in images.items():
        if content is not None:
            (folder / f"{name}.png").write_bytes(content)
    said = StringIO()
    call_command("import_items", "guard", str(folder / "items.jsonl"), stdout=StringIO(), stderr=said)
    return said.getvalue()


def get(client, name):
    item = Item.objects.get(external_id=name)
    return client.get(reverse("item_image", args=["guard", item.pk]))


def test_a_png_is_served_as_one_and_in_a_sandbox(cast, files, client_for):
    assert bring_in(files, one=PNG) == ""
    assert get(client_for(cast.annotator), "one").status_code == 404, "not handed out yet"
    client_for(cast.annotator).get(reverse("annotate", args=["guard"]))
    response = get(client_for(cast.annotator), "one")
    assert response.headers["Content-Type"] == "image/png"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response.streaming_content) == PNG


def test_a_page_in_an_images_clothes_is_not_kept(cast, files, client_for):
    assert "1 items name an image" in bring_in(files, page=b"<html><script>alert(1)</script>")
    assert get(client_for(cast.lead), "page").status_code == 404


def test_a_missing_image_is_said_and_can_be_brought_later(cast, files, client_for):
    assert "1 items name an image" in bring_in(files, late=None)
    assert bring_in(files, late=PNG) == ""
    response = get(client_for(cast.lead), "late")
    assert b"".join(response.streaming_content) == PNG


def several(folder, **content):
    """An item with two images, and what the import says of them."""
    (folder / "a.png").write_bytes(PNG)
    (folder / "b.gif").write_bytes(GIF)
    row = {"id": "two", "images": ["a.png", {"image": "b.gif", "alt": "a moving dot"}]}
    (folder / "items.jsonl").write_text(json.dumps(row | content) + "\n")
    said = StringIO()
    call_command("import_items", "guard", str(folder / "items.jsonl"), stdout=StringIO(), stderr=said)
    return said.getvalue()


def nth(client, number):
    item = Item.objects.get(external_id="two")
    return client.get(reverse("item_image", args=["guard", item.pk, number]))


def test_each_of_several_images_is_served(cast, files, client_for):
    assert several(files) == ""
    annotator, lead = client_for(cast.annotator), client_for(cast.lead)
    assert nth(annotator, 2).status_code == 404, "not handed out yet"
    html = annotator.get(reverse("annotate", args=["guard"])).content.decode()
    for number, (kind, content) in enumerate((("image/png", PNG), ("image/gif", GIF)), start=1):
        response = nth(annotator, number)
        assert response.headers["Content-Type"] == kind
        assert b"".join(response.streaming_content) == content
    assert [nth(lead, number).status_code for number in (0, 3, 99)] == [404] * 3
    assert 'alt="a moving dot" width="7" height="5"' in html
    assert "Image 1 of this item; it has no description" in html
    assert nth(client_for(cast.stranger), 2).status_code == 404


def test_one_missing_of_several_is_said_and_the_others_are_there(cast, files, client_for):
    said = several(files, images=["a.png", "gone.png"])
    assert "1 items name an image" in said
    assert b"".join(nth(client_for(cast.lead), 1).streaming_content) == PNG
    assert nth(client_for(cast.lead), 2).status_code == 404


def test_no_image_of_a_blocked_item_is_served(cast, files, client_for):
    several(files)
    client_for(cast.annotator).get(reverse("annotate", args=["guard"]))
    Item.objects.update(blocked=True)
    assert [nth(client_for(person), 2).status_code for person in (cast.annotator, cast.lead)] == [404, 404]


JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0000b080005000701012200")
EXIF = bytes.fromhex("ffd8ffe1000845786966000000")
WEBP = {
    "lossy": "52494646000000005745425056503820" + "00000000" + "000000" + "9d012a" + "07000500",
    "lossless": "5249464600000000574542505650384c" + "00000000" + "2f" + "06000100" + "0000000000",
    "extended": "52494646000000005745425056503858" + "0a000000" + "00000000" + "060000" + "040000",
}


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (GIF, (7, 5)),
        (PNG, (1, 1)),
        (JPEG, (7, 5)),
        (JPEG[:-5], None),
        (EXIF, None),
        *((bytes.fromhex(content), (7, 5)) for content in WEBP.values()),
        (b"", None),
        (b"\x89PNG\r\n\x1a\n", None),
        (GIF[:6] + bytes(4), None),
    ],
)
def test_the_size_is_read_without_decoding(tmp_path, content, size):
    (tmp_path / "image").write_bytes(content)
    assert image_size(tmp_path / "image") == size


def test_the_page_shows_it(cast, files, client_for):
    bring_in(files, one=PNG)
    html = client_for(cast.annotator).get(reverse("annotate", args=["guard"])).content.decode()
    assert f'src="{reverse("item_image", args=["guard", Item.objects.get().pk])}"' in html
