// Figures, times and countdowns exactly as `views` writes them in messages and in the tray.
// Both sides are held together by format.cases.json.

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const COARSE_FROM = 10 * MINUTE;
const MINUS = '\u2212';
const CENTRAL = 'America/Chicago';

/** Decimal text rounded to whole cents, half away from zero: [negative, dollars, cents]. */
function cents(amount: string): [boolean, string, string] {
  const negative = amount.startsWith('-');
  const [whole = '0', fraction = ''] = amount.replace('-', '').split('.');
  const scaled = BigInt(whole + fraction.padEnd(2, '0').slice(0, 2));
  const rounded = String(scaled + ((fraction[2] ?? '0') >= '5' ? 1n : 0n)).padStart(3, '0');
  const zero = /^0+$/.test(rounded);
  return [negative && !zero, rounded.slice(0, -2), rounded.slice(-2)];
}

const isZero = (amount: string) => /^-?\$?0*\.?0*$/.test(amount);

/** Headroom and distances: `$187.50`. */
export function unsigned(amount: string): string {
  const [, dollars, rest] = cents(amount);
  return `$${dollars.replace(/\B(?=(\d{3})+$)/g, ',')}.${rest}`;
}

/** Profit and loss, and limits: `−$312.50`, `+$35.00`, `$0.00`. */
export function signed(amount: string): string {
  const [negative, dollars, rest] = cents(amount);
  if (negative) return MINUS + unsigned(amount);
  return isZero(`${dollars}.${rest}`) ? unsigned(amount) : `+${unsigned(amount)}`;
}

/** A price with its own decimals and at least `decimals` of them: `25,112.25`. */
export function price(amount: string, decimals = 2): string {
  const [whole = '0', fraction = ''] = amount.replace('-', '').split('.');
  const shown = fraction.replace(/0+$/, '').padEnd(decimals, '0');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return (amount.startsWith('-') ? MINUS : '') + grouped + (shown ? `.${shown}` : '');
}

export const tone = (amount: string | null): 'pos' | 'neg' | '' =>
  amount === null || isZero(amount) ? '' : amount.startsWith('-') ? 'neg' : 'pos';

const two = (n: number) => String(n).padStart(2, '0');
const fine = (s: number) => (s < MINUTE ? `${s}s` : `${Math.floor(s / MINUTE)}m ${two(s % MINUTE)}s`);
const coarse = (m: number) => (m < 60 ? `${m}m` : `${Math.floor(m / 60)}h ${two(m % 60)}m`);
const days = (h: number) => `${Math.floor(h / 24)}d ${two(h % 24)}h`;

/** Time left in milliseconds, rounded up so that it never promises an earlier end. */
export function countdown(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds <= 0) return 'ending…';
  if (seconds < COARSE_FROM) return fine(seconds);
  const minutes = Math.ceil(seconds / MINUTE);
  return minutes * MINUTE >= DAY ? days(Math.ceil(minutes / 60)) : coarse(minutes);
}

/** Time gone in milliseconds, rounded down. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < COARSE_FROM) return fine(seconds);
  return seconds >= DAY ? days(Math.floor(seconds / HOUR)) : coarse(Math.floor(seconds / MINUTE));
}

interface Wall {
  weekday: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
  dayPeriod: string;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function wall(at: number, timeZone: string): Wall {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hour12: true,
      weekday: 'short',
      month: 'short',
      day: 'numeric',
      hour: 'numeric',
      minute: '2-digit',
      second: '2-digit',
    });
    formatters.set(timeZone, formatter);
  }
  return Object.fromEntries(
    formatter.formatToParts(at).map((part) => [part.type, part.value]),
  ) as unknown as Wall;
}

function clock(at: number, timeZone: string, seconds: boolean): string {
  const { hour, minute, second, dayPeriod } = wall(at, timeZone);
  return `${hour}:${minute}${seconds ? `:${second}` : ''} ${dayPeriod}`;
}

function otherDay(at: number, now: number): string {
  if (at >= now && at - now < DAY * 1000) return '';
  const date = (instant: number) => {
    const { weekday, month, day } = wall(instant, CENTRAL);
    return `${weekday} ${month} ${day}, `;
  };
  return date(at) === date(now) ? '' : date(at);
}

/** A planned time: `5:00 PM CT`; seconds only if it has some. */
export function schedule(at: number, now: number): string {
  return `${otherDay(at, now)}${clock(at, CENTRAL, hasSeconds(at))} CT`;
}

