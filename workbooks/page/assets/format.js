// Numbers as a cell shows them. workbooks/page/formats.py does the same; a test holds them together.

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');
const TOKEN = /"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]|([#0?,.]+)|([eE][+-]0+)|(%)|([\s\S])/g;
const DATE = /^(yyyy|yy|mmmmm|mmmm|mmm|mm|m|dddd|ddd|dd|d|hh|h|ss|s|AM\/PM)/i;
// Hours, minutes or seconds in all, beyond a day too.
const ELAPSED = /^\[(h+|m+|s+)\]/i;
const SECONDS = { h: 3600, m: 60, s: 1 };
const CONDITION = /\[(>=|<=|<>|>|<|=)(-?[0-9.]+)\]/;
const HOLDS = {
  '>=': (x, y) => x >= y, '<=': (x, y) => x <= y, '<>': (x, y) => x !== y,
  '>': (x, y) => x > y, '<': (x, y) => x < y, '=': (x, y) => x === y,
};

// What a reader sees: blanks at the ends only make room.
export const shown = (value, format) => formatted(value, format).trim();

export function formatted(value, format) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (typeof value === 'string') return value;
  if (typeof value === 'object') return value.error;
  if (!Number.isFinite(value)) return '#NUM!';
  const [section, number] = chosen(sections(format), value);
  if (['general', ''].includes(section.trim().toLowerCase())) return general(number);
  return isDate(section) ? dated(number, section) : numbered(number, section);
}

