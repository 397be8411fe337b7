// Trading hours: their keys, their windows, and the words for them. Draws nothing.

import { time12 } from './times';
import type { Values } from './values';

export const HOURS = 'rules.session_block_outside.';
/** Keys of the form with one window a day. */
export const ONE_WINDOW = [
  'session_hours.start',
  'session_hours.end',
  'pre_market.enabled',
  'pre_market.start',
  'after_hours.enabled',
  'after_hours.end',
];

/** Whether symbols follow hours of their own, and which. */
export const OWN_HOURS = `${HOURS}per_instrument_sessions.enabled`;
const OWN_WINDOWS = `${HOURS}per_instrument_sessions.sessions.`;
export const ownHoursKey = (symbol: string): string => OWN_WINDOWS + symbol;

/** Keys that the week's own form edits. */
export const isHours = (key: string): boolean =>
  key.startsWith(`${HOURS}per_instrument_sessions.`) ||
  [...ONE_WINDOW, 'allowed_days', 'sessions'].some((name) => key === HOURS + name);

/** One stretch of trading hours; days as the files count them, 0 is Monday. */
export interface Hours {
  start: string;
  end: string;
  days: number[];
}

export const windowsIn = (value: string): Hours[] => {
  try {
    const windows: unknown = JSON.parse(value);
    return Array.isArray(windows) ? (windows as Hours[]) : [];
  } catch {
    return [];
  }
};

/** The hours of an account, in whichever form the files give them. */
export function hoursOf(read: (key: string) => unknown): Hours[] {
  const days = (read(`${HOURS}allowed_days`) ?? []) as number[];
  const several = read(`${HOURS}sessions`) as Hours[] | undefined;
  if (several) return several.map((it) => ({ ...it, days: it.days.length ? it.days : days }));
  const [start, end, early, from, late, until] = ONE_WINDOW.map((key) => read(HOURS + key));
  return [{ start: String(early === true ? from : start), end: String(late === true ? until : end), days }];
}

export const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

export function daysText(days: number[]): string {
  const sorted = [...days].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const day of sorted) {
    const last = runs.at(-1);
    if (last && last[1] === day - 1) last[1] = day;
    else runs.push([day, day]);
  }
  const name = (day: number) => DAYS[day] ?? '';
  return runs.map(([a, b]) => (a === b ? name(a) : `${name(a)}–${name(b)}`)).join(', ');
}

export const windowsText = (windows: Hours[]) =>
  windows.map((it) => `${daysText(it.days)} ${time12(it.start)}–${time12(it.end)}`.trim()).join(' · ');

export const zoneText = (zone: string): string =>
  ({ 'America/Chicago': 'CT', 'America/New_York': 'ET', UTC: 'UTC' })[zone] ?? zone.replace(/_/g, ' ');

/** The symbols that have hours of their own, switched on or not. */
export const ownSymbols = (values: Values): string[] =>
  [...values.keys()].filter((key) => key.startsWith(OWN_WINDOWS)).map((key) => key.slice(OWN_WINDOWS.length));

/** Windows of a symbol; without days they are open on those of the account. */
export const ownHours = (value: unknown, days: number[]): Hours[] =>
  (Array.isArray(value) ? (value as Hours[]) : []).map((it) => ({
    ...it,
    days: it.days?.length ? it.days : days,
  }));

/** `Mon–Fri 8:30 AM–3:00 PM CT, 2 symbols of their own`. */
export function hoursText(values: Values): string {
  const windows = windowsText(hoursOf((key) => values.get(key)?.value));
  const zone = zoneText(String(values.get(`${HOURS}timezone`)?.value ?? ''));
  const own = values.get(OWN_HOURS)?.value === true ? ownSymbols(values) : [];
  return [`${windows} ${zone}`, apartText(own)].filter(Boolean).join(', ');
}

/** `MNQ and ES apart`. */
export const apartText = (symbols: string[]): string =>
  symbols.length ? `${symbols.length > 2 ? `${symbols.length} symbols` : symbols.join(' and ')} apart` : '';
