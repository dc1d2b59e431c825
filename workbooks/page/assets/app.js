// The page: fields in, figures and charts out. Texts of the workbook are only ever text.

import { shown } from './format.js';
import { Calculator } from './calculator.js';
import { formulas } from './formulas.js';
import { meant, refused, signs, written } from './entry.js';
import { drawn, toldOf } from './charts.js';

const data = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);
const keyOf = (place) => place.join(',');
const own = new Map(data.values.map(([place, value]) => [keyOf(place), value]));
const now = new Map(own);
const fields = new Map(data.inputs.map((field) => [field.key, field]));
// Characters that a field shows in letters of the usual size.
const LONG = 14;
let calculator = null;
let live = data.scenario ? data.scenario.value : '';

function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element && key !== 'list') element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

// --- values --------------------------------------------------------------------------------------

function valueAt(place) {
  return now.get(keyOf(place)) ?? null;
}

function words(what) {
  return Array.isArray(what) ? shown(valueAt(what), 'General') : what;
}

function cellOf(field) {
  const number = data.scenario ? data.scenario.options.indexOf(live) : 0;
  return field.cells[Math.min(Math.max(number, 0), field.cells.length - 1)];
}

function same(one, other) {
  if (typeof one === 'number' && typeof other === 'number') {
    return Math.abs(one - other) <= Math.max(1e-12, 1e-9 * Math.max(Math.abs(one), Math.abs(other)));
  }
  if (one && other && typeof one === 'object') return one.error === other.error;
  return one === other || ((one ?? '') === '' && (other ?? '') === '');
}

function put(place, value) {
  if (same(valueAt(place), value)) return;
  now.set(keyOf(place), value);
  calculator.put(place, value);
}

function compute() {
  calculator.evaluate();
  for (const place of data.computed) now.set(keyOf(place), calculator.value(place));
}

function changedInputs() {
  const changed = [];
  for (const field of data.inputs) {
    field.cells.forEach((place, number) => {
      const before = own.get(keyOf(place));
      if (!same(before, valueAt(place))) changed.push({ field, place, number, before });
    });
  }
  return changed;
}

// --- inputs --------------------------------------------------------------------------------------

function choicesOf(field) {
  if (field.listed) return field.listed;
  const [sheet, top, left, bottom, right] = field.area;
  const found = [];
  for (let row = top; row <= bottom; row += 1) {
    for (let column = left; column <= right; column += 1) {
      const value = valueAt([sheet, row, column]);
      if (value !== null && value !== '') found.push(String(value));
    }
  }
  return found;
}

function buildInputs() {
  const sections = new Map();
  for (const field of data.inputs) {
    if (!sections.has(field.section)) sections.set(field.section, []);
    sections.get(field.section).push(field);
  }
  let first = true;
  for (const [title, group] of sections) {
    const box = make('details', { open: first && group.length < 40 }, make('summary', {}, title));
    first = false;
    for (const field of group) box.append(buildField(field));
    $('inputs').append(box);
  }
}

function buildField(field) {
  const id = `input-${data.inputs.indexOf(field)}`;
  const chosen = field.listed || field.area;
  const control = chosen ? make('select', { id }) : make('input', {
    id, type: 'text', autocomplete: 'off', spellcheck: false,
    inputMode: field.kind === 'text' || signs(field.format).date ? 'text' : 'decimal',
  });
  if (chosen) {
    for (const text of choicesOf(field)) control.append(make('option', { value: text }, text));
  }
  const sign = field.kind === 'text' ? {} : signs(field.format);
  const notes = [field.note, field.source && `Source: ${field.source}`].filter(Boolean).join(' · ');
  const message = make('span', { id: `${id}-wrong`, className: 'wrong', role: 'alert' });
  const note = make('span', { id: `${id}-note`, className: 'note' }, notes);
  control.setAttribute('aria-describedby', `${id}-note ${id}-wrong`);
  const box = make('span', { className: 'box' });
  if (sign.currency && !chosen) box.append(make('span', { className: 'sign', 'aria-hidden': 'true' }, sign.currency));
  box.append(control);
  if (sign.percent && !chosen) box.append(make('span', { className: 'sign', 'aria-hidden': 'true' }, '%'));
  const label = make('label', { htmlFor: id }, field.label);
  if (field.unit) label.append(make('span', { className: 'unit' }, ` ${field.unit}`));
  const row = make('div', { className: 'field' }, label, box, message, note);
  field.control = control;
  field.message = message;
  control.addEventListener('change', () => entered(field));
  control.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') entered(field);
    if (event.key === 'Escape') fill(field);
  });
  if (!chosen) control.addEventListener('focus', () => control.select());
  return row;
}

