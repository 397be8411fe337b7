// The geometry of the day's curve: where the line, its limits and the unwatched stretches lie. Draws nothing.

import { ms } from './format';
import type { AccountView } from './types/AccountView';
import type { RuleMode } from './types/RuleMode';

export interface Plot {
  width: number;
  height: number;
  /** Right end of the plot; values stand in the gutter beyond it. */
  right: number;
  /** Where the line itself lies, and what its edges stand for. */
  field: { top: number; height: number; start: number; end: number; low: number; high: number };
  /** One point a minute at most: the last of each, in seconds since 1970 and dollars. */
  line: { time: number; value: number }[];
  zero: number;
  axis: number;
  last: { x: number; y: number; net: string };
  limit: { y: number; value: string; mode: RuleMode } | null;
  target: { y: number; value: string; onScale: boolean } | null;
  hours: { x: number; at: number }[];
  /** Guarded minutes: from the first point on. Before it nobody watched. */
  watched: { from: number; to: number };
  gaps: { x: number; width: number; named: boolean }[];
  locked: { x: number; at: number } | null;
}

const GUTTER = 78;
const TOP = 20;
const BOTTOM = 20;
/** Narrower stretches that are over carry no words. */
const NAMED_FROM = 40;
/** Left of this there is no room for words before a stretch. */
export const WORDS_FROM = 80;
const HOUR = 3_600_000;
/** The axis spans at least so much, so that the first minutes do not fill it. */
const SHORTEST = 4 * HOUR;
const MOST_LABELS = 5;
/** Dollars of room above the curve: more where a target that is off scale stands there. */
const HEADSPACE = { target: 130, none: 40 };

export function plot(account: AccountView, now: number, width: number, height = 118): Plot | null {
  const points = account.curve.map((point) => ({ at: ms(point.at), net: Number(point.net) }));
  const first = points[0];
  const last = points.at(-1);
  const lastNet = account.curve.at(-1)?.net;
  if (!first || !last || lastNet === undefined) return null;

  const money = (rule: string) => account.gauges.find((gauge) => gauge.rule === rule && gauge.unit === 'usd');
  const limit = money('daily_realized_loss');
  const target = money('daily_realized_profit');

  const start = Math.floor(first.at / HOUR) * HOUR;
  const end = Math.max(start + SHORTEST, Math.ceil((now + HOUR / 2) / HOUR) * HOUR);
  const right = width - GUTTER;
  const x = (at: number) => (Math.min(Math.max(at, start), end) - start) * (right / (end - start));

  const nets = points.map((point) => point.net);
  const highest = Math.max(0, ...nets);
  const lowest = Math.min(limit ? Number(limit.limit) : 0, ...nets);
  const onScale = target ? highest > Number(target.limit) / 2 : false;
  const high =
    target && onScale ? Number(target.limit) : highest + (target ? HEADSPACE.target : HEADSPACE.none);
  const low = lowest - (high - lowest) * 0.06;
  const y = (net: number) => TOP + ((high - net) / (high - low)) * (height - TOP - BOTTOM);

  const every = [1, 2, 3, 4, 6].find((hours) => (end - start) / (hours * HOUR) <= MOST_LABELS) ?? 12;
  const hours: Plot['hours'] = [];
  for (let at = start; at < end - HOUR / 2; at += every * HOUR) hours.push({ at, x: x(at) });

  const gaps = account.unwatched.map(({ from, to }) => {
    const begin = x(ms(from));
    const wide = x(to === null ? now : ms(to)) - begin;
    // One that lasts must be seen at once; a short one that is over is only a mark.
    return {
      x: begin,
      width: Math.max(to === null ? 7 : 1.5, wide),
      named: to === null || wide > NAMED_FROM,
    };
  });
  const lock = account.lockouts.find((one) => one.rule === 'daily_realized_loss');
  const unwatchedSince = account.unwatched.find((one) => one.to === null)?.from;

  return {
    width,
    height,
    right,
    field: { top: TOP, height: height - TOP - BOTTOM, start, end, low, high },
    line: minutes(points),
    zero: y(0),
    axis: height - BOTTOM + 4,
    last: { x: x(last.at), y: y(last.net), net: lastNet },
    limit: limit ? { y: y(Number(limit.limit)), value: limit.limit, mode: limit.mode } : null,
    target: target ? { y: onScale ? y(Number(target.limit)) : 6, value: target.limit, onScale } : null,
    hours,
    watched: { from: x(first.at), to: x(unwatchedSince ? ms(unwatchedSince) : now) },
    gaps,
    locked: lock ? { x: x(ms(lock.since)), at: ms(lock.since) } : null,
  };
}

const MINUTE = 60_000;

function minutes(points: { at: number; net: number }[]): Plot['line'] {
  const last = new Map(points.map(({ at, net }) => [Math.floor(at / MINUTE) * 60, net]));
  return [...last].map(([time, value]) => ({ time, value }));
}

/** Every minute of the axis: the library spaces its points evenly, so that none may be missing. */
export function everyMinute({ field, line }: Plot): { time: number; value?: number }[] {
  const known = new Map(line.map((point) => [point.time, point.value]));
  const all: { time: number; value?: number }[] = [];
  for (let at = field.start; at <= field.end; at += MINUTE) {
    const value = known.get(at / 1000);
    all.push(value === undefined ? { time: at / 1000 } : { time: at / 1000, value });
  }
  return all;
}
