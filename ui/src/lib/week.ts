// Trading hours as the rows of a week: which stretches of each day are open. Draws nothing.

import type { Hours } from './settings/hours';
import { time12 } from './settings/times';
import type { EarlyClose } from './settings/values';

/** From hour to hour of one day. */
export type Span = [number, number];

export interface DayRow {
  date: string;
  day: number;
  /** As the files count: 0 is Monday. */
  weekday: number;
  today: boolean;
  holiday: boolean;
  open: Span[];
  /** The exchange is closed. */
  closed: Span[];
  label: (from: number, to: number) => string;
}

export interface WeekRows {
  /** Sunday first: that is when the trading week begins. */
  days: DayRow[];
  /** Row and hour of now. */
  now: [number, number];
  /** Hours that the local time is ahead; null where it is the same or differs by no full hour. */
  shift: number | null;
  /** Hour at which the trading day begins. */
  reset: number | null;
}

const CENTRAL = 'America/Chicago';
const DAY_MS = 86_400_000;

/** When the exchange trades nothing, in Central Time: 4 to 5 PM and the weekend. Sunday first. */
const CLOSED: Span[][] = [[[0, 17]], [[16, 17]], [[16, 17]], [[16, 17]], [[16, 17]], [[16, 24]], [[0, 24]]];

export interface Days {
  /** Dates on which no session begins, `2025-11-27`. */
  holidays: string[];
  early: EarlyClose[];
}

export function week(hours: Hours[], zone: string, now: number, local: string, days: Days): WeekRows {
  const here = wall(now, zone);
  const first = here.date - here.weekday * DAY_MS;
  const nameOf = (row: number) => new Date(first + row * DAY_MS).toISOString().slice(0, 10);
  const closes = new Map(days.early.map((it) => [it.date, hourOf(it.close_time)]));
  /** The windows that begin on a row's date: from and to, in hours of that date. */
  const begun = (row: number): Span[] =>
    days.holidays.includes(nameOf(row))
      ? []
      : hours
          .filter((it) => it.days.includes((row + 6) % 7))
          .flatMap((it) => span(it, [closes.get(nameOf(row)), closes.get(nameOf(row + 1))]));
  const rows = CLOSED.map((closed, row) => {
    const date = nameOf(row);
    const close = closes.get(date);
    const early: Span[] = close === undefined || row === 0 || row === 6 ? [] : [[Math.min(close, 16), 16]];
    return {
      date,
      day: Number(date.slice(8)),
      weekday: (row + 6) % 7,
      today: row === here.weekday,
      holiday: days.holidays.includes(date),
      open: [
        ...begun(row - 1).flatMap(spill),
        ...begun(row).map(([from, to]): Span => [from, Math.min(to, 24)]),
      ],
      closed: zone === CENTRAL ? [...early, ...closed] : [],
      label: (from: number, to: number) => `${clock(from)}–${clock(to)}`,
    };
  });
  const offset = (wall(now, local).ms - here.ms) / 3_600_000;
  const shift = offset !== 0 && Number.isInteger(offset) ? offset : null;
  return { days: rows, now: [here.weekday, here.hour], shift, reset: zone === CENTRAL ? 17 : null };
}

const hourOf = (text: string): number => {
  const [hour = NaN, minute = NaN] = text.split(':').map(Number);
  return hour + minute / 60;
};

/** A window in hours of the date on which it begins, cut by the early closes of that date and of the next. */
function span({ start, end }: Hours, closes: (number | undefined)[]): Span[] {
  const from = hourOf(start);
  let to = hourOf(end);
  if (Number.isNaN(from) || Number.isNaN(to)) return [];
  const overnight = to <= from;
  if (overnight) to += 24;
  const lastDay = overnight ? 1 : 0;
  for (const [day, hour] of closes.slice(0, lastDay + 1).entries()) {
    if (hour === undefined || Number.isNaN(hour)) continue;
    const close = day * 24 + hour;
    if (close > from) to = Math.min(to, close);
    else if (day === lastDay) return [];
  }
  return [[from, to]];
}

/** What reaches into the day after. */
const spill = ([, to]: Span): Span[] => (to > 24 ? [[0, to - 24]] : []);

function clock(hour: number): string {
  const minutes = Math.round(hour * 60) % 1440;
  const two = (n: number) => String(n).padStart(2, '0');
  return time12(`${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`);
}

interface Wall {
  /** Midnight of the date, counted as if it were UTC. */
  date: number;
  ms: number;
  hour: number;
  /** Sunday is 0. */
  weekday: number;
}

function wall(at: number, timeZone: string): Wall {
  let formatter: Intl.DateTimeFormat;
  const options = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  } as const;
  try {
    formatter = new Intl.DateTimeFormat('en-US', { timeZone, ...options });
  } catch {
    // A zone that is still being typed.
    formatter = new Intl.DateTimeFormat('en-US', { timeZone: CENTRAL, ...options });
  }
  const part = Object.fromEntries(formatter.formatToParts(at).map((it) => [it.type, Number(it.value)]));
  const date = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day);
  const hour = (part.hour ?? 0) + (part.minute ?? 0) / 60;
  return { date, hour, ms: date + hour * 3_600_000, weekday: new Date(date).getUTCDay() };
}
