/* One audio: native controls, and its waveform and spectrogram with the place that is heard. Loaded when it is played. */
"use strict";

let playing = null;

function waveform(base64) {
  const heights = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const steps = Array.from(heights, (height, place) => {
    const half = Math.max(0.5, (height / 255) * 20);
    return `M${place + 0.5} ${(20 - half).toFixed(1)}V${(20 + half).toFixed(1)}`;
  });
  return html`<svg class="wave" viewBox="0 0 ${heights.length} 40" preserveAspectRatio="none" aria-hidden="true">
    <path d=${steps.join("")} vector-effect="non-scaling-stroke" /></svg>`;
}

function Player({ sound, label }) {
  const audio = useRef();
  const [at, setAt] = useState(0);
  const share = (seconds) => `${((100 * seconds) / Math.max(sound.seconds, 1e-9)).toFixed(2)}%`;
  const seek = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    audio.current.currentTime = ((event.clientX - box.left) / box.width) * sound.seconds;
  };
  const began = () => {
    if (playing && playing !== audio.current) playing.pause();
    playing = audio.current;
  };
  if (sound.gone) return html`<p class="failed">cannot be read any more: ${sound.gone}</p>`;
  return html`<div class="player">
    <div class="sight" onClick=${seek}>
      ${waveform(sound.wave)}
      <img src=${sound.picture} alt="" loading="lazy" width="320" height="64" />
      ${sound.boundary > 0 && html`<i class="boundary" style=${{ left: share(sound.boundary) }} title="the continuation begins"></i>`}
      ${at > 0 && html`<i class="now" style=${{ left: share(at) }}></i>`}
    </div>
    <audio ref=${audio} src=${sound.src} preload="none" controls aria-label=${label} onPlay=${began}
      onTimeUpdate=${(event) => setAt(event.currentTarget.currentTime)}></audio>
    <small>${number(sound.seconds)} s${sound.boundary > 0 ? `; prompt up to ${number(sound.boundary)} s, then the continuation` : ""}</small>
  </div>`;
}

const SAID = { substitute: "said instead", delete: "left out", insert: "added" };

function Words({ sample }) {
  if (!sample.words) return sample.said ? html`<p class="words">${sample.said}</p>` : null;
  return html`<p class="words">${sample.words.map(([kind, asked, said]) => {
    if (kind === "equal") return html`${said} `;
    const shown = kind === "delete" ? html`<del>${asked}</del>` : kind === "insert" ? html`<ins>${said}</ins>`
      : html`<del>${asked}</del> <ins>${said}</ins>`;
    return html`<span class=${`edit ${kind}`} title=${SAID[kind]}>${shown}</span> `;
  })}</p>`;
}

/* One sample: who, what is to be heard, what was said, and what it scored. */
function Sample({ suite, sample, name, hidden = false }) {
  const row = suite.rowOf.get(sample.row);
  const metrics = itemMetrics(suite).filter((one) => one.key in sample.values || one.key in sample.refused);
  const shown = name ?? sample.row;
  return html`<article class="sample">
    <h4>${shown}${suite.seeds > 1 && !hidden ? html` <small>seed ${sample.seed}</small>` : ""}
      ${!hidden && row.control ? html` <small class="kind">control</small>` : ""}</h4>
    ${sample.sound ? html`<${Player} sound=${sample.sound} label=${`${shown}, ${sample.item}`} />`
      : html`<p class="failed">${sample.failure ? `failed: ${sample.failure}` : sample.made ? "no audio" : "not made yet"}
          ${sample.why ? html`<br /><small>${sample.why}</small>` : ""}</p>`}
    ${!hidden && html`<${Words} sample=${sample} />`}
    ${!hidden && metrics.length > 0 && html`<dl>${metrics.map((one) => html`<div><dt>${unit(one)}</dt>
      <dd>${one.key in sample.values ? number(sample.values[one.key]) : `– (${sample.refused[one.key]})`}</dd></div>`)}</dl>`}
    ${!hidden && sample.flags?.length > 0 && html`<p class="flags">noticed: ${sample.flags.join(", ")}</p>`}
  </article>`;
}

function Given({ item }) {
  return html`<div class="given">
    <h3>${item.id}${item.speaker ? html` <small>voice ${item.speaker}</small>` : ""}</h3>
    ${item.text && html`<blockquote dir="auto">${item.text}</blockquote>`}
    <div class="samples">
      ${item.prompt && html`<article class="sample"><h4>prompt</h4>
        <${Player} sound=${item.prompt} label=${`prompt, ${item.id}`} /></article>`}
      ${item.reference && html`<article class="sample"><h4>reference</h4>
        <${Player} sound=${item.reference} label=${`reference, ${item.id}`} /></article>`}
    </div>
  </div>`;
}
