// Worksheet functions of many values that give one: sums, counts, ranks, conditions.

import { DIV0, FAULTS, Fault, NA, NUM, VALUE, Block, block, compared, each, finite, isBlank, lifted, number, parsed, single, size, truth } from './values.js';
import { wildcards } from './functions.js';

// The numbers among arguments, or a Fault; in blocks, texts and TRUE do not count.
export function numbersOf(given) {
  const found = [];
  for (let i = 0; i < given.length; i += 1) {
    const one = given[i];
    if (typeof one === 'number') found.push(one);
    else if (one instanceof Block) {
      const { data } = one;
      for (let k = 0; k < data.length; k += 1) {
        const value = data[k];
        if (typeof value === 'number') found.push(value);
        else if (value instanceof Fault) return value;
      }
    } else {
      const value = number(one);
      if (value instanceof Fault) return value;
      found.push(value);
    }
  }
  return found;
}

function summing(work) {
  return (...given) => {
    const numbers = numbersOf(given);
    return numbers instanceof Fault ? numbers : work(numbers);
  };
}

const total = (numbers) => {
  let sum = 0;
  for (let i = 0; i < numbers.length; i += 1) sum += numbers[i];
  return finite(sum);
};
const mean = (numbers) => (numbers.length ? total(numbers) / numbers.length : DIV0);

function spreadOf(numbers, but) {
  if (numbers.length <= but) return DIV0;
  const middle = mean(numbers);
  return total(numbers.map((x) => (x - middle) ** 2)) / (numbers.length - but);
}

const rooted = (value) => (typeof value === 'number' ? Math.sqrt(value) : value);
const rising = (numbers) => [...numbers].sort((a, b) => a - b);

function quantile(numbers, share) {
  if (!numbers.length || share < 0 || share > 1) return NUM;
  const sorted = rising(numbers);
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const above = sorted[Math.min(low + 1, sorted.length - 1)];
  return sorted[low] + (place - low) * (above - sorted[low]);
}

function outerQuantile(numbers, share) {
  const place = share * (numbers.length + 1);
  if (place < 1 || place > numbers.length) return NUM;
  const sorted = rising(numbers);
  const low = Math.floor(place);
  return sorted[low - 1] + (place - low) * ((sorted[low] ?? 0) - sorted[low - 1]);
}

// A function of a block's numbers and of one value more.
function ranked(work) {
  return (values, given) => {
    const numbers = numbersOf([block(values)]);
    if (numbers instanceof Fault) return numbers;
    return lifted((one) => {
      const which = number(one);
      return which instanceof Fault ? which : work(numbers, which);
    })(given);
  };
}

const nth = (sorted, which) => {
  const place = Math.ceil(which);
  return place >= 1 && place <= sorted.length ? sorted[place - 1] : NUM;
};

function rank(value, among, order) {
  const numbers = numbersOf([block(among)]);
  if (numbers instanceof Fault) return numbers;
  const up = order !== undefined && truth(single(order)) === true;
  return lifted((one) => {
    const what = number(one);
    if (what instanceof Fault) return what;
    if (!numbers.includes(what)) return NA;
    return 1 + numbers.filter((other) => (up ? other < what : other > what)).length;
  })(value);
}

// Conditions: all, any, or an odd number of them.
function logical(work) {
  return (...given) => {
    const found = [];
    for (const one of given) {
      for (const value of one instanceof Block ? one.data : [one]) {
        if (value instanceof Fault) return value;
        if (typeof value === 'boolean') found.push(value);
        else if (typeof value === 'number') found.push(value !== 0);
        else if (!(one instanceof Block) && typeof value === 'string') {
          const is = truth(value);
          if (is instanceof Fault) return is;
          found.push(is);
        }
      }
    }
    return found.length ? work(found) : VALUE;
  };
}

// --- conditions as texts -------------------------------------------------------------------------

const CONDITION = /^(<=|>=|<>|<|>|=)?([\s\S]*)$/;

