/* Blind listening: the systems of an item without names and in another order; choices stay in the page, and go out as JSON. */
"use strict";

/* Mulberry32: the same reader, item and seed see the same order again. */
function shuffled(list, seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const found = [...list];
  for (let last = found.length - 1; last > 0; last -= 1) {
    const other = Math.floor(next() * (last + 1));
    [found[last], found[other]] = [found[other], found[last]];
  }
  return found;
}

function hash(text) {
  let sum = 2166136261;
  for (const letter of text) sum = Math.imul(sum ^ letter.codePointAt(0), 16777619);
  return sum >>> 0;
}

function readerSeed() {
  let seed = kept.get("reader");
  if (seed == null) { seed = crypto.getRandomValues(new Uint32Array(1))[0]; kept.put("reader", seed); }
  return seed;
}

function exported(choices) {
  return { schema: "calm-eval-choices", version: 1, page: about.title, run: about.id, reader: readerSeed(), choices };
}

function BlindView({ suite, place }) {
  const [choices, setChoices] = useState(kept.get("choices") ?? []);
  const systems = suite.rows.filter((row) => !row.control);
  const names = (place.blind ?? "").split("\n").filter((name) => suite.rowOf.has(name));
  const picked = names.length > 1 ? names : systems.filter((row) => row.name === row.system).map((row) => row.name);
  const items = suite.items.filter((item) => suite.byItem.get(item.id).filter((one) => picked.includes(one.row) && one.sound && one.seed === 0).length > 1);
  const at = Math.max(0, items.findIndex((item) => item.id === place.item));
  const item = items[at];
  useKeys((by) => step(items, by));
  const toggle = (name) => {
    const next = picked.includes(name) ? picked.filter((one) => one !== name) : [...picked, name];
    go({ blind: next.join("\n") }, true);
  };
  const save = (next) => { kept.put("choices", next); setChoices(next); };
  if (!item) {
    return html`<section><${BlindRows} suite=${suite} picked=${picked} toggle=${toggle} />
      <p>No item has two of these rows to compare.</p></section>`;
  }
  const order = shuffled(suite.byItem.get(item.id).filter((one) => picked.includes(one.row) && one.sound && one.seed === 0),
    hash(`${readerSeed()}/${suite.name}/${item.id}`));
  const mine = choices.find((one) => one.suite === suite.name && one.item === item.id);
  const choose = (best) => save([...choices.filter((one) => one !== mine),
    { suite: suite.name, item: item.id, seed: 0, heard: order.map((one) => one.row), best, at: new Date().toISOString() }]);
  const letter = (number_) => String.fromCharCode(65 + number_);
  const download = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(exported(choices), null, 2)], { type: "application/json" }));
    link.download = "choices.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const done = choices.filter((one) => one.suite === suite.name && items.some((other) => other.id === one.item)).length;
  return html`<section>
    <${BlindRows} suite=${suite} picked=${picked} toggle=${toggle} />
    <div class="tools">
      <button onClick=${() => step(items, -1)} aria-label="item before">←</button>
      <button onClick=${() => step(items, 1)} aria-label="next item">→</button>
      <output>item ${at + 1} of ${items.length}; ${done} chosen</output>
      <button onClick=${download} disabled=${!choices.length}>export choices as JSON</button>
      <button onClick=${() => confirm("Forget all choices?") && save([])} disabled=${!choices.length}>forget all</button>
    </div>
    <${Given} item=${item} />
    <fieldset class="blind"><legend>Which is best?</legend><div class="samples">${order.map((one, place_) => html`
      <div class=${mine?.best === one.row ? "choice taken" : "choice"} key=${`${item.id}/${place_}`}>
        <${Sample} suite=${suite} sample=${one} name=${letter(place_)} hidden=${true} />
        <label><input type="radio" name="best" checked=${mine?.best === one.row} onChange=${() => choose(one.row)} /> ${letter(place_)} is best</label>
      </div>`)}</div>
      <label class="none"><input type="radio" name="best" checked=${mine?.best === ""} onChange=${() => choose("")} /> no difference</label>
    </fieldset>
  </section>`;
}

function BlindRows({ suite, picked, toggle }) {
  return html`<details class="pick"><summary>${picked.length} rows are compared</summary>
    ${suite.rows.map((row) => html`<label><input type="checkbox" checked=${picked.includes(row.name)}
      onChange=${() => toggle(row.name)} /> ${row.name}</label>`)}</details>`;
}
