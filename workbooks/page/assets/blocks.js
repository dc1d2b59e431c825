// Worksheet functions that look values up, and those that make blocks.

import { CALC, Fault, NA, REF, VALUE, Block, block, column, compared, each, isBlank, lifted, number, single, text, truth } from './values.js';
import { wildcards } from './functions.js';

// --- look-ups ------------------------------------------------------------------------------------

function keyOf(value) {
  return typeof value === 'string' ? `s${value.toLowerCase()}` : `${typeof value}${value}`;
}

// Where each value first stands; kept with a block that never changes.
function indexOf(among) {
  if (among.index) return among.index;
  const index = new Map();
  among.data.forEach((value, i) => {
    if (!isBlank(value) && !index.has(keyOf(value))) index.set(keyOf(value), i);
  });
  if (among.fixed) among.index = index;
  return index;
}

function exactly(what, among) {
  if (typeof what === 'string' && /(?<!~)(?:~~)*[*?]/.test(what)) {
    const pattern = new RegExp(`^${wildcards(what)}$`, 'iu');
    return among.data.findIndex((value) => typeof value === 'string' && pattern.test(value));
  }
  const wanted = typeof what === 'string' ? what.replace(/~([*?~])/g, '$1') : what;
  if (among.fixed) return indexOf(among).get(keyOf(wanted)) ?? -1;
  const key = typeof wanted === 'string' ? wanted.toLowerCase() : wanted;
  return among.data.findIndex((value) => (typeof value === 'string' ? value.toLowerCase() === key : value === key));
}

// The last value that is at most what is wanted, searched by halves; values of other kinds are passed
// over, and data in no order give what Excel gives. workbooks/excel/runtime/lookups.py does the same.
function rising(what, among) {
  const cells = among.data;
  let [low, high, best] = [0, cells.length - 1, -1];
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    let place = middle;
    while (place <= high && typeof cells[place] !== typeof what) place += 1;
    const order = place > high ? 1 : compared(cells[place], what);
    if (order === 0) {
      while (place + 1 < cells.length && typeof cells[place + 1] === typeof what && compared(cells[place + 1], what) === 0) place += 1;
      return place;
    }
    if (order < 0) [best, low] = [place, place + 1];
    else high = middle - 1;
  }
  return best;
}

// The last value that is at least what is wanted, in falling ones, from the first on.
function falling(what, among) {
  let best = -1;
  for (let i = 0; i < among.data.length; i += 1) {
    if (typeof among.data[i] === typeof what) {
      if (compared(among.data[i], what) < 0) break;
      best = i;
    }
  }
  return best;
}

function placed(what, among, way) {
  const wanted = isBlank(what) ? 0 : what;
  if (way === 0) return exactly(wanted, among);
  return way > 0 ? rising(wanted, among) : falling(wanted, among);
}

function match(what, among, type = 1) {
  const place = number(single(type));
  if (among instanceof Fault) return among;
  if (place instanceof Fault) return place;
  const list = block(among);
  if (list.rows > 1 && list.columns > 1) return NA;
  return lifted((one) => {
    if (one instanceof Fault) return one;
    const found = placed(one, list, Math.sign(place));
    return found < 0 ? NA : found + 1;
  })(what);
}

export function rowOf(values, row) {
  return new Block(1, values.columns, values.data.slice(row * values.columns, (row + 1) * values.columns));
}

export function columnOf(values, place) {
  const data = new Array(values.rows);
  for (let row = 0; row < values.rows; row += 1) data[row] = values.data[row * values.columns + place];
  return new Block(values.rows, 1, data);
}

function index(values, row, place) {
  if (values instanceof Fault) return values;
  const all = block(values);
  if (place === undefined && all.rows === 1) return index2(all, 1, row);
  return index2(all, row, place === undefined ? (all.columns === 1 ? 1 : 0) : place);
}

function index2(all, row, place) {
  const one = (r, c) => {
    const down = number(r);
    if (down instanceof Fault) return down;
    const along = number(c);
    if (along instanceof Fault) return along;
    const [i, j] = [Math.trunc(down), Math.trunc(along)];
    if (i < 0 || j < 0) return VALUE;
    if (i > all.rows || j > all.columns) return REF;
    if (i && j) return all.data[(i - 1) * all.columns + j - 1];
    const part = i ? rowOf(all, i - 1) : j ? columnOf(all, j - 1) : all;
    return part;
  };
  if (row instanceof Block || place instanceof Block) return each((r, c) => single(one(r, c)), [row, place]);
  return one(row, place);
}

