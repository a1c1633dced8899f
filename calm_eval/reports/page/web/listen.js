/* Listening: an item with its systems side by side, the worst samples, where two rows disagree, what failed. */
"use strict";

const PAGE = 20;

function Pick({ label, value, options, onPick }) {
  return html`<label>${label} <select value=${value} onChange=${(event) => onPick(event.currentTarget.value)}>
    ${options.map(([key, title]) => html`<option value=${key}>${title}</option>`)}</select></label>`;
}

function PickMetric({ suite, place }) {
  const metrics = itemMetrics(suite);
  return html`<${Pick} label="metric" value=${chosen(suite, place)?.key} onPick=${(metric) => go({ metric })}
    options=${metrics.map((one) => [one.key, unit(one)])} />`;
}

/* The metric of the address, else the one that the suite picks by, else the first. */
function chosen(suite, place) {
  const metrics = itemMetrics(suite);
  return metrics.find((one) => one.key === place.metric) ?? metrics.find((one) => one.name === suite.pick) ?? metrics[0];
}

/* So many at first, and more on demand: a page of thousands of players would not answer. */
function Some({ all, show, what }) {
  const [count, setCount] = useState(PAGE);
  useEffect(() => setCount(PAGE), [all]);
  return html`${all.slice(0, count).map(show)}
    ${all.length > count ? html`<button class="more" onClick=${() => setCount(count + PAGE)}>
      ${Math.min(PAGE, all.length - count)} more of ${all.length} ${what}</button>` : html`<p class="note">${all.length} ${what}</p>`}`;
}

/* One item on or back. By the address and not by what was drawn last, so that two quick keys are two steps. */
function step(items, by) {
  if (!items.length) return;
  const at = Math.max(0, items.findIndex((item) => item.id === readPlace().item));
  go({ item: items[(at + by + items.length) % items.length].id });
}

function ItemView({ suite, place }) {
  const words = (place.find ?? "").toLowerCase();
  const items = suite.items.filter((item) => `${item.id} ${item.text ?? ""}`.toLowerCase().includes(words));
  const at = Math.max(0, items.findIndex((item) => item.id === place.item));
  const item = items[at];
  useKeys((by) => step(items, by));
  const samples = item ? suite.byItem.get(item.id).filter((one) => !place.only || suite.rowOf.get(one.row).system === place.only) : [];
  const systems = [...new Set(suite.rows.map((row) => row.system))];
  return html`<section>
    <div class="tools">
      <button onClick=${() => step(items, -1)} aria-label="item before">←</button>
      <label>item <select value=${item?.id ?? ""} onChange=${(event) => go({ item: event.currentTarget.value })}>
        ${items.map((one) => html`<option value=${one.id}>${one.id}</option>`)}</select></label>
      <button onClick=${() => step(items, 1)} aria-label="next item">→</button>
      <label>find <input type="search" value=${place.find ?? ""} placeholder="in names and texts"
        onInput=${(event) => go({ find: event.currentTarget.value, item: "" }, true)} /></label>
      <${Pick} label="system" value=${place.only ?? ""} onPick=${(only) => go({ only })}
        options=${[["", "all"], ...systems.map((one) => [one, one])]} />
      <output>${items.length} of ${suite.items.length} items</output>
    </div>
    ${item ? html`<${Given} item=${item} /><div class="samples">${samples.map((one) => html`<${Sample} suite=${suite} sample=${one}
      key=${`${one.row}/${one.seed}`} />`)}</div>` : html`<p>No item has these words.</p>`}
  </section>`;
}

function WorstView({ suite, place }) {
  const metric = chosen(suite, place);
  const all = useMemo(() => {
    if (!metric) return [];
    const rows = suite.samples.filter((one) => metric.key in one.values
      && (place.controls ? true : !suite.rowOf.get(one.row).control) && (!place.row || one.row === place.row));
    return rows.sort((one, other) => worseFirst(metric, one.values[metric.key], other.values[metric.key]));
  }, [suite, metric, place.row, place.controls]);
  if (!metric) return html`<p>No metric of this suite has a value for each item.</p>`;
  return html`<section>
    <div class="tools"><${PickMetric} suite=${suite} place=${place} />
      <${Pick} label="row" value=${place.row ?? ""} onPick=${(row) => go({ row })}
        options=${[["", "all systems"], ...suite.rows.map((row) => [row.name, row.name])]} /></div>
    <${Some} all=${all} what="samples, the worst first" show=${(one) => html`<${Line} suite=${suite} sample=${one}
      key=${`${one.row}/${one.item}/${one.seed}`} title=${`${number(one.values[metric.key])} ${metric.unit}`} />`} />
  </section>`;
}

