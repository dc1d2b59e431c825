// Worksheet functions of days, of payments, and of chances.

import { DIV0, Fault, NUM, VALUE, block, finite, isFault, lifted, number, single, truth } from './values.js';
import { numeric, strictly } from './functions.js';
import { numbersOf } from './sums.js';

// --- days: numbers since 1900 ----------------------------------------------------------------------

const LAST_DAY = 2958465;

// Year, month from 0 and day: a spreadsheet counts a 29 February 1900, which never was, and a day 0.
function parts(day) {
  const whole = Math.floor(day);
  if (whole === 60) return [1900, 1, 29];
  if (whole === 0) return [1900, 0, 0];
  const moment = new Date((whole < 60 ? whole + 1 : whole) * 86400000 - 25569 * 86400000);
  return [moment.getUTCFullYear(), moment.getUTCMonth(), moment.getUTCDate()];
}

function dayOf(year, month, day) {
  const moment = new Date(Date.UTC(2000, 0, 1));
  moment.setUTCFullYear(year, month, 1);
  const first = moment.getTime() / 86400000 + 25569;
  return (first < 61 ? first - 1 : first) + day - 1;
}

const within = (day) => (day >= 0 && day <= LAST_DAY ? day : NUM);
const ofDay = (work) => (day, ...rest) => (day >= 0 && day <= LAST_DAY ? work(parts(day), ...rest) : NUM);

function monthsLater([year, month, day], months) {
  const many = Math.trunc(months);
  const last = new Date(Date.UTC(year, month + many + 1, 0)).getUTCDate();
  return within(dayOf(year, month + many, Math.min(day, last)));
}

const days = {
  DATE: numeric((year, month, day) => {
    const whole = Math.trunc(year);
    if (whole < 0 || whole > 9999) return NUM;
    return within(dayOf(whole < 1900 ? whole + 1900 : whole, Math.trunc(month) - 1, Math.trunc(day)));
  }),
  YEAR: numeric(ofDay(([year]) => year)),
  MONTH: numeric(ofDay(([, month]) => month + 1)),
  DAY: numeric(ofDay(([, , day]) => day)),
  EDATE: strictly(ofDay(monthsLater)),
  EOMONTH: strictly(ofDay(([year, month], months) => within(dayOf(year, month + Math.trunc(months) + 1, 1) - 1))),
  WEEKDAY: numeric((day, type = 1) => {
    // 0 on a Sunday.
    const sunday = (Math.floor(day) + 6) % 7;
    if (day < 0) return NUM;
    if (type === 1 || type === 17) return sunday + 1;
    if (type === 3) return (sunday + 6) % 7;
    if (type === 2) return ((sunday + 6) % 7) + 1;
    return type >= 11 && type < 17 ? ((sunday + 17 - type) % 7) + 1 : NUM;
  }),
  DAYS: numeric((end, start) => Math.trunc(end) - Math.trunc(start)),
};

// --- payments ------------------------------------------------------------------------------------

const grown = (rate, periods) => (1 + rate) ** periods;

function payment(rate, periods, present, future = 0, early = 0) {
  if (periods === 0) return NUM;
  if (rate === 0) return -(present + future) / periods;
  const by = grown(rate, periods);
  return finite(-(present * by + future) * rate / ((by - 1) * (early ? 1 + rate : 1)));
}

function futureValue(rate, periods, paid, present = 0, early = 0) {
  if (rate === 0) return finite(-present - paid * periods);
  const by = grown(rate, periods);
  return finite(-present * by - paid * (early ? 1 + rate : 1) * (by - 1) / rate);
}

function presentValue(rate, periods, paid, future = 0, early = 0) {
  if (rate === 0) return finite(-future - paid * periods);
  const by = grown(rate, periods);
  return finite((-future - paid * (early ? 1 + rate : 1) * (by - 1) / rate) / by);
}

function periodsOf(rate, paid, present, future = 0, early = 0) {
  if (rate === 0) return paid === 0 ? NUM : -(present + future) / paid;
  const each = paid * (early ? 1 + rate : 1);
  const by = (each - future * rate) / (each + present * rate);
  return by > 0 ? finite(Math.log(by) / Math.log(1 + rate)) : NUM;
}