function vertical(what, table, place, near = true) {
  const all = block(table);
  const which = number(single(place));
  if (which instanceof Fault) return which;
  if (which < 1) return VALUE;
  if (which > all.columns) return REF;
  return found(what, columnOf(all, 0), columnOf(all, Math.trunc(which) - 1), near);
}

function found(what, among, results, near) {
  const close = truth(single(near));
  return lifted((one) => {
    if (one instanceof Fault) return one;
    const row = placed(one, among, close === true ? 1 : 0);
    return row < 0 ? NA : results.data[row];
  })(what);
}

const KINDS = ['number', 'string', 'boolean'];

function xlookup(what, among, results, otherwise, mode = 0, direction = 1) {
  const list = block(among);
  const all = block(results);
  const [way, search] = [number(single(mode)), number(single(direction))];
  const down = list.columns === 1;
  if (!down && list.rows > 1) return VALUE;
  if (list.data.length !== (down ? all.rows : all.columns)) return VALUE;
  // Searches by halves are another matter.
  if (way instanceof Fault || Math.abs(search) !== 1) return VALUE;
  const place = (one) => {
    if (one instanceof Fault) return one;
    if (way === 2) return exactly(one, list);
    const order = list.data.map((_, i) => i).filter((i) => KINDS.includes(typeof list.data[i]));
    if (search < 0) order.reverse();
    const fits = order.find((i) => typeof list.data[i] === typeof one && compared(list.data[i], one) === 0);
    if (fits !== undefined) return fits;
    const near = order.filter((i) => way * compared(list.data[i], one) > 0);
    near.sort((a, b) => way * compared(list.data[a], list.data[b]));
    return way !== 0 && near.length ? near[0] : -1;
  };
  const give = (i) => {
    if (i instanceof Fault) return i;
    if (i < 0) return otherwise === undefined ? NA : otherwise;
    return single(down ? rowOf(all, i) : columnOf(all, i));
  };
  return what instanceof Block && what.data.length > 1
    ? each((one) => single(give(place(one))), [what]) : give(place(single(what)));
}

// --- blocks out of blocks ------------------------------------------------------------------------

function transposed(values) {
  const all = block(values);
  const data = [];
  for (let c = 0; c < all.columns; c += 1) for (let r = 0; r < all.rows; r += 1) data.push(all.data[r * all.columns + c]);
  return new Block(all.columns, all.rows, data);
}

function rowsOf(all, which) {
  if (!which.length) return CALC;
  return new Block(which.length, all.columns, which.flatMap((row) => all.data.slice(row * all.columns, (row + 1) * all.columns)));
}

function filter(values, keep, otherwise) {
  const all = block(values);
  const flags = block(keep);
  const down = flags.rows === all.rows && flags.columns === 1;
  if (!down && !(flags.columns === all.columns && flags.rows === 1)) return VALUE;
  const which = [];
  for (let i = 0; i < flags.data.length; i += 1) {
    const is = truth(flags.data[i]);
    if (is instanceof Fault) return is;
    if (is) which.push(i);
  }
  if (!which.length) return otherwise === undefined ? CALC : otherwise;
  return down ? rowsOf(all, which) : transposed(rowsOf(transposed(all), which));
}

const ERRORS = ['#NULL!', '#DIV/0!', '#VALUE!', '#REF!', '#NAME?', '#NUM!', '#N/A'];

// Numbers, texts, truth values, and errors by their number.
function inOrder(a, b) {
  const [one, other] = [a, b].map((value) => value instanceof Fault);
  if (one && other) return ERRORS.indexOf(a.error) - ERRORS.indexOf(b.error);
  return one === other ? compared(a, b) : one ? 1 : -1;
}

// What is equal stays as it stands; blanks come last whichever way.
function sortedBy(all, keys) {
  const order = Array.from({ length: all.rows }, (_, i) => i);
  order.sort((a, b) => {
    for (const [key, way] of keys) {
      const [one, other] = [key.data[a], key.data[b]];
      if (isBlank(one) !== isBlank(other)) return isBlank(one) ? 1 : -1;
      const is = isBlank(one) ? 0 : inOrder(one, other);
      if (is) return way * is;
    }
    return a - b;
  });
  return rowsOf(all, order);
}

