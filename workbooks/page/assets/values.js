// What a cell may hold, and what operators make of it, as Excel has it.
//
// A number, a text, true or false; null for a blank, undefined for an argument left out; a Fault;
// a Block of several. Errors are values: they go through a formula as any other.

import { read } from './texts.js';

export class Fault {
  constructor(code) {
    this.error = code;
  }
}

export const DIV0 = new Fault('#DIV/0!');
export const VALUE = new Fault('#VALUE!');
export const REF = new Fault('#REF!');
export const NAME = new Fault('#NAME?');
export const NUM = new Fault('#NUM!');
export const NA = new Fault('#N/A');
export const CALC = new Fault('#CALC!');
export const FAULTS = new Map([DIV0, VALUE, REF, NAME, NUM, NA, CALC].map((one) => [one.error, one]));

// Several values in rows and columns; `cells` where they are those of cells, not computed ones.
export class Block {
  constructor(rows, columns, data, cells = false) {
    this.rows = rows;
    this.columns = columns;
    this.data = data;
    this.cells = cells;
  }
}

export const isFault = (value) => value instanceof Fault;
export const isBlank = (value) => value === null || value === undefined;

// The rows of a value, one beside the other.
export function block(value) {
  return value instanceof Block ? value : new Block(1, 1, [value]);
}

export function column(data) {
  return data.length ? new Block(data.length, 1, data) : CALC;
}

// A block of one value is that value.
export function single(value) {
  return value instanceof Block && value.data.length === 1 ? value.data[0] : value;
}

export function parsed(text) {
  const found = read(text);
  return found === null ? VALUE : found;
}

export function finite(number) {
  return Number.isFinite(number) ? number : NUM;
}

// A single value as a number, or the Fault that it is none.
export function number(value) {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (isBlank(value)) return 0;
  if (typeof value === 'string') return parsed(value);
  return value instanceof Fault ? value : VALUE;
}

// A single value as a condition: true, false or a Fault.
export function truth(value) {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (isBlank(value)) return false;
  if (typeof value === 'string') {
    const word = value.toUpperCase();
    return word === 'TRUE' ? true : word === 'FALSE' ? false : VALUE;
  }
  return value instanceof Fault ? value : VALUE;
}

// A single value as a text, or a Fault.
export function text(value) {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return written(value);
  if (isBlank(value)) return '';
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  return value instanceof Fault ? value : VALUE;
}

