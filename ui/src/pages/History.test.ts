import { screen, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { describe, expect, it, vi } from 'vitest';

import { button, plain, show, user, wait } from '../app.stage';
import { sightOf } from '../lib/fake/backend';

describe('History', () => {
  const open = async () => {
    const stage = await show('armed', { page: 'history', sheet: null }, 980);
    await screen.findByRole('region', { name: 'Mon Nov 17' });
    return stage;
  };
  const day = (name: RegExp) => within(screen.getByRole('region', { name }));

  it('tells each day with result, breaches, lockouts and what was done', async () => {
    await open();
    const monday = day(/^Mon Nov 17$/);
    expect(monday.getByText('−$341.50', { normalizer: plain })).toBeInTheDocument();
    expect(monday.getByText('3 limits crossed')).toBeInTheDocument();
    expect(
      monday.getByText(
        'Cooldown After Loss, 2:57:44 PM CT to 3:02:44 PM CT (3:57:44 PM to 4:02:44 PM local)',
        { normalizer: plain },
      ),
    ).toBeInTheDocument();
    expect(monday.getAllByRole('button')).toHaveLength(4);
    expect(day(/^Today, Tue Nov 18$/).getByText('PRAC-V2-…7733')).toBeInTheDocument();
  });

  it('opens a receipt to its stations, its error and its place in the records', async () => {
    await open();
    const monday = day(/^Mon Nov 17$/);
    await user().click(monday.getByRole('button', { name: /Max Contracts/ }));
    const stations = monday
      .getAllByRole('listitem')
      .filter((one) => /^(Sent|Acknowledged|Reduced)/.test(one.textContent));
    expect(stations.map((one) => plain(one.textContent))).toEqual([
      'Sent +2 ms to the broker',
      'Acknowledged +59 ms by the broker',
      'Reduced +118 ms seen at the broker',
    ]);
    expect(monday.getByText(/^record 1,226 · c019 44ae 02f7/)).toBeInTheDocument();
    await user().click(monday.getByRole('button', { name: /Symbol Block/ }));
    expect(monday.getByText('Last error: order already filled')).toBeInTheDocument();
  });

  it('filters by outcome, rule and account, and exports what is shown', async () => {
    const stage = await open();
    await user().click(button('Enforced'));
    await user().selectOptions(screen.getByLabelText('Rule'), 'Max Contracts');
    await user().selectOptions(screen.getByLabelText('Account'), '50KTC-V2-…5101');
    await vi.waitFor(() => expect(day(/^Mon Nov 17$/).getAllByRole('button')).toHaveLength(1));
    await user().click(button('Export CSV'));
    const query = { days: 7, account: '93365101', rule: 'max_contracts', shown: 'enforced' };
    expect(stage.exported).toEqual([query]);
    expect(screen.getByText('Saved a.csv and b.csv in /downloads.')).toBeInTheDocument();
  });

  it('clocks in and out, and sums up', async () => {
    const stage = await open();
    await user().click(button('Clock in'));
    expect(await screen.findByText(/clocked in 10:42:18/)).toBeInTheDocument();
    await user().click(button('Clock out'));
    expect(await screen.findByText('not clocked in')).toBeInTheDocument();
    expect(stage.sent.filter((one) => one.ask.startsWith('clock'))).toEqual([
      { ask: 'clock_in', account: null },
      { ask: 'clock_out', account: null },
    ]);
    expect(screen.getByRole('list', { name: 'Sessions that are over' })).toHaveTextContent('9 trades');
  });

  it('says why the records cannot be read, and keeps what it has', async () => {
    const stage = await open();
    stage.reply = { reply: 'refused', reason: 'The records cannot be read: disk full.' };
    await user().click(button('Failed'));
    expect(await screen.findByText(/disk full\. What is shown is older\./)).toBeInTheDocument();
    expect(day(/^Mon Nov 17$/).getByText('3 limits crossed')).toBeInTheDocument();
  });

  it('asks anew when something was recorded, not by the clock', async () => {
    const stage = await open();
    const asked = () => stage.sent.filter((one) => one.ask === 'history').length;
    expect(asked()).toBe(1);
    await wait(30_000);
    expect(asked()).toBe(1);
    stage.push(sightOf('locked'));
    await tick();
    expect(asked()).toBe(2);
  });
});
