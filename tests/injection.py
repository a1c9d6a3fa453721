"""What a page's policy is for: code that was brought into it does not run, and asks nobody."""

from playwright.sync_api import Page

# Each adds to what has run, or asks another host for something.
INJECT = """() => {
    window.ran = [];
    const refused = new Set();
    document.addEventListener("securitypolicyviolation", (event) => {
        refused.add(event.effectiveDirective);
        document.documentElement.dataset.refused = [...refused].sort().join(" ");
    });
    const script = document.createElement("script");
    script.textContent = "ran.push('script')";
    document.body.append(script);
    const handler = `<img src="data:," alt="" onerror="ran.push('handler')">`;
    const elsewhere = `<img src="http://elsewhere.invalid/a.png" alt="">`;
    document.body.insertAdjacentHTML("beforeend", handler + elsewhere);
    setTimeout("ran.push('text')");
    fetch("http://elsewhere.invalid/").catch(() => null);
}"""
REFUSED = "connect-src img-src script-src script-src-attr script-src-elem"


def is_refused(page: Page) -> bool:
    """Inject scripts into a page, wait until all are refused, and tell whether none has run."""
    page.evaluate(INJECT)
    page.locator(f"html[data-refused='{REFUSED}']").wait_for(state="attached")
    return page.evaluate("window.ran") == []