function written(value) {
  const short = Number(value.toPrecision(15));
  const size = Math.abs(short);
  if (size !== 0 && (size >= 1e21 || size < 1e-9)) {
    const [digits, exponent] = short.toExponential().split('e');
    return `${digits}E${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  }
  const plain = String(short);
  if (!plain.includes('e')) return plain;
  const [digits, exponent] = plain.split('e');
  const places = digits.replace('-', '').replace('.', '');
  return `${short < 0 ? '-' : ''}0.${'0'.repeat(-Number(exponent) - 1)}${places}`;
}

// --- over blocks ---------------------------------------------------------------------------------

// The size that blocks have together: what is one row, column or value goes with each of the others.
export function size(blocks) {
  let rows = 1;
  let columns = 1;
  for (let i = 0; i < blocks.length; i += 1) {
    const one = blocks[i];
    if (one instanceof Block) {
      if (one.rows > rows) rows = one.rows;
      if (one.columns > columns) columns = one.columns;
    }
  }
  return [rows, columns];
}

export function at(value, row, place) {
  if (!(value instanceof Block)) return value;
  const r = value.rows === 1 ? 0 : row;
  const c = value.columns === 1 ? 0 : place;
  return r < value.rows && c < value.columns ? value.data[r * value.columns + c] : NA;
}

// The values of an argument, one for each place of the size that all have together.
function spread(value, rows, columns) {
  if (value instanceof Block && value.rows === rows && value.columns === columns) return value.data;
  const data = new Array(rows * columns);
  if (!(value instanceof Block)) return data.fill(value);
  let i = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let place = 0; place < columns; place += 1) data[i++] = at(value, row, place);
  }
  return data;
}

// Works out a function for each of the values of blocks.
export function each(work, given) {
  const [rows, columns] = size(given);
  const parts = given.map((one) => spread(one, rows, columns));
  const data = new Array(rows * columns);
  const [a, b, c] = parts;
  switch (parts.length) {
    case 1: for (let i = 0; i < data.length; i += 1) data[i] = work(a[i]); break;
    case 2: for (let i = 0; i < data.length; i += 1) data[i] = work(a[i], b[i]); break;
    case 3: for (let i = 0; i < data.length; i += 1) data[i] = work(a[i], b[i], c[i]); break;
    default: for (let i = 0; i < data.length; i += 1) data[i] = work(...parts.map((part) => part[i]));
  }
  return new Block(rows, columns, data);
}

export function lifted(work) {
  const all = (...given) => {
    for (let i = 0; i < given.length; i += 1) if (given[i] instanceof Block) return each(work, given);
    return work(...given);
  };
  if (work.length !== 1) return all;
  return (one, ...more) => (more.length || one instanceof Block ? all(one, ...more) : work(one));
}

// --- operators -----------------------------------------------------------------------------------

// Works out an operator for each two values of blocks: `quick` where both are numbers, as nearly all.
function pairwise(quick, one, a, b) {
  const [rows, columns] = size([a, b]);
  const left = spread(a, rows, columns);
  const right = spread(b, rows, columns);
  const data = new Array(rows * columns);
  for (let i = 0; i < data.length; i += 1) {
    const x = left[i];
    const y = right[i];
    data[i] = typeof x === 'number' && typeof y === 'number' ? quick(x, y) : one(x, y);
  }
  return new Block(rows, columns, data);
}

function arithmetic(work) {
  const one = (a, b) => {
    const left = number(a);
    if (typeof left !== 'number') return left;
    const right = number(b);
    if (typeof right !== 'number') return right;
    return work(left, right);
  };
  return (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return work(a, b);
    return a instanceof Block || b instanceof Block ? pairwise(work, one, a, b) : one(a, b);
  };
}

// A number less itself is 0 but where it is no finite one.
export const add = arithmetic((a, b) => {
  const value = a + b;
  return value - value === 0 ? value : NUM;
});
export const subtract = arithmetic((a, b) => {
  const value = a - b;
  return value - value === 0 ? value : NUM;
});
const product = arithmetic((a, b) => {
  const value = a * b;
  return value - value === 0 ? value : NUM;
});
export const multiply = (a, b) => {
  if (typeof a === 'number' && typeof b === 'number') {
    const value = a * b;
    return value - value === 0 ? value : NUM;
  }
  // Conditions that hold together are a product of them.
  return a === true && b === true ? 1 : product(a, b);
};
export const divide = arithmetic((a, b) => {
  if (b === 0) return DIV0;
  const value = a / b;
  return value - value === 0 ? value : NUM;
});
export const power = arithmetic((a, b) => {
  if (a === 0 && b <= 0) return b === 0 ? NUM : DIV0;
  return finite(a ** b);
});
export const negative = (a) => (typeof a === 'number' ? -a : multiply(a, -1));
export const joined = lifted((a, b) => {
  const left = text(a);
  if (left instanceof Fault) return left;
  const right = text(b);
  return right instanceof Fault ? right : left + right;
});

const RANKS = { number: 0, string: 1, boolean: 2 };

// Below 0, 0 or above, or a Fault; numbers stand before texts, and these before FALSE and TRUE.
export function compared(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b || (a === b ? 0 : a < b ? -1 : 1);
  if (a instanceof Fault) return a;
  if (b instanceof Fault) return b;
  const left = isBlank(a) ? blankLike(b) : a;
  const right = isBlank(b) ? blankLike(a) : b;
  if (!(typeof left in RANKS) || !(typeof right in RANKS)) return VALUE;
  if (typeof left !== typeof right) return RANKS[typeof left] - RANKS[typeof right];
  if (typeof left !== 'string') return left - right;
  const [one, other] = [left.toLowerCase(), right.toLowerCase()];
  return one < other ? -1 : one > other ? 1 : 0;
}

function blankLike(other) {
  return typeof other === 'string' ? '' : typeof other === 'boolean' ? false : 0;
}

// Two numbers, as nearly all are, are compared without a call; `holds` says it of them.
function comparison(holds) {
  const one = (a, b) => {
    const order = compared(a, b);
    return order instanceof Fault ? order : holds(order, 0);
  };
  return (a, b) => {
    if (!(a instanceof Block || b instanceof Block)) return one(a, b);
    return pairwise(holds, one, a, b);
  };
}

const [same, other] = [comparison((a, b) => a === b), comparison((a, b) => a !== b)];
const [below, above] = [comparison((a, b) => a < b), comparison((a, b) => a > b)];
const [upTo, from] = [comparison((a, b) => a <= b), comparison((a, b) => a >= b)];

export const equal = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a === b : same(a, b));
export const unequal = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a !== b : other(a, b));
export const less = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a < b : below(a, b));
export const greater = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a > b : above(a, b));
export const atMost = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a <= b : upTo(a, b));
export const atLeast = (a, b) => (typeof a === 'number' && typeof b === 'number' ? a >= b : from(a, b));

const NOTHING = 2 ** -50;

// The last sum or difference of a formula is 0 where what it is of cancels out: 0.5-0.4-0.1.
export function snapped(value, operand) {
  if (typeof value !== 'number' || typeof operand !== 'number') return value;
  const nothing = NOTHING * (operand < 0 ? -operand : operand);
  return value <= nothing && -value <= nothing ? 0 : value;
}

// Of numbers that are compared, 15 digits count where one is computed: 0.1+0.2=0.3.
export function digits(value) {
  if (value instanceof Block) return new Block(value.rows, value.columns, value.data.map(digits));
  if (typeof value !== 'number' || (Number.isInteger(value) && Math.abs(value) < 1e15)) return value;
  return Number(value.toPrecision(15));
}

// --- what is computed only where it is asked for ---------------------------------------------------

// IF: `yes` and `no` are functions that give the branches.
export function choose(condition, yes, no) {
  if (condition === true) return yes();
  if (condition === false) return no();
  if (condition instanceof Block) {
    if (condition.data.length === 1) return choose(condition.data[0], yes, no);
    const holds = condition.data.map(truth);
    const some = holds.includes(true) ? yes() : null;
    const rest = holds.includes(false) ? no() : null;
    const shape = new Block(condition.rows, condition.columns, holds);
    const [rows, columns] = size([shape, some, rest]);
    if (rows === shape.rows && columns === shape.columns) {
      const ones = spread(some, rows, columns);
      const others = spread(rest, rows, columns);
      const data = new Array(holds.length);
      for (let i = 0; i < data.length; i += 1) {
        data[i] = holds[i] === true ? ones[i] : holds[i] === false ? others[i] : holds[i];
      }
      return new Block(rows, columns, data);
    }
    return each((is, one, none) => (is === true ? one : is === false ? none : is), [shape, some, rest]);
  }
  const is = truth(condition);
  return is === true ? yes() : is === false ? no() : is;
}

// IFERROR and IFNA.
export function instead(value, rest, fails) {
  if (value instanceof Block) {
    if (!value.data.some(fails)) return value;
    return each((one, other) => (fails(one) ? other : one), [value, rest()]);
  }
  return fails(value) ? rest() : value;
}

// A value that is worked out when it is first asked for.
export function later(work) {
  let value;
  let done = false;
  return () => {
    if (!done) {
      value = work();
      done = true;
    }
    return value;
  };
}