function interest(rate, period, periods, present, future = 0, early = 0) {
  if (period < 1 || period > periods) return NUM;
  const paid = payment(rate, periods, present, future, early);
  if (early && period === 1) return 0;
  const owed = futureValue(rate, period - 1, paid, present, early);
  return early ? owed * rate / (1 + rate) : owed * rate;
}

// Where a function is 0, by Newton's steps; #NUM! where these lead nowhere.
function root(work, slope, guess, allowed) {
  let x = guess;
  for (let i = 0; i < 200; i += 1) {
    const step = work(x) / slope(x);
    if (!Number.isFinite(step)) return NUM;
    let next = x - step;
    if (!allowed(next)) next = (x - 1) / 2;
    if (Math.abs(next - x) <= 1e-15 * Math.max(1, Math.abs(next))) return next;
    x = next;
  }
  return Math.abs(work(x)) < 1e-7 * Math.max(1, Math.abs(work(guess))) ? x : NUM;
}

function valued(flows, times, rate) {
  let sum = 0;
  for (let i = 0; i < flows.length; i += 1) sum += flows[i] / (1 + rate) ** times[i];
  return sum;
}

function returned(flows, times, guess) {
  if (!flows.some((x) => x > 0) || !flows.some((x) => x < 0)) return NUM;
  const slope = (rate) => {
    let sum = 0;
    for (let i = 0; i < flows.length; i += 1) sum -= times[i] * flows[i] / (1 + rate) ** (times[i] + 1);
    return sum;
  };
  return root((rate) => valued(flows, times, rate), slope, guess, (rate) => rate > -1);
}

function irr(values, guess = 0.1) {
  const flows = numbersOf([block(values)]);
  const from = number(single(guess));
  if (flows instanceof Fault) return flows;
  if (from instanceof Fault) return from;
  if (from <= -1) return VALUE;
  return returned(flows, flows.map((_, i) => i), from);
}

function npv(rate, ...given) {
  const by = number(single(rate));
  const flows = numbersOf(given);
  if (by instanceof Fault) return by;
  if (flows instanceof Fault) return flows;
  return by === -1 ? DIV0 : finite(valued(flows, flows.map((_, i) => i + 1), by));
}

const payments = {
  PMT: numeric(payment),
  FV: numeric(futureValue),
  PV: numeric(presentValue),
  NPER: numeric(periodsOf),
  IPMT: numeric(interest),
  PPMT: numeric((rate, period, periods, present, future = 0, early = 0) => {
    const part = interest(rate, period, periods, present, future, early);
    return part instanceof Fault ? part : payment(rate, periods, present, future, early) - part;
  }),
  SLN: numeric((cost, rest, life) => (life === 0 ? DIV0 : (cost - rest) / life)),
  NPV: npv,
  IRR: irr,
};

// --- chances -------------------------------------------------------------------------------------

// A continued fraction by Lentz's way; `term` gives its parts a and b.
function fraction(first, term) {
  const tiny = 1e-300;
  let value = first || tiny;
  let [c, d] = [value, 0];
  for (let i = 1; i < 5000; i += 1) {
    const [a, b] = term(i);
    d = 1 / (b + a * d || tiny);
    c = b + a / c || tiny;
    value *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return value;
}

// The chance of more than x, of a normal variable.
function above(x) {
  if (x < 0) return 1 - above(-x);
  const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  if (x > 2.5) return density / fraction(x, (i) => [i, x]);
  let term = x;
  let sum = x;
  for (let i = 1; Math.abs(term) > 1e-18; i += 1) {
    term *= x * x / (2 * i + 1);
    sum += term;
  }
  return 0.5 - density * sum;
}

const below = (x) => (x < 0 ? above(-x) : 1 - above(x));
const bell = (x) => Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);