// What a condition of SUMIF or COUNTIF asks of a value.
function criterion(condition) {
  const what = single(condition);
  if (what instanceof Fault) return (value) => value instanceof Fault && value.error === what.error;
  if (typeof what === 'number') return (value) => value === what || (typeof value === 'string' && parsed(value) === what);
  if (typeof what === 'boolean') return (value) => value === what;
  if (isBlank(what)) return (value) => value === 0;
  const [, sign = '=', rest] = CONDITION.exec(what);
  const meant = rest.trim() === '' ? rest : parsed(rest);
  if (typeof meant === 'number') {
    const order = (value) => value - meant;
    return {
      '=': (value) => value === meant || (typeof value === 'string' && parsed(value) === meant),
      '<>': (value) => value !== meant,
      '<': (value) => typeof value === 'number' && order(value) < 0,
      '>': (value) => typeof value === 'number' && order(value) > 0,
      '<=': (value) => typeof value === 'number' && order(value) <= 0,
      '>=': (value) => typeof value === 'number' && order(value) >= 0,
    }[sign];
  }
  if (rest === '') {
    const blank = CONDITION.exec(what)[1] === '=' ? isBlank : (value) => isBlank(value) || value === '';
    return sign === '<>' ? (value) => !isBlank(value) : sign === '=' ? blank : () => false;
  }
  const word = rest.toUpperCase();
  if (FAULTS.has(word) && sign === '=') return (value) => value instanceof Fault && value.error === word;
  if (word === 'TRUE' || word === 'FALSE') {
    return sign === '<>' ? (value) => value !== (word === 'TRUE') : (value) => value === (word === 'TRUE');
  }
  if (sign === '=' || sign === '<>') {
    const pattern = new RegExp(`^${wildcards(rest)}$`, 'iu');
    const fits = (value) => typeof value === 'string' && pattern.test(value);
    return sign === '=' ? fits : (value) => !fits(value);
  }
  const order = (value) => (typeof value === 'string' ? compared(value, rest) : NaN);
  return {
    '<': (value) => order(value) < 0, '>': (value) => order(value) > 0,
    '<=': (value) => order(value) <= 0, '>=': (value) => order(value) >= 0,
  }[sign];
}

// Which places of blocks of one size fulfil all conditions; a Fault where sizes differ.
function fulfilling(pairs) {
  const first = block(pairs[0][0]);
  let places = first.data.map((_, i) => i);
  for (const [values, condition] of pairs) {
    const one = block(values);
    if (one.rows !== first.rows || one.columns !== first.columns) return VALUE;
    const fits = criterion(condition);
    places = places.filter((i) => fits(one.data[i]));
  }
  return places;
}

function pairsOf(given) {
  const pairs = [];
  for (let i = 0; i + 1 < given.length; i += 2) pairs.push([given[i], given[i + 1]]);
  return pairs;
}

// A function whose conditions may be blocks themselves: then there is a result for each.
function conditional(work) {
  return (given, values, cut) => {
    const conditions = given.filter((_, i) => i % 2 === 1);
    if (!conditions.some((one) => one instanceof Block && one.data.length > 1)) return once(given);
    return each((...ones) => once(given.map((one, i) => (i % 2 ? ones[(i - 1) / 2] : one))), conditions);

    function once(all) {
      const places = fulfilling(pairsOf(all));
      if (places instanceof Fault) return places;
      if (values === undefined) return places.length;
      const range = block(values);
      const among = block(all[0]);
      if (!cut && (range.rows !== among.rows || range.columns !== among.columns)) return VALUE;
      const found = [];
      for (const i of places) {
        // A sum's range begins where it is said, and is as large as that of the condition.
        const value = cut ? within(range, Math.floor(i / among.columns), i % among.columns) : range.data[i];
        if (value instanceof Fault) return value;
        if (typeof value === 'number') found.push(value);
      }
      return work(found);
    }
  };
}

function within(range, row, place) {
  return row < range.rows && place < range.columns ? range.data[row * range.columns + place] : null;
}

const summed = conditional(total);
const averaged = conditional(mean);
const counted = conditional((found) => found.length);

