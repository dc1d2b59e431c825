// What a reader types into a field, and what it means there.

const TYPED = /^([+-]?)\s?([$€£¥]?)\s?((?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s?(%?)$/;
const COMMA = /^[+-]?[$€£¥]?\s?\d+,\d+%?$/;
const ISO = /^(\d{4})-(\d{1,2})-(\d{1,2})$/;

// The signs that a number format shows around a number.
export function signs(format) {
  const bare = format.replace(/\[[^\]$]*\]|\\./g, '').split(';')[0];
  const plain = bare.replace(/"[^"]*"/g, '');
  return {
    percent: plain.includes('%'),
    currency: (/[$€£¥]/.exec(bare) || [''])[0],
    thousands: plain.includes(','),
    date: /[ymd]/i.test(plain) && !/[0#]/.test(plain),
  };
}

// What stands in a field for a value.
export function written(value, format) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'number') return String(value);
  const sign = signs(format);
  if (sign.date) return new Date(Math.round(value - 25569) * 86400000).toISOString().slice(0, 10);
  const number = Number((sign.percent ? value * 100 : value).toPrecision(15));
  const [left, right] = String(number).split('.');
  if (String(number).includes('e')) return String(number);
  const whole = sign.thousands || Math.abs(number) >= 10000
    ? left.replace(/(?<=\d)(?=(\d{3})+$)/g, ',') : left;
  return right ? `${whole}.${right}` : whole;
}

// The number that is meant, or what is wrong with it.
export function meant(text, field) {
  const typed = text.trim();
  const sign = signs(field.format);
  if (typed === '') return { wrong: 'A value is needed here.' };
  if (sign.date) return dateMeant(typed);
  const found = TYPED.exec(typed);
  if (!found) {
    if (COMMA.test(typed)) {
      return { wrong: `“${typed}” can be read in two ways: write decimals with a point, as 1.5, or thousands as 1,500.` };
    }
    return { wrong: `“${typed}” is not a number.` };
  }
  if (found[4] && !sign.percent) return { wrong: 'A percent sign does not belong here.' };
  if (found[2] && found[2] !== sign.currency) {
    return { wrong: `The sign ${found[2]} does not belong here.` };
  }
  let number = Number(found[3].replace(/,/g, '')) * (found[1] === '-' ? -1 : 1);
  if (sign.percent) number = Number((number / 100).toPrecision(15));
  if (!Number.isFinite(number)) return { wrong: `“${typed}” is too large a number.` };
  return { value: number };
}

function dateMeant(typed) {
  const found = ISO.exec(typed);
  const moment = found ? new Date(Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3]))) : null;
  if (!moment || moment.getUTCDate() !== Number(found[3]) || Number(found[1]) < 1900) {
    return { wrong: 'Write a date as 2026-07-31.' };
  }
  return { value: moment.getTime() / 86400000 + 25569 };
}

// What is wrong with a value that is a number; nothing where it is allowed.
export function refused(value, { low, low_open: lowOpen, high, high_open: highOpen, whole }, format) {
  const tell = (number) => {
    const sign = signs(format);
    const text = written(number, format);
    return sign.date ? text : `${sign.currency}${text}${sign.percent ? '%' : ''}`;
  };
  const wanted = [];
  if (whole) wanted.push('a whole number');
  if (low !== null) wanted.push(`${lowOpen ? 'more than' : 'at least'} ${tell(low)}`);
  if (high !== null) wanted.push(`${highOpen ? 'less than' : 'at most'} ${tell(high)}`);
  const outside = (whole && !Number.isInteger(value))
    || (low !== null && (value < low || (lowOpen && value === low)))
    || (high !== null && (value > high || (highOpen && value === high)));
  return outside ? `Allowed here: ${wanted.join(', ')}.` : '';
}