function normalAt(share) {
  if (!(share > 0 && share < 1)) return NUM;
  if (share > 0.5) return -normalAt(1 - share);
  if (share === 0.5) return 0;
  const t = Math.sqrt(-2 * Math.log(share));
  let x = -(t - (2.515517 + 0.802853 * t + 0.010328 * t * t) / (1 + 1.432788 * t + 0.189269 * t * t + 0.001308 * t ** 3));
  for (let i = 0; i < 20; i += 1) {
    const off = (above(-x) - share) / bell(x);
    const step = off / (1 + x * off / 2);
    x -= step;
    if (Math.abs(step) <= 1e-16 * Math.abs(x)) break;
  }
  return x;
}

const LANCZOS = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

function logGamma(x) {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const from = x - 1;
  let sum = 0.99999999999980993;
  LANCZOS.forEach((part, i) => { sum += part / (from + i + 1); });
  const t = from + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (from + 0.5) * Math.log(t) - t + Math.log(sum);
}

function betaShare(x, a, b, front = logGamma(a + b) - logGamma(a) - logGamma(b)) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaShare(1 - x, b, a, front);
  const value = fraction(1, (i) => {
    const m = Math.floor(i / 2);
    const part = i % 2
      ? -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      : m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    return [part, 1];
  });
  return Math.exp(front + a * Math.log(x) + b * Math.log(1 - x)) / (a * value);
}

function betaAt(share, a, b) {
  // Near 1 only what is left of a share has digits.
  if (share > 0.5) return 1 - betaAt(1 - share, b, a);
  const front = logGamma(a + b) - logGamma(a) - logGamma(b);
  let [low, high] = [0, 1];
  let x = a / (a + b);
  for (let i = 0; i < 400; i += 1) {
    const off = betaShare(x, a, b, front) - share;
    if (off > 0) high = x;
    else low = x;
    const slope = Math.exp(front + (a - 1) * Math.log(x) + (b - 1) * Math.log(1 - x));
    let next = x - off / slope;
    if (!(next > low && next < high)) next = (low + high) / 2;
    if (Math.abs(next - x) <= 2e-16 * next) return next;
    x = next;
  }
  return x;
}

function beta(x, a, b, low = 0, high = 1) {
  if (!(a > 0 && b > 0) || !(high > low) || x < low || x > high) return NUM;
  return betaShare((x - low) / (high - low), a, b);
}

function betaDistribution(x, a, b, whole, low = 0, high = 1) {
  const found = beta(x, a, b, low, high);
  if (whole || found instanceof Fault) return found;
  const place = (x - low) / (high - low);
  const front = logGamma(a + b) - logGamma(a) - logGamma(b);
  return finite(Math.exp(front + (a - 1) * Math.log(place) + (b - 1) * Math.log(1 - place)) / (high - low));
}

const inverseBeta = (share, a, b, low = 0, high = 1) => (
  a > 0 && b > 0 && share > 0 && share < 1 ? low + (high - low) * betaAt(share, a, b) : NUM);
const normal = (x, middle, width, whole) => {
  if (!(width > 0)) return NUM;
  return whole ? below((x - middle) / width) : bell((x - middle) / width) / width;
};
const normalInverse = (share, middle, width) => {
  const found = normalAt(share);
  return width > 0 && typeof found === 'number' ? middle + width * found : NUM;
};

const chances = {
  NORMSDIST: numeric(below),
  NORM$S$DIST: numeric((x, whole = 1) => (whole ? below(x) : bell(x))),
  NORMDIST: numeric(normal),
  NORM$DIST: numeric(normal),
  NORMSINV: numeric(normalAt),
  NORM$S$INV: numeric(normalAt),
  NORMINV: numeric(normalInverse),
  NORM$INV: numeric(normalInverse),
  BETADIST: numeric(beta),
  BETA$DIST: lifted((x, a, b, whole, ...ends) => {
    const is = [x, a, b].find(isFault) ?? truth(whole);
    return is instanceof Fault ? is : numeric(betaDistribution)(x, a, b, Number(is), ...ends);
  }),
  BETAINV: numeric(inverseBeta),
  BETA$INV: numeric(inverseBeta),
  GAMMALN: numeric((x) => (x > 0 ? logGamma(x) : NUM)),
};

export const money = { ...days, ...payments, ...chances };
