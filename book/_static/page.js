// What the theme leaves undone for those who read with a finger or with keys.

// The search box holds the focus while it is open, and gives it back. (Before the theme's own script.)
let before = null;
window.addEventListener("focusin", (event) => { if (!event.target.closest?.(".search-button__wrapper")) before = event.target; });
window.addEventListener("keydown", (event) => {
  const search = document.querySelector(".search-button__wrapper.show");
  if (!search) return;
  if (event.key === "Tab") {
    event.preventDefault();
    search.querySelector("input").focus();
  } else if (event.key === "Escape") {
    event.stopImmediatePropagation();
    search.classList.remove("show");
    before?.focus();
  }
}, true);

document.addEventListener("DOMContentLoaded", () => {
  // The drawer of contents closes when a heading was chosen.
  const drawer = document.getElementById("pst-secondary-sidebar-checkbox");
  document.querySelectorAll('.bd-sidebar-secondary a[href^="#"]').forEach((link) =>
    link.addEventListener("click", () => { if (drawer) drawer.checked = false; }));

  // What search shows of a page is its prose, not folded code or rows of numbers.
  if (typeof Search !== "undefined") {
    Search.htmlToText = (html) => {
      // A page that is only read here has buttons whose scripts the policy of this one does not name.
      const page = new DOMParser().parseFromString(html.replace(/ onclick="[^"]*"/g, ""), "text/html");
      page.querySelectorAll(".headerlink, .cell_input, details.hide, table, script, style, .table-source").forEach((node) => node.remove());
      return page.querySelector("[role=main]")?.textContent ?? "";
    };
  }
});

// A displayed formula may scroll inside itself, and then keys must reach it; symbols in the text are no stops.
new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => {
  if (node.nodeName === "MJX-CONTAINER" && node.getAttribute("display")) node.tabIndex = 0;
}))).observe(document.documentElement, { childList: true, subtree: true });

// A reader who comes from a search finds the first place that was searched for.
window.addEventListener("load", () => {
  if (location.hash) return;
  const found = [...document.querySelectorAll("span.highlighted")].find((hit) => !hit.closest("details:not([open])"));
  found?.scrollIntoView({ block: "center" });
});
