"""What a person sees of the votes: nothing before the own answer, unless work is assisted by policy (P3)."""

from annotate.models import Exposure, Item, Project


def exposure_for(project: Project, item: Item) -> Exposure:
    """How the item is to be shown to annotators: blind, or assisted."""
    return Exposure.BLIND
