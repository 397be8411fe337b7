// Trading hours as the rows of a week: which stretches of each day are open. Draws nothing.

import { type Hours } from './settings/hours';
import { time12 } from './settings/times';

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

export function week(hours: Hours[], zone: string, now: number, local: string, holidays: string[]): WeekRows {
  const here = wall(now, zone);
  const first = here.date - here.weekday * DAY_MS;
  const days = CLOSED.map((closed, row) => {
    const date = new Date(first + row * DAY_MS);
    const name = date.toISOString().slice(0, 10);
    const previous = new Date(first + (row - 1) * DAY_MS).toISOString().slice(0, 10);
    const weekday = (row + 6) % 7;
    const holiday = holidays.includes(name);
    const begun = holiday ? [] : hours.filter((it) => it.days.includes(weekday));
    const late = holidays.includes(previous) ? [] : hours.filter((it) => it.days.includes((row + 5) % 7));
    return {
      date: name,
      day: date.getUTCDate(),
      weekday,
      today: row === here.weekday,
      holiday,
      open: [...late.flatMap(spill), ...begun.flatMap(spans)],
      closed: zone === CENTRAL ? closed : [],
      label: (from: number, to: number) => `${clock(from)}–${clock(to)}`,
    };
  });
  const offset = (wall(now, local).ms - here.ms) / 3_600_000;
  const shift = offset !== 0 && Number.isInteger(offset) ? offset : null;
  return { days, now: [here.weekday, here.hour], shift, reset: zone === CENTRAL ? 17 : null };
}

const hourOf = (text: string): number => {
  const [hour = NaN, minute = NaN] = text.split(':').map(Number);
  return hour + minute / 60;
};

/** The part on the day on which it begins. */
function spans({ start, end }: Hours): Span[] {
  const [from, to] = [hourOf(start), hourOf(end)];
  if (Number.isNaN(from) || Number.isNaN(to)) return [];
  return [[from, to > from ? to : 24]];
}

/** The part on the day after, of a window over midnight. */
function spill({ start, end }: Hours): Span[] {
  const [from, to] = [hourOf(start), hourOf(end)];
  return to < from && to > 0 ? [[0, to]] : [];
}

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
