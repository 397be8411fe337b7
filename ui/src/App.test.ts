// The pages as a trader meets them, over a back end that can be pushed from state to state.

import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import App from './App.svelte';
import type { Backend, Credentials, Opening } from './lib/backend';
import { sightOf, states, views } from './lib/fake/backend';
import { historyOf } from './lib/fake/history';
import { PRESETS } from './lib/fake/presets';
import { Session } from './lib/session.svelte';
import type { Ask } from './lib/types/Ask';
import type { HistoryQuery } from './lib/types/HistoryQuery';
import type { Reply } from './lib/types/Reply';
import type { Sight } from './lib/types/Sight';

class Stage implements Backend {
  sent: Ask[] = [];
  saved: [string, string][] = [];
  reply: Reply = { reply: 'accepted' };
  refusal: string | null = null;
  known: Credentials = { source: 'none', user_name: null, problem: null };
  push: (sight: Sight) => void = () => undefined;
  reopen: (opening: Opening) => void = () => undefined;

  constructor(
    private first: Sight,
    private where: Opening = { page: 'status', sheet: null },
  ) {}

  snapshot = () => Promise.resolve(this.first);
  opening = () => Promise.resolve(this.where);
  credentials = () => Promise.resolve(this.known);
  widen = () => Promise.resolve();
  clockedIn: string | null = null;
  send = (ask: Ask): Promise<Reply> => {
    this.sent.push(ask);
    if (ask.ask === 'history' && this.reply.reply === 'accepted')
      return Promise.resolve({ reply: 'history', history: historyOf(ask.query, this.clockedIn) });
    if (ask.ask === 'presets') return Promise.resolve({ reply: 'presets', presets: PRESETS });
    if (ask.ask === 'clock_in') this.clockedIn = views.get('armed')?.at ?? null;
    if (ask.ask === 'clock_out') this.clockedIn = null;
    return Promise.resolve(this.reply);
  };
  saveCredentials = (userName: string, apiKey: string) => {
    this.saved.push([userName, apiKey]);
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve();
  };
  atLogin = false;
  demos = 0;
  autostart = () => Promise.resolve(this.atLogin);
  setAutostart = (on: boolean) => Promise.resolve((this.atLogin = on));
  startDemo = () => {
    this.demos += 1;
    return Promise.resolve();
  };
  exported: HistoryQuery[] = [];
  exportHistory = (query: HistoryQuery) => {
    this.exported.push(query);
    return Promise.resolve('Saved a.csv and b.csv in /downloads.');
  };
  onView = (take: (sight: Sight) => void) => (this.push = take);
  onOpen = (take: (opening: Opening) => void) => (this.reopen = take);
}

let clock = 0;
const stops: (() => void)[] = [];

beforeEach(() => {
  clock = 0;
  vi.useFakeTimers({ shouldAdvanceTime: true });
});
afterEach(() => {
  stops.splice(0).forEach((stop) => stop());
  vi.useRealTimers();
});

/** Lets time pass for the pages and for their steady clock alike. */
async function wait(ms: number): Promise<void> {
  clock += ms;
  await vi.advanceTimersByTimeAsync(ms);
}

function show(state: string, where?: Opening, width = 460): Promise<Stage> {
  return showOn(new Stage(sightOf(state), where), width);
}

async function showOn(stage: Stage, width = 460): Promise<Stage> {
  Object.defineProperty(window, 'innerWidth', { value: width, configurable: true });
  const session = new Session(stage, 'America/New_York', () => clock);
  render(App, { props: { session } });
  stops.push(await session.start());
  await tick();
  return stage;
}

const user = () =>
  userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms).then(() => undefined) });
const button = (name: string | RegExp) => screen.getByRole('button', { name });
const banner = () => within(screen.getByRole('region', { name: 'Protection' }));

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

