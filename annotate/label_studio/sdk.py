"""Label Studio's own checks; the only module that imports its SDK, and only when a check is made."""

from collections.abc import Callable, Mapping
from typing import Any

from annotate.errors import AnnotateError

AnnotationCheck = Callable[[Mapping[str, Any]], bool]


class ConfigRefused(AnnotateError):
    """The SDK does not accept a project's labelling config; the message holds the SDK's reason."""


def annotation_check(config: str) -> AnnotationCheck:
    """A function that says whether an annotation fits the labelling config.

    Importing the SDK takes about a second and loads pandas and OpenCV: never do this in the web process.

    Raises:
        ConfigRefused: the SDK does not accept the config.
    """
    from label_studio_sdk._legacy.exceptions import (
        LabelStudioValidationErrorSentryIgnored,
        LabelStudioXMLSyntaxErrorSentryIgnored,
    )
    from label_studio_sdk.label_interface import LabelInterface

    try:
        interface = LabelInterface(config)
        interface.validate()
    except (LabelStudioValidationErrorSentryIgnored, LabelStudioXMLSyntaxErrorSentryIgnored) as error:
        raise ConfigRefused(f"Label Studio does not accept this project's config: {error}") from error
    return interface.validate_annotation