function Line({ suite, sample, title }) {
  const item = suite.itemOf.get(sample.item);
  return html`<div class="line"><h3>${title} <small><button class="link"
      onClick=${() => go({ view: "items", item: sample.item })}>${sample.item}</button></small></h3>
    ${item.text && html`<blockquote dir="auto">${item.text}</blockquote>`}
    <div class="samples"><${Sample} suite=${suite} sample=${sample} />
      ${item.reference && html`<article class="sample"><h4>reference</h4><${Player} sound=${item.reference} label=${`reference, ${item.id}`} /></article>`}
    </div></div>`;
}

function mean(suite, item, row, metric) {
  const values = suite.byItem.get(item).filter((one) => one.row === row && metric.key in one.values).map((one) => one.values[metric.key]);
  return values.length ? values.reduce((sum, one) => sum + one, 0) / values.length : null;
}

function DisagreeView({ suite, place }) {
  const metric = chosen(suite, place);
  const names = suite.rows.map((row) => row.name);
  const a = names.includes(place.a) ? place.a : names[0];
  const b = names.includes(place.b) ? place.b : names.find((name) => suite.rowOf.get(name).system !== suite.rowOf.get(a).system) ?? names[1];
  const all = useMemo(() => {
    if (!metric || !b) return [];
    const found = suite.items.map((item) => ({ item, a: mean(suite, item.id, a, metric), b: mean(suite, item.id, b, metric) }));
    return found.filter((one) => one.a != null && one.b != null).sort((one, other) => Math.abs(other.a - other.b) - Math.abs(one.a - one.b));
  }, [suite, metric, a, b]);
  if (!metric || !b) return html`<p>Two rows and a metric with a value for each item are needed.</p>`;
  const options = names.map((name) => [name, name]);
  return html`<section>
    <div class="tools"><${PickMetric} suite=${suite} place=${place} />
      <${Pick} label="A" value=${a} options=${options} onPick=${(name) => go({ a: name })} />
      <${Pick} label="B" value=${b} options=${options} onPick=${(name) => go({ b: name })} /></div>
    <${Some} all=${all} what="items, the largest difference first" show=${({ item, a: one, b: other }) => html`
      <div class="line" key=${item.id}><h3>${number(one - other)} <small>A ${number(one)}, B ${number(other)} ${metric.unit}</small></h3>
        <${Given} item=${item} /><div class="samples">${suite.byItem.get(item.id).filter((sample) => sample.row === a || sample.row === b)
          .map((sample) => html`<${Sample} suite=${suite} sample=${sample} key=${`${sample.row}/${sample.seed}`} />`)}</div></div>`} />
  </section>`;
}

function FailuresView({ suite, place }) {
  const all = useMemo(() => suite.samples.filter((one) => !one.made || one.failure || one.flags?.length
    || Object.entries(one.refused).some(([, why]) => !["not-timed", "no-spans"].includes(why))), [suite]);
  const reasons = (one) => [one.made ? one.failure : "not made", ...(one.flags ?? []),
    ...new Set(Object.values(one.refused).filter((why) => !["not-timed", "no-spans"].includes(why)))].filter(Boolean);
  const counts = new Map();
  for (const one of all) for (const why of reasons(one)) counts.set(why, (counts.get(why) ?? 0) + 1);
  const shown = all.filter((one) => !place.why || reasons(one).includes(place.why));
  return html`<section>
    <div class="tools"><${Pick} label="reason" value=${place.why ?? ""} onPick=${(why) => go({ why })}
      options=${[["", `all (${all.length})`], ...[...counts].map(([why, count]) => [why, `${why} (${count})`])]} /></div>
    <${Some} all=${shown} what="samples that failed, were refused or were noticed" show=${(one) => html`<${Line} suite=${suite} sample=${one}
      key=${`${one.row}/${one.item}/${one.seed}`} title=${reasons(one).join(", ")} />`} />
  </section>`;
}

/* j and k step, space plays and stops; not while words are typed or a control has the focus. */
function useKeys(onStep) {
  useEffect(() => {
    const heard = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (/^(INPUT|SELECT|TEXTAREA|BUTTON|AUDIO|A)$/.test(event.target.tagName)) return;
      if (event.key === "j") onStep(1);
      else if (event.key === "k") onStep(-1);
      else if (event.key === " " && playing) { event.preventDefault(); if (playing.paused) playing.play(); else playing.pause(); }
    };
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  });
}
