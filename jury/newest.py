"""Each juror's newest verdict, for those who count over a whole project."""

from typing import Any

from django.db.models import QuerySet

from annotate.models import Project
from jury.models import Verdict


def newest_verdicts(project: Project) -> QuerySet[Verdict, Any]:
    """One row a juror, item and part: item_id, part, juror_id, answers, covered_categories.

    Answers are null where the newest verdict is a failure, which ends what the juror said before. A juror that
    is switched off has none.
    """
    return (
        Verdict.objects.filter(item__project=project, juror__enabled=True)
        .order_by("item_id", "juror_id", "part", "-id")
        .distinct("item_id", "juror_id", "part")
        .values("item_id", "part", "juror_id", "answers", "covered_categories")
    )
