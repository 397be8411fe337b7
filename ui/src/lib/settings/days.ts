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

const isDate = (date: string): boolean =>
  /^\d{4}-\d{2}-\d{2}$/.test(date) && !Number.isNaN(Date.parse(`${date}T00:00:00Z`));

/** `2026-11-26` as `Thu, Nov 26, 2026`; anything else as it is. */
export const dateText = (date: string): string =>
  isDate(date) ? DAY.format(Date.parse(`${date}T00:00:00Z`)) : date;

/** The same inside a list of one year: `Thu, Nov 26`. */
export const dayText = (date: string): string => dateText(date).replace(/, \d{4}$/, '');

/** `Fri, Nov 27, 2026 at 12:15 PM`. */
export const earlyText = (day: EarlyClose): string => `${dateText(day.date)} at ${time12(day.close_time)}`;

/** What was typed as a date, as the files write it: `11/27/2026` and `Nov 27 2026` are 2026-11-27. */
export function dateWritten(typed: string): string {
  const text = typed.trim();
  if (isDate(text)) return text;
  const [, month, day, year] = /^(\d{1,2})\/(\d{1,2})\/(\d{4})$/.exec(text) ?? [];
  if (year) return `${year}-${month?.padStart(2, '0')}-${day?.padStart(2, '0')}`;
  const said = /\b\d{4}\b/.test(text) ? Date.parse(`${text} UTC`) : NaN;
  return Number.isNaN(said) ? text : new Date(said).toISOString().slice(0, 10);
}

/** By year, each in order: what is past stands apart. */
export function byYear(dates: string[]): [string, string[]][] {
  const years = new Map<string, string[]>();
  for (const date of [...dates].sort()) {
    const year = date.slice(0, 4);
    years.set(year, [...(years.get(year) ?? []), date]);
  }
  return [...years];
}
