from annotate.models.annotation import Annotation, Assignment, Exposure, Flag
from annotate.models.item import Item, ItemImport, Source
from annotate.models.label import Label
from annotate.models.people import Membership, Role, User
from annotate.models.project import Guideline, Project, Question
from annotate.models.taxonomy import Category, CategoryMap, Taxonomy, TaxonomyVersion

__all__ = [
    "Annotation",
    "Assignment",
    "Category",
    "CategoryMap",
    "Exposure",
    "Flag",
    "Guideline",
    "Item",
    "ItemImport",
    "Label",
    "Membership",
    "Project",
    "Question",
    "Role",
    "Source",
    "Taxonomy",
    "TaxonomyVersion",
    "User",
]