function fill(field) {
  const value = valueAt(cellOf(field));
  const chosen = field.listed || field.area;
  field.control.value = chosen ? shown(value, 'General') : field.kind === 'text' ? String(value ?? '') : written(value, field.format);
  if (chosen && field.control.selectedIndex < 0) {
    field.control.append(make('option', { value: String(value) }, String(value)));
    field.control.value = String(value);
  }
  // A long number is written smaller, so that it is seen whole.
  field.control.classList.toggle('long', field.control.value.length > LONG);
  tell(field, '');
  const changed = !same(own.get(keyOf(cellOf(field))), value);
  field.control.closest('.field').classList.toggle('changed', changed);
}

function tell(field, wrong) {
  field.message.textContent = wrong;
  field.control.setAttribute('aria-invalid', wrong ? 'true' : 'false');
}

// What a field may hold; a message where it may not hold that.
function judged(field, text) {
  if (field.listed || field.area) {
    if (!choicesOf(field).includes(text)) return { wrong: 'Choose one of the list.' };
    return { value: field.kind === 'number' ? Number(text) : text };
  }
  if (field.kind === 'text') {
    return text.length > 255 ? { wrong: 'At most 255 characters.' } : { value: text };
  }
  const found = meant(text, field);
  if (found.wrong) return found;
  const wrong = refused(found.value, field, field.format);
  return wrong ? { wrong } : found;
}

function entered(field) {
  if (!calculator) return;
  const { value, wrong } = judged(field, field.control.value);
  if (wrong) {
    tell(field, wrong);
    return;
  }
  const start = performance.now();
  put(cellOf(field), value);
  compute();
  show();
  announce();
  remember();
  document.body.dataset.took = String(performance.now() - start);
}

function choose(option) {
  if (!calculator || !data.scenario.options.includes(option)) return;
  live = option;
  put(data.scenario.place, option);
  compute();
  show();
  announce();
  remember();
}

// --- figures -------------------------------------------------------------------------------------

function figureCard(figure) {
  const value = make('span', { className: 'value' });
  const was = make('span', { className: 'was' });
  const label = make('span', { className: 'label' });
  const unit = make('span', { className: 'unit' });
  figure.parts = { value, was, label, unit };
  return make('div', { className: 'figure' }, label, value, unit, was);
}

function refresh(figure) {
  const value = valueAt(figure.place);
  const before = own.get(keyOf(figure.place)) ?? null;
  const { parts } = figure;
  parts.label.textContent = words(figure.label);
  parts.value.textContent = shown(value, figure.format);
  parts.value.classList.toggle('text', typeof value !== 'number');
  parts.value.classList.toggle('negative', typeof value === 'number' && value < 0 && /\[Red\]/i.test(figure.format));
  parts.unit.textContent = words(figure.unit);
  const changed = !same(before, value);
  parts.was.textContent = changed ? `was ${shown(before, figure.format)}` : '';
  parts.was.parentElement.classList.toggle('changed', changed);
}

