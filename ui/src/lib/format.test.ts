import { describe, expect, it } from 'vitest';

import cases from './format.cases.json';
import {
  countdown,
  elapsed,
  event,
  listed,
  local,
  ms,
  price,
  schedule,
  signed,
  tied,
  unsigned,
} from './format';

describe('figures and times read as they do in messages and in the tray', () => {
  it.each(cases.money)('$amount is $signed', (money) => {
    expect(signed(money.amount)).toBe(money.signed);
    expect(unsigned(money.amount)).toBe(money.unsigned);
  });

  it.each(cases.spans)('$ms ms are $countdown left or $elapsed gone', (span) => {
    expect(countdown(span.ms)).toBe(span.countdown);
    expect(elapsed(span.ms)).toBe(span.elapsed);
  });

  it.each(cases.clocks)('$at is $schedule', (clock) => {
    const at = ms(clock.at);
    const now = ms(cases.now);
    expect(schedule(at, now)).toBe(clock.schedule);
    expect(event(at, now)).toBe(clock.event);
    expect(local(at, 'Europe/Berlin')).toBe(clock.berlin);
    expect(local(at, { chosen: 'Asia/Kolkata' })).toBe(clock.kolkata);
  });
});

it('shows no local time where the clocks agree', () => {
  expect(local(ms('2025-11-18T23:00:00Z'), 'America/Winnipeg')).toBeNull();
});

it('keeps the decimals of prices', () => {
  expect(price('25112.25')).toBe('25,112.25');
  expect(price('6702.5')).toBe('6,702.50');
  expect(price('1.08645')).toBe('1.08645');
});

it('never breaks a line inside an amount or a time', () => {
  expect(tied('−$312.50 until 5:00 PM CT in 2h 14m')).toBe(
    '−\u2060$312.50 until 5:00\u00a0PM\u00a0CT in 2h\u00a014m',
  );
});

it('lists things as a sentence does', () => {
  expect(listed([])).toBe('');
  expect(listed(['2 MNQ', '1 ES'])).toBe('2 MNQ and 1 ES');
});
