"""Uploads from the page: stored under a name of ours, read by a worker, said in the page."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from annotate.models import Annotation, Item, ItemImport
from annotate.tasks import read_upload
from annotate.upload import reopen_dead_uploads, upload_path

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = b'{"id": "a", "prompt": "one"}\n{"id": "b", "prompt": "two"}\n'


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.FILES_DIR = tmp_path


@pytest.fixture
def send(cast, client_for):
    """Upload a file as the lead; a worker takes it up only when the test says so."""

    def upload(content, name="items.jsonl", what="items", **more):
        sent = {"file": SimpleUploadedFile(name, content), "what": what, "map": "", **more}
        response = client_for(cast.lead).post(reverse("import", args=["guard"]), sent)
        assert response.status_code == 302
        return ItemImport.objects.latest("id")

    return upload


def outcome(upload):
    read_upload(upload.pk)
    upload.refresh_from_db()
    return upload


def test_a_good_file_is_imported_and_removed(send):
    upload = outcome(send(GOOD, name="../../etc/items.jsonl"))
    assert (upload.state, upload.read, upload.imported) == ("done", 2, 2)
    assert Item.objects.count() == 2
    assert not upload_path(upload.pk).exists()


def test_a_second_worker_does_nothing(send):
    upload = send(GOOD)
    ItemImport.objects.filter(pk=upload.pk).update(state="running")
    assert outcome(upload).state == "running"
    assert not Item.objects.exists()


def test_p12_a_bad_row_stops_all_and_is_named(send, cast, client_for):
    upload = outcome(send(GOOD + b'{"id": "c", "prompt": 7}\n'))
    assert (upload.state, upload.imported, upload.rejected) == ("refused", 0, 1)
    assert upload.rejections[0]["line"] == 3
    assert not Item.objects.exists()
    page = client_for(cast.lead).get(reverse("import", args=["guard"])).content.decode()
    assert "Nothing was imported" in page


def test_good_rows_go_in_where_the_person_asks_for_it(send):
    upload = outcome(send(GOOD + b'{"id": "c", "prompt": 7}\n', partial="on"))
    assert (upload.state, upload.imported, upload.rejected) == ("done", 2, 1)


def test_a_file_of_ids_alone_is_refused_on_the_page(send):
    assert outcome(send(b'{"id": "a"}\n')).state == "refused"


def test_other_names_and_annotations(send):
    outcome(send(b'{"uid": "a", "question": "one"}\n', map="uid = id, question = prompt"))
    row = b'{"item": "a", "annotator": "ana", "label": "safe"}\n'
    upload = outcome(send(row, what="annotations", map="label=prompt_harm"))
    assert upload.state == "done", upload.message
    assert Annotation.objects.get().answers == {"prompt_harm": "safe"}


def test_an_upload_whose_worker_died_waits_again_and_is_given_up_after_three(send):
    upload = send(GOOD)
    for attempt in range(1, 4):
        silent = timezone.now() - timedelta(minutes=5)
        ItemImport.objects.filter(pk=upload.pk).update(state="running", beat_at=silent)
        reopen_dead_uploads()
        upload.refresh_from_db()
        assert upload.state == ("waiting" if attempt < 3 else "refused")