function buildHeadlines() {
  if (!data.beside) {
    $('headlines').append(...data.headlines.map(figureCard));
    return;
  }
  // One row a figure, one column a scenario.
  const rows = new Map();
  for (const figure of data.headlines) {
    const [scenario, name] = splitLabel(figure);
    if (!rows.has(name)) rows.set(name, new Map());
    rows.get(name).set(scenario, figure);
  }
  const columns = [...new Set(data.headlines.map((figure) => splitLabel(figure)[0]))];
  const head = make('tr', {}, make('th', { scope: 'col' }, 'Figure'));
  columns.forEach((column) => head.append(make('th', { scope: 'col' }, column)));
  const body = make('tbody');
  for (const [name, cells] of rows) {
    const row = make('tr', {}, make('th', { scope: 'row' }, name));
    for (const column of columns) {
      const figure = cells.get(column);
      if (figure) {
        const card = figureCard(figure);
        figure.parts.label.hidden = true;
        row.append(make('td', {}, card));
      } else row.append(make('td', {}, '–'));
    }
    body.append(row);
  }
  $('headlines').className = 'beside';
  $('headlines').append(make('table', {}, make('thead', {}, head), body));
}

function splitLabel(figure) {
  const label = words(figure.label);
  const at = label.indexOf(': ');
  return at < 0 ? ['', label] : [label.slice(0, at), label.slice(at + 2)];
}

function buildFigures() {
  const sections = new Map();
  for (const figure of data.figures) {
    if (!sections.has(figure.section)) sections.set(figure.section, []);
    sections.get(figure.section).push(figure);
  }
  $('more').hidden = !sections.size;
  for (const [title, group] of sections) {
    const body = make('tbody');
    for (const figure of group) {
      const label = make('th', { scope: 'row' });
      const value = make('td', { className: 'value' });
      const was = make('td', { className: 'was' });
      const unit = make('td', { className: 'unit' });
      figure.parts = { value, was, label, unit };
      body.append(make('tr', {}, label, value, unit, was));
    }
    $('figures').append(make('details', {}, make('summary', {}, title), make('table', {}, body)));
  }
}

// --- charts --------------------------------------------------------------------------------------

function spread([sheet, top, left, bottom, right]) {
  const found = [];
  for (let row = top; row <= bottom; row += 1) {
    for (let column = left; column <= right; column += 1) found.push(valueAt([sheet, row, column]));
  }
  return found;
}

function titled(title) {
  return title && typeof title === 'object' ? spread(title.cell).map((text) => shown(text, title.format)).join(' ') : title;
}

function filled(chart) {
  const number = (value) => (typeof value === 'number' ? value : NaN);
  return {
    ...chart,
    title: titled(chart.title),
    x: { ...chart.x, title: titled(chart.x.title) },
    y: { ...chart.y, title: titled(chart.y.title) },
    layers: chart.layers.map((layer) => ({
      ...layer,
      kind: layer.kind === 'pie' ? 'bar' : layer.kind,
      series: afloat(layer, layer.series.map((one, i) => {
        const points = spread(one.values).map(number);
        const from = one.categories ?? layer.series[0].categories;
        const labels = from ? spread(from).map((value) => labelled(value, chart.x.format)) : points.map((_, p) => String(p + 1));
        const along = one.across ? spread(one.across).map(number) : points.map((_, p) => p + 1);
        return { ...one, title: titled(one.title) || `Series ${i + 1}`, points, labels, along };
      })),
    })),
  };
}

// Series with where each begins that is stacked on one that is not seen.
function afloat(layer, series) {
  const under = series.findIndex((one) => one.bare);
  if (!layer.stacked || under < 0) return series;
  const foot = (s, i) => series.slice(0, s).reduce((sum, one) => sum + (one.points[i] || 0), 0);
  return series.map((one, s) => (s > under ? { ...one, foot: one.points.map((_, i) => foot(s, i)) } : one));
}

function labelled(value, format) {
  return shown(value, typeof value === 'number' && !Number.isInteger(value) && format === 'General' ? '0.##' : format);
}

function buildCharts() {
  for (const chart of data.charts) {
    const title = make('h3');
    const holder = make('div', { className: 'drawing' });
    const table = make('div', { className: 'scroll' });
    const details = make('details', { className: 'numbers' }, make('summary', {}, 'As a table'), table);
    chart.parts = { title, holder, table, details };
    details.addEventListener('toggle', () => { if (details.open) tabulate(chart); });
    $('charts').append(make('figure', {}, title, holder, details));
  }
}

