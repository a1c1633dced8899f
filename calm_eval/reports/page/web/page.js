/* The frame of the page: suites, views, light and dark. */
"use strict";

const VIEWS = [
  ["table", "Table", TableView], ["items", "Items", ItemView], ["worst", "Worst", WorstView],
  ["disagree", "Disagreements", DisagreeView], ["failures", "Failures", FailuresView], ["blind", "Blind", BlindView],
  ["figures", "Figures", FiguresView], ["about", "About", AboutView],
];

function shade(name) {
  if (name) document.documentElement.dataset.shade = name;
  else delete document.documentElement.dataset.shade;
}

function Page() {
  const place = usePlace();
  const suite = index(suites.find((one) => one.name === place.suite) ?? suites[0]);
  const [key, , View] = VIEWS.find(([name]) => name === place.view) ?? VIEWS[0];
  const [mode, setMode] = useState(kept.get("shade") ?? "");
  useEffect(() => { shade(mode); kept.put("shade", mode); }, [mode]);
  useEffect(() => { document.title = `${suite.title} · ${about.title}`; }, [suite]);
  return html`
    <header><h1>${about.title}</h1>
      ${suites.length > 1 && html`<label>suite <select value=${suite.name}
        onChange=${(event) => { location.hash = new URLSearchParams({ suite: event.currentTarget.value, view: key }); }}>
        ${suites.map((one) => html`<option value=${one.name}>${one.title}</option>`)}</select></label>`}
      <label>shade <select value=${mode} onChange=${(event) => setMode(event.currentTarget.value)}>
        <option value="">as the system</option><option value="light">light</option><option value="dark">dark</option></select></label>
    </header>
    <nav aria-label="views">${VIEWS.map(([name, title]) => html`<button aria-current=${name === key ? "page" : null}
      onClick=${() => go({ view: name })}>${title}</button>`)}</nav>
    <main><h2>${suite.title}</h2><${View} suite=${suite} place=${place} key=${`${suite.name}/${key}`} /></main>`;
}

if (suites.length) render(html`<${Page} />`, document.getElementById("page"));
else render(html`<main><h1>${about.title}</h1><p>This run holds no suite.</p></main>`, document.getElementById("page"));
