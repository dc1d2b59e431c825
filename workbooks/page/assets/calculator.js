// The workbook's formulas, computed where something that they read has changed.
//
// Every cell has a number: its row among those of all sheets, times the width that all sheets have,
// plus its column. A formula is a function of its cell; formulas that were filled down share one.

import { Block, Fault, FAULTS, NUM, VALUE, isBlank } from './values.js';

const CIRCLE = new Fault('#CIRC!');
const SPILLED = new Fault('#SPILL!');
const NOT_FITTING = FAULTS.get('#N/A');
// How many results of a function are kept; of blocks above this size none are.
const KEPT = 5000;
const LARGEST = 64;

export class Calculator {
  constructor(program, formulas) {
    const { width, bases, rows } = program;
    this.width = width;
    this.bases = bases;
    this.cells = new Array(width * rows).fill(null);
    this.changed = new Int32Array(width * rows);
    this.rows = new Int32Array(rows);
    this.turn = 0;
    for (const [sheet, row, first, ...values] of program.values) {
      const at = this.at([sheet, row, first]);
      values.forEach((value, i) => { this.cells[at + i] = taken(value); });
    }
    this.inputs = new Set(program.inputs.map((place) => this.at(place)));
    this.patterns = formulas(this.cells, width, (at, high, wide) => this.range(at, high, wide));
    this.place(program);
    this.order = this.sorted();
    this.first = true;
  }

  at([sheet, row, column]) {
    return (this.bases[sheet] + row - 1) * this.width + column - 1;
  }

  // The values of a rectangle of cells.
  range(at, high, wide) {
    const data = new Array(high * wide);
    let i = 0;
    for (let row = 0; row < high; row += 1) {
      const from = at + row * this.width;
      for (let place = 0; place < wide; place += 1) data[i++] = this.cells[from + place];
    }
    return new Block(high, wide, data, true);
  }

  // Which formula fills which cells.
  place(program) {
    this.owner = new Int32Array(this.cells.length).fill(-1);
    this.own = [];
    this.pattern = [];
    this.filled = new Map();
    const put = (pattern, at) => {
      this.owner[at] = this.own.length;
      this.own.push(at);
      this.pattern.push(pattern);
    };
    for (const [pattern, sheet, top, left, bottom, right] of program.formulas) {
      for (let row = top; row <= bottom; row += 1) {
        for (let place = left; place <= right; place += 1) put(pattern, this.at([sheet, row, place]));
      }
    }
    for (const [pattern, place, high, wide, moving] of program.arrays) {
      const at = this.at(place);
      put(pattern, at);
      const number = this.owner[at];
      this.filled.set(number, [high, wide, moving]);
      for (let row = 0; row < high; row += 1) {
        for (let c = 0; c < wide; c += 1) this.owner[at + row * this.width + c] = number;
      }
    }
    // What a formula reads, as far as it may change: single cells, and rectangles.
    this.single = [];
    this.wide = [];
    this.own.forEach((at, number) => {
      const row = Math.floor(at / this.width);
      const read = this.patterns[this.pattern[number]][1](at, row, at - row * this.width);
      const [single, wide] = [[], []];
      for (let i = 0; i < read.length; i += 3) {
        if (read[i + 1] === 1 && read[i + 2] === 1) {
          if (this.owner[read[i]] >= 0 || this.inputs.has(read[i])) single.push(read[i]);
        } else wide.push(read[i], read[i + 1], read[i + 2]);
      }
      this.single.push(single);
      this.wide.push(wide);
    });
  }

  // The formulas in an order in which each comes after those that it reads.
  sorted() {
    const { own, owner, single, wide, width } = this;
    const state = new Uint8Array(own.length);
    const order = [];
    this.circles = new Set();
    const readBy = (number) => {
      const found = [];
      for (const at of single[number]) if (owner[at] >= 0) found.push(owner[at]);
      const spans = wide[number];
      for (let i = 0; i < spans.length; i += 3) {
        for (let row = 0; row < spans[i + 1]; row += 1) {
          const from = spans[i] + row * width;
          for (let c = 0; c < spans[i + 2]; c += 1) {
            const other = owner[from + c];
            if (other >= 0 && state[other] !== 2) found.push(other);
          }
        }
      }
      return found;
    };
    for (let start = 0; start < own.length; start += 1) {
      if (state[start]) continue;
      const waiting = [[start, readBy(start)]];
      state[start] = 1;
      while (waiting.length) {
        const top = waiting[waiting.length - 1];
        const next = top[1].pop();
        if (next === undefined) {
          state[top[0]] = 2;
          order.push(top[0]);
          waiting.pop();
        } else if (state[next] === 1) this.circles.add(next);
        else if (!state[next]) {
          state[next] = 1;
          waiting.push([next, readBy(next)]);
        }
      }
    }
    return order;
  }

