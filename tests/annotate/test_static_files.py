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


def test_g10_script_and_style_of_the_annotate_page_stay_under_60_kb_gzipped(cast, add_items, client_for):
    add_items(cast.project, [{"id": "a", "prompt": "One question", "response": "One answer"}])
    html = client_for(cast.annotator).get("/projects/guard/annotate/").content.decode()
    sources = re.findall(r'<script[^>]* src="([^"]+)"|<link rel="stylesheet" href="([^"]+)"', html)
    names = {(script or style).removeprefix("/static/") for script, style in sources}
    assert {"annotate/jurybox.css", "annotate/annotate.js"} <= names
    weights = {name: len(gzip.compress(Path(found_file(name)).read_bytes())) for name in names}
    assert sum(weights.values()) < 60 * 1024, weights


def found_file(name):
    return next(
        path for app in ("annotate", "jury", "curation") if (path := ROOT / app / "static" / name).exists()
    )


def test_style_knows_no_left_or_right_and_no_colour_outside_the_tokens():
    """So that right-to-left pages and the dark scheme need no rules of their own."""
    style = (ROOT / "annotate/static/annotate/jurybox.css").read_text(encoding="utf-8")
    sided = (
        r"(?:margin|padding|border)-(?:left|right)|[\s{;](?:left|right)\s*:|(?:text-align|float):\s*(?:left|right)"
    )
    assert not re.findall(sided, style)
    rules = re.sub(r"--[\w-]+\s*:[^;}]*", "", style)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{}]*\{)|\brgba?\(|\bhsla?\(", rules)


def test_every_icon_that_a_page_names_is_in_the_sprite():
    sprite = (ROOT / "annotate/static/annotate/icons.svg").read_text(encoding="utf-8")
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    named = {
        name
        for path in ROOT.glob("templates/**/*.html")
        for name in re.findall(r'{% icon "([\w-]+)" %}', path.read_text(encoding="utf-8"))
    }
    assert named <= drawn


@pytest.mark.parametrize("path", [*ROOT.glob("annotate/static/annotate/*.js")], ids=lambda path: path.name)
def test_no_script_says_anything_of_its_own(path):
    """Texts come from the page, where they are translated."""
    script = re.sub(r"//.*|/\*.*?\*/|\$\{[^}]*\}", "", path.read_text(encoding="utf-8"))
    assert not re.findall(
        r"(?:textContent|innerText|innerHTML|title|ariaLabel|placeholder)\s*=\s*[\"'`][^\"'`]*[A-Za-z]{2}", script
    )
    assert not re.findall(r"\b(?:alert|confirm|prompt)\(", script)