// Whole numbers that stand in a row or a column; the Fault that is among them.
function wholes(given, otherwise) {
  const all = block(given === undefined ? otherwise : given);
  if (all.rows > 1 && all.columns > 1) return VALUE;
  const numbers = all.data.map((one) => number(one));
  return numbers.find((one) => one instanceof Fault) ?? numbers.map(Math.trunc);
}

// For each key 1 or -1; one stands for all.
function waysOf(given, count) {
  const found = wholes(given, 1);
  if (found instanceof Fault) return found;
  const ways = given instanceof Block ? found : new Array(count).fill(found[0]);
  return ways.length === count && ways.every((way) => way === 1 || way === -1) ? ways : VALUE;
}

function sortBy(values, ...given) {
  const all = block(values);
  const keys = [];
  for (let i = 0; i < given.length; i += 2) {
    const ways = waysOf(given[i + 1], 1);
    if (ways instanceof Fault) return ways;
    keys.push([block(given[i]), ways[0]]);
  }
  if (keys.every(([key]) => key.rows === all.rows && key.columns === 1)) return sortedBy(all, keys);
  if (!keys.every(([key]) => key.rows === 1 && key.columns === all.columns)) return VALUE;
  return transposed(sortedBy(transposed(all), keys.map(([key, way]) => [transposed(key), way])));
}

function sort(values, by, way, across) {
  const turned = truth(single(across ?? false));
  if (turned instanceof Fault) return turned;
  const all = turned ? transposed(values) : block(values);
  const places = wholes(by, 1);
  if (places instanceof Fault) return places;
  if (!places.every((place) => place >= 1 && place <= all.columns)) return VALUE;
  const ways = waysOf(way, places.length);
  if (ways instanceof Fault) return ways;
  const done = sortedBy(all, places.map((place, i) => [columnOf(all, place - 1), ways[i]]));
  return turned ? transposed(done) : done;
}

// TOCOL: all values, row by row or column by column, without blanks (1), errors (2) or both (3).
function inColumn(values, without, byColumns) {
  const [left, turned] = [number(single(without ?? 0)), truth(single(byColumns ?? false))];
  for (const one of [left, turned]) if (one instanceof Fault) return one;
  if (!(left >= 0 && left < 4)) return VALUE;
  const [blanks, errors] = [Math.trunc(left) % 2 === 1, Math.trunc(left) >= 2];
  const all = turned ? transposed(values) : block(values);
  return column(all.data.filter((value) => !(blanks && isBlank(value)) && !(errors && value instanceof Fault)));
}

function sequence(rows, columns = 1, start = 1, step = 1) {
  const [r, c, from, by] = [rows, columns, start, step].map((one) => number(single(one ?? 1)));
  for (const one of [r, c, from, by]) if (one instanceof Fault) return one;
  if (r < 1 || c < 1) return CALC;
  const [down, along] = [Math.trunc(r), Math.trunc(c)];
  return new Block(down, along, Array.from({ length: down * along }, (_, i) => from + i * by));
}

function stacked(given) {
  const all = given.map(block);
  const columns = Math.max(...all.map((one) => one.columns));
  const data = [];
  for (const one of all) {
    for (let r = 0; r < one.rows; r += 1) for (let c = 0; c < columns; c += 1) data.push(c < one.columns ? one.data[r * one.columns + c] : NA);
  }
  return new Block(data.length / columns, columns, data);
}

function taken(values, rows, columns, drop) {
  const range = (length, count) => {
    if (count === undefined) return [0, length];
    const many = Math.trunc(number(single(count)));
    const cut = Math.min(Math.abs(many), length);
    if (drop) return many >= 0 ? [cut, length] : [0, length - cut];
    return many >= 0 ? [0, cut] : [length - cut, length];
  };
  const all = block(values);
  const [top, bottom] = range(all.rows, rows);
  const [left, right] = range(all.columns, columns);
  if (top >= bottom || left >= right) return CALC;
  const data = [];
  for (let r = top; r < bottom; r += 1) data.push(...all.data.slice(r * all.columns + left, r * all.columns + right));
  return new Block(bottom - top, right - left, data);
}

function chosenRows(values, given) {
  const all = block(values);
  const which = given.flatMap((one) => block(one).data).map((one) => {
    const place = Math.trunc(number(one));
    return place < 0 ? all.rows + place : place - 1;
  });
  return which.every((row) => row >= 0 && row < all.rows) ? rowsOf(all, which) : VALUE;
}

