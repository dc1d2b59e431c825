// Worksheet functions of single values; over blocks they are worked out value by value.
// A dot in a function's name is a dollar sign here.

import { DIV0, Fault, NA, NUM, VALUE, Block, equal, finite, isBlank, isFault, lifted, number, parsed, single, text, truth } from './values.js';
import { formatted } from './format.js';

// A function of numbers; an argument that is none is its result.
export function numeric(work) {
  const one = (...given) => {
    for (let i = 0; i < given.length; i += 1) {
      const found = typeof given[i] === 'number' || given[i] === undefined ? given[i] : number(given[i]);
      if (found instanceof Fault) return found;
      given[i] = found;
    }
    return work(...given);
  };
  const many = lifted(one);
  return (...given) => {
    if (given.length === 1 && typeof given[0] === 'number') return work(given[0]);
    for (let i = 0; i < given.length; i += 1) if (given[i] instanceof Block) return many(...given);
    return one(...given);
  };
}

// A function of numbers that takes TRUE for none.
export function strictly(work) {
  const taken = numeric(work);
  return lifted((...given) => (given.some((one) => typeof one === 'boolean') ? VALUE : taken(...given)));
}

// A function of texts and numbers, by the letters of its arguments: t a text, n a number.
export function typed(kinds, work) {
  return lifted((...given) => {
    for (let i = 0; i < given.length; i += 1) {
      if (given[i] === undefined) continue;
      given[i] = kinds[Math.min(i, kinds.length - 1)] === 't' ? text(given[i]) : number(given[i]);
      if (given[i] instanceof Fault) return given[i];
    }
    return work(...given);
  });
}

// A number without the last digits that binary fractions leave.
function plain(value) {
  return Number(value.toPrecision(15));
}

function toPlaces(value, places, way) {
  const by = 10 ** Math.abs(Math.trunc(places));
  if (!Number.isFinite(value * by) || !Number.isFinite(by)) return places > 0 ? value : 0;
  const scaled = plain(places >= 0 ? Math.abs(value) * by : Math.abs(value) / by);
  const whole = way(scaled);
  return finite(Math.sign(value) * (places >= 0 ? whole / by : whole * by));
}

const half = (value) => Math.floor(value + 0.5);

function multipleOf(value, unit, way) {
  if (unit === 0) return 0;
  if (value > 0 && unit < 0) return NUM;
  return finite(way(plain(value / unit)) * unit);
}

