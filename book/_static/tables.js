// Tables that scroll sideways can be scrolled with the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  const reach = () => document.querySelectorAll(".pst-scrollable-table-container").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  });
  reach();
  window.addEventListener("resize", reach);
});

// Long tables (class "searchable") can be searched, sorted and leafed through. The script that
// does it, DataTables, comes from the site itself and is fetched only where there is such a table.
document.addEventListener("DOMContentLoaded", () => {
  const tables = document.querySelectorAll("table.searchable");
  if (tables.length === 0) return;

  const root = document.documentElement;
  const darken = () => root.classList.toggle("dark", root.dataset.theme === "dark");
  new MutationObserver(darken).observe(root, { attributeFilter: ["data-theme"] });
  darken();

  const here = document.querySelector('script[src*="_static/tables.js"]').src;
  const script = document.createElement("script");
  script.src = here.replace(/_static.*$/, "vendor/datatables.js");
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = here.replace(/_static.*$/, "vendor/datatables.css");
  const enhance = () => tables.forEach((table) => {
    const name = table.querySelector(".caption-number")?.textContent.trim() ?? "table";
    window.DataTablesQuery(table).DataTable({
      order: [],
      pageLength: 10,
      lengthMenu: [10, 25, 100, { label: "All", value: -1 }],
      autoWidth: false,
      drawCallback: () => table.closest(".dt-container").querySelector(".dt-paging nav")?.setAttribute("aria-label", `pages of ${name}`),
      language: { search: "Search", lengthMenu: "_MENU_ rows per page", info: "_START_ to _END_ of _TOTAL_ rows" },
    });
  });
  script.onload = enhance;
  // Fetched when its reader comes near; until then the table scrolls in a box of its own.
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    document.head.append(style, script);
  }, { rootMargin: "800px" });
  tables.forEach((table) => near.observe(table));
});
