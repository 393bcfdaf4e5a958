from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from annotate import submit as submitting
from annotate.access import item_for, signed_in
from annotate.images import image_path, media_type, named_images
from annotate.models import Role


@require_safe
def image(request: HttpRequest, slug: str, item_id: int, number: int = 1) -> FileResponse:
    """The item's image of this number, the first being 1; to annotators only if the item was handed to them."""
    item = item_for(request, slug, item_id, Role.ANNOTATOR)
    if item.project.role == Role.ANNOTATOR and not submitting.was_handed(signed_in(request), item):
        raise Http404("This item was not handed to you.")
    is_named = 1 <= number <= len(named_images(item.content)) and not item.blocked
    path = image_path(item, number)
    kind = media_type(path) if is_named and path.is_file() else None
    if kind is None:
        raise Http404("This item has no such image here.")
    sandbox = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    return FileResponse(open(path, "rb"), content_type=kind, headers=sandbox)
