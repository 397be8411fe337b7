import { expect, it } from 'vitest';

import { everyMinute, plot } from './curve';
import { views } from './fake/backend';
import { ms } from './format';
import type { AccountView } from './types/AccountView';

const account = (state: string) => views.get(state)?.accounts[0] as AccountView;
const at = (state: string) => ms(views.get(state)?.at ?? '');
const drawn = (state: string) => {
  const result = plot(account(state), at(state), 428);
  if (!result) throw new Error(`${state} has no curve`);
  return result;
};

it('gives the side that bites the height, and marks a far target as off scale', () => {
  const armed = drawn('armed');
  expect(armed.target).toMatchObject({ value: '1000', onScale: false });
  const limit = armed.limit?.y ?? 0;
  expect(limit).toBeGreaterThan(armed.last.y);
  expect(limit).toBeGreaterThan(armed.zero + (armed.axis - armed.zero) / 2);
});

it('begins at a full hour and keeps its labels few', () => {
  const { hours } = drawn('locked');
  expect(hours.length).toBeLessThanOrEqual(5);
  expect(hours.every((hour) => hour.at % 3_600_000 === 0)).toBe(true);
});

it('marks what was not watched, and where the lock began', () => {
  const outage = drawn('not-protected');
  expect(outage.gaps).toHaveLength(1);
  expect(outage.watched.to).toBeCloseTo(outage.gaps[0]?.x ?? 0);
  expect(drawn('locked').locked?.at).toBe(ms('2025-11-18T20:24:31Z'));
});

it('claims no guarded minute before the first point', () => {
  const late = account('armed');
  const from = ms(late.curve[20]?.at ?? '');
  const drawn = plot({ ...late, curve: late.curve.slice(20) }, at('armed'), 428);
  expect(drawn?.watched.from).toBeGreaterThan(0);
  expect(from % 3_600_000).not.toBe(0);
});

it('a short outage that is over is a mark without words', () => {
  const watched = account('armed');
  const gap = { from: '2025-11-18T15:00:00Z', to: '2025-11-18T15:00:20Z' };
  const drawn = plot({ ...watched, unwatched: [gap] }, at('armed'), 428);
  expect(drawn?.gaps).toEqual([{ x: expect.any(Number), width: 1.5, named: false }]);
});

it('draws nothing without a point', () => {
  expect(plot({ ...account('armed'), curve: [] }, at('armed'), 428)).toBeNull();
});

it('has a place for every minute of the axis, so that time runs evenly', () => {
  const armed = drawn('armed');
  const all = everyMinute(armed);
  expect(all.length).toBe((armed.field.end - armed.field.start) / 60_000 + 1);
  expect(all.filter((one) => one.value !== undefined)).toEqual(armed.line);
  expect(armed.line.at(-1)?.value).toBe(-312);
});
