"""What the browser tests of the annotate page share: signing in, what is shown, what is kept in the browser."""

from playwright.sync_api import Page, expect

from annotate.models import Preferences


def sign_in(page: Page, live_server, name: str) -> None:
    page.goto(f"{live_server.url}/sign-in/")
    fill_in(page, name)
    expect(page.get_by_role("heading", name="Projects")).to_be_visible()


def fill_in(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign in").click()


def start(page: Page, live_server, name: str = "annotator") -> Page:
    """The annotate page, signed in, its first item shown and its queue filled."""
    sign_in(page, live_server, name)
    with page.expect_response("**/annotate/queue/"):
        page.goto(f"{live_server.url}/projects/guard/annotate/")
    return page


def prefer(user, **preferences) -> None:
    Preferences.objects.update_or_create(user=user, defaults=preferences)


def numbered(count: int) -> list[dict[str, str]]:
    return [{"id": f"i{number}", "prompt": f"question number {number}"} for number in range(count)]


def shown_text(page: Page) -> str:
    return page.locator("#item .text-block [tabindex='0']").first.inner_text()


def shown_id(page: Page) -> int:
    return int(page.locator("#item").get_attribute("data-item"))


def everything_sent(page: Page) -> None:
    expect(page.locator("[data-unsent]")).to_be_hidden(timeout=60_000)


def kept(page: Page) -> dict[str, str]:
    """What the page keeps in this browser: names that begin with jurybox, and their values."""
    everything = page.evaluate("() => ({...localStorage})")
    return {name: value for name, value in everything.items() if name.startswith("jurybox:")}
