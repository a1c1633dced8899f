/* The table of a suite: sorted by any column, filtered by name. */
"use strict";

const KINDS = [["", "all rows"], ["systems", "systems"], ["controls", "controls"]];

function TableView({ suite, place }) {
  const [order, setOrder] = useState({ column: null, down: false });
  const words = (place.rows ?? "").toLowerCase();
  const cells = useMemo(() => {
    const found = new Map(suite.rows.map((row) => [row.name, new Map()]));
    for (const [row, metric, value, text, mark] of suite.cells) found.get(row).set(metric, { value, text, mark });
    return found;
  }, [suite]);
  const columns = place.all ? suite.metrics : suite.metrics.filter((one) => !suite.table.length || suite.table.includes(one.name));
  const rows = suite.rows.filter((row) => row.name.toLowerCase().includes(words)
    && (place.kind !== "systems" || !row.control) && (place.kind !== "controls" || row.control));
  const value = (row) => (order.column === "heads" ? row.heads : cells.get(row.name).get(order.column)?.value);
  const sorted = order.column == null ? rows : [...rows].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a == null || b == null) return (a == null) - (b == null);
    return order.down ? b - a : a - b;
  });
  const turn = (column) => setOrder({ column, down: order.column === column ? !order.down : false });
  const head = (column, title, about) => html`<th scope="col" title=${about}
    aria-sort=${order.column !== column ? "none" : order.down ? "descending" : "ascending"}>
    <button onClick=${() => turn(column)}>${title}<span aria-hidden="true">${order.column === column ? (order.down ? " ▾" : " ▴") : ""}</span></button></th>`;
  return html`<section>
    <div class="tools">
      <label>rows <input type="search" value=${place.rows ?? ""} placeholder="part of a name"
        onInput=${(event) => go({ rows: event.currentTarget.value }, true)} /></label>
      <label>show <select value=${place.kind ?? ""} onChange=${(event) => go({ kind: event.currentTarget.value }, true)}>
        ${KINDS.map(([key, title]) => html`<option value=${key}>${title}</option>`)}</select></label>
      <label><input type="checkbox" checked=${Boolean(place.all)}
        onChange=${(event) => go({ all: event.currentTarget.checked ? "1" : "" }, true)} /> every metric</label>
      <output>${sorted.length} of ${suite.rows.length} rows</output>
    </div>
    <div class="wide" tabindex="0" role="region" aria-label="table of ${suite.title}">
      <table><thead><tr><th scope="col">row</th>${columns.map((one) => head(one.key, unit(one), `${one.definition} ${one.judge === "-" ? "" : `Judge: ${one.judge}.`}`))}
        ${head("heads", "heads/s", "head evaluations per second of audio")}</tr></thead>
      <tbody>${sorted.map((row) => html`<tr class=${row.control ? "control" : ""}><th scope="row">${row.name}</th>
        ${columns.map((one) => {
          const cell = cells.get(row.name).get(one.key);
          const [first, ...rest] = (cell?.text ?? "–").split(" ");
          return cell?.value == null ? html`<td>${cell?.text ?? "–"}</td>`
            : html`<td><span class=${cell.mark}>${first}</span> <small>${rest.join(" ")}</small></td>`;
        })}<td>${row.heads == null ? "–" : number(row.heads)}</td></tr>`)}</tbody></table>
    </div>
    <p class="note">Brackets: 95 % intervals. Bold: the best system and those not distinguishable from it; underlined: the
      best of the others; a column without bold: no system could be told from the best. Rows in italics are controls. ${suite.items_in_tables} items, ${suite.seeds} seed${suite.seeds > 1 ? "s" : ""}.</p>
    ${suite.notes.map((note) => html`<p class="note">${note}</p>`)}
  </section>`;
}

function FiguresView() {
  if (!about.figures.length) return html`<p>This run has no figures.</p>`;
  return html`<section class="figures">${about.figures.map((one) => html`<figure><img src=${one.src} alt=${one.title} loading="lazy" />
    <figcaption>${one.title}</figcaption></figure>`)}</section>`;
}

function AboutView() {
  return html`<section><h3>How it was made</h3>
    ${about.command && html`<pre tabindex="0">${about.command}</pre>`}
    <p>${about.environment}</p>
    ${suites.map((suite) => html`<h4>${suite.title}</h4><ul>${suite.metrics.map((one) => html`<li>${one.title} <code>${one.key}</code>${
      one.judge === "-" ? "" : `, by ${one.judge}`}${one.definition ? `: ${one.definition}` : ""}</li>`)}
      ${suite.rows.filter((row) => !row.control).map((row) => html`<li>${row.name} <code>${row.fingerprint}</code></li>`)}</ul>`)}
    <h3>Keys</h3><p><kbd>j</kbd> next item, <kbd>k</kbd> the one before, <kbd>space</kbd> plays and stops what was played last.</p>
  </section>`;
}
