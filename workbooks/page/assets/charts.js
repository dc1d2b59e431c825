// Charts as SVG: every series told apart by pattern, dash or mark too, and named beside it.

const NS = 'http://www.w3.org/2000/svg';
const WIDE = 520;
const HIGH = 280;
const LONGEST = 30;
// What a lying bar needs for its name, and all that stands around the bars.
const ROW = 15;
const AROUND = 60;
const DASHES = ['', '7 4', '2 3', '10 3 2 3', '14 4', '4 2'];
const MARKS = ['circle', 'square', 'diamond', 'triangle', 'cross', 'ring'];
let charts = 0;

export function make(name, attributes = {}, text = null) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== null) element.textContent = text;
  return element;
}

// Draws a chart whose series hold their values; `tell` shows a number in a format.
export function drawn(chart, tell) {
  charts += 1;
  const svg = make('svg', { role: 'img', class: 'chart' });
  const series = chart.layers.flatMap((layer) => layer.series);
  svg.append(make('title', {}, `${chart.title}. ${summary(chart, series, tell)}`));
  const kinds = chart.layers.map((layer) => layer.kind);
  if (kinds.includes('scatter')) scatter(svg, chart, tell);
  else if (chart.layers.some((layer) => layer.kind === 'bar' && layer.lying)) lying(svg, chart, tell);
  else upright(svg, chart, tell);
  return svg;
}

// How a number of a series is told: with the digits of its cells, or else as the axis has it. A bar that
// floats on one that is not seen is told by both its ends, not by its length.
export function toldOf(one, i, chart, tell) {
  const format = one.format && one.format !== 'General' ? one.format : chart.y.format;
  const value = one.points[i];
  if (!one.foot) return tell(value, format);
  return `${tell(one.foot[i], format)} to ${tell(one.foot[i] + value, format)}`;
}

function summary(chart, series, tell) {
  return series.filter((one) => !one.bare).map((one) => {
    const there = one.points.map((_, i) => i).filter((i) => Number.isFinite(one.points[i]));
    if (!there.length) return `${one.title}: no values`;
    there.sort((a, b) => one.points[a] - one.points[b]);
    return `${one.title}: from ${toldOf(one, there[0], chart, tell)} to ${toldOf(one, there[there.length - 1], chart, tell)}`;
  }).join('; ');
}

// --- scales --------------------------------------------------------------------------------------

// Round numbers, as many of them as fit, but none closer than the file has them, and no two that the
// axis would write alike.
function ticksOf(low, high, count, told, least) {
  const span = high - low || Math.abs(high) || 1;
  const raw = span / Math.max(count, 1);
  const size = 10 ** Math.floor(Math.log10(raw));
  let found;
  for (const by of [1, 2, 5, 10, 20, 50, 100]) {
    const step = by * size;
    const ticks = [];
    for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) {
      ticks.push(Number((at * step).toPrecision(12)));
    }
    found = { ticks, step };
    if (step >= Math.max(raw, least) * 0.999999 && new Set(ticks.map(told)).size === ticks.length) break;
  }
  return found;
}

function scaleOf(numbers, axis, tell, { zero = false, count = 5 } = {}) {
  const told = (tick) => tell(tick, axis.format);
  const finite = numbers.filter(Number.isFinite);
  let low = axis.min ?? Math.min(...finite, ...(zero ? [0] : []));
  let high = axis.max ?? Math.max(...finite, ...(zero ? [0] : []));
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [0, 1];
  if (axis.log && low > 0) {
    const first = Math.floor(Math.log10(low) + 1e-9);
    const last = Math.max(Math.ceil(Math.log10(high) - 1e-9), first + 1);
    const ticks = [];
    for (let power = first; power <= last; power += 1) ticks.push(10 ** power);
    const place = (x) => (Math.log10(x) - first) / (last - first);
    return { low: 10 ** first, high: 10 ** last, ticks, place, log: true };
  }
  if (low === high) [low, high] = low === 0 ? [0, 1] : [Math.min(low, 0), Math.max(high, 0)];
  const least = axis.unit ?? 0;
  const { step } = ticksOf(low, high, count, told, least);
  if (axis.min === null || axis.min === undefined) low = Math.floor(low / step + 1e-9) * step;
  if (axis.max === null || axis.max === undefined) high = Math.ceil(high / step - 1e-9) * step;
  const { ticks } = ticksOf(low, high, count, told, least);
  return { low, high, ticks, place: (x) => (x - low) / (high - low), log: false };
}

