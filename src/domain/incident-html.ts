/**
 * An incident as one HTML page that needs nothing else: no script, no font, no address. Light and dark as the reader has it;
 * prints. Pure; every text is escaped here.
 */
import { formatAge, formatInstant, plural } from './format.ts';
import type { Incident } from './incident.ts';
import { chartSvg } from './incident-svg.ts';
import { escapeXml } from './markup.ts';
import { levelWord } from './verdict-words.ts';

export function incidentHtml(incident: Incident): string {
  const { environment, level, writtenAtEpochMs, author } = incident;
  const title = `Email system, ${environment}: ${level === null ? 'unknown' : levelWord(level)}`;
  return `${[
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    // The page loads nothing and runs nothing, also where somebody found a way to write into it.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeXml(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1 class="${level ?? 'unknown'}">${escapeXml(title)}</h1>`,
    `<p class="muted">${formatInstant(writtenAtEpochMs)}, written by ${escapeXml(author)}. All times are UTC.</p>`,
    ...reasons(incident),
    ...numbers(incident),
    ...charts(incident),
    ...timeline(incident),
    '</body>',
    '</html>',
  ].join('\n')}\n`;
}

function reasons({ reasons: found }: Incident): readonly string[] {
  const items = found.map(({ level, text, action }) => {
    const advice = action === null ? '' : ` <span class="muted">→ ${escapeXml(action)}</span>`;
    return `<li><b class="${level}">${levelWord(level)}</b> ${escapeXml(text)}${advice}</li>`;
  });
  return ['<h2>Why</h2>', ...(items.length === 0 ? ['<p>Nothing is wrong.</p>'] : ['<ul>', ...items, '</ul>'])];
}

function numbers({ numbers: lines }: Incident): readonly string[] {
  return ['<h2>Numbers</h2>', '<ul>', ...lines.map((line) => `<li>${escapeXml(line)}</li>`), '</ul>'];
}

function charts(incident: Incident): readonly string[] {
  const { sinceEpochMs, writtenAtEpochMs } = incident;
  const span = `The last ${formatAge(writtenAtEpochMs - sinceEpochMs)}, highest values. Red lines are alerts and failures, grey ones what operators did.`;
  return [
    '<h2>Charts</h2>',
    `<p class="muted">${span}</p>`,
    ...incident.charts.map((chart) => chartSvg(chart, incident)),
  ];
}

function timeline({ timeline: moments, undatedAlerts, sinceEpochMs, writtenAtEpochMs }: Incident): readonly string[] {
  const rows = moments.map(
    ({ atEpochMs, kind, what }) =>
      `<tr class="${kind}"><td>${formatInstant(atEpochMs).slice(5, -4)}</td><td>${escapeXml(what)}</td></tr>`,
  );
  return [
    `<h2>Timeline of the last ${formatAge(writtenAtEpochMs - sinceEpochMs)}</h2>`,
    ...(rows.length === 0 ? ['<p>Nothing.</p>'] : ['<table>', ...rows, '</table>']),
    ...(undatedAlerts === 0 ? [] : [`<p>${plural(undatedAlerts, 'alert')} without a time.</p>`]),
  ];
}

const STYLE = `
:root{color-scheme:light dark;--text:#1c1e21;--ground:#fff;--muted:#62676e;--line:#d5d8dc;--ok:#18794e;--warning:#9a6700;--critical:#c62828;--first:#1565c0;--second:#8a5cc7}
@media (prefers-color-scheme:dark){:root{--text:#e6e8ea;--ground:#16181b;--muted:#9aa1a9;--line:#3a3f45;--ok:#4cc38a;--warning:#e0b341;--critical:#ff6b63;--first:#63b3ff;--second:#c3a5f0}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--ground);max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
.muted{color:var(--muted)}.ok{color:var(--ok)}.warning{color:var(--warning)}.critical,.unreachable{color:var(--critical)}
table{border-collapse:collapse;width:100%}td{padding:.15rem .75rem .15rem 0;vertical-align:top;overflow-wrap:anywhere}td:first-child{white-space:nowrap;color:var(--muted);font-variant-numeric:tabular-nums}
tr.alert td:last-child,tr.failure td:last-child{color:var(--critical)}tr.operator td:last-child{font-weight:600}tr.run td:last-child{color:var(--muted)}
svg{display:block;width:100%;height:auto;margin:.5rem 0 1.25rem}svg text{font:11px system-ui,sans-serif;fill:var(--muted)}svg .title{fill:var(--text);font-weight:600}
svg .axis{stroke:var(--line)}svg .trace{fill:none;stroke-width:1.5}svg .first{stroke:var(--first)}svg .second{stroke:var(--second)}svg .critical{stroke:var(--critical)}svg .muted{stroke:var(--muted)}
svg .alert,svg .failure{stroke:var(--critical);stroke-dasharray:2 3}svg .operator{stroke:var(--muted);stroke-dasharray:4 3}
@media print{body{margin:0;max-width:none}svg,tr{break-inside:avoid}}
`.trim();
