/* Where the reader is (in the address), what was chosen (in the browser), and the data by place. */
"use strict";

const { html, render, useState, useEffect, useMemo, useRef } = htmPreact;
const { about, suites } = window.calmEval;

/* A page opened from disk may have no storage: then choices live as long as the page. */
const memory = {};
const kept = {
  get(name) {
    try {
      return JSON.parse(localStorage.getItem(`calm-eval:${about.id}:${name}`)) ?? memory[name] ?? null;
    } catch { return memory[name] ?? null; }
  },
  put(name, value) {
    memory[name] = value;
    try { localStorage.setItem(`calm-eval:${about.id}:${name}`, JSON.stringify(value)); } catch { /* kept in memory */ }
  },
};

function readPlace() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/* Change some of the words in the address; what is empty goes. */
function go(changes, replace = false) {
  const place = { ...readPlace(), ...changes };
  for (const name of Object.keys(place)) if (place[name] === "" || place[name] == null) delete place[name];
  const hash = `#${new URLSearchParams(place)}`;
  if (replace) { history.replaceState(null, "", hash); dispatchEvent(new HashChangeEvent("hashchange")); }
  else location.hash = hash;
}

function usePlace() {
  const [place, setPlace] = useState(readPlace());
  useEffect(() => {
    const heard = () => setPlace(readPlace());
    addEventListener("hashchange", heard);
    return () => removeEventListener("hashchange", heard);
  }, []);
  return place;
}

/* Samples by item, once for each suite. */
function index(suite) {
  if (!suite.byItem) {
    suite.byItem = new Map(suite.items.map((item) => [item.id, []]));
    for (const sample of suite.samples) suite.byItem.get(sample.item).push(sample);
    suite.itemOf = new Map(suite.items.map((item) => [item.id, item]));
    suite.rowOf = new Map(suite.rows.map((row) => [row.name, row]));
  }
  return suite;
}

function itemMetrics(suite) {
  return suite.metrics.filter((metric) => metric.kind !== "set" && !metric.timing);
}

/* Three significant digits, and all digits before the point. */
function number(value) {
  if (value == null) return "–";
  return Math.abs(value) >= 999.5 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function unit(metric) {
  return `${metric.title} (${metric.unit}) ${metric.higher ? "↑" : "↓"}`;
}

/* The worse of two values first; what has none comes last. */
function worseFirst(metric, one, other) {
  if (one == null || other == null) return (one == null) - (other == null);
  return metric.higher ? one - other : other - one;
}
