// The pages as a trader meets them.

import { screen, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { describe, expect, it } from 'vitest';

import { banner, button, plain, show, user, wait } from './app.stage';
import { sightOf, states, views } from './lib/fake/backend';

describe.each([460, 980])('in a window %i wide', (width) => {
  it.each(states)('%s is shown without a figure that is not known', async (state) => {
    await show(state, undefined, width);
    expect(document.body).not.toHaveTextContent(/NaN|undefined|null|Infinity/);
    expect(banner().getByRole('heading')).not.toBeEmptyDOMElement();
  });
});

it('counts down from the instant, by the engine’s own time', async () => {
  await show('near');
  expect(screen.getByText('1m 24s', { normalizer: plain })).toBeInTheDocument();
  await wait(4_000);
  expect(screen.getByText('1m 20s', { normalizer: plain })).toBeInTheDocument();
  await wait(90_000);
  expect(screen.getByText('ending…')).toBeInTheDocument();
});

it('shows times in the zone that the settings name, by its name', async () => {
  const stage = await show('locked');
  expect(banner().getByText(/6:00 PM local/, { normalizer: plain })).toBeInTheDocument();
  const view = views.get('locked');
  if (view) stage.push({ sight: 'live', view: { ...view, zone: 'Europe/London' }, age_ms: 0 });
  await tick();
  expect(banner().getByText(/11:00 PM London/, { normalizer: plain })).toBeInTheDocument();
  expect(screen.queryByText(/PM local/, { normalizer: plain })).toBeNull();
});

it('shows a lost engine at once: red, figures grey and dated', async () => {
  const stage = await show('armed');
  stage.push({ sight: 'lost', view: views.get('armed') ?? null, age_ms: 2_000 });
  await tick();
  expect(banner().getByText('This window lost the engine')).toBeInTheDocument();
  expect(screen.getAllByText('last known').length).toBeGreaterThan(0);
  expect(screen.getByRole('button', { name: 'Flatten All' })).toBeDisabled();
  expect(screen.queryAllByRole('meter')).toEqual([]);
});

it('says aloud when protection ends', async () => {
  const stage = await show('armed');
  stage.push(sightOf('not-protected'));
  await tick();
  const said = screen
    .getAllByRole('status')
    .find((region) => region.getAttribute('aria-live') === 'assertive');
  expect(said).toHaveTextContent('Not protected. 2 accounts, 1 in a position. No connection to TopstepX.');
});

describe('Flatten All', () => {
  it('asks once more in another place, with the focus on keeping', async () => {
    const stage = await show('armed');
    await user().click(button('Flatten All…'));
    expect(screen.getByRole('alertdialog')).toHaveTextContent('50KTC-V2-…5101: close 2 MNQ, cancel 2 orders');
    expect(button('Keep positions')).toHaveFocus();
    await user().keyboard('{Enter}');
    expect(screen.queryByRole('alertdialog')).toBeNull();
    expect(stage.sent).toEqual([]);
  });

  it('is sent by the second button, which repeats the deed', async () => {
    const stage = await show('armed');
    await user().click(button('Flatten All…'));
    await user().click(button(/^Close 2.MNQ, cancel 2 orders$/));
    expect(stage.sent).toEqual([{ ask: 'command', command: { command: 'flatten', account: null } }]);
    expect(screen.getByText(/^Sent\./)).toBeInTheDocument();
  });

  it('closes itself after ten seconds and by Esc', async () => {
    const stage = await show('armed');
    await user().click(button('Flatten All…'));
    await wait(10_100);
    expect(screen.queryByRole('alertdialog')).toBeNull();
    await user().click(button('Flatten All…'));
    await user().keyboard('{Escape}');
    expect(screen.queryByRole('alertdialog')).toBeNull();
    expect(stage.sent).toEqual([]);
  });

  it('comes from the tray as a question, never as a deed', async () => {
    const stage = await show('armed', { page: 'status', sheet: 'flatten' });
    expect(screen.getByRole('alertdialog')).toBeInTheDocument();
    stage.reopen({ page: 'status', sheet: 'cancel' });
    await tick();
    expect(screen.getByRole('alertdialog')).toHaveTextContent('Cancel All, both accounts?');
    expect(stage.sent).toEqual([]);
  });

  it('tells why the engine refused', async () => {
    const stage = await show('armed');
    stage.reply = { reply: 'refused', reason: 'The market is closed.' };
    await user().click(button('Flatten All…'));
    await user().click(button(/^Close 2/));
    expect(screen.getByText('The market is closed.')).toBeInTheDocument();
  });

  it('disappears when the connection does', async () => {
    const stage = await show('armed');
    await user().click(button('Flatten All…'));
    stage.push(sightOf('not-protected'));
    await tick();
    expect(screen.queryByRole('alertdialog')).toBeNull();
    expect(button('Flatten All')).toBeDisabled();
  });
});

it('Done for the day needs a tick and can be for one account', async () => {
  const stage = await show('armed');
  await user().click(button('Done for the day…'));
  const confirm = button(/^Close and lock until 5:00.PM.CT$/);
  expect(confirm).toBeDisabled();
  await user().selectOptions(screen.getByLabelText('Account'), '50KTC-V2-…5101');
  await user().click(screen.getByRole('checkbox'));
  expect(screen.getByText('You cannot undo this today')).toBeInTheDocument();
  await user().click(confirm);
  expect(stage.sent).toEqual([
    { ask: 'command', command: { command: 'lock_out', account: '93365101', until: null } },
  ]);
});

it('Lock me out until… is a lock with an end of one’s own', async () => {
  const stage = await show('armed', { page: 'status', sheet: 'until' });
  await user().selectOptions(screen.getByLabelText('For'), '30 minutes');
  expect(button(/^Close and lock until 11:13.AM.CT$/)).toBeDisabled();
  await user().click(screen.getByRole('checkbox'));
  await user().click(button(/^Close and lock/));
  const command = { command: 'lock_out', account: null, until: '2025-11-18T17:13:00.000Z' };
  expect(stage.sent).toEqual([{ ask: 'command', command }]);
});

it('Retry now asks the engine to connect at once', async () => {
  const stage = await show('not-protected');
  await user().click(button('Retry now'));
  expect(stage.sent).toEqual([{ ask: 'retry' }]);
});

it('another account opens in place', async () => {
  await show('armed');
  await user().click(button(/PRAC-V2-…7733/));
  expect(button(/50KTC-V2-…5101/)).toHaveAttribute('aria-expanded', 'false');
});

it('Ctrl and a number choose the page', async () => {
  await show('armed');
  await user().keyboard('{Control>}4{/Control}');
  expect(screen.getByText('Connection')).toBeInTheDocument();
  await user().keyboard('{Control>}1{/Control}');
  expect(screen.getByText('Positions and orders')).toBeInTheDocument();
});

it('keeps what was typed when the window grows into the other layout', async () => {
  await show('no-credentials', { page: 'setup', sheet: null });
  await user().type(screen.getByLabelText('User name'), 'j.marlow');
  Object.defineProperty(window, 'innerWidth', { value: 980, configurable: true });
  window.dispatchEvent(new Event('resize'));
  await tick();
  expect(screen.getByRole('complementary', { name: 'Protection and accounts' })).toBeVisible();
  expect(screen.getByLabelText('User name')).toHaveValue('j.marlow');
});

it('opens the count of working orders into the orders, and marks its own', async () => {
  const stage = await show('armed');
  const view = views.get('armed');
  if (!view) throw new Error('no sample view');
  const accounts = view.accounts.map((account) => ({
    ...account,
    orders: account.orders.map((order) => ({ ...order, own: order.role === 'stop' })),
  }));
  stage.push({ sight: 'live', view: { ...view, accounts }, age_ms: 0 });
  await tick();
  await user().click(screen.getByText('2 working orders: 1 stop, 1 target. No entry order.'));
  const orders = within(screen.getByRole('list', { name: 'Working orders of 50KTC-V2-…5101' }));
  const [stop, target] = orders.getAllByRole('listitem').map((it) => plain(it.textContent));
  expect(stop).toBe('SELL 2 MNQ stop at 25,092.25 protective stop by Risk Manager');
  expect(target).toBe('SELL 2 MNQ limit at 25,180.00 target');
});

it('calls kinds of accounts by one name, in short with the whole beside it', async () => {
  await show('armed');
  expect(screen.getByTitle('Trading Combine')).toHaveTextContent('CombineTrading Combine');
});

it('says quietly that an account was proved', async () => {
  await show('empty');
  await user().click(screen.getByRole('button', { name: /PRAC-V2-…7733/ }));
  expect(screen.getByText('Proved on Tue, Nov 18, 2025', { normalizer: plain })).toBeInTheDocument();
});
