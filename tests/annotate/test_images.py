"""Images of items: kept by their bytes, shown to members only, never anything but an image."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotate.models import Item

PNG = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000 1f15c489".replace(" ", ""))


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


def test_the_page_shows_it(cast, files, client_for):
    bring_in(files, one=PNG)
    html = client_for(cast.annotator).get(reverse("annotate", args=["guard"])).content.decode()
    assert f'src="{reverse("item_image", args=["guard", Item.objects.get().pk])}"' in html