const hasSeconds = (at: number) => Math.floor(at / 1000) % MINUTE !== 0;

/** The time of an event, with seconds: `1:12:04 PM CT`. */
export const event = (at: number, now: number): string =>
  `${otherDay(at, now)}${clock(at, CENTRAL, true)} CT`;

/** The time of day without seconds, for the window's own clock. */
export const timeOfDay = (at: number): string => `${clock(at, CENTRAL, false)} CT`;

/** Hours for the axis of the day: `8 AM`. */
export function hourLabel(at: number): string {
  const { hour, dayPeriod } = wall(at, CENTRAL);
  return `${hour} ${dayPeriod}`;
}

/** Minutes past the full hour in Central Time. */
export const minuteOfHour = (at: number): number => Number(wall(at, CENTRAL).minute);

/** The zone shown beside Central Time: that of the reader's computer, or the one that the settings name. */
export type Beside = string | { chosen: string };

export const zoneOf = (zone: Beside): string => (typeof zone === 'string' ? zone : zone.chosen);

/** What it is called: `local`, or `New York` where it was chosen. */
export const called = (zone: Beside): string =>
  typeof zone === 'string' ? 'local' : (zone.chosen.split('/').at(-1) ?? '').replaceAll('_', ' ');

/** The local time, where it differs from Central Time: `6:00 PM local`, `12:00 AM London`. */
export function local(at: number, zone: Beside): string | null {
  const here = clock(at, zoneOf(zone), hasSeconds(at));
  return here === clock(at, CENTRAL, hasSeconds(at)) ? null : `${here} ${called(zone)}`;
}

/** The local time of an event, with seconds, where it differs: `2:12:04 PM local`. */
export function localEvent(at: number, zone: Beside): string | null {
  const here = clock(at, zoneOf(zone), true);
  return here === clock(at, CENTRAL, true) ? null : `${here} ${called(zone)}`;
}

/** `1:12:04 PM CT (2:12:04 PM local)`. */
export function eventWithLocal(at: number, now: number, zone: Beside): string {
  const aside = localEvent(at, zone);
  return aside ? `${event(at, now)} (${aside})` : event(at, now);
}

/** `5:00 PM CT (6:00 PM local)`. */
export function scheduleWithLocal(at: number, now: number, zone: Beside): string {
  const aside = local(at, zone);
  return aside ? `${schedule(at, now)} (${aside})` : schedule(at, now);
}

/** When something ends, and in how long: `5:00 PM CT (6:00 PM local, in 2h 14m)`. */
export function ahead(at: number, now: number, zone: Beside): string {
  const aside = [local(at, zone), at > now ? `in ${countdown(at - now)}` : null].filter(Boolean);
  return aside.length ? `${schedule(at, now)} (${aside.join(', ')})` : schedule(at, now);
}

export const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** `A`, `A and B`, `A, B and C`. */
export function listed(things: string[]): string {
  const last = things.at(-1) ?? '';
  return things.length < 2 ? last : `${things.slice(0, -1).join(', ')} and ${last}`;
}

/** Keeps what belongs together on one line: `−$`, a number and its unit, `PM CT`. */
export const tied = (text: string): string =>
  text
    .replace(/\u2212\$/g, '\u2212\u2060$')
    .replace(/(\d) (AM|PM|ms|left|%|[A-Z0-9]{2,4}\b)/g, '$1\u00a0$2')
    .replace(/(AM|PM) CT\b/g, '$1\u00a0CT')
    .replace(/(\d[dhm]) (\d)/g, '$1\u00a0$2');

export const ms = (instant: string): number => Date.parse(instant);
