"""Every page, for everybody who may open it, in light and dark: nothing breaks the policy or runs wide."""

import pytest
from playwright.sync_api import Page

from tests.browser.test_annotate import sign_in

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = ["", "annotate/", "review/", "items/", "import/", "jury/", "agreement/", "mixes/", "settings/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_of_a_project_stands(cast, add_items, page: Page, live_server, console, scheme, width):
    add_items(cast.project, [{"id": "a", "prompt": "One question", "response": "One answer"}])
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, live_server, "lead")
    for name in PAGES:
        response = page.goto(f"{live_server.url}/projects/guard/{name}")
        assert response.status == 200, name
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} runs wide"
    assert console == []


def test_the_admin_pages_keep_the_policy(cast, page: Page, live_server, console):
    sign_in(page, live_server, "admin")
    for name in ("", "annotate/taxonomyversion/", "annotate/project/", "jury/juror/add/", "curation/mix/"):
        assert page.goto(f"{live_server.url}/admin/{name}").status == 200
    assert console == []
