import { screen, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import type { SettingChange } from '../lib/types/SettingChange';
import type { SettingsView } from '../lib/types/SettingsView';
import { type Engine, NOTHING, row, says, show, user } from './settings.stage';

const OWN = 'rules.session_block_outside.per_instrument_sessions.';
const NIGHT = [{ start: '17:00', end: '16:00', days: [6, 0, 1, 2, 3] }];

/** The drafts that the engine was asked about last. */
async function asked(engine: Engine): Promise<[string, unknown][]> {
  await vi.advanceTimersByTimeAsync(400);
  const last = engine.of('preview_settings').at(-1);
  if (last?.ask !== 'preview_settings') throw new Error('not asked');
  return last.edits.map((it) => [it.key, it.value === null ? null : JSON.parse(it.value)]);
}

/** The sample with other values for everyone. */
function withValues(engine: Engine, values: Record<string, unknown>): void {
  const settings = structuredClone(engine.settings) as SettingsView;
  for (const scope of settings.scopes) {
    for (const [key, value] of Object.entries(values)) {
      scope.values = scope.values.filter((it) => it.key !== key);
      scope.values.push({ key, value, origin: 'everyone', file: 'risk.yaml', line: 9 });
    }
  }
  engine.settings = settings;
}

describe('holidays', () => {
  it('are added as one writes dates, in order, and past years are folded away', async () => {
    const engine = await show();
    await user().click(row(/^Holidays/));
    expect(screen.getByRole('button', { name: 'Remove Thu, Nov 27, 2025' })).toBeInTheDocument();
    expect(screen.queryByText(/of past years/)).toBeNull();
    const field = screen.getByLabelText('Holidays');
    await user().type(field, '11/28/2025{Enter}');
    const dates = ((await asked(engine))[0]?.[1] ?? []) as string[];
    expect(dates.slice(dates.indexOf('2025-11-27')).slice(0, 3)).toEqual([
      '2025-11-27',
      '2025-11-28',
      '2025-12-25',
    ]);
    expect(field).toHaveValue('');
  });

  it('refuse what is no date, and what is listed already', async () => {
    const engine = await show();
    await user().click(row(/^Holidays/));
    const field = screen.getByLabelText('Holidays');
    await user().type(field, '2025-02-30{Enter}');
    await says('Write the date as 2026-12-24 or 12/24/2026.');
    await user().clear(field);
    await user().type(field, '2025-12-25{Enter}');
    await says('Thu, Dec 25, 2025 is listed already.');
    expect(engine.of('preview_settings')).toEqual([]);
  });

  it('that are taken away say what the engine says, and only what changes', async () => {
    const dates = ['2025-11-27', '2025-12-25'];
    const change: SettingChange = {
      account: null,
      rule: null,
      key: 'holidays.dates',
      from: dates,
      to: ['2025-12-25'],
      effect: 'later',
      applies_at: '2025-11-18T23:00:00Z',
    };
    await show('armed', (it) => {
      withValues(it, { 'holidays.dates': dates });
      it.preview = { ...NOTHING, changes: [change] };
    });
    await user().click(row(/^Holidays/));
    await user().click(screen.getByRole('button', { name: 'Remove Thu, Nov 27, 2025' }));
    await vi.advanceTimersByTimeAsync(400);
    await says('Looser: applies at 5:00 PM CT (6:00 PM local, in 6h 18m).');
    await says('Holidays: − Thu, Nov 27, 2025');
    expect(screen.queryByText(/Dec 25, 2025/)).toBeNull();
  });
});

describe('early closes', () => {
  it('are a date and a time, which can be changed and removed', async () => {
    const engine = await show('armed', (it) =>
      withValues(it, { 'holidays.early_close': [{ date: '2025-11-28', close_time: '12:15' }] }),
    );
    await user().click(row(/^Holidays limit .* early close/));
    const at = screen.getByLabelText('Close on Fri, Nov 28, 2025');
    expect(at).toHaveValue('12:15 PM');
    await user().clear(at);
    await user().type(at, '12 pm');
    await user().tab();
    expect(await asked(engine)).toEqual([
      ['holidays.early_close', [{ date: '2025-11-28', close_time: '12:00' }]],
    ]);
    await user().type(screen.getByLabelText('Date of an early close'), '2025-11-26');
    await user().type(screen.getByLabelText('Time of the close'), '1:00 PM{Enter}');
    expect(await asked(engine)).toEqual([
      [
        'holidays.early_close',
        [
          { date: '2025-11-26', close_time: '13:00' },
          { date: '2025-11-28', close_time: '12:00' },
        ],
      ],
    ]);
    const form = within(screen.getByRole('group', { name: 'Early closes' }));
    await user().click(form.getByRole('button', { name: 'Remove Wed, Nov 26, 2025' }));
    await user().click(form.getByRole('button', { name: 'Remove Fri, Nov 28, 2025' }));
    expect(await asked(engine)).toEqual([['holidays.early_close', []]]);
  });

  it('need a time', async () => {
    const engine = await show();
    await user().click(row(/^Holidays/));
    await user().type(screen.getByLabelText('Date of an early close'), '2025-11-26{Enter}');
    await says('Write the time of the close, such as 12:15 PM.');
    expect(engine.of('preview_settings')).toEqual([]);
  });
});

describe('a symbol', () => {
  it('gets hours of its own, which begin as those of the others', async () => {
    const engine = await show();
    await user().click(row(/^Trading Hours/));
    await says('None. Every symbol follows the hours above.');
    await user().type(screen.getByRole('combobox', { name: 'Give a symbol hours of its own' }), 'NQ');
    await vi.advanceTimersByTimeAsync(400);
    await user().click(screen.getByRole('option', { name: /^NQ/ }));
    const opens = screen.getByLabelText('NQ: window 1 opens');
    await user().clear(opens);
    await user().type(opens, '7:00 AM');
    await user().tab();
    expect(await asked(engine)).toEqual([
      [`${OWN}enabled`, true],
      [`${OWN}sessions.NQ`, [{ start: '07:00', end: '15:00', days: [0, 1, 2, 3, 4] }]],
    ]);
  });

  it('gives them up, and the last one switches them off', async () => {
    const engine = await show('armed', (it) =>
      withValues(it, { [`${OWN}enabled`]: true, [`${OWN}sessions.ES`]: NIGHT }),
    );
    await user().click(row(/^Trading Hours limit .*, ES apart/));
    expect(screen.getByLabelText('ES: window 1 closes')).toHaveValue('4:00 PM');
    await user().click(screen.getByRole('button', { name: 'Remove ES' }));
    expect(await asked(engine)).toEqual([
      [`${OWN}sessions.ES`, null],
      [`${OWN}enabled`, false],
    ]);
    await user().click(screen.getByRole('button', { name: 'Keep its hours' }));
    expect(screen.getByLabelText('ES: window 1 closes')).toHaveValue('4:00 PM');
    expect(screen.queryByRole('button', { name: /Apply|Queue|Save/ })).toBeNull();
  });

  it('that waits for other hours is named alone', async () => {
    const change: SettingChange = {
      account: null,
      rule: 'session_block_outside',
      key: 'rules.session_block_outside.sessions',
      from: [[{ start: '08:30', end: '15:00', days: [0] }], 'America/Chicago'],
      to: [[{ start: '08:30', end: '15:00', days: [0] }], 'America/Chicago', { ES: NIGHT }],
      effect: 'later',
      applies_at: '2025-11-18T23:00:00Z',
    };
    await show('armed', (it) => (it.preview = { ...NOTHING, changes: [change] }));
    await user().click(row(/^Trading Hours/));
    await user().type(screen.getByRole('combobox', { name: 'Give a symbol hours of its own' }), 'ES{Enter}');
    await vi.advanceTimersByTimeAsync(400);
    await says('Looser: applies at 5:00 PM CT (6:00 PM local, in 6h 18m).');
  });
});
