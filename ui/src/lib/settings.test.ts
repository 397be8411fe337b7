import { describe, expect, it } from 'vitest';

import { views } from './fake/backend';
import sample from './fake/settings.json';
import { changeText, waitingText } from './settings/changes';
import { daysText, hoursOf } from './settings/hours';
import { inForce, nowOf, sections, setBy, summary } from './settings/rows';
import { time12, time24 } from './settings/times';
import { shown, typed, valuesOf, written } from './settings/values';
import { verdict } from './settings/verdicts';
import type { Mode } from './texts/settings';
import type { SettingChange } from './types/SettingChange';
import type { SettingsPreview } from './types/SettingsPreview';
import type { SettingsView } from './types/SettingsView';
import { week } from './week';

const settings = sample as unknown as SettingsView;
const everyone = valuesOf(settings.scopes[0]);
const combine = valuesOf(settings.scopes[1]);
const armed = views.get('armed');
if (!armed) throw new Error('no sample view');
const now = Date.parse(armed.at);
const entries = sections(settings, true).flatMap((it) => it.entries);
const entry = (id: string) => {
  const found = entries.find((it) => it.id === id);
  if (!found) throw new Error(id);
  return found;
};
const key = (path: string) => {
  const found = settings.groups.flatMap((it) => it.keys).find((it) => it.key === path);
  if (!found) throw new Error(path);
  return found;
};

describe('rows', () => {
  it('has a row for each of the thirteen rules, with its figure', () => {
    const rules = entries.filter((it) => it.rule).map((it) => [it.title, summary(it, everyone)]);
    expect(rules).toEqual([
      ['Daily Loss Limit', '−$1,000.00 net'],
      ['Daily Profit Target', '+$1,000.00 net'],
      ['Open Loss per Position', '−$200.00'],
      ['Open Profit per Position', '+$500.00'],
      ['Max Contracts', '5, longs plus shorts'],
      ['Contract Limits', 'ES 1 · MNQ 4 · others 3'],
      ['Trade Limits', '3/min · 10/hour · 50/day'],
      ['Cooldown After Loss', '−$100 → 5 min, +2 steps'],
      ['Stop-Loss Required', 'within 2 min, full size'],
      ['Trading Hours', 'Mon–Fri 8:30 AM–3:00 PM CT'],
      ['Symbol Block', 'CL, RTY'],
      ['Trade Management', 'stop 10 · target 20 · break even 10 · trail 10'],
      ['Connection Guard', 'tell'],
    ]);
  });

  it('leaves out the settings of the program for one account, and no key of a rule', () => {
    const own = sections(settings, false).flatMap((it) => it.entries);
    expect(own.every((it) => it.rule)).toBe(true);
    const shownKeys = own.flatMap((it) => [...it.first, ...it.rest]).map((it) => it.key);
    expect(new Set(shownKeys).size).toBe(shownKeys.length);
    const limits = settings.groups
      .flatMap((it) => it.keys)
      .filter((it) => it.unit === 'dollars' && !it.alternative);
    expect(limits.every((it) => shownKeys.includes(it.key))).toBe(true);
  });

  it('says whose value it is', () => {
    expect(setBy(entry('daily_realized_loss'), combine)).toBe('This account');
    expect(setBy(entry('daily_realized_loss'), everyone)).toBe('Everyone');
    expect(setBy(entry('auth_loss_guard'), everyone)).toBe('Default');
  });

  it('never shows what still waits as if it were in force', () => {
    const id = settings.scopes[1]?.account ?? '';
    expect(summary(entry('daily_realized_loss'), combine)).toBe('−$750.00 net');
    const held = inForce(combine, armed.pending, id);
    expect(summary(entry('daily_realized_loss'), held)).toBe('−$500.00 net');
    expect(summary(entry('daily_realized_loss'), inForce(everyone, armed.pending, null))).toBe(
      '−$1,000.00 net',
    );
  });

  it('undoes waiting hours in the row as well', () => {
    const hours = [[{ start: '09:00', end: '11:00', days: [0] }], 'America/New_York'];
    const pending = {
      account: null,
      rule: 'session_block_outside' as const,
      key: 'rules.session_block_outside.sessions',
      text: '',
      from: hours,
      to: [],
      state: 'waits' as const,
      applies_at: null,
    };
    expect(summary(entry('session_block_outside'), inForce(everyone, [pending], null))).toBe(
      'Mon 9:00 AM–11:00 AM ET',
    );
  });
});