describe('Setup', () => {
  const fill = async (key: string) => {
    await user().type(await screen.findByLabelText('User name'), 'j.marlow');
    await user().type(screen.getByLabelText('API key'), key);
    await user().click(button('Save & test'));
  };

  it('saves, tests, and says that the broker accepted', async () => {
    const stage = await show('no-credentials', { page: 'setup', sheet: null });
    await fill('a-secret');
    expect(stage.saved).toEqual([['j.marlow', 'a-secret']]);
    expect(stage.sent).toEqual([{ ask: 'credentials_changed' }]);
    expect(screen.getByText(/Signing in to TopstepX…/)).toBeInTheDocument();
    expect(screen.getByLabelText('API key')).toHaveValue('');
    stage.push(sightOf('armed'));
    await tick();
    expect(screen.getByText(/accepted them/)).toBeInTheDocument();
  });

  it('says what the broker refused', async () => {
    const stage = await show('no-credentials', { page: 'setup', sheet: null });
    await fill('wrong');
    const view = views.get('no-credentials');
    if (!view) throw new Error('no sample view');
    const doubt = {
      kind: 'login',
      text: 'TopstepX refused the login: wrong key.',
      advice: '',
      since: view.at,
      account: null,
    };
    stage.push({ sight: 'live', view: { ...view, doubts: [doubt] }, age_ms: 0 });
    await tick();
    expect(screen.getByText('Saved, but: TopstepX refused the login: wrong key.')).toBeInTheDocument();
  });

  it('says what to do when the keyring refuses', async () => {
    const stage = await show('no-credentials', { page: 'setup', sheet: null });
    stage.refusal = 'The keyring is locked. Unlock it, then save again.';
    await fill('a-secret');
    expect(screen.getByText('The keyring is locked. Unlock it, then save again.')).toBeInTheDocument();
    expect(stage.sent).toEqual([]);
  });

  it('reads what was saved once the keyring is unlocked, without asking for the key again', async () => {
    const stage = new Stage(sightOf('no-credentials'), { page: 'setup', sheet: null });
    stage.known = { source: 'none', user_name: null, problem: 'The keyring is locked.' };
    await showOn(stage);
    await user().click(button('Try again'));
    expect(screen.getByText('The keyring is locked.')).toBeInTheDocument();
    expect(stage.sent).toEqual([]);
    stage.known = { source: 'keyring', user_name: 'j.marlow', problem: null };
    await user().click(button('Try again'));
    expect(screen.queryByText('The keyring is locked.')).not.toBeInTheDocument();
    expect(screen.getByLabelText('User name')).toHaveValue('j.marlow');
    expect(stage.sent).toEqual([{ ask: 'credentials_changed' }]);
  });

  it('keeps what was typed while the keyring took its time', async () => {
    const stage = new Stage(sightOf('no-credentials'), { page: 'setup', sheet: null });
    let answer: (known: Credentials) => void = () => undefined;
    stage.credentials = () => new Promise((resolve) => (answer = resolve));
    await showOn(stage);
    await user().type(screen.getByLabelText('User name'), 'j.marlow');
    answer({ source: 'none', user_name: 'other', problem: null });
    await tick();
    expect(screen.getByLabelText('User name')).toHaveValue('j.marlow');
  });

  const step = (name: RegExp) => user().click(screen.getByRole('button', { name }));

  it('names the accounts of the broker with their kind', async () => {
    await show('armed', { page: 'setup', sheet: null });
    await step(/^Accounts/);
    const item = within(screen.getByRole('listitem', { name: 'Accounts' }));
    expect(item.getByText('Trading Combine 50K')).toBeInTheDocument();
    expect(item.getByText('Practice')).toBeInTheDocument();
  });

  it('proposes the rulebook of the smallest account and saves the one that is chosen', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Starting rulebook/);
    expect(await screen.findByRole('radio', { name: '50K' })).toBeChecked();
    await user().click(screen.getByRole('radio', { name: '100K' }));
    expect(screen.getByText('−$1,000.00', { normalizer: plain })).toBeInTheDocument();
    await user().click(button('Use the 100K rulebook'));
    expect(stage.sent.at(-1)).toEqual({ ask: 'save_settings', edits: PRESETS.presets[1]?.edits });
    expect(await screen.findByText(/^Saved\./)).toBeInTheDocument();
  });

  it('says when a looser value waits, and why a save was refused', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Starting rulebook/);
    stage.reply = { reply: 'refused', reason: 'Account 7 is locked.' };
    await user().click(await screen.findByRole('button', { name: 'Use the 50K rulebook' }));
    expect(await screen.findByText('Not saved: Account 7 is locked.')).toBeInTheDocument();
    const view = views.get('armed');
    if (!view) throw new Error('no sample view');
    const pending = {
      account: null,
      rule: 'daily_realized_loss',
      key: 'rules.daily_realized_loss.limit',
      text: 'Daily Loss Limit −$400.00 → −$500.00',
      from: -400,
      to: -500,
      state: 'waits',
      applies_at: '2025-11-18T23:00:00Z',
    } as const;
    stage.push({ sight: 'live', view: { ...view, pending: [pending] }, age_ms: 0 });
    await tick();
    const said = 'Daily Loss Limit −$400.00 → −$500.00: looser, applies at 5:00 PM CT (6:00 PM local)';
    expect(screen.getByText(said, { normalizer: plain })).toBeInTheDocument();
  });

  it('observes or enforces all rules but the one that always acts', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Observe or enforce/);
    expect(screen.getByRole('radio', { name: /^Enforce/ })).toBeChecked();
    await user().click(screen.getByRole('radio', { name: /^Observe/ }));
    expect(screen.getByText(/waits for the next trading day/)).toBeInTheDocument();
    await user().click(button('Observe only'));
    const sent = stage.sent.at(-1);
    const edits = sent?.ask === 'save_settings' ? sent.edits : [];
    expect(edits).toHaveLength(12);
    expect(edits.every((edit) => edit.key.endsWith('.rule_mode') && edit.value === 'observe')).toBe(true);
    expect(edits.some((edit) => edit.key.includes('no_stop_loss_grace'))).toBe(false);
  });

  it('starts at login only when asked', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Start at login/);
    const on = screen.getByRole('switch');
    expect(on).toHaveAttribute('aria-checked', 'false');
    await user().click(on);
    expect(stage.atLogin).toBe(true);
    expect(on).toHaveAttribute('aria-checked', 'true');
  });

  it('shows the proof as it happens: uncovered, closing, closed', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Proof/);
    expect(screen.getByText(/Waiting for your trade on PRAC-V2-…7733/)).toBeInTheDocument();
    const view = views.get('near');
    const main = view?.accounts[0];
    const bare = main?.positions.find((position) => position.closes_at !== null);
    const practice = view?.accounts.find((account) => account.kind === 'practice');
    const receipt = view?.receipts[0];
    if (!view || !bare || !practice || !receipt) throw new Error('no sample view');
    const trading = { ...view, accounts: [{ ...practice, positions: [bare] }] };
    stage.push({ sight: 'live', view: trading, age_ms: 0 });
    await tick();
    expect(screen.getByText('1m 24s', { normalizer: plain })).toBeInTheDocument();
    const closed = {
      ...receipt,
      account: practice.id,
      rule: 'no_stop_loss_grace',
      title: 'Stop-Loss Required',
    } as const;
    stage.push({ sight: 'live', view: { ...view, accounts: [practice], receipts: [closed] }, age_ms: 0 });
    await tick();
    expect(screen.getByText('Stop-Loss Required acted')).toBeInTheDocument();
    expect(screen.getByText('seen at the broker')).toBeInTheDocument();
  });

  it('offers the demo to who has no account', async () => {
    const stage = await show('no-credentials', { page: 'setup', sheet: null });
    await user().click(button('Watch the demo'));
    expect(stage.demos).toBe(1);
    expect(await screen.findByText(/Nothing of yours is touched/)).toBeInTheDocument();
  });

  it('is closed while locked', async () => {
    await show('locked', { page: 'setup', sheet: null });
    expect(await screen.findByLabelText('API key')).toBeDisabled();
  });
});

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
      monday.getByText('Cooldown After Loss, 2:57:44 PM CT to 3:02:44 PM CT', { normalizer: plain }),
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

it('Ctrl and a number choose the page', async () => {
  await show('armed');
  await user().keyboard('{Control>}4{/Control}');
  expect(screen.getByText('Connection')).toBeInTheDocument();
  await user().keyboard('{Control>}1{/Control}');
  expect(screen.getByText('Positions and orders')).toBeInTheDocument();
});

const plain = (text: string) =>
  text
    .replace(/\u00a0/g, ' ')
    .replace(/\u2060/g, '')
    .replace(/\s+/g, ' ')
    .trim();
