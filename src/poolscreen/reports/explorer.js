// Every gene as a point, and the sgRNAs of the one that is chosen. The data are compressed columns of numbers.
(async () => {
  const at = (id) => document.getElementById(id);
  if (!window.DecompressionStream) {
    at("explorer-hint").textContent = "This browser cannot unpack the data; one from 2023 or later can.";
    return;
  }
  const packed = Uint8Array.from(atob(at("explorer-data").textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const data = await new Response(stream).json();
  const canvas = at("explorer-canvas"), line = at("explorer-line"), find = at("explorer-find");
  const detail = at("explorer-detail"), hint = at("explorer-hint");
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  let rows = [], chosen = null, table = null;

  const short = (name) => (name.length > 40 ? `${name.slice(0, 39)}…` : name);
  const nameOf = (row) => data.genes[data.gene[row]];
  const yOf = (row) => -Math.log10(Math.max(data.lfsr[row], 1e-16));
  const text = (value, digits = 2) => (value === null ? "" : value.toFixed(digits));
  const small = (value) => (value < 0.001 ? value.toExponential(1) : value.toFixed(3));

  // Margins, and the ranges of both axes.
  const frame = { left: 44, right: 10, top: 10, bottom: 36 };
  let range = null;
  const place = (row) => [
    frame.left + ((data.mean[row] - range.x[0]) / (range.x[1] - range.x[0])) * (canvas.clientWidth - frame.left - frame.right),
    canvas.clientHeight - frame.bottom - (yOf(row) / range.y) * (canvas.clientHeight - frame.top - frame.bottom),
  ];

  function draw() {
    const scale = window.devicePixelRatio || 1, pen = canvas.getContext("2d");
    canvas.width = canvas.clientWidth * scale;
    canvas.height = canvas.clientHeight * scale;
    pen.scale(scale, scale);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    pen.font = "12px system-ui, sans-serif";
    const ink = colour("--text"), bottom = canvas.clientHeight - frame.bottom;
    pen.strokeStyle = pen.fillStyle = ink;
    pen.beginPath();
    pen.moveTo(frame.left, frame.top);
    pen.lineTo(frame.left, bottom);
    pen.lineTo(canvas.clientWidth - frame.right, bottom);
    pen.stroke();
    pen.textAlign = "center";
    for (let x = Math.ceil(range.x[0]); x <= range.x[1]; x += 1) {
      const [left] = [frame.left + ((x - range.x[0]) / (range.x[1] - range.x[0])) * (canvas.clientWidth - frame.left - frame.right)];
      pen.fillText(String(x), left, bottom + 15);
    }
    pen.fillText("effect (log fold change)", (frame.left + canvas.clientWidth) / 2, bottom + 31);
    pen.textAlign = "right";
    for (let y = 0; y <= range.y; y += 4) {
      pen.fillText(y ? `1e-${y}` : "1", frame.left - 5, bottom - (y / range.y) * (bottom - frame.top) + 4);
    }
    for (const row of rows) {
      const [x, y] = place(row), hit = data.fdr[row] < 0.05 && data.lfsr[row] < 0.5;
      pen.fillStyle = hit ? (data.mean[row] < 0 ? colour("--down") : colour("--up")) : colour("--none");
      pen.fillRect(x - 1.5, y - 1.5, 3, 3);
    }
    if (chosen !== null) {
      const [x, y] = place(chosen);
      pen.strokeStyle = pen.fillStyle = ink;
      pen.lineWidth = 2;
      pen.beginPath();
      pen.arc(x, y, 6, 0, 2 * Math.PI);
      pen.stroke();
      pen.textAlign = x > canvas.clientWidth / 2 ? "right" : "left";
      pen.fillText(short(nameOf(chosen)), x + (x > canvas.clientWidth / 2 ? -10 : 10), y + 4);
    }
  }

  function nearest(event) {
    const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    let best = null, least = 100;
    for (const row of rows) {
      const [left, top] = place(row), away = (left - x) ** 2 + (top - y) ** 2;
      if (away < least) [best, least] = [row, away];
    }
    return best;
  }

  function element(name, content, parent) {
    const made = document.createElement(name);
    made.textContent = content;
    parent.append(made);
    return made;
  }

  // The measurements of each sgRNA as dots on one scale, drawn as SVG.
  function guides(row) {
    const own = data.guides[data.gene[row]]
      .map((guide) => [guide[0], guide[1 + data.line[row]]]).filter((guide) => guide[1].length);
    const values = own.flatMap((guide) => guide[1]);
    const low = Math.min(-1, ...values), high = Math.max(1, ...values);
    const list = element("table", "", detail);
    list.className = "guides";
    const head = element("tr", "", element("thead", "", list));
    for (const name of ["sgRNA", "mean", `replicates, from ${low.toFixed(1)} to ${high.toFixed(1)}`]) {
      element("th", name, head).scope = "col";
    }
    const body = element("tbody", "", list);
    for (const [name, measured] of own) {
      const one = element("tr", "", body);
      element("td", name, one).title = name;
      element("td", text(measured.reduce((a, b) => a + b, 0) / measured.length), one);
      const cell = element("td", "", one);
      const dots = measured.map((value) => `<circle cx="${(4 + ((value - low) / (high - low)) * 192).toFixed(1)}" cy="8" r="3.5"/>`);
      const zero = (4 + ((0 - low) / (high - low)) * 192).toFixed(1);
      cell.innerHTML = `<svg viewBox="0 0 200 16" width="200" height="16" role="img" aria-label="${measured.map((v) => text(v)).join(", ")}"><line x1="${zero}" x2="${zero}" y1="0" y2="16"/>${dots.join("")}</svg>`;
    }
  }

  function choose(row) {
    chosen = row;
    detail.replaceChildren();
    if (row !== null) {
      element("h3", `${nameOf(row)} in ${data.lines[data.line[row]]}`, detail);
      element("p",
        `Effect ${text(data.mean[row])} (94 % interval ${text(data.low[row])} to ${text(data.high[row])}), rank ` +
        `${data.rank[row]} of ${rows.length}, lfsr ${small(data.lfsr[row])}, fdr ${small(data.fdr[row])}.`, detail);
      guides(row);
    }
    draw();
  }

  function show() {
    const number = Number(line.value);
    rows = [...data.gene.keys()].filter((row) => data.line[row] === number);
    const means = rows.map((row) => data.mean[row]);
    range = {
      x: [means.reduce((a, b) => Math.min(a, b), -1) - 0.3, means.reduce((a, b) => Math.max(a, b), 1) + 0.3],
      y: Math.max(4, rows.reduce((most, row) => Math.max(most, yOf(row)), 0) * 1.05),
    };
    const shown = rows.map((row) => [
      nameOf(row), data.n[row], text(data.mean[row]), text(data.low[row]), text(data.high[row]),
      small(data.lfsr[row]), small(data.fdr[row]), data.rank[row],
    ]);
    table.clear().rows.add(shown).draw();
    choose(null);
  }

  function search() {
    const wanted = find.value.trim().toLowerCase();
    const found = rows.find((row) => nameOf(row).toLowerCase() === wanted)
      ?? (wanted.length > 1 ? rows.find((row) => nameOf(row).toLowerCase().startsWith(wanted)) : undefined);
    hint.textContent = wanted && found === undefined ? "no such gene" : "";
    if (wanted && found !== undefined) choose(found);
  }

  data.lines.forEach((name, number) => {
    const option = element("option", short(name), line);
    option.value = number;
  });
  line.parentElement.hidden = data.lines.length < 2;
  // Cells are escaped: a gene may be called anything.
  const safe = window.DataTablesQuery.fn.dataTable.render.text();
  table = window.DataTablesQuery("#explorer-table").DataTable({
    data: [], deferRender: true, order: [[7, "asc"]], pageLength: 10, autoWidth: false,
    columnDefs: [
      { targets: "_all", render: safe },
      { targets: 0, className: "name", createdCell: (cell, name) => { cell.title = name; } },
    ],
    lengthMenu: [10, 25, 100],
    language: { search: "Search", lengthMenu: "_MENU_ rows per page", info: "_START_ to _END_ of _TOTAL_ rows" },
  });
  window.DataTablesQuery("#explorer-table tbody").on("click", "tr", function () {
    const row = table.row(this).data();
    if (row) choose(rows.find((number) => nameOf(number) === row[0]));
  });
  line.addEventListener("change", show);
  find.addEventListener("input", search);
  canvas.addEventListener("click", (event) => choose(nearest(event)));
  canvas.addEventListener("mousemove", (event) => {
    const row = nearest(event);
    canvas.title = row === null ? "" : nameOf(row);
  });
  window.addEventListener("resize", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  show();
  line.disabled = find.disabled = false;
})();