function draw(chart) {
  const whole = filled(chart);
  chart.parts.title.textContent = whole.title;
  chart.parts.holder.replaceChildren(drawn(whole, shown));
  if (chart.parts.details.open) tabulate(chart);
}

function tabulate(chart) {
  const whole = filled(chart);
  const series = whole.layers.flatMap((layer) => layer.series).filter((one) => !one.bare);
  const scatter = whole.layers.some((layer) => layer.kind === 'scatter');
  const head = make('tr', {}, make('th', { scope: 'col' }, whole.x.title || ''));
  series.forEach((one) => head.append(make('th', { scope: 'col' }, one.title)));
  const body = make('tbody');
  for (let i = 0; i < Math.max(...series.map((one) => one.points.length)); i += 1) {
    const first = scatter ? shown(series[0].along[i] ?? null, whole.x.format) : series[0].labels[i] ?? String(i + 1);
    const row = make('tr', {}, make('th', { scope: 'row' }, first));
    series.forEach((one) => row.append(make('td', {}, Number.isFinite(one.points[i]) ? toldOf(one, i, whole, shown) : '–')));
    body.append(row);
  }
  chart.parts.table.replaceChildren(make('table', {}, make('thead', {}, head), body));
}

// --- all of it -----------------------------------------------------------------------------------

function show() {
  data.headlines.forEach(refresh);
  data.figures.forEach(refresh);
  data.inputs.forEach(fill);
  data.charts.forEach(draw);
  if (data.scenario) $('scenario').value = live;
  if (data.flag) {
    const text = shown(valueAt(data.flag), 'General');
    $('flag').textContent = text;
    $('flag').className = text === 'All checks pass' ? 'good' : 'bad';
  }
  const changed = changedInputs();
  const list = changed.map(({ field, number, before, place }) => {
    const scenario = field.cells.length > 1 ? ` (${data.scenario.options[number]})` : '';
    const tellOf = (value) => shown(value, field.kind === 'text' ? 'General' : field.format);
    return make('li', {}, `${field.label}${scenario}: ${tellOf(before)} → ${tellOf(valueAt(place))}`);
  });
  if (data.scenario && live !== data.scenario.value) list.unshift(make('li', {}, `Scenario: ${data.scenario.value} → ${live}`));
  $('changes').replaceChildren(...list);
  $('changed').hidden = !list.length;
  $('reset').disabled = !list.length;
}

// What a screen reader is told: the figures that are no longer those of the file.
function announce() {
  const changed = data.headlines.filter((figure) => !same(own.get(keyOf(figure.place)) ?? null, valueAt(figure.place)));
  const told = changed.slice(0, 3).map((figure) => `${words(figure.label)}: ${shown(valueAt(figure.place), figure.format)}`);
  $('told').textContent = `${changed.length} headline figures differ from the file. ${told.join('. ')}`;
}

// The inputs that differ from the file, in the address, so that it can be passed on.
function remember() {
  const parts = [];
  if (data.scenario && live !== data.scenario.value) parts.push(`scenario=${encodeURIComponent(live)}`);
  for (const { field, number, place } of changedInputs()) {
    const name = field.cells.length > 1 ? `${field.key}@${data.scenario.options[number]}` : field.key;
    parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(valueAt(place))}`);
  }
  const address = parts.length ? `#${parts.join('&')}` : location.pathname + location.search;
  try {
    history.replaceState(null, '', address);
  } catch {
    location.hash = parts.join('&');
  }
}

