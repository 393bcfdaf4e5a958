"""The labelling config: a project's layout as Label Studio's XML."""

from dataclasses import replace
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from annotate.answers import UNSURE, AskedQuestion
from annotate.label_studio.layout import OBJECTS, Control, Layout, Node, object_name, word_for

ATTRIBUTES = {
    # As text, never as an address to fetch.
    "Text": {"valueType": "text"},
    "Paragraphs": {"layout": "dialogue", "nameKey": "role", "textKey": "text"},
    "Image": {},
}


def config_xml(layout: Layout) -> str:
    """The labelling config; `sdk.annotation_check` says whether Label Studio accepts it."""
    view = Element("View")
    for shown in layout.objects:
        tag = OBJECTS[shown]
        SubElement(view, tag, {"name": object_name(shown), "value": f"${shown}", **ATTRIBUTES[tag]})
    for question in layout.contract.questions:
        block = SubElement(view, "View", visible_when(layout, question) or {})
        SubElement(block, "Header", {"value": layout.wording[question.code]})
        for control in layout.controls.values():
            if control.question is question:
                _add_control(block, layout, control)
    indent(view)
    return tostring(view, encoding="unicode") + "\n"


def visible_when(layout: Layout, question: AskedQuestion) -> dict[str, str] | None:
    """The question's condition as attributes; None if the format can't say it.

    It can say: some choices of one other question.
    """
    if not question.condition:
        return {}
    codes = {str(condition["question"]) for condition in question.condition}
    words = [word_for(condition["is"]) for condition in question.condition]
    control = layout.controls.get(min(codes))
    if len(codes) > 1 or control is None or control.tag != "Choices" or control.is_multiple:
        return None
    if any("," in word for word in words):
        return None
    return {
        "visibleWhen": "choice-selected",
        "whenTagName": control.name,
        "whenChoiceValue": ",".join(words),
    }


def can_be_required(layout: Layout, question: AskedQuestion) -> bool:
    """Whether the format can say that the question needs an answer wherever it is shown."""
    unconditional = replace(question, condition=())
    return (
        question.kind != "spans"
        and visible_when(layout, question) is not None
        and all(unconditional.is_asked({}, kind) for kind in layout.kinds)
    )


def _add_control(block: Element, layout: Layout, control: Control) -> None:
    tag = SubElement(block, control.tag, {"name": control.name, "toName": control.to_name})
    if control.question.required and can_be_required(layout, control.question):
        tag.set("required", "true")
    match control.tag:
        case "Choices":
            tag.set("choice", "multiple" if control.is_multiple else "single")
            for word, value in control.words.items():
                is_turn = control.is_multiple and isinstance(value, int)
                SubElement(tag, "Choice", _turn(word) if is_turn else {"value": word})
        case "Taxonomy":
            tag.set("leafsOnly", "true" if all(map(_only_leaves_are_categories, layout.tree)) else "false")
            for node in layout.tree:
                _add_node(tag, node)
            SubElement(tag, "Choice", {"value": UNSURE})
        case "Labels":
            SubElement(tag, "Label", {"value": "no label", "alias": word_for(None)})
            for label in layout.span_labels:
                SubElement(tag, "Label", {"value": word_for(label)})
        case _:
            tag.set("maxSubmissions", "1")


def _turn(word: str) -> dict[str, str]:
    """People count turns from 1; the alias is what results hold."""
    return {"value": f"turn {int(word) + 1}", "alias": word}


def _only_leaves_are_categories(node: Node) -> bool:
    return (node.is_group or not node.children) and all(map(_only_leaves_are_categories, node.children))


def _add_node(above: Element, node: Node) -> None:
    choice = SubElement(above, "Choice", {"value": node.name, "alias": node.code})
    for child in node.children:
        _add_node(choice, child)
