"""What an import declares of an item's severity and hazards."""

import pytest

from annotate.import_items import import_rows
from annotate.import_summary import RowsRejected
from annotate.models import (
    Item,
)

ROW = {"id": "a", "text": "words"}


@pytest.mark.parametrize(
    ("row", "stored"),
    [
        ({}, (0, [])),
        ({"severity": 2}, (2, [])),
        ({"severity": "upsetting", "hazards": ["violence", "violence"]}, (1, ["violence"])),
        ({"severity": "0", "hazards": "fraud; harm"}, (0, ["fraud", "harm"])),
        ({"severity": None, "hazards": '["fraud"]'}, (0, ["fraud"])),
    ],
)
def test_an_import_declares_severity_and_hazards(cast, row, stored):
    import_rows(cast.project, [ROW | row])
    item = Item.objects.get()
    assert (item.severity, item.hazards) == stored
    assert item.meta == {}


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"severity": 3}, "severity"),
        ({"severity": True}, "severity"),
        ({"severity": 1.0}, "severity"),
        ({"severity": "Graphic"}, "severity"),
        ({"hazards": ["violence", "no such"]}, "hazards"),
        ({"hazards": "no such"}, "hazards"),
        ({"hazards": {"violence": 1}}, "hazards"),
        ({"hazards": [1]}, "hazards"),
        ({"hazards": "[broken"}, "hazards"),
    ],
)
def test_p12_what_an_import_may_not_declare_names_row_and_field(cast, row, field):
    with pytest.raises(RowsRejected) as refused:
        import_rows(cast.project, [ROW, ROW | {"id": "b"} | row])
    [rejection] = refused.value.summary.rejections
    assert (rejection.line, rejection.field) == (2, field)
    assert "map the field to another name" in rejection.reason
    assert not Item.objects.exists()


def test_importing_again_may_declare_more_and_forgets_nothing(cast):
    import_rows(cast.project, [ROW | {"severity": 1}])
    summary = import_rows(cast.project, [ROW | {"hazards": ["fraud"]}])
    assert (summary.already_there, summary.imported) == (1, 0)
    assert summary.notes == ["1 items that were there already are declared anew."]
    import_rows(cast.project, [ROW])
    item = Item.objects.get()
    assert (item.severity, item.hazards) == (1, ["fraud"])
