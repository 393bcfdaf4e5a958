"""Front-end files: vendored ones are what their manifest says, and nothing comes from another host."""

import gzip
import hashlib
import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "annotate" / "static" / "annotate" / "vendor"
PAGES = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("annotate/static/annotate/*.*")]


def test_vendored_files_have_the_hashes_of_their_manifest():
    listed = json.loads((VENDOR / "manifest.json").read_text())
    assert {entry["file"] for entry in listed} == {path.name for path in VENDOR.iterdir()} - {"manifest.json"}
    for entry in listed:
        assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        assert entry["version"] in entry["file"]
        assert entry["licence"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_style_or_script_names_another_host_or_holds_inline_code(path):
    text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|url\(", text)
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script>|javascript:|hx-on", text)


def test_they_can_be_collected_with_hashed_names(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    call_command("collectstatic", verbosity=0, interactive=False)
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    assert re.fullmatch(r"annotate/jurybox\.[0-9a-f]{12}\.css", names["annotate/jurybox.css"])


def test_script_and_style_of_the_annotate_page_stay_under_60_kb_gzipped():
    files = [*(ROOT / "annotate/static/annotate").glob("*.js"), *VENDOR.glob("*.js")]
    files.append(ROOT / "annotate/static/annotate/jurybox.css")
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 60 * 1024
