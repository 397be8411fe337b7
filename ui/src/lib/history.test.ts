import { describe, expect, it } from 'vitest';

import { historyOf } from './fake/history';
import { dayTitle, figures, outcome, stations } from './history';
import type { History } from './types/History';

const all = historyOf({ days: 7, account: null, rule: null, shown: 'all' }, null);
const empty: History = { days: [], sessions: [], cut: false };

describe('the figures over the days shown', () => {
  it('count what was done and what failed, and know the middle and the worst', () => {
    expect(figures(all)).toEqual({ enforced: 4, failed: 1, breaches: 4, median: 135, worst: '12.50' });
  });

  it('are unknown, not zero, where nothing was measured', () => {
    expect(figures(empty)).toEqual({ enforced: 0, failed: 0, breaches: 0, median: null, worst: null });
  });
});

it('names a trading day by its label, in every zone of the reader', () => {
  expect(dayTitle('2025-11-18')).toBe('Tue Nov 18');
  expect(dayTitle('2026-03-01')).toBe('Sun Mar 1');
});

it('says flat only of what was seen at the broker', () => {
  const line = all.days[0]?.receipts[0]?.receipt;
  if (!line) throw new Error('no sample receipt');
  expect(outcome(line)).toBe('Flat');
  expect(outcome({ ...line, outcome: 'pending' })).toBe('Under way');
  expect(
    stations({ ...line, confirmed_at: null, latency_us: null }, 'America/Chicago').map((one) => one.name),
  ).toEqual(['Detected', 'Sent', 'Acknowledged']);
});
