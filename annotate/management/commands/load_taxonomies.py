from typing import Any

from django.core.management.base import BaseCommand

from annotate.taxonomy import load_shipped


class Command(BaseCommand):
    help = "Load and publish the taxonomies that ship with Jurybox; what is there already stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = load_shipped()
        for version in loaded:
            self.stdout.write(f"{version}: {version.categories.count()} categories")
        if not loaded:
            self.stdout.write("All shipped taxonomies are there.")
