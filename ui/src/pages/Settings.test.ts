import { screen, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { describe, expect, it, vi } from 'vitest';

import { views } from '../lib/fake/backend';
import sample from '../lib/fake/settings.json';
import type { SettingChange } from '../lib/types/SettingChange';
import type { SettingsView } from '../lib/types/SettingsView';
import type { View } from '../lib/types/View';
import { NOTHING, plainName, row, says, show, type, user } from './settings.stage';

/** The sample where no file lists an account. */
const unlisted = (): SettingsView => ({
  ...(sample as unknown as SettingsView),
  scopes: (sample as unknown as SettingsView).scopes.slice(0, 1),
});

function looser(applies_at: string | null = '2025-11-18T23:00:00Z'): SettingChange {
  const key = 'rules.daily_realized_loss.limit';
  return {
    account: null,
    rule: 'daily_realized_loss',
    key,
    from: -1000,
    to: -1500,
    effect: 'later',
    applies_at,
  };
}

describe('a limit', () => {
  it('is judged by the engine while one types, and queued by the button that says so', async () => {
    const engine = await show('armed', (it) => (it.preview = { ...NOTHING, changes: [looser()] }));
    await type('Daily Loss Limit', '-1500');
    expect(engine.of('preview_settings').at(-1)).toEqual({
      ask: 'preview_settings',
      edits: [{ account: null, key: 'rules.daily_realized_loss.limit', value: '-1500' }],
    });
    await says('Looser: applies at 5:00 PM CT (6:00 PM local, in 6h 18m).');
    expect(engine.of('save_settings')).toEqual([]);
    await user().click(screen.getByRole('button', { name: plainName('Queue for 5:00 PM CT') }));
    expect(engine.of('save_settings')).toEqual([
      {
        ask: 'save_settings',
        edits: [{ account: null, key: 'rules.daily_realized_loss.limit', value: '-1500' }],
      },
    ]);
    expect(await says(/^Saved\. In force/)).toBeInTheDocument();
  });

  it('is asked about once for a run of key strokes', async () => {
    const engine = await show();
    await user().type(screen.getByLabelText('Daily Loss Limit'), '99');
    await vi.advanceTimersByTimeAsync(400);
    expect(engine.of('preview_settings')).toHaveLength(1);
  });

  it('that the check refuses is marked, explained and cannot be saved', async () => {
    const fault = {
      is_error: true,
      file: 'risk.yaml',
      line: 6,
      key: 'rules.daily_realized_loss.limit',
      problem: '500 is not a loss.',
      reason: 'Losses are negative.',
      fix: 'Put a minus sign in front.',
      example: null,
    };
    await show('armed', (it) => (it.preview = { ...NOTHING, faults: [fault] }));
    await type('Daily Loss Limit', '500');
    expect(await screen.findByText('500 is not a loss.')).toBeInTheDocument();
    expect(screen.getByLabelText('Daily Loss Limit')).toHaveAttribute('aria-invalid', 'true');
    expect(screen.queryByRole('button', { name: /Apply|Queue|Save/ })).toBeNull();
    await user().click(screen.getByRole('button', { name: 'Discard' }));
    expect(screen.getByLabelText('Daily Loss Limit')).toHaveValue('−1,000.00');
  });

  it('keeps its draft when the engine refuses to save', async () => {
    await show('armed', (it) => {
      it.preview = { ...NOTHING, changes: [looser()] };
      it.saved = { reply: 'refused', reason: 'Account 93365101 is locked.' };
    });
    await type('Daily Loss Limit', '-1500');
    await user().click(await screen.findByRole('button', { name: plainName('Queue for 5:00 PM CT') }));
    expect(await says('Account 93365101 is locked.')).toBeInTheDocument();
    expect(screen.getByLabelText('Daily Loss Limit')).toHaveValue('−1,500.00');
  });
});

it('a change that waits is named and can be taken back', async () => {
  const engine = await show();
  await says(
    '50KTC-V2-…5101: Daily Loss Limit −$500.00 → −$750.00 applies at 5:00 PM CT (6:00 PM local, in 6h 18m).',
  );
  await user().click(screen.getByRole('button', { name: 'Keep current' }));
  expect(engine.of('cancel_pending')).toEqual([
    { ask: 'cancel_pending', account: '93365101', key: 'rules.daily_realized_loss.limit' },
  ]);
});

it('is read anew when the engine says that the files changed, and only then', async () => {
  const engine = await show();
  expect(engine.of('settings')).toHaveLength(1);
  const view = views.get('armed');
  if (!view) throw new Error('no sample view');
  const push = async (change: Partial<View>) => {
    engine.push({ sight: 'live', view: { ...view, ...change }, age_ms: 0 });
    await tick();
  };
  await push({ near_limit: true });
  expect(engine.of('settings')).toHaveLength(1);
  await push({ settings_revision: '2' });
  expect(engine.of('settings')).toHaveLength(2);
});

it('shows what a file that cannot be used says, and where', async () => {
  const fault = {
    is_error: true,
    file: 'risk.yaml',
    line: 3,
    key: 'rules.max_contracts.limit',
    problem: '"many" is not a whole number.',
    reason: '',
    fix: 'Write a whole number.',
    example: null,
  };
  await show('armed', (it) => (it.settings = { ...it.settings, usable: false, faults: [fault] }));
  expect(await says('risk.yaml line 3: "many" is not a whole number.')).toBeInTheDocument();
});

describe('a doubt', () => {
  const doubted = async (kind: string, account: string | null) => {
    const engine = await show();
    const view = views.get('armed');
    if (!view) throw new Error('no sample view');
    const doubt = { kind, text: 'Something is off.', advice: '', since: view.at, account };
    const next: View = { ...view, protection: 'not_protected', doubts: [doubt] };
    engine.push({ sight: 'live', view: next, age_ms: 0 });
    await tick();
  };

  it('that blinds the rules is told as such, any other is named', async () => {
    await doubted('clock', null);
    expect(await says('Something is off. Rules act as far as they can.')).toBeInTheDocument();
    expect(await says('In force, but not as surely as it should be.')).toBeInTheDocument();
    expect(screen.queryByText(/no rule acts/)).not.toBeInTheDocument();
  });

  it('that nothing is enforced, in a dry run, leaves no rule in force', async () => {
    await doubted('dry_run', null);
    expect(await says('Changes are saved, but no rule acts until protection is back.')).toBeInTheDocument();
    expect(await says('Not in force.')).toBeInTheDocument();
  });

  it('about another account says nothing about the chosen one', async () => {
    await doubted('reconcile', '93365101');
    expect(await says('Changes are saved, but no rule acts until protection is back.')).toBeInTheDocument();
    await user().selectOptions(screen.getByLabelText('Account'), '61407733');
    expect(screen.queryByText(/no rule acts/)).not.toBeInTheDocument();
    expect(await says(/^In force\./)).toBeInTheDocument();
  });
});

describe('a symbol with automatic orders of its own', () => {
  const own = 'rules.trade_management.per_instrument.MNQ.auto_stop_loss.ticks';

  it('is named in the row, shown, changed, and given up', async () => {
    const engine = await show('armed', (it) => {
      it.settings = structuredClone(it.settings);
      for (const scope of it.settings.scopes) {
        scope.values.push({ key: own, value: 8, origin: 'everyone', file: 'risk.yaml', line: 30 });
      }
    });
    expect(row(/^Trade Management limit MNQ apart · stop/)).toBeInTheDocument();
    await user().click(row(/^Trade Management/));
    expect(screen.getByLabelText('Distance of the stop of MNQ')).toHaveValue('8');
    expect(screen.getByLabelText('Distance of the target of MNQ')).toHaveValue('');
    await type('Distance of the target of MNQ', '16');
    const target = own.replace('auto_stop_loss', 'auto_take_profit');
    expect(engine.of('preview_settings').at(-1)).toMatchObject({ edits: [{ key: target, value: '16' }] });
    await user().click(screen.getByRole('button', { name: 'Remove the values of MNQ' }));
    await vi.advanceTimersByTimeAsync(400);
    expect(engine.of('preview_settings').at(-1)).toMatchObject({ edits: [{ key: own, value: null }] });
  });

  it('can be added', async () => {
    const engine = await show();
    await user().click(row(/^Trade Management/));
    await user().type(screen.getByLabelText('Give a symbol values of its own'), 'NQ');
    await vi.advanceTimersByTimeAsync(400);
    await user().click(await screen.findByRole('option', { name: /^NQ/ }));
    await user().selectOptions(screen.getByLabelText('Automatic stop of NQ'), 'off');
    await vi.advanceTimersByTimeAsync(400);
    expect(engine.of('preview_settings').at(-1)).toMatchObject({
      edits: [{ key: 'rules.trade_management.per_instrument.NQ.auto_stop_loss.enabled', value: 'false' }],
    });
  });
});

it('has a form for what messages advise to change, and for what is told', async () => {
  const engine = await show();
  for (const name of ['Subscribed Symbols', 'End of Lockouts', 'Change of Clocks']) {
    expect(row(new RegExp(`^${name}`))).toBeInTheDocument();
  }
  await user().click(row(/^Refused Part Closes limit Tell me/));
  await user().selectOptions(screen.getByLabelText('Where reducing is refused'), 'Close the position');
  await vi.advanceTimersByTimeAsync(400);
  expect(engine.of('preview_settings').at(-1)).toMatchObject({
    edits: [{ account: null, key: 'general.on_reduce_refused', value: 'close' }],
  });
});

describe('an account', () => {
  const choose = () => user().selectOptions(screen.getByLabelText('Account'), '93365101');

  it('has values of its own, which can be given up', async () => {
    const engine = await show();
    await choose();
    expect(row(/^Daily Loss Limit limit −.\$500\.00 net .*This account/)).toBeInTheDocument();
    await user().click(screen.getByRole('button', { name: 'Use everyone’s value' }));
    expect(screen.getByLabelText('Daily Loss Limit')).toHaveValue('−1,000.00');
    await vi.advanceTimersByTimeAsync(400);
    expect(engine.of('preview_settings').at(-1)).toMatchObject({
      edits: [{ account: '93365101', key: 'rules.daily_realized_loss.limit', value: null }],
    });
  });

  it('that no file lists gets its entry with its first value, together with the others that are watched', async () => {
    const engine = await show('armed', (it) => (it.settings = unlisted()));
    await choose();
    expect(row(/^Daily Loss Limit .*Everyone/)).toBeInTheDocument();
    await type('Daily Loss Limit', '-500');
    expect(engine.of('preview_settings').at(-1)).toMatchObject({
      edits: [
        { account: '93365101', key: 'accounts[].enabled', value: 'true' },
        { account: '61407733', key: 'accounts[].enabled', value: 'true' },
        { account: '88120344', key: 'accounts[].enabled', value: 'true' },
        { account: '93365101', key: 'rules.daily_realized_loss.limit', value: '-500' },
      ],
    });
  });

  it('that takes over hours or steps in another form gives up its own form of them', async () => {
    const engine = await show('armed', (it) => {
      it.settings = structuredClone(it.settings);
      const practice = it.settings.scopes.find((scope) => scope.account === '61407733');
      if (!practice) throw new Error('no such account');
      const own = (key: string, value: unknown) =>
        ({ key, value, origin: 'own', file: null, line: null }) as const;
      practice.values = practice.values
        .filter((value) => !/sessions$|loss_thresholds$/.test(value.key))
        .concat([
          own('rules.session_block_outside.session_hours.start', '09:00'),
          own('rules.cooldown_after_loss.loss_threshold', -50),
        ]);
    });
    await choose();
    const copied = async (name: RegExp) => {
      await user().click(row(name));
      await user().click(screen.getByRole('button', { name: 'Copy to other accounts…' }));
      await user().click(screen.getByRole('checkbox', { name: 'PRAC-V2-…7733' }));
      await user().click(screen.getByRole('button', { name: 'Copy to 1 account' }));
      await vi.advanceTimersByTimeAsync(400);
      const asked = engine.of('preview_settings').at(-1);
      return asked?.ask === 'preview_settings'
        ? asked.edits.map((it) => [it.key.split('.').pop(), it.value])
        : [];
    };
    expect(await copied(/^Trading Hours/)).toEqual([
      ['sessions', '[{"start":"08:30","end":"15:00","days":[]}]'],
      ['start', null],
    ]);
    expect(await copied(/^Cooldown After Loss/)).toEqual([
      ['loss_thresholds', expect.stringContaining('-100')],
      ['loss_threshold', null],
    ]);
  });

  it('can be given the rule of another, as a draft first', async () => {
    const engine = await show();
    await choose();
    await user().click(screen.getByRole('button', { name: 'Copy to other accounts…' }));
    await user().click(screen.getByRole('checkbox', { name: 'PRAC-V2-…7733' }));
    await user().click(screen.getByRole('button', { name: 'Copy to 1 account' }));
    await vi.advanceTimersByTimeAsync(400);
    expect(engine.of('preview_settings').at(-1)).toEqual({
      ask: 'preview_settings',
      edits: [{ account: '61407733', key: 'rules.daily_realized_loss.limit', value: '-750' }],
    });
    expect(engine.of('save_settings')).toEqual([]);
  });
});

it('a mode is one choice, off among them', async () => {
  const engine = await show();
  const modes = within(screen.getByRole('group', { name: 'Mode' }));
  expect(modes.getByRole('button', { name: 'Enforce' })).toHaveAttribute('aria-pressed', 'true');
  await user().click(modes.getByRole('button', { name: 'Off' }));
  await vi.advanceTimersByTimeAsync(400);
  expect(engine.of('preview_settings').at(-1)).toMatchObject({
    edits: [{ account: null, key: 'rules.daily_realized_loss.enabled', value: 'false' }],
  });
});

it('a symbol is found in the broker’s contracts by keyboard', async () => {
  const engine = await show();
  await user().click(row(/^Contract Limits/));
  const field = screen.getByRole('combobox', { name: 'Add a limit for a symbol' });
  await user().type(field, 'nq');
  await vi.advanceTimersByTimeAsync(400);
  expect(engine.of('search_contracts').at(-1)).toEqual({ ask: 'search_contracts', text: 'nq' });
  expect(
    within(screen.getByRole('listbox'))
      .getAllByRole('option')
      .map((it) => it.querySelector('b')?.textContent),
  ).toEqual(['MNQ', 'NQ']);
  await user().keyboard('{ArrowDown}{ArrowDown}{Enter}');
  expect(screen.getByLabelText('Most contracts of NQ')).toHaveValue('1');
});

it('hours are changed by days and times, and the old form leaves the file', async () => {
  const engine = await show();
  await user().click(row(/^Trading Hours/));
  const days = within(screen.getByRole('group', { name: 'Days of window 1' }));
  await user().click(days.getByRole('button', { name: 'Fri' }));
  await vi.advanceTimersByTimeAsync(400);
  expect(engine.of('preview_settings').at(-1)).toEqual({
    ask: 'preview_settings',
    edits: [
      {
        account: null,
        key: 'rules.session_block_outside.sessions',
        value: JSON.stringify([{ start: '08:30', end: '15:00', days: [0, 1, 2, 3] }]),
      },
    ],
  });
  expect(
    screen.getByRole('img', { name: /^Trading hours in CT: Mon–Thu 8:30 AM to 3:00 PM/ }),
  ).toBeInTheDocument();
});

it('the test button sends one notification', async () => {
  const engine = await show();
  await user().click(row(/^Desktop Notifications/));
  await user().click(screen.getByRole('button', { name: 'Send a test notification' }));
  expect(engine.of('test_notification')).toHaveLength(1);
});

describe('Lock Risk Settings', () => {
  it('asks first, with the focus on not locking, and needs a tick', async () => {
    const engine = await show();
    await user().click(screen.getByRole('button', { name: 'Lock Risk Settings…' }));
    expect(screen.getByRole('button', { name: 'Keep them open' })).toHaveFocus();
    const lock = screen.getByRole('button', { name: plainName('Lock until 5:00 PM CT') });
    expect(lock).toBeDisabled();
    await user().click(screen.getByRole('checkbox', { name: /^I want to loosen nothing/ }));
    await user().click(lock);
    expect(engine.of('lock_settings')).toEqual([{ ask: 'lock_settings', until: null }]);
    expect(screen.queryByRole('alertdialog')).toBeNull();
  });

  it('is said while it lasts', async () => {
    const engine = await show();
    const view = views.get('armed');
    if (!view) throw new Error('no sample view');
    const locked = { ...view, settings_locked_until: '2025-11-18T23:00:00Z' };
    engine.push({ sight: 'live', view: locked, age_ms: 0 });
    await says('Risk Settings are locked until 5:00 PM CT (6:00 PM local, in 6h 18m).');
    expect(screen.getByRole('button', { name: plainName('Locked until 5:00 PM CT') })).toBeDisabled();
  });
});

it.each(['locked', 'not-protected', 'observing', 'starting', 'empty', 'no-credentials'])(
  'shows %s without a figure that is not known',
  async (state) => {
    await show(state);
    expect(document.body).not.toHaveTextContent(/NaN|undefined|null|Infinity|\[object/);
  },
);

it('while an account is locked says that nothing can be loosened', async () => {
  await show('locked');
  await says('Only stricter changes are accepted until then. No edit ends the lock.');
});