describe('what a rule has before it now', () => {
  const moment = { known: true, prices: true };
  const now = (id: string, accounts = armed.accounts, at = moment, mode: Mode = 'enforce') =>
    nowOf(entry(id), mode, accounts, at);

  it('is not said by anybody who did not look', () => {
    expect(now('session_block_outside')).toBe('');
    expect(now('cooldown_after_loss', armed.accounts, moment, 'off')).toBe('');
    expect(now('cooldown_after_loss', armed.accounts, moment, 'warn')).toBe('');
    expect(now('cooldown_after_loss')).toBe('ready');
    expect(now('no_stop_loss_grace', armed.accounts, { ...moment, known: false })).toBe('not judged');
  });

  it('is connected only where prices arrive and the account may trade', () => {
    expect(now('auth_loss_guard')).toBe('connected');
    expect(now('auth_loss_guard', armed.accounts, { ...moment, prices: false })).toBe('no prices');
    const barred = armed.accounts.map((it) => ({ ...it, can_trade: false }));
    expect(now('auth_loss_guard', barred)).toBe('cannot trade');
  });

  it('knows an unknown stop from a missing one', () => {
    const held = (stop_covered: boolean | null) =>
      armed.accounts.map((it) => ({
        ...it,
        positions: it.positions.map((one) => ({ ...one, stop_covered })),
      }));
    const stops = ([true, false, null] as const).map((it) => now('no_stop_loss_grace', held(it)));
    expect(stops).toEqual(['covered', 'not covered', 'cover unknown']);
  });
});

describe('what is typed', () => {
  it.each([
    ['rules.daily_realized_loss.limit', '−$1,250.50', '-1250.50'],
    ['rules.daily_realized_loss.limit', ' 500 ', '500'],
    ['rules.max_contracts.limit', '1,000', '1000'],
    ['rules.trade_frequency_limit.limits.per_hour', '', 'null'],
    ['rules.max_contracts.limit', '', ''],
    ['rules.session_block_outside.session_close_grace', '5 min', '5m'],
    ['rules.session_block_outside.session_close_grace', '90 s', '90s'],
    ['general.warnings.told_at_percent', '50, 75', '[50,75]'],
    ['daily_reset.time', '5:00 pm', '17:00'],
  ])('%s: %s is written %s', (path, text, expected) => {
    expect(written(key(path), text)).toBe(expected);
  });

  it('reads back as it was shown', () => {
    for (const value of everyone.values()) {
      const meant = settings.groups.flatMap((it) => it.keys).find((it) => it.key === value.key);
      if (!meant || !['money', 'integer', 'duration', 'time', 'percents'].includes(meant.kind)) continue;
      const wired = typeof value.value === 'string' ? value.value : JSON.stringify(value.value);
      expect(written(meant, typed(meant, wired)).replace(/\.00$/, '')).toBe(wired);
    }
  });

  it('knows both clocks', () => {
    expect(['8:30 AM', '12:05 am', '12:00 PM', '20:15', '8 pm', 'noon'].map(time24)).toEqual([
      '08:30',
      '00:05',
      '12:00',
      '20:15',
      '20:00',
      'noon',
    ]);
    expect(['00:05', '12:00', '23:59', 'x'].map(time12)).toEqual(['12:05 AM', '12:00 PM', '11:59 PM', 'x']);
  });
});