function sections(format) {
  const parts = [''];
  let quoted = false;
  for (const character of format) {
    if (character === '"') quoted = !quoted;
    if (character === ';' && !quoted) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

function chosen(parts, value) {
  for (const part of parts.slice(0, 2)) {
    const found = CONDITION.exec(part);
    if (found && HOLDS[found[1]](value, Number(found[2]))) {
      return [part, value < 0 && ['<', '<='].includes(found[1]) ? -value : value];
    }
  }
  if (parts.some((part) => CONDITION.test(part))) {
    const rest = parts.slice(0, 3).filter((part) => !CONDITION.test(part));
    return [rest.length ? rest[rest.length - 1] : 'General', value];
  }
  if (value < 0 && parts.length > 1) return [parts[1], -value];
  if (value === 0 && parts.length > 2) return [parts[2], value];
  return [parts[0], value];
}

function isDate(section) {
  const bare = section.replace(/"[^"]*"|\\.|\[(?!(?:h+|m+|s+)\])[^\]]*\]|_./gi, '');
  return /[ymdhs]/i.test(bare) && !/[0#]/.test(bare);
}

// The digits of a number: a whole number as BigInt, and how many of them stand behind the point.
function digitsOf(value) {
  const [mantissa, exponent] = Math.abs(value).toExponential(14).split('e');
  return { digits: BigInt(mantissa.replace('.', '')), places: 14 - Number(exponent) };
}

function scaled(amount, by) {
  return { digits: amount.digits, places: amount.places - by };
}

// Half is rounded away from zero, as a spreadsheet does.
function rounded(amount, places) {
  let { digits } = amount;
  if (amount.places > places) {
    const unit = 10n ** BigInt(Math.min(amount.places - places, 400));
    digits = (digits + unit / 2n) / unit;
  } else {
    digits *= 10n ** BigInt(places - amount.places);
  }
  return digits;
}

function pointed(digits, places) {
  const text = digits.toString().padStart(places + 1, '0');
  return places ? [text.slice(0, -places), text.slice(-places)] : [text, ''];
}

function general(value) {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const sign = value < 0 ? '-' : '';
  if (size < 1e-4 || size >= 1e11) {
    const [digits, exponent] = size.toExponential(5).split('e');
    const short = digits.replace(/\.?0+$/, '');
    const number = Number(exponent);
    return `${sign}${short}E${number < 0 ? '-' : '+'}${String(Math.abs(number)).padStart(2, '0')}`;
  }
  const whole = size >= 1 ? String(Math.trunc(size)).length : 1;
  const places = Math.max(10 - whole, 0);
  const [left, right] = pointed(rounded(digitsOf(value), places), places);
  const rest = right.replace(/0+$/, '');
  return sign + left + (rest ? `.${rest}` : '');
}

function numbered(value, section) {
  const tokens = [...section.matchAll(TOKEN)];
  const first = tokens.find((token) => token[3]);
  if (!first) return around(tokens, '', null);
  const pattern = tokens.map((token) => token[3] || '').join('');
  const scientific = tokens.map((token) => token[4] || '').join('');
  const point = pattern.indexOf('.');
  const whole = point < 0 ? pattern : pattern.slice(0, point);
  const fraction = point < 0 ? '' : pattern.slice(point + 1);
  const places = fraction.replace(/[^0#?]/g, '').length;
  const least = fraction.replace(/[^0]/g, '').length;
  const scale = 3 * (pattern.length - pattern.replace(/,+$/, '').length);
  const percent = 2 * tokens.filter((token) => token[5]).length;
  const amount = scaled(digitsOf(value), percent - scale);
  let text;
  let zero = false;
  if (scientific) {
    let exponent = value === 0 ? 0 : amount.digits.toString().length - 1 - amount.places;
    let mantissa = rounded(scaled(amount, -exponent), places);
    if (mantissa >= 10n ** BigInt(places + 1)) {
      exponent += 1;
      mantissa = rounded({ digits: mantissa, places: places + 1 }, places);
    }
    const [left, right] = pointed(mantissa, places);
    const sign = exponent < 0 ? '-' : scientific.includes('+') ? '+' : '';
    const size = scientific.replace(/[^0]/g, '').length;
    text = `${left}${right ? `.${right}` : ''}E${sign}${String(Math.abs(exponent)).padStart(size, '0')}`;
  } else {
    const digits = rounded(amount, places);
    zero = digits === 0n;
    let [left, right] = pointed(digits, places);
    while (right.length > least && right.endsWith('0')) right = right.slice(0, -1);
    const leastWhole = whole.replace(/[^0]/g, '').length;
    left = left.replace(/^0+/, '').padStart(leastWhole, '0');
    if (whole.replace(/,+$/, '').includes(',')) left = left.replace(/(?<=\d)(?=(\d{3})+$)/g, ',');
    text = left + (right || point >= 0 ? `.${right}` : '');
  }
  return (value < 0 && !zero ? '-' : '') + around(tokens, text, first);
}

function around(tokens, digits, first) {
  let out = '';
  for (const token of tokens) {
    if (token === first) out += digits;
    else if (token[1] !== undefined) out += token[1];
    else if (token[2]) out += token[2];
    else if (token[0].startsWith('[$')) out += token[0].slice(2, -1).split('-')[0];
    else if (token[0].startsWith('_') && token[0].length === 2) out += ' ';
    else if (token[5]) out += '%';
    else if (token[6] && token[0] !== '@') out += token[6];
  }
  return out;
}

function dated(value, section) {
  if (!(value >= 0 && value < 2958466)) return '#####';
  // To the second: what is shown of a day that lacks less is the next one.
  const seconds = Math.floor(value * 86400 + 0.5);
  const moment = new Date((seconds - 25569 * 86400) * 1000);
  const plain = section.replace(/\[(?!(?:h+|m+|s+)\])[^\]]*\]|_.|\*.|;@$/gi, '');
  const noon = plain.toLowerCase().includes('am/pm');
  let out = '';
  let place = 0;
  let hours = false;
  while (place < plain.length) {
    const rest = plain.slice(place);
    const quoted = /^(?:"([^"]*)"|\\(.))/.exec(rest);
    if (quoted) {
      out += quoted[1] !== undefined ? quoted[1] : quoted[2];
      place += quoted[0].length;
      continue;
    }
    const elapsed = ELAPSED.exec(rest);
    if (elapsed) {
      const whole = Math.floor(seconds / SECONDS[elapsed[1][0].toLowerCase()]);
      out += String(whole).padStart(elapsed[1].length, '0');
      hours = elapsed[1][0].toLowerCase() === 'h';
      place += elapsed[0].length;
      continue;
    }
    const found = DATE.exec(rest);
    if (!found) {
      out += plain[place];
      place += 1;
      continue;
    }
    const code = found[0].toLowerCase();
    const minutes = ['m', 'mm'].includes(code) && (hours || /^m+:?s/i.test(rest));
    out += piece(code, moment, minutes, noon);
    hours = ['h', 'hh'].includes(code);
    place += found[0].length;
  }
  return out;
}

function piece(code, moment, minutes, noon) {
  const two = (number) => String(number).padStart(2, '0');
  const hour = noon ? moment.getUTCHours() % 12 || 12 : moment.getUTCHours();
  if (minutes) return code === 'mm' ? two(moment.getUTCMinutes()) : String(moment.getUTCMinutes());
  return {
    yyyy: String(moment.getUTCFullYear()), yy: two(moment.getUTCFullYear() % 100),
    mmmmm: MONTHS[moment.getUTCMonth()][0], mmmm: MONTHS[moment.getUTCMonth()], mmm: MONTHS[moment.getUTCMonth()].slice(0, 3),
    mm: two(moment.getUTCMonth() + 1), m: String(moment.getUTCMonth() + 1),
    dddd: DAYS[moment.getUTCDay()], ddd: DAYS[moment.getUTCDay()].slice(0, 3),
    dd: two(moment.getUTCDate()), d: String(moment.getUTCDate()),
    hh: two(hour), h: String(hour), ss: two(moment.getUTCSeconds()), s: String(moment.getUTCSeconds()),
    'am/pm': moment.getUTCHours() >= 12 ? 'PM' : 'AM',
  }[code];
}
