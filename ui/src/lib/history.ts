// The past as the page tells it: titles, figures over the days that are shown, the stations of a receipt.

import { called, event, localEvent, ms, signed, unsigned, type Beside } from './format';
import type { History } from './types/History';
import type { PastLockout } from './types/PastLockout';
import type { ReceiptView } from './types/ReceiptView';
import type { Shown } from './types/Shown';

export const SHOWN: [Shown, string][] = [
  ['all', 'All'],
  ['enforced', 'Enforced'],
  ['observed', 'Observed'],
  ['failed', 'Failed'],
  ['changes', 'Changes'],
];

export const SPANS = [7, 30, 90];

/** `Tue Nov 18` from the label of a trading day. */
export function dayTitle(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  const shown = { timeZone: 'UTC', weekday: 'short', month: 'short', day: 'numeric' } as const;
  return date.toLocaleDateString('en-US', shown).replace(',', '');
}

export interface Figures {
  enforced: number;
  failed: number;
  breaches: number;
  /** Median from detected to seen at the broker, in whole milliseconds; null before the first. */
  median: number | null;
  /** Furthest past a money limit; null where none was judged. */
  worst: string | null;
}

export function figures(history: History): Figures {
  const receipts = history.days.flatMap((day) => day.receipts.map((one) => one.receipt));
  const took = receipts
    .filter((one) => one.outcome === 'confirmed' && one.latency_us !== null)
    .map((one) => one.latency_us ?? 0)
    .sort((a, b) => a - b);
  const middle = took.slice((took.length - 1) >> 1, (took.length >> 1) + 1);
  const past = receipts.map((one) => one.overshoot_usd).filter((one) => one !== null);
  return {
    enforced: receipts.filter((one) => one.outcome === 'confirmed').length,
    failed: receipts.filter((one) => one.outcome === 'failed').length,
    breaches: history.days.flatMap((day) => day.accounts).reduce((sum, one) => sum + one.breaches, 0),
    median: middle.length
      ? Math.round(middle.reduce((sum, one) => sum + one, 0) / middle.length / 1000)
      : null,
    worst: past.length ? past.reduce((most, one) => (Number(one) > Number(most) ? one : most)) : null,
  };
}

/** How it ended, in one word. Flat is only said of what was seen at the broker. */
export function outcome(line: ReceiptView): string {
  switch (line.outcome) {
    case 'pending':
      return 'Under way';
    case 'failed':
      return 'Failed';
    case 'observed':
      return 'Observed';
    case 'superseded':
      return 'Not needed';
    case 'recorded':
      return /lockout|cooldown/.test(line.action)
        ? 'Locked'
        : line.action === 'unlock'
          ? 'Ended'
          : 'Recorded';
    case 'confirmed':
      if (line.action.startsWith('reduce')) return 'Reduced';
      if (/^(cancel|shrink)/.test(line.action)) return 'Cancelled';
      return /close|flatten/.test(line.action) ? 'Flat' : 'Done';
  }
}

/** What no rule brought about carries the name of what it is. */
export function heading(line: ReceiptView): string {
  switch (line.action) {
    case 'settings':
      return 'Risk Settings';
    case 'reset':
      return 'Daily reset';
    case 'recovery':
      return 'Records';
    default:
      return line.title;
  }
}

export interface Station {
  name: string;
  when: string;
  what: string;
}

/** From detected to seen: the first with its time, the others with what they took. */
export function stations(line: ReceiptView, zone: Beside): Station[] {
  const from = line.detected_at;
  if (from === null) return [];
  const took = (at: string) => `+${Math.max(0, Math.round(ms(at) - ms(from)))} ms`;
  const here = localEvent(ms(from), zone) ?? 'here';
  const all: Station[] = [{ name: 'Detected', when: event(ms(from), ms(from)), what: here }];
  if (line.sent_at) all.push({ name: 'Sent', when: took(line.sent_at), what: 'to the broker' });
  if (line.acknowledged_at)
    all.push({ name: 'Acknowledged', when: took(line.acknowledged_at), what: 'by the broker' });
  if (line.confirmed_at && line.latency_us !== null) {
    const seen = `+${Math.round(line.latency_us / 1000)} ms`;
    all.push({ name: outcome(line), when: seen, what: 'seen at the broker' });
  }
  return all;
}

/** `Daily Loss Limit, 2:24:31 PM CT to 5:00:00 PM CT`, with the local times where they differ. */
export function lockoutLine(lock: PastLockout, zone: Beside): string {
  const name = lock.symbol ? `${lock.title} ${lock.symbol}` : lock.title;
  const since = ms(lock.since);
  const end = lock.ended ? `to ${event(ms(lock.ended), since)}` : 'and still';
  const here = [lock.since, lock.ended].flatMap((at) => (at && localEvent(ms(at), zone)) ?? []);
  const aside = here.length
    ? ` (${here.map((it) => it.replace(` ${called(zone)}`, '')).join(' to ')} ${called(zone)})`
    : '';
  return `${name}, ${event(since, since)} ${end}${aside}`;
}

/** `between −$120.50 and +$40.00`, or nothing where it was never known. */
export const range = (lowest: string | null, highest: string | null): string =>
  lowest === null || highest === null ? '' : `between ${signed(lowest)} and ${signed(highest)}`;

export const past = (line: ReceiptView): string =>
  line.overshoot_usd === null || line.outcome === 'observed' ? '' : unsigned(line.overshoot_usd);

export const took = (line: ReceiptView): string =>
  line.latency_us === null ? '' : `${Math.round(line.latency_us / 1000)} ms`;