// --- frames --------------------------------------------------------------------------------------

function frame(svg, box, scale, axis, tell) {
  for (const tick of scale.ticks) {
    const y = box.bottom - scale.place(tick) * (box.bottom - box.top);
    svg.append(make('line', { class: tick === 0 ? 'zero' : 'grid', x1: box.left, x2: box.right, y1: y, y2: y }));
    svg.append(make('text', { class: 'tick', x: box.left - 6, y: y + 4, 'text-anchor': 'end' }, tell(tick, axis.format)));
  }
  if (axis.title) {
    const middle = (box.top + box.bottom) / 2;
    svg.append(make('text', {
      class: 'axis', x: 12, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 12 ${middle})`,
    }, axis.title));
  }
}

function across(svg, box, axis) {
  if (axis.title) {
    svg.append(make('text', {
      class: 'axis', x: (box.left + box.right) / 2, y: box.high - 6 - box.legend, 'text-anchor': 'middle',
    }, axis.title));
  }
}

function legend(svg, entries, high) {
  if (entries.length < 2) return;
  const widths = entries.map(({ title }) => 38 + textWidth(title));
  const total = widths.reduce((sum, width) => sum + width, 0);
  let x = Math.max((WIDE - total) / 2, 4);
  let y = high - legendHeight(entries) + 12;
  entries.forEach(({ title, key }, i) => {
    if (x + widths[i] > WIDE && x > 4) {
      x = 4;
      y += 18;
    }
    const group = make('g', { transform: `translate(${x} ${y})` });
    group.append(key(), make('text', { class: 'key', x: 26, y: 4 }, title));
    svg.append(group);
    x += widths[i];
  });
}

function textWidth(text) {
  return String(text).length * 6.2;
}

function legendHeight(entries) {
  if (entries.length < 2) return 0;
  const total = entries.reduce((sum, { title }) => sum + 38 + textWidth(title), 0);
  return 6 + 18 * Math.ceil(total / WIDE);
}

function boxOf(svg, chart, entries, labels, { left = null, extra = 0, high = HIGH, last = '' } = {}) {
  svg.setAttribute('viewBox', `0 0 ${WIDE} ${high}`);
  const legendRoom = legendHeight(entries);
  return {
    left: left ?? 24 + (chart.y.title ? 14 : 0) + Math.max(...labels.map(textWidth), 20),
    // Half of the last mark of an axis that lies stands beyond its end.
    right: WIDE - Math.max(20, textWidth(last) / 2 + 6), top: 12, legend: legendRoom, high,
    bottom: high - 22 - (chart.x.title ? 18 : 0) - legendRoom - extra,
  };
}

// --- marks ---------------------------------------------------------------------------------------

function pattern(svg, number) {
  const id = `pattern-${charts}-${number}`;
  if (number === 0) return null;
  const element = make('pattern', {
    id, width: 7, height: 7, patternUnits: 'userSpaceOnUse',
    patternTransform: `rotate(${[45, -45, 0, 90, 45][(number - 1) % 5]})`,
  });
  element.append(make('rect', { class: `fill-${number % 6}`, width: 7, height: 7 }));
  element.append(make('line', { class: 'hatch', x1: 0, y1: 0, x2: 0, y2: 7 }));
  svg.append(element);
  return `url(#${id})`;
}

function mark(kind, x, y, size, number) {
  const at = { class: `fill-${number % 6} mark` };
  const s = size;
  switch (kind) {
    case 'square': return make('rect', { ...at, x: x - s, y: y - s, width: 2 * s, height: 2 * s });
    case 'diamond': return make('path', { ...at, d: `M${x} ${y - s * 1.4}l${s * 1.4} ${s * 1.4}l${-s * 1.4} ${s * 1.4}l${-s * 1.4} ${-s * 1.4}z` });
    case 'triangle': return make('path', { ...at, d: `M${x} ${y - s * 1.2}l${s * 1.2} ${s * 2.2}h${-s * 2.4}z` });
    case 'cross': return make('path', { class: `line-${number % 6} mark`, d: `M${x - s} ${y - s}l${2 * s} ${2 * s}m0 ${-2 * s}l${-2 * s} ${2 * s}` });
    case 'ring': return make('circle', { class: `line-${number % 6} hollow`, cx: x, cy: y, r: s });
    default: return make('circle', { ...at, cx: x, cy: y, r: s });
  }
}

function barKey(fill, number) {
  return () => {
    const rect = make('rect', { class: `fill-${number % 6} bar`, x: 4, y: -6, width: 16, height: 12 });
    if (fill) rect.setAttribute('fill', fill);
    if (fill) rect.setAttribute('class', 'bar');
    return rect;
  };
}

function lineKey(one, number) {
  return () => {
    const group = make('g');
    if (one.line) {
      group.append(make('line', { class: `line-${number % 6}`, x1: 0, x2: 22, y1: 0, y2: 0, 'stroke-dasharray': DASHES[number % 6] }));
    }
    if (one.marker || !one.line) group.append(mark(MARKS[number % 6], 11, 0, 4, number));
    return group;
  };
}

// --- charts with categories ----------------------------------------------------------------------

function numbered(layers) {
  let number = 0;
  for (const layer of layers) {
    for (const one of layer.series) one.number = one.bare ? -1 : number++;
  }
}

function stacks(layer, count) {
  const rows = layer.series.map(() => []);
  for (let i = 0; i < count; i += 1) {
    let up = 0;
    let down = 0;
    const total = layer.share
      ? layer.series.reduce((sum, one) => sum + Math.abs(one.points[i] || 0), 0) || 1 : 1;
    layer.series.forEach((one, s) => {
      const value = (Number.isFinite(one.points[i]) ? one.points[i] : 0) / total;
      const from = value < 0 ? down : up;
      rows[s].push([from, from + value]);
      if (value < 0) down += value;
      else up += value;
    });
  }
  return rows;
}

function spans(layer, count) {
  return layer.stacked ? stacks(layer, count)
    : layer.series.map((one) => one.points.map((value) => [0, value]));
}

function entriesOf(svg, layers) {
  const entries = [];
  for (const layer of layers) {
    for (const one of layer.series) {
      if (one.bare) continue;
      if (layer.kind === 'line' || layer.kind === 'scatter') {
        entries.push({ title: one.title, key: lineKey(one, one.number), hidden: one.hidden });
      } else {
        one.fill = pattern(svg, one.number);
        entries.push({ title: one.title, key: barKey(one.fill, one.number), hidden: one.hidden });
      }
    }
  }
  return entries.filter(({ hidden }) => !hidden);
}

function extents(layers, count) {
  const numbers = [];
  for (const layer of layers) {
    for (const row of spans(layer, count)) {
      for (const [from, to] of row) numbers.push(to, ...(layer.stacked ? [from] : []));
    }
  }
  return numbers;
}

function upright(svg, chart, tell) {
  const { layers } = chart;
  const labels = layers[0].series[0].labels;
  const count = Math.max(...layers.flatMap((layer) => layer.series.map((one) => one.points.length)));
  numbered(layers);
  const entries = entriesOf(svg, layers);
  const bars = layers.some((layer) => layer.kind !== 'line');
  const scale = scaleOf(extents(layers, count), chart.y, tell, { zero: bars && !chart.y.log });
  const slanted = labels.length <= 16 && labels.some((label) => textWidth(label) > (WIDE - 100) / count);
  const longest = Math.min(Math.max(...labels.map(textWidth), 0), textWidth('x'.repeat(LONGEST)));
  const box = boxOf(svg, chart, entries, scale.ticks.map((tick) => tell(tick, chart.y.format)), { extra: slanted ? longest * 0.47 : 0 });
  if (slanted) box.left = Math.max(box.left, Math.min(textWidth(labels[0]), longest) * 0.88 - (box.right - box.left) / count / 2 + 4);
  frame(svg, box, scale, chart.y, tell);
  across(svg, box, chart.x);
  const step = (box.right - box.left) / count;
  const y = (value) => box.bottom - scale.place(value) * (box.bottom - box.top);
  const every = slanted ? 1 : Math.ceil((count * (Math.max(...labels.map(textWidth), 8) + 8)) / (box.right - box.left));
  labels.forEach((label, i) => {
    const last = i === labels.length - 1 && every > 1 && i % every < every / 2 && i % every !== 0;
    if (i % every || last) return;
    const x = box.left + step * (i + 0.5);
    const text = make('text', { class: 'tick', x, y: box.bottom + 16, 'text-anchor': slanted ? 'end' : 'middle' }, slanted ? shortened(label, LONGEST) : label);
    if (slanted) text.setAttribute('transform', `rotate(-28 ${x} ${box.bottom + 16})`);
    svg.append(text);
  });
  for (const layer of layers) {
    if (layer.kind === 'line') layer.series.forEach((one) => line(svg, one, (i) => box.left + step * (i + 0.5), y));
    else if (layer.kind === 'area') areas(svg, layer, count, (i) => box.left + step * (i + 0.5), y);
    else columns(svg, layer, count, box, step, y, scale, (one, i) => toldOf(one, i, chart, tell));
  }
  legend(svg, entries, box.high);
}

function columns(svg, layer, count, box, step, y, scale, told) {
  const beside = layer.stacked ? 1 : layer.series.length;
  const width = (step * 0.66) / beside;
  const foot = scale.log ? scale.low : Math.min(Math.max(0, scale.low), scale.high);
  spans(layer, count).forEach((row, s) => {
    const one = layer.series[s];
    if (one.bare) return;
    row.forEach(([from, to], i) => {
      if (!Number.isFinite(to)) return;
      const start = layer.stacked && !scale.log ? from : foot;
      const top = Math.min(y(start), y(to));
      const x = box.left + step * (i + 0.17) + (layer.stacked ? 0 : s * width);
      const rect = make('rect', {
        class: one.fill ? 'bar' : `fill-${one.number % 6} bar`, x, y: top, width, height: Math.max(Math.abs(y(to) - y(start)), 0.5),
      });
      if (one.fill) rect.setAttribute('fill', one.fill);
      rect.append(make('title', {}, `${one.title}, ${one.labels[i] ?? i + 1}: ${told(one, i)}`));
      svg.append(rect);
    });
  });
}

function areas(svg, layer, count, x, y) {
  spans(layer, count).forEach((row, s) => {
    const one = layer.series[s];
    if (one.bare) return;
    const there = row.map(([, to], i) => `${x(i)} ${y(Number.isFinite(to) ? to : 0)}`);
    const back = row.map(([from], i) => `${x(i)} ${y(from)}`).reverse();
    const path = make('path', { class: one.fill ? 'bar' : `fill-${one.number % 6} bar`, d: `M${[...there, ...back].join('L')}z` });
    if (one.fill) path.setAttribute('fill', one.fill);
    svg.append(path);
  });
}

function line(svg, one, x, y) {
  if (one.bare) return;
  const number = one.number;
  let path = '';
  let pen = 'M';
  one.points.forEach((value, i) => {
    if (!Number.isFinite(value)) {
      pen = 'M';
      return;
    }
    path += `${pen}${x(i)} ${y(value)}`;
    pen = 'L';
  });
  if (one.line && path) {
    svg.append(make('path', { class: `line-${number % 6}`, d: path, 'stroke-dasharray': DASHES[number % 6] }));
  }
  if (one.marker || !one.line) {
    one.points.forEach((value, i) => {
      if (Number.isFinite(value)) svg.append(mark(MARKS[number % 6], x(i), y(value), 4, number));
    });
  }
}

// --- lying bars and points -----------------------------------------------------------------------

function lying(svg, chart, tell) {
  const layer = chart.layers.find((one) => one.kind === 'bar');
  const labels = layer.series[0].labels;
  const count = Math.max(...layer.series.map((one) => one.points.length));
  numbered([layer]);
  const entries = entriesOf(svg, [layer]);
  const scale = scaleOf(extents([layer], count), chart.y, tell, { zero: !chart.y.log });
  const left = 10 + Math.min(Math.max(...labels.map(textWidth), 20), WIDE * 0.42);
  const high = Math.max(HIGH, AROUND + legendHeight(entries) + count * ROW);
  const box = boxOf(svg, { x: chart.y, y: chart.x }, entries, [], { left, high, last: tell(scale.ticks.at(-1), chart.y.format) });
  const x = (value) => box.left + scale.place(value) * (box.right - box.left);
  for (const tick of scale.ticks) {
    svg.append(make('line', { class: tick === 0 ? 'zero' : 'grid', x1: x(tick), x2: x(tick), y1: box.top, y2: box.bottom }));
    svg.append(make('text', { class: 'tick', x: x(tick), y: box.bottom + 15, 'text-anchor': 'middle' }, tell(tick, chart.y.format)));
  }
  across(svg, box, chart.y);
  const step = (box.bottom - box.top) / count;
  const beside = layer.stacked ? 1 : layer.series.length;
  const height = (step * 0.66) / beside;
  const foot = scale.log ? scale.low : Math.min(Math.max(0, scale.low), scale.high);
  labels.forEach((label, i) => {
    svg.append(make('text', { class: 'tick', x: box.left - 6, y: box.top + step * (i + 0.5) + 4, 'text-anchor': 'end' }, shortened(label)));
  });
  spans(layer, count).forEach((row, s) => {
    const one = layer.series[s];
    if (one.bare) return;
    row.forEach(([from, to], i) => {
      if (!Number.isFinite(to)) return;
      const start = layer.stacked && !scale.log ? from : foot;
      const rect = make('rect', {
        class: one.fill ? 'bar' : `fill-${one.number % 6} bar`, x: Math.min(x(start), x(to)),
        y: box.top + step * (i + 0.17) + (layer.stacked ? 0 : s * height),
        width: Math.max(Math.abs(x(to) - x(start)), 0.5), height,
      });
      if (one.fill) rect.setAttribute('fill', one.fill);
      rect.append(make('title', {}, `${one.title}, ${one.labels[i] ?? i + 1}: ${toldOf(one, i, chart, tell)}`));
      svg.append(rect);
    });
  });
  legend(svg, entries, box.high);
}

function shortened(label, most = Math.floor((WIDE * 0.42) / 6.2)) {
  return label.length > most ? `${label.slice(0, most - 1)}…` : label;
}

function scatter(svg, chart, tell) {
  const { layers } = chart;
  numbered(layers);
  const entries = entriesOf(svg, layers);
  const series = layers.flatMap((layer) => layer.series);
  const up = scaleOf(series.flatMap((one) => one.points), chart.y, tell, { zero: false });
  const along = scaleOf(series.flatMap((one) => one.along), chart.x, tell, { count: 6 });
  const box = boxOf(svg, chart, entries, up.ticks.map((tick) => tell(tick, chart.y.format)), { last: tell(along.ticks.at(-1), chart.x.format) });
  frame(svg, box, up, chart.y, tell);
  across(svg, box, chart.x);
  const x = (value) => box.left + along.place(value) * (box.right - box.left);
  const y = (value) => box.bottom - up.place(value) * (box.bottom - box.top);
  for (const tick of along.ticks) {
    svg.append(make('text', { class: 'tick', x: x(tick), y: box.bottom + 15, 'text-anchor': 'middle' }, tell(tick, chart.x.format)));
  }
  for (const one of series) {
    const points = one.points.map((value, i) => (Number.isFinite(one.along[i]) ? value : NaN));
    line(svg, { ...one, points }, (i) => x(one.along[i]), y);
  }
  legend(svg, entries, box.high);
}
