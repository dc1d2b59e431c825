// The cheapest split of several loads over offers, which no formula stands for. engine/allocation.py
// does the same, and says why it is the cheapest.

import { Block, Fault, NUM, VALUE, block, isBlank } from './values.js';

const ROUNDING = 1e-12;

const sum = (values) => values.reduce((all, value) => all + value, 0);
const inOrderOf = (costs) => costs.map((_, i) => i).sort((a, b) => costs[a] - costs[b] || a - b);

// The numbers of an argument, undefined where there is none; a Fault for what is no number from 0 on.
function amounts(value) {
  if (isBlank(value)) return undefined;
  const all = block(value).data;
  const fault = all.find((one) => one instanceof Fault);
  if (fault) return fault;
  if (!all.every((one) => typeof one === 'number')) return VALUE;
  return all.every((one) => one >= 0) ? all : NUM;
}

// What each offer gives to all loads: those who reach fewest offers choose first.
function used(demands, capacity, costs, paid, levels) {
  const room = [...paid, ...capacity.map((most, j) => most - paid[j])];
  const order = inOrderOf([...paid.map(() => 0), ...costs]);
  const taken = room.map(() => 0);
  for (const { loads, reached } of levels) {
    let needed = sum(loads.map((i) => demands[i]));
    for (const place of order) {
      const amount = reached[place % capacity.length] ? Math.min(room[place] - taken[place], Math.max(needed, 0)) : 0;
      taken[place] += amount;
      needed -= amount;
    }
  }
  return capacity.map((_, j) => taken[j] + taken[capacity.length + j]);
}

// Which load gets what of that: each in turn the cheapest that the others can spare.
function given(demands, total, costs, levels) {
  const left = [...total];
  const since = costs.map((_, j) => levels.filter(({ reached }) => !reached[j]).length);
  const spare = levels.map(({ reached }, k) => sum(left.filter((_, j) => reached[j]))
    - sum(levels.slice(0, k + 1).flatMap(({ loads }) => loads.map((i) => demands[i]))));
  const order = inOrderOf(costs);
  const from = (level, by) => {
    for (let k = level; k < spare.length; k += 1) spare[k] += by;
  };
  return demands.map((demand, i) => {
    const own = levels.findIndex(({ loads }) => loads.includes(i));
    const row = costs.map(() => 0);
    let needed = demand;
    from(own, demand);
    for (const j of order) {
      if (needed <= ROUNDING * demand) break;
      if (levels[own].reached[j] && left[j] > 0) {
        const held = Math.max(Math.min(...spare.slice(since[j], own)), 0);
        const amount = Math.min(left[j], needed, held);
        if (amount > ROUNDING * demand) {
          row[j] = amount;
          left[j] -= amount;
          needed -= amount;
          from(since[j], -amount);
        }
      }
    }
    return row;
  });
}

function allocated(...values) {
  const [demands, capacity, costs, minimum, latency, limits] = values.map(amounts);
  for (const one of [demands, capacity, costs, minimum, latency, limits]) if (one instanceof Fault) return one;
  if (!demands || !capacity || !costs) return VALUE;
  const paid = minimum ?? capacity.map(() => 0);
  if ([costs, paid, latency ?? capacity].some((one) => one.length !== capacity.length)) return VALUE;
  if (limits && (!latency || ![1, demands.length].includes(limits.length))) return VALUE;
  if (paid.some((least, j) => least > capacity[j])) return NUM;
  const fast = demands.map((_, i) => capacity.map((__, j) => (
    !limits || latency[j] <= limits[limits.length === 1 ? 0 : i]
  )));
  const reach = fast.map((row) => row.filter(Boolean).length);
  const levels = [...new Set(reach)].sort((a, b) => a - b).map((size) => ({
    loads: demands.map((_, i) => i).filter((i) => reach[i] === size),
    reached: fast[reach.indexOf(size)],
  }));
  // Each load has to fit into what it reaches, with all that reach no more.
  let wanted = 0;
  for (const { loads, reached } of levels) {
    wanted += sum(loads.map((i) => demands[i]));
    if (wanted > sum(capacity.filter((_, j) => reached[j])) * (1 + ROUNDING)) return NUM;
  }
  const split = given(demands, used(demands, capacity, costs, paid, levels), costs, levels);
  return new Block(demands.length, capacity.length, split.flat());
}

export const allocation = {
  TOK_ALLOCATE_LOADS: allocated,
};