export const singles = {
  ABS: numeric(Math.abs),
  SIGN: numeric(Math.sign),
  INT: numeric(Math.floor),
  SQRT: numeric((x) => (x < 0 ? NUM : Math.sqrt(x))),
  EXP: numeric((x) => finite(Math.exp(x))),
  LN: numeric((x) => (x > 0 ? Math.log(x) : NUM)),
  LOG10: numeric((x) => (x > 0 ? Math.log10(x) : NUM)),
  LOG: numeric((x, base = 10) => {
    if (!(x > 0) || !(base > 0)) return NUM;
    return base === 10 ? Math.log10(x) : base === 1 ? DIV0 : finite(Math.log(x) / Math.log(base));
  }),
  POWER: numeric((x, y) => (x === 0 && y <= 0 ? (y === 0 ? NUM : DIV0) : finite(x ** y))),
  MOD: numeric((x, by) => (by === 0 ? DIV0 : finite(x - by * Math.floor(x / by)))),
  QUOTIENT: strictly((x, by) => (by === 0 ? DIV0 : Math.trunc(x / by))),
  PI: () => Math.PI,
  SIN: numeric(Math.sin),
  COS: numeric(Math.cos),
  TAN: numeric(Math.tan),
  ROUND: numeric((x, places = 0) => toPlaces(x, places, half)),
  ROUNDUP: numeric((x, places = 0) => toPlaces(x, places, Math.ceil)),
  ROUNDDOWN: numeric((x, places = 0) => toPlaces(x, places, Math.floor)),
  TRUNC: numeric((x, places = 0) => toPlaces(x, places, Math.floor)),
  CEILING: numeric((x, unit = 1) => multipleOf(x, unit, Math.ceil)),
  FLOOR: numeric((x, unit = 1) => (unit === 0 && x !== 0 ? DIV0 : multipleOf(x, unit, Math.floor))),
  MROUND: strictly((x, unit) => (x * unit < 0 ? NUM : multipleOf(x, unit, half))),
  EVEN: numeric((x) => Math.sign(x) * 2 * Math.ceil(Math.abs(x) / 2)),
  ODD: numeric((x) => (x === 0 ? 1 : Math.sign(x) * (2 * Math.ceil((Math.abs(x) + 1) / 2) - 1))),
  FACT: numeric((x) => {
    let product = 1;
    for (let i = 2; i <= Math.trunc(x); i += 1) product *= i;
    return x < 0 ? NUM : finite(product);
  }),

  NA: () => NA,
  TRUE: () => true,
  FALSE: () => false,
  NOT: lifted((value) => {
    const is = truth(value);
    return is instanceof Fault ? is : !is;
  }),
  ISNUMBER: lifted((value) => typeof value === 'number'),
  ISTEXT: lifted((value) => typeof value === 'string'),
  ISNONTEXT: lifted((value) => typeof value !== 'string'),
  ISLOGICAL: lifted((value) => typeof value === 'boolean'),
  ISBLANK: lifted(isBlank),
  ISERROR: lifted(isFault),
  ISERR: lifted((value) => value instanceof Fault && value.error !== '#N/A'),
  ISNA: lifted((value) => value instanceof Fault && value.error === '#N/A'),
  ISEVEN: strictly((x) => Math.trunc(x) % 2 === 0),
  ISODD: strictly((x) => Math.trunc(x) % 2 !== 0),
  N: lifted((value) => (typeof value === 'boolean' ? Number(value) : typeof value === 'number' || value instanceof Fault ? value : 0)),
  T: lifted((value) => (typeof value === 'string' || value instanceof Fault ? value : '')),

  LEN: typed('t', (t) => t.length),
  LOWER: typed('t', (t) => t.toLowerCase()),
  UPPER: typed('t', (t) => t.toUpperCase()),
  PROPER: typed('t', (t) => t.toLowerCase().replace(/(?<!\p{L})\p{L}/gu, (letter) => letter.toUpperCase())),
  TRIM: typed('t', (t) => t.replace(/ +/g, ' ').replace(/^ | $/g, '')),
  LEFT: typed('tn', (t, count = 1) => (count < 0 ? VALUE : t.slice(0, Math.trunc(count)))),
  RIGHT: typed('tn', (t, count = 1) => (count < 0 ? VALUE : t.slice(Math.max(t.length - Math.trunc(count), 0)))),
  MID: typed('tnn', (t, start, count) => (start < 1 || count < 0 ? VALUE : t.slice(Math.trunc(start) - 1, Math.trunc(start) - 1 + Math.trunc(count)))),
  REPT: typed('tn', (t, count) => (count < 0 || t.length * count > 32767 ? VALUE : t.repeat(Math.trunc(count)))),
  EXACT: typed('t', (one, other) => one === other),
  FIND: typed('ttn', (what, within, from = 1) => placeOf(within.indexOf(what, from - 1), from)),
  SEARCH: typed('ttn', (what, within, from = 1) => {
    const found = new RegExp(wildcards(what), 'iu').exec(within.slice(from - 1));
    return placeOf(found ? found.index + from - 1 : -1, from);
  }),
  SUBSTITUTE: typed('tttn', (t, old, by, which) => {
    if (old === '') return t;
    if (which === undefined) return t.split(old).join(by);
    if (which < 1) return VALUE;
    const parts = t.split(old);
    const count = Math.trunc(which);
    return count >= parts.length ? t : parts.slice(0, count).join(old) + by + parts.slice(count).join(old);
  }),
  REPLACE: typed('tnnt', (t, start, count, by) => (start < 1 || count < 0 ? VALUE : t.slice(0, start - 1) + by + t.slice(start - 1 + count))),
  CHAR: numeric((code) => (code >= 1 && code < 256 ? String.fromCharCode(code) : VALUE)),
  CODE: typed('t', (t) => (t ? t.charCodeAt(0) : VALUE)),
  VALUE: lifted((value) => (typeof value === 'string' ? parsed(value) : typeof value === 'boolean' ? VALUE : number(value))),
  TEXT: lifted((value, format) => {
    if (value instanceof Fault) return value;
    const wanted = text(format);
    if (wanted instanceof Fault) return wanted;
    if (wanted === '') return '';
    if (typeof value === 'boolean') return text(value);
    const amount = typeof value === 'string' ? parsed(value) : number(value);
    return typeof amount === 'number' ? formatted(amount, wanted) : value;
  }),
};

function placeOf(index, from) {
  return from < 1 || index < 0 ? VALUE : index + 1;
}

// A text with * and ? as a regular expression; ~ takes them as they are.
export function wildcards(what) {
  return what.replace(/~([*?~])|([*])|([?])|([\\^$.|+()[\]{}/])/g, (_, bare, any, one, special) => (
    bare ? `\\${bare === '~' ? '~' : bare}` : any ? '[\\s\\S]*' : one ? '[\\s\\S]' : `\\${special}`
  )).replace(/\\~/g, '~');
}

// SWITCH, whose values are functions.
export function switched(value, cases, otherwise) {
  const what = single(value);
  if (what instanceof Fault) return what;
  for (const [wanted, give] of cases) if (equal(what, single(wanted())) === true) return give();
  return otherwise ? otherwise() : NA;
}

// CHOOSE, whose values are functions.
export function picked(index, values) {
  const which = single(index);
  if (which instanceof Block) {
    const found = values.map((give) => give());
    return lifted((one, ...all) => {
      const place = number(one);
      return place instanceof Fault ? place : all[Math.trunc(place) - 1] ?? VALUE;
    })(which, ...found);
  }
  const place = number(which);
  if (place instanceof Fault) return place;
  return place >= 1 && place < values.length + 1 ? values[Math.trunc(place) - 1]() : VALUE;
}

