"""Key chords for the taxonomy versions that were published before there were any.

A published version is frozen (P10): the trigger that holds this is off for this one statement, inside the
migration's transaction. Keys are how a category is reached, not what it means, and nothing stored refers to them.
The versions' digests stay as they were stored: they say what was published then, and exports quote them.
"""

from django.db import migrations

from annotate.chords import Named, assign_chords


def fill_chords(apps, schema_editor):
    Category = apps.get_model("annotate", "Category")
    versions = apps.get_model("annotate", "TaxonomyVersion").objects.filter(published_at__isnull=False)
    changed = []
    found = {}
    # A version follows an older one, so the order of their numbers has each after the one that it follows.
    for version in versions.order_by("id"):
        categories = list(Category.objects.filter(taxonomy_version_id=version.pk).order_by("position", "id"))
        if any(category.chord for category in categories):
            found[version.pk] = {category.code: category.chord for category in categories}
            continue
        found[version.pk] = assign_chords(
            [
                Named(category.code, category.name, tuple(category.parents), category.kind == "group")
                for category in categories
                if category.code not in ("safe", "benign")
            ],
            found.get(version.follows_id, {}),
        )
        for category in categories:
            category.chord = found[version.pk].get(category.code, "")
        changed += [category for category in categories if category.chord]
    if not changed:
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE annotate_category DISABLE TRIGGER category_is_frozen")
        Category.objects.bulk_update(changed, ["chord"], batch_size=1000)
        cursor.execute("ALTER TABLE annotate_category ENABLE TRIGGER category_is_frozen")


class Migration(migrations.Migration):
    dependencies = [("annotate", "0003_the_best_page")]

    operations = [migrations.RunPython(fill_chords, migrations.RunPython.noop)]