describe('hours', () => {
  const read = (form: Record<string, unknown>) => (path: string) =>
    form[path.replace('rules.session_block_outside.', '')];

  it('reads every form of the files', () => {
    const plain = { allowed_days: [0, 1], 'session_hours.start': '08:30', 'session_hours.end': '15:00' };
    expect(hoursOf(read(plain))).toEqual([{ start: '08:30', end: '15:00', days: [0, 1] }]);
    const early = { ...plain, 'pre_market.enabled': true, 'pre_market.start': '07:00' };
    expect(hoursOf(read(early))[0]?.start).toBe('07:00');
    const several = { allowed_days: [4], sessions: [{ start: '09:00', end: '10:00', days: [] }] };
    expect(hoursOf(read(several))).toEqual([{ start: '09:00', end: '10:00', days: [4] }]);
  });

  it('draws windows over midnight on both days, and none on a holiday', () => {
    const hours = [{ start: '20:00', end: '02:00', days: [0, 2] }];
    const { days } = week(hours, 'America/Chicago', now, 'America/New_York', {
      holidays: ['2025-11-19'],
      early: [],
    });
    expect(days.map((it) => it.open)).toEqual([[], [[20, 24]], [[0, 2]], [], [], [], []]);
    expect(days.map((it) => it.day)).toEqual([16, 17, 18, 19, 20, 21, 22]);
    expect(days.findIndex((it) => it.today)).toBe(2);
    expect(days[3]?.holiday).toBe(true);
  });

  it('ends where the exchange closes early, and not where a night begins after that', () => {
    const day = [{ start: '08:30', end: '15:00', days: [2] }];
    const early = [{ date: '2025-11-19', close_time: '12:15' }];
    const open = (hours: typeof day) =>
      week(hours, 'America/Chicago', now, 'America/New_York', { holidays: [], early }).days.map(
        (it) => it.open,
      );
    expect(open(day)[3]).toEqual([[8.5, 12.25]]);
    const nights = [{ start: '17:00', end: '16:00', days: [1, 2] }];
    expect(open(nights).slice(2, 5)).toEqual([
      [[17, 24]],
      [
        [0, 12.25],
        [17, 24],
      ],
      [[0, 16]],
    ]);
    const morning = [{ start: '13:00', end: '15:00', days: [2] }];
    expect(open(morning)[3]).toEqual([]);
  });

  it('says the local hours only where they differ', () => {
    expect(week([], 'America/Chicago', now, 'America/New_York', { holidays: [], early: [] }).shift).toBe(1);
    expect(week([], 'America/Chicago', now, 'America/Chicago', { holidays: [], early: [] }).shift).toBeNull();
    expect(week([], 'no/zone', now, 'America/Chicago', { holidays: [], early: [] }).days).toHaveLength(7);
  });

  it('shortens runs of days', () => {
    expect([[0, 1, 2, 3, 4], [6, 0, 2], [], [5]].map(daysText)).toEqual([
      'Mon–Fri',
      'Mon, Wed, Sun',
      '',
      'Sat',
    ]);
  });
});

describe('changes', () => {
  it('are told in words, also where several keys are one', () => {
    const text = (path: string, from: unknown, to: unknown, rule: SettingChange['rule'] = null) =>
      changeText(settings, { key: path, rule, from, to });
    expect(text('rules.daily_realized_loss.limit', -500, -750)).toBe('Daily Loss Limit −$500.00 → −$750.00');
    expect(text('rules.max_contracts.rule_mode', 'enforce', 'warn', 'max_contracts')).toBe(
      'Max Contracts: Enforce → Warn',
    );
    expect(text('rules.max_contracts_per_instrument.instrument_limits.MNQ', 4, 6)).toBe('Limit of MNQ 4 → 6');
    expect(text('rules.trade_management.per_instrument.NQ.auto_stop_loss.ticks', null, 8)).toBe(
      'Distance of the stop of NQ none → 8 ticks',
    );
    expect(text('accounts', 'all', { listed: ['1'] })).toBe(
      'Watched accounts: those of now, and later ones once ticked in Setup,',
    );
    expect(text('rules.symbol_blocks.mode', ['blacklist', ['CL']], ['whitelist', ['ES']])).toBe(
      'Symbol Block CL → only ES',
    );
    expect(
      text('rules.max_contracts_per_instrument.default_limit', [3, 'use_default'], [null, 'block']),
    ).toBe('Limit of other symbols 3 → null');
  });

  it('wait with their time', () => {
    const [pending] = armed.pending;
    if (!pending) throw new Error('nothing waits');
    expect(waitingText(settings, pending, now, 'America/Chicago')).toBe(
      'Daily Loss Limit −$500.00 → −$750.00 applies at 5:00 PM CT (in 6h 18m).',
    );
    expect(waitingText(settings, { ...pending, state: 'refused' }, now, 'America/Chicago')).toContain(
      'was refused',
    );
  });
});

