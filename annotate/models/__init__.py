from annotate.models.annotation import Annotation, Assignment, Exposure, Flag, Gold, Reveal, ReviewReason
from annotate.models.item import Item, ItemImport, Purpose, Severity, Source
from annotate.models.label import Label
from annotate.models.people import Membership, Role, User
from annotate.models.preferences import OptOut, Preferences, Sitting
from annotate.models.project import Guideline, Project, Question, SavedFilter
from annotate.models.taxonomy import Category, CategoryMap, Taxonomy, TaxonomyVersion

__all__ = [
    "Annotation",
    "Assignment",
    "Category",
    "CategoryMap",
    "Exposure",
    "Flag",
    "Gold",
    "Guideline",
    "Item",
    "ItemImport",
    "Label",
    "Membership",
    "OptOut",
    "Preferences",
    "Project",
    "Purpose",
    "Question",
    "Reveal",
    "ReviewReason",
    "Role",
    "SavedFilter",
    "Severity",
    "Sitting",
    "Source",
    "Taxonomy",
    "TaxonomyVersion",
    "User",
]
