import json
from typing import Any

from django.core.management.base import BaseCommand

from annotate.load_demo import PROJECTS, cues_path, load_demo
from annotate.models import Project
from config.embedded import paths
from config.embedded.state import write_private
from jury.defaults import load_cues, local_panel
from jury.weigh import weigh


class Command(BaseCommand):
    help = "Load the demo's projects and people; the passwords go to credentials.json in the state folder."

    def handle(self, *args: Any, **options: Any) -> None:
        passwords = load_demo()
        if not passwords:
            self.stdout.write("The demo is there already.")
            return
        write_private(paths.credentials_path(), json.dumps(passwords, indent=1))
        cues = local_panel().jurors.get(adapter="cues")
        load_cues(cues, json.loads(cues_path().read_text(encoding="utf-8")))
        for described in PROJECTS:
            weigh(Project.objects.get(slug=described.slug))
        self.stdout.write(f"The demo is loaded. Sign-ins are in {paths.credentials_path()}.")
