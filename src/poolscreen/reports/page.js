// The scheme that the reader's system asks for, tables to search, and boxes that keys can scroll.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const darken = () => document.documentElement.classList.toggle("dark", dark.matches);
dark.addEventListener("change", darken);
darken();
document.querySelectorAll("table.searchable").forEach((table) => window.DataTablesQuery(table).DataTable({
  order: [], pageLength: 10, autoWidth: false, lengthMenu: [10, 25, 100, { label: "All", value: -1 }],
  language: { search: "Search", lengthMenu: "_MENU_ rows per page", info: "_START_ to _END_ of _TOTAL_ rows" },
}));
document.querySelectorAll(".box").forEach((box) => { if (box.scrollWidth > box.clientWidth) box.tabIndex = 0; });