// Takes over what an address carries; what it cannot take is told, and left as it is.
function recall() {
  const wrong = [];
  const given = location.hash.slice(1).split('&').filter(Boolean).map((part) => {
    const at = part.indexOf('=');
    return [decoded(part.slice(0, at < 0 ? part.length : at)), decoded(at < 0 ? '' : part.slice(at + 1))];
  });
  const scenario = given.find(([name]) => name === 'scenario');
  if (scenario && data.scenario) {
    if (data.scenario.options.includes(scenario[1])) {
      [, live] = scenario;
      put(data.scenario.place, live);
    } else wrong.push(`scenario=${scenario[1]}`);
  }
  for (const [name, text] of given) {
    if (name === 'scenario' && data.scenario) continue;
    const at = name.lastIndexOf('@');
    const field = fields.get(name) ?? fields.get(name.slice(0, at));
    const number = field && !fields.has(name) ? data.scenario?.options.indexOf(name.slice(at + 1)) ?? -1 : null;
    const place = field && (number === null ? cellOf(field) : field.cells[number]);
    const { value } = place ? carried(field, text) : {};
    if (value === undefined) wrong.push(`${name}=${text}`);
    else put(place, value);
  }
  $('notice').textContent = wrong.length ? `The link carries what this page cannot take, and left it as it is: ${wrong.join(', ')}` : '';
}

// A link carries plain numbers, as the cells hold them.
function carried(field, text) {
  if (field.kind !== 'number' || field.listed || field.area) return judged(field, text);
  const plain = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text.trim());
  if (!plain) return judged(field, text);
  const value = Number(text);
  return refused(value, field, field.format) ? {} : { value };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function reset() {
  if (!calculator) return;
  for (const { place, before } of changedInputs()) put(place, before);
  if (data.scenario) {
    live = data.scenario.value;
    put(data.scenario.place, live);
  }
  compute();
  show();
  remember();
  $('notice').textContent = '';
}

async function copyLink() {
  remember();
  try {
    await navigator.clipboard.writeText(location.href);
    $('notice').textContent = 'The link is copied; it carries your inputs.';
  } catch {
    $('notice').textContent = `Copy this address; it carries your inputs: ${location.href}`;
  }
}

function build() {
  document.body.classList.add('live');
  if (data.scenario) {
    $('scenario').append(...data.scenario.options.map((option) => make('option', { value: option }, option)));
    $('scenario').addEventListener('change', () => choose($('scenario').value));
  } else $('scenarios').hidden = true;
  buildInputs();
  buildHeadlines();
  buildFigures();
  buildCharts();
  $('flag').hidden = !data.flag;
  $('charted').hidden = !data.charts.length;
  $('reset').addEventListener('click', reset);
  $('link').addEventListener('click', copyLink);
  $('print').addEventListener('click', () => window.print());
  window.addEventListener('hashchange', () => {
    if (!calculator) return;
    for (const { place, before } of changedInputs()) put(place, before);
    if (data.scenario) put(data.scenario.place, live = data.scenario.value);
    recall();
    compute();
    show();
  });
}

// What a browser can unpack: base64 of gzip.
async function unpacked(base64) {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).text();
}

async function start() {
  build();
  show();
  calculator = new Calculator(JSON.parse(await unpacked($('workbook').textContent)), formulas);
  // What this browser computes has to be what the file says before anything is changed.
  compute();
  const rounded = new Map(data.rounded.map(([place, value]) => [keyOf(place), value]));
  const wanted = (key) => rounded.get(key) ?? own.get(key) ?? null;
  const differs = data.computed.filter((place) => !same(wanted(keyOf(place)), valueAt(place)));
  if (differs.length) {
    calculator = null;
    own.forEach((value, key) => now.set(key, value));
    throw new Error(`this browser computes ${differs.length} of ${data.computed.length} values otherwise than the file has them`);
  }
  if (location.hash.length > 1) {
    recall();
    compute();
  }
  show();
  for (const field of data.inputs) field.control.disabled = false;
  document.body.dataset.ready = String(performance.now());
}

start().catch((error) => {
  document.body.dataset.failed = error.message;
  $('notice').textContent = `Nothing can be changed here: ${error.message}. The values are those of the file.`;
  for (const field of data.inputs) if (field.control) field.control.disabled = true;
  $('scenario').disabled = true;
});
