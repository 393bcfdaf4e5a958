"""The web process stays light: what only workers and commands need is never imported by it."""

import subprocess
import sys
from pathlib import Path

HEAVY = ("label_studio_sdk", "pandas", "cv2", "faker", "polars", "sklearn", "scipy", "datasets", "torch", "vllm")
START_AND_ASK = """
import sys
import django
from django.conf import settings
django.setup()
plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
settings.WHITENOISE_AUTOREFRESH = True
from django.test import Client
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
assert Client().get("/sign-in/", headers={"host": "localhost"}).status_code == 200
print(",".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_the_web_process_imports_nothing_heavy():
    root = Path(__file__).resolve().parents[2]
    asked = subprocess.run(
        [sys.executable, "-c", START_AND_ASK],
        cwd=root,
        env={"DJANGO_SETTINGS_MODULE": "config.settings", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    loaded = set(asked.stdout.strip().split(","))
    assert "django" in loaded
    assert loaded.isdisjoint(HEAVY), loaded & set(HEAVY)
