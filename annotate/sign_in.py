"""Who is signed in, with their preferences at hand: every page needs language and density, none asks twice."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from annotate.models import User


class Backend(ModelBackend):
    """Django's own, with one join."""

    def get_user(self, user_id: Any) -> User | None:
        user = User.objects.select_related("preferences").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