describe('verdict', () => {
  const context = { zone: 'America/Chicago', now, names: (id: string) => id, accounts: armed.accounts };
  const change = (to: number, effect: SettingChange['effect']): SettingChange => ({
    account: null,
    rule: 'daily_realized_loss',
    key: 'rules.daily_realized_loss.limit',
    from: -500,
    to,
    effect,
    applies_at: effect === 'later' ? '2025-11-18T23:00:00Z' : null,
  });
  const judge = (preview: Partial<SettingsPreview>) =>
    verdict(settings, { changes: [], faults: [], refused: null, ...preview }, context);

  it('of a stricter limit', () => {
    const said = judge({ changes: [change(-450, 'now')] });
    expect([said.strong, said.save]).toEqual(['Applies now.', 'Apply now']);
  });

  it('of a limit that the day has passed already', () => {
    const said = judge({ changes: [change(-300, 'now')] });
    expect([said.strong, said.save]).toEqual(['Applies now and locks at once.', 'Apply and lock']);
  });

  it('of a looser limit', () => {
    const said = judge({ changes: [change(-750, 'later')] });
    expect(said.strong).toBe('Looser: applies at 5:00 PM CT (in 6h 18m).');
    expect(said.text).toBe('Until then −$500.00 stays.');
    expect(said.save).toBe('Queue for 5:00 PM CT');
  });

  it('of both at once names what happens when', () => {
    const said = judge({ changes: [change(-450, 'now'), change(-750, 'later')] });
    expect(said.more).toEqual([
      'Now: Daily Loss Limit −$500.00 → −$450.00',
      'At 5:00 PM CT: Daily Loss Limit −$500.00 → −$750.00',
    ]);
  });

  it('while locked offers no button', () => {
    const said = judge({ changes: [change(-750, 'later')], refused: 'Account 1 is locked.' });
    expect([said.icon, said.save, said.text]).toEqual(['locked', null, 'Account 1 is locked.']);
  });

  it('of a fault says what to do and where it would stand', () => {
    const fault = {
      is_error: true,
      file: 'risk.yaml',
      line: 4,
      key: '',
      problem: 'That is no loss.',
      reason: 'Losses are negative.',
      fix: 'Put a minus in front.',
      example: null,
    };
    const said = judge({ faults: [fault] });
    expect([said.strong, said.text, said.save]).toEqual([
      'That is no loss.',
      'Losses are negative. Put a minus in front.',
      null,
    ]);
    expect(said.more).toEqual(['risk.yaml line 4: as it would stand in the file']);
  });

  it('of a change taken back', () => {
    const said = judge({ changes: [change(-750, 'withdrawn')] });
    expect([said.strong, said.save]).toEqual(['Keeps what is in force.', 'Keep current']);
  });
});

it('writes values for reading', () => {
  expect(
    shown(key('rules.cooldown_after_loss.loss_thresholds'), [{ loss_amount: -100, cooldown_duration: '5m' }]),
  ).toBe('−$100 → 5 min');
  expect(shown(key('rules.max_contracts.count_type'), 'gross')).toBe('Longs plus shorts');
  expect(shown(key('rules.max_contracts_per_instrument.unknown_symbol_action'), 'allow_with_limit:2')).toBe(
    'Up to 2',
  );
  expect(shown(key('rules.symbol_blocks.blocked_symbols'), [])).toBe('none');
});
