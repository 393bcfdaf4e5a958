from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

Answer = Callable[[HttpRequest], HttpResponse]


def own_language(get_response: Answer) -> Answer:
    """The language that a signed-in person chose; without a choice the browser's, as LocaleMiddleware read it.

    `sign_in.Backend` brings the preferences along with the person, so this costs no query.
    """
    offered = dict(settings.LANGUAGES)

    def answer(request: HttpRequest) -> HttpResponse:
        preferences = getattr(request.user, "preferences", None)
        if preferences is not None and preferences.language in offered:
            translation.activate(preferences.language)
            request.LANGUAGE_CODE = preferences.language
        return get_response(request)

    return answer
