// Holidays and early closes: dates as people read and write them. Draws nothing.

import { time12 } from './times';
import type { EarlyClose } from './values';

export const HOLIDAYS = 'holidays.dates';
export const EARLY_CLOSES = 'holidays.early_close';

const DAY = new Intl.DateTimeFormat('en-US', {
  timeZone: 'UTC',
  weekday: 'short',
  month: 'short',
  day: 'numeric',
  year: 'numeric',
});

/** A day that there is: February has no thirtieth. */
export function isDate(date: string): boolean {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(date);
}

/** `2026-11-26` as `Thu, Nov 26, 2026`; anything else as it is. */
export const dateText = (date: string): string =>
  isDate(date) ? DAY.format(Date.parse(`${date}T00:00:00Z`)) : date;

/** The same inside a list of one year: `Thu, Nov 26`. */
export const dayText = (date: string): string => dateText(date).replace(/, \d{4}$/, '');

/** `Fri, Nov 27, 2026 at 12:15 PM`. */
export const earlyText = (day: EarlyClose): string => `${dateText(day.date)} at ${time12(day.close_time)}`;

/** What was typed as a date, as the files write it: `11/27/2026` is 2026-11-27. */
export function dateWritten(typed: string): string {
  const text = typed.trim();
  const [, month = '', day = '', year] = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text) ?? [];
  return year ? `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}` : text;
}

const TODAY = new Intl.DateTimeFormat('sv-SE', { timeZone: 'America/Chicago' });

/** The date in Central Time, `2025-11-18`. */
export const dateIn = (at: number): string => TODAY.format(at);

/** By year, each in order: what is past stands apart. */
export function byYear(dates: string[]): [string, string[]][] {
  const years = new Map<string, string[]>();
  for (const date of [...dates].sort()) {
    const year = date.slice(0, 4);
    years.set(year, [...(years.get(year) ?? []), date]);
  }
  return [...years];
}
