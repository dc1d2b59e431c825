// The number, day or time that a text reads as where a number is wanted.
// workbooks/excel/runtime/coerce.py does the same; a test holds them together.

// Behind a thousands separator Excel wants three digits or more.
const NUMBER = /^([-+]?) *(\$?) *([-+]?) *([0-9]+(?:,[0-9]{3,})*)?(\.[0-9]*)?([eE][-+]?[0-9]+)? *(%?)$/;
const MIXED = /^([-+]?)([0-9]+) +([0-9]+)\/([0-9]+)$/;
const YEAR_FIRST = /^([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})$/;
const MONTH_FIRST = /^([0-9]{1,2})([-/])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})$/;
const DAY_FIRST = /^([0-9]{1,2})[- ]([A-Za-z]{3,9})[- ,]+([0-9]{4}|[0-9]{2})$/;
const NAME_FIRST = /^([A-Za-z]{3,9})[- ]([0-9]{1,2})(?:, *([0-9]{4}|[0-9]{2})| +([0-9]{4}))$/;
const MONTH_OF_YEAR = /^([A-Za-z]{3,9})[- ]([0-9]{4})$/;
const TIME = /^([0-9]{1,4}):([0-9]{1,2})(?::([0-9]{1,2}(?:\.[0-9]+)?))?(?: +(AM|PM|A|P))?$/i;
const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const CENTURY = 30;
const LEAP_DAY = 60;

// null for a text that is none of them.
export function read(text) {
  // Only these are taken apart: Excel's other ways with letters and digits are not known.
  if (/[^\0-\x7f]/.test(text)) return null;
  const number = plain(text.replace(/^ +| +$/g, ''));
  return number === null ? moment(text) : number;
}

function plain(bare) {
  const bracketed = bare.length > 1 && bare.startsWith('(') && bare.endsWith(')');
  const found = NUMBER.exec(bracketed ? bare.slice(1, -1) : bare);
  if (found && !(found[1] && found[3]) && !(bracketed && found[1])) {
    const whole = (found[4] ?? '').replace(/,/g, '');
    const part = found[5] ?? '';
    if (whole || part.length > 1) {
      const amount = Number(`${whole || 0}${part}${found[6] ?? ''}`);
      const value = bracketed || found[1] === '-' || found[3] === '-' ? -amount : amount;
      if (!Number.isFinite(value)) return null;
      return found[7] ? value / 100 : value;
    }
  }
  const mixed = MIXED.exec(bare);
  if (!mixed || !Number(mixed[4])) return null;
  const value = Number(mixed[2]) + Number(mixed[3]) / Number(mixed[4]);
  return mixed[1] === '-' ? -value : value;
}

function moment(text) {
  // Spaces around a time are passed over, those around a day are not.
  const alone = TIME.exec(text.replace(/^ +| +$/g, ''));
  if (alone) return shareOfDay(alone);
  if (!text.includes(':')) return day(text);
  let head = text.split(' ', 1)[0];
  let time = TIME.exec(text.slice(head.length + 1).trim());
  if (!time) {
    const cut = / +[0-9]{1,2}:/.exec(text);
    time = cut && TIME.exec(text.slice(cut.index).trim());
    if (!time) return null;
    head = text.slice(0, cut.index);
  }
  const [whole, share] = [day(head), shareOfDay(time)];
  return whole === null || share === null ? null : whole + share;
}

function day(text) {
  let found = YEAR_FIRST.exec(text);
  if (found) return serial(Number(found[1]), Number(found[3]), Number(found[4]));
  found = MONTH_FIRST.exec(text);
  if (found) return serial(year(found[4]), Number(found[1]), Number(found[3]));
  found = DAY_FIRST.exec(text);
  if (found && month(found[2])) return serial(year(found[3]), month(found[2]), Number(found[1]));
  found = NAME_FIRST.exec(text);
  if (found && month(found[1])) return serial(year(found[3] ?? found[4]), month(found[1]), Number(found[2]));
  found = MONTH_OF_YEAR.exec(text);
  return found && month(found[1]) ? serial(Number(found[2]), month(found[1]), 1) : null;
}

const year = (text) => (text.length === 4 ? Number(text) : Number(text) + (Number(text) < CENTURY ? 2000 : 1900));
const month = (name) => MONTHS.findIndex((one) => [one, one.slice(0, 3)].includes(name.toLowerCase())) + 1;

// The number of a day, of which 29 February 1900 has one too.
function serial(years, months, days) {
  const when = new Date(Date.UTC(years, months - 1, days));
  if (years < 1900 || when.getUTCMonth() !== months - 1 || when.getUTCDate() !== days) return null;
  const number = when.getTime() / 86400000 + 25569;
  return number <= LEAP_DAY ? number - 1 : number;
}

function shareOfDay(time) {
  let hours = Number(time[1]);
  const [minutes, seconds] = [Number(time[2]), Number(time[3] ?? 0)];
  const half = (time[4] ?? '').toUpperCase()[0];
  if (half) {
    if (hours < 1 || hours > 12) return null;
    hours = (hours % 12) + (half === 'P' ? 12 : 0);
  }
  return minutes >= 60 || seconds >= 60 ? null : (hours * 3600 + minutes * 60 + seconds) / 86400;
}