function unique(values, across, once) {
  const [turned, alone] = [truth(single(across)), truth(single(once))];
  for (const one of [turned, alone]) if (one instanceof Fault) return one;
  const all = turned ? transposed(values) : block(values);
  const seen = new Map();
  for (let r = 0; r < all.rows; r += 1) {
    const key = rowOf(all, r).data.map((value) => (isBlank(value) ? 'b' : keyOf(value))).join('\n');
    seen.set(key, [...(seen.get(key) ?? []), r]);
  }
  const which = [...seen.values()].filter((rows) => !alone || rows.length === 1).map(([row]) => row);
  const found = rowsOf(all, which);
  return turned && found instanceof Block ? transposed(found) : found;
}

// --- functions of functions ----------------------------------------------------------------------

const inner = (value) => {
  const one = single(value);
  return one instanceof Block ? CALC : one;
};

function map(...given) {
  const work = given.pop();
  if (!given.some((one) => one instanceof Block)) return inner(work(...given));
  return each((...ones) => inner(work(...ones)), given);
}

function reduce(first, values, work) {
  let sum = first ?? null;
  for (const value of block(values).data) sum = work(sum, value);
  return sum;
}

function scan(first, values, work) {
  const all = block(values);
  let sum = first ?? null;
  const data = new Array(all.data.length);
  for (let i = 0; i < data.length; i += 1) {
    sum = work(sum, all.data[i]);
    if (sum instanceof Block) sum = single(sum);
    data[i] = sum instanceof Block ? CALC : sum;
  }
  return new Block(all.rows, all.columns, data);
}

function made(rows, columns, work) {
  const [r, c] = [number(single(rows)), number(single(columns))];
  for (const one of [r, c]) if (one instanceof Fault) return one;
  if (r < 1 || c < 1) return VALUE;
  const data = [];
  for (let i = 1; i <= r; i += 1) for (let j = 1; j <= c; j += 1) data.push(inner(work(i, j)));
  return new Block(Math.trunc(r), Math.trunc(c), data);
}

function byRow(values, work) {
  const all = block(values);
  return new Block(all.rows, 1, Array.from({ length: all.rows }, (_, r) => inner(work(rowOf(all, r)))));
}

function words(given) {
  let all = '';
  for (const one of given.flatMap((value) => block(value).data)) {
    const word = text(one);
    if (word instanceof Fault) return word;
    all += word;
  }
  return all;
}

function joinedBy(between, skip, ...given) {
  const sign = text(single(between));
  if (sign instanceof Fault) return sign;
  const leave = truth(single(skip)) === true;
  const parts = [];
  for (const one of given.flatMap((value) => block(value).data)) {
    const word = text(one);
    if (word instanceof Fault) return word;
    if (word !== '' || !leave) parts.push(word);
  }
  return parts.join(sign);
}

export const blocks = {
  MATCH: match,
  INDEX: index,
  VLOOKUP: vertical,
  HLOOKUP: (what, table, place, near) => vertical(what, transposed(table), place, near),
  LOOKUP: (what, among, results) => {
    const list = block(among);
    return found(what, list, block(results ?? among), true);
  },
  XLOOKUP: xlookup,
  ROWS: (values) => (values instanceof Fault ? values : block(values).rows),
  COLUMNS: (values) => (values instanceof Fault ? values : block(values).columns),
  TRANSPOSE: transposed,
  FILTER: filter,
  SORTBY: sortBy,
  SORT: sort,
  UNIQUE: unique,
  SEQUENCE: sequence,
  TOCOL: inColumn,
  TOROW: (...given) => {
    const found = inColumn(...given);
    return found instanceof Fault ? found : transposed(found);
  },
  VSTACK: (...given) => stacked(given),
  HSTACK: (...given) => transposed(stacked(given.map(transposed))),
  TAKE: (values, rows, columns) => taken(values, rows, columns, false),
  DROP: (values, rows, columns) => taken(values, rows, columns, true),
  CHOOSEROWS: (values, ...given) => chosenRows(values, given),
  CHOOSECOLS: (values, ...given) => transposed(chosenRows(transposed(values), given)),
  MAP: map,
  REDUCE: reduce,
  SCAN: scan,
  MAKEARRAY: made,
  BYROW: byRow,
  BYCOL: (values, work) => transposed(byRow(transposed(values), (row) => work(transposed(row)))),
  CONCAT: (...given) => words(given),
  CONCATENATE: (...given) => words(given.map(single)),
  TEXTJOIN: joinedBy,
};
