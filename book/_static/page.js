// What the theme leaves undone for those who read with a finger or with keys.
document.addEventListener("DOMContentLoaded", () => {
  // The drawer of contents closes when a heading was chosen.
  const drawer = document.getElementById("pst-secondary-sidebar-checkbox");
  document.querySelectorAll('.bd-sidebar-secondary a[href^="#"]').forEach((link) =>
    link.addEventListener("click", () => { if (drawer) drawer.checked = false; }));

  // The search box holds the focus while it is open, and gives it back.
  const search = document.querySelector(".search-button__wrapper");
  let before = null;
  document.addEventListener("focusin", (event) => { if (!search?.contains(event.target)) before = event.target; });
  document.addEventListener("keydown", (event) => {
    if (!search?.classList.contains("show")) return;
    if (event.key === "Tab") {
      event.preventDefault();
      search.querySelector("input").focus();
    } else if (event.key === "Escape") {
      event.stopImmediatePropagation();
      search.classList.remove("show");
      before?.focus();
    }
  }, true);

  // What search shows of a page is its prose, not folded code or rows of numbers.
  if (typeof Search !== "undefined") {
    Search.htmlToText = (html) => {
      const page = new DOMParser().parseFromString(html, "text/html");
      page.querySelectorAll(".headerlink, .cell_input, details.hide, table, script, style, .table-source").forEach((node) => node.remove());
      return page.querySelector("[role=main]")?.textContent ?? "";
    };
  }
});

// A reader who comes from a search finds the first place that was searched for.
window.addEventListener("load", () => {
  if (location.hash) return;
  const found = [...document.querySelectorAll("span.highlighted")].find((hit) => !hit.closest("details:not([open])"));
  found?.scrollIntoView({ block: "center" });
});
