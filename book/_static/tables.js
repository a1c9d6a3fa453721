// Tables that scroll sideways can be scrolled with the keyboard, and show that there is more.
const boxes = () => document.querySelectorAll(".pst-scrollable-table-container, .dt-layout-full");
const reach = () => boxes().forEach((box) => {
  const hint = () => box.classList.toggle("has-more", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
  if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  else box.removeAttribute("tabindex");
  box.onscroll = hint;
  hint();
});
// Also when a font that comes late makes a table wider than its box.
const resized = new ResizeObserver(reach);
document.addEventListener("DOMContentLoaded", () => boxes().forEach((box) => {
  resized.observe(box);
  resized.observe(box.firstElementChild);
}));
window.addEventListener("resize", reach);

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
  // A minus sign is read; the hyphen in its place is what can be sorted as a number, and typed.
  const plain = (cell, use) => use === "display" ? cell : cell.replace(/^−(.*)/, use === "filter" ? "−$1 -$1" : "-$1");
  const enhance = () => tables.forEach((table) => {
    // Names that end in numbers are sorted by the numbers: sgRNA_9 before sgRNA_10.
    window.DataTablesQuery.fn.dataTable.ext.type.order["label-pre"] = (label) => String(label).replace(/\d+/g, (digits) => digits.padStart(8, "0"));
    const labels = Number(table.className.match(/labels-(\d+)/)?.[1] ?? 0);
    const name = table.querySelector(".caption-number")?.textContent.trim() ?? "table";
    const listed = window.DataTablesQuery(table).DataTable({
      order: [],
      columnDefs: [{ targets: [...Array(labels).keys()], type: "label" }, { targets: "_all", render: plain }],
      pageLength: 10,
      lengthMenu: [10, 25, 100, { label: "All", value: -1 }],
      autoWidth: false,
      drawCallback: () => table.closest(".dt-container").querySelector(".dt-paging nav")?.setAttribute("aria-label", `pages of ${name}`),
      language: { search: "Search", lengthMenu: "_MENU_ rows per page", info: "_START_ to _END_ of _TOTAL_ rows", infoFiltered: "(of _MAX_)", infoEmpty: "no rows" },
    });
    // A whole label finds itself, cell_1 but not cell_10; any other text finds all that holds it.
    const wholes = new Set(listed.cells().data().toArray().map((cell) => cell.toLowerCase()).filter((cell) => /[a-z]/.test(cell)));
    listed.search.fixed("whole labels", (text, cells) => listed.search().toLowerCase().split(/[\s"]+/)
      .every((word) => !wholes.has(word) || cells.some((cell) => cell.toLowerCase() === word)));
  });
  script.onload = () => { enhance(); reach(); };
  // Fetched when its reader comes near; until then the table scrolls in a box of its own.
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    document.head.append(style, script);
  }, { rootMargin: "800px" });
  tables.forEach((table) => near.observe(table));
});