const sumProduct = (...given) => {
  const blocks = given.map(block);
  const [rows, columns] = size(blocks);
  let sum = 0;
  for (const one of blocks) if (one.rows !== rows || one.columns !== columns) return VALUE;
  for (let i = 0; i < rows * columns; i += 1) {
    let product = 1;
    for (let k = 0; k < blocks.length; k += 1) {
      const value = blocks[k].data[i];
      if (value instanceof Fault) return value;
      product *= typeof value === 'number' ? value : 0;
    }
    sum += product;
  }
  return finite(sum);
};

export const sums = {
  SUM: summing(total),
  AVERAGE: summing(mean),
  MIN: summing((numbers) => {
    let least = numbers.length ? numbers[0] : 0;
    for (let i = 1; i < numbers.length; i += 1) if (numbers[i] < least) least = numbers[i];
    return least;
  }),
  MAX: summing((numbers) => {
    let most = numbers.length ? numbers[0] : 0;
    for (let i = 1; i < numbers.length; i += 1) if (numbers[i] > most) most = numbers[i];
    return most;
  }),
  PRODUCT: summing((numbers) => (numbers.length ? finite(numbers.reduce((a, b) => a * b, 1)) : 0)),
  SUMSQ: summing((numbers) => total(numbers.map((x) => x * x))),
  MEDIAN: summing((numbers) => quantile(numbers, 0.5)),
  GEOMEAN: summing((numbers) => (numbers.length && numbers.every((x) => x > 0) ? Math.exp(mean(numbers.map(Math.log))) : NUM)),
  STDEV: summing((numbers) => rooted(spreadOf(numbers, 1))),
  STDEV$S: summing((numbers) => rooted(spreadOf(numbers, 1))),
  STDEVP: summing((numbers) => rooted(spreadOf(numbers, 0))),
  STDEV$P: summing((numbers) => rooted(spreadOf(numbers, 0))),
  VAR: summing((numbers) => spreadOf(numbers, 1)),
  VAR$S: summing((numbers) => spreadOf(numbers, 1)),
  VARP: summing((numbers) => spreadOf(numbers, 0)),
  VAR$P: summing((numbers) => spreadOf(numbers, 0)),
  COUNT: (...given) => given.flatMap((one) => (one instanceof Block ? one.data.filter((value) => typeof value === 'number') : [one].filter((value) => typeof number(value) === 'number'))).length,
  COUNTA: (...given) => given.flatMap((one) => block(one).data).filter((value) => !isBlank(value)).length,
  COUNTBLANK: (values) => block(values).data.filter((value) => isBlank(value) || value === '').length,
  SUMPRODUCT: sumProduct,
  SMALL: ranked((numbers, which) => nth(rising(numbers), which)),
  LARGE: ranked((numbers, which) => nth(rising(numbers).reverse(), which)),
  PERCENTILE: ranked(quantile),
  PERCENTILE$INC: ranked(quantile),
  PERCENTILE$EXC: ranked(outerQuantile),
  QUARTILE: ranked((numbers, which) => quantile(numbers, Math.trunc(which) / 4)),
  QUARTILE$INC: ranked((numbers, which) => quantile(numbers, Math.trunc(which) / 4)),
  RANK: rank,
  RANK$EQ: rank,
  AND: logical((found) => found.every(Boolean)),
  OR: logical((found) => found.some(Boolean)),
  XOR: logical((found) => found.filter(Boolean).length % 2 === 1),
  COUNTIF: (values, condition) => counted([values, condition]),
  COUNTIFS: (...given) => counted(given),
  SUMIF: (values, condition, sums) => summed([values, condition], sums ?? values, true),
  SUMIFS: (sums, ...given) => summed(given, sums),
  AVERAGEIF: (values, condition, sums) => averaged([values, condition], sums ?? values, true),
  AVERAGEIFS: (sums, ...given) => averaged(given, sums),
  MAXIFS: (values, ...given) => conditional((numbers) => (numbers.length ? Math.max(...numbers) : 0))(given, values),
  MINIFS: (values, ...given) => conditional((numbers) => (numbers.length ? Math.min(...numbers) : 0))(given, values),
};