  // Puts a value into a cell that is an input; computes nothing yet.
  put(place, value) {
    const at = this.at(place);
    if (!this.inputs.has(at)) throw new Error(`no input stands at ${place}`);
    this.mark(at, taken(value), this.turn + 1);
  }

  mark(at, value, turn) {
    if (this.cells[at] === value) return;
    this.cells[at] = value;
    this.changed[at] = turn;
    this.rows[Math.floor(at / this.width)] = turn;
  }

  evaluate() {
    this.turn += 1;
    const { first, order } = this;
    for (let i = 0; i < order.length; i += 1) if (first || this.touched(order[i])) this.compute(order[i]);
    this.first = false;
  }

  touched(number) {
    const { changed, turn, width } = this;
    const single = this.single[number];
    for (let i = 0; i < single.length; i += 1) if (changed[single[i]] === turn) return true;
    const spans = this.wide[number];
    for (let i = 0; i < spans.length; i += 3) {
      const first = Math.floor(spans[i] / width);
      for (let row = 0; row < spans[i + 1]; row += 1) {
        if (this.rows[first + row] !== turn) continue;
        const from = spans[i] + row * width;
        for (let c = 0; c < spans[i + 2]; c += 1) if (changed[from + c] === turn) return true;
      }
    }
    return false;
  }

  compute(number) {
    const at = this.own[number];
    const row = Math.floor(at / this.width);
    const value = this.circles.has(number) ? CIRCLE
      : this.patterns[this.pattern[number]][0](at, row, at - row * this.width);
    const area = this.filled.get(number);
    if (area) this.fill(at, value, area);
    else this.mark(at, kept(value instanceof Block ? value.data[0] : value), this.turn);
  }

  // Writes an array: one that fits its place, or is repeated there; one that grew out of it is told.
  fill(at, value, [high, wide, moving]) {
    const whole = value instanceof Block ? value : new Block(1, 1, [value]);
    const { rows, columns, data } = whole;
    const grown = moving && (rows > high || columns > wide);
    for (let row = 0; row < high; row += 1) {
      for (let c = 0; c < wide; c += 1) {
        const r = rows === 1 && !moving ? 0 : row;
        const k = columns === 1 && !moving ? 0 : c;
        const inside = r < rows && k < columns;
        const one = inside ? kept(data[r * columns + k]) : moving ? null : NOT_FITTING;
        this.mark(at + row * this.width + c, grown ? SPILLED : one, this.turn);
      }
    }
  }

  value(place) {
    return this.cells[this.at(place)];
  }
}

// A value as it is handed over: an error is an object with its code.
function taken(value) {
  if (value !== null && typeof value === 'object') return FAULTS.get(value.error) ?? new Fault(value.error);
  return value;
}

function kept(value) {
  if (isBlank(value)) return 0;
  if (typeof value === 'number' && !Number.isFinite(value)) return NUM;
  return typeof value === 'function' ? VALUE : value;
}

// A function that gives what it gave before where it is asked the same again.
export function remembered(work) {
  const known = new Map();
  return (...given) => {
    let key = '';
    for (let i = 0; i < given.length; i += 1) {
      const part = keyOf(given[i]);
      if (part === null) return work(...given);
      key += part;
    }
    let value = known.get(key);
    if (value === undefined) {
      value = work(...given);
      if (known.size >= KEPT) known.clear();
      known.set(key, value);
    }
    return value;
  };
}

function keyOf(value) {
  if (typeof value === 'number') return `${value};`;
  if (value instanceof Block) {
    if (value.data.length > LARGEST) return null;
    let key = `b${value.rows},${value.columns}:`;
    for (let i = 0; i < value.data.length; i += 1) key += keyOf(value.data[i]);
    return key;
  }
  if (value instanceof Fault) return `e${value.error};`;
  if (typeof value === 'function') return null;
  return typeof value === 'string' ? `t${value.length}:${value}` : `${String(value)};`;
}

// A rectangle of cells that never change, read when it is first asked for.
export function fixed(read, at, high, wide) {
  let found = null;
  return () => {
    if (!found) {
      found = read(at, high, wide);
      found.fixed = true;
    }
    return found;
  };
}

// The one cell of a row or column that stands beside or above a formula: @A1:A9.
export function beside(values, row, place) {
  const inside = (i, count) => i >= 0 && i < count;
  if (values.data.length === 1) return values.data[0];
  if (values.columns === 1 && inside(row, values.rows)) return values.data[row];
  if (values.rows === 1 && inside(place, values.columns)) return values.data[place];
  return VALUE;
}
