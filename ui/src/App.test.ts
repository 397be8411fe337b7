// The pages as a trader meets them, over a back end that can be pushed from state to state.

import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { tick } from 'svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import App from './App.svelte';
import type { Backend, Credentials, Opening } from './lib/backend';
import { sightOf, states, views } from './lib/fake/backend';
import { Session } from './lib/session.svelte';
import type { Ask } from './lib/types/Ask';
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
  send = (ask: Ask) => {
    this.sent.push(ask);
    return Promise.resolve(this.reply);
  };
  saveCredentials = (userName: string, apiKey: string) => {
    this.saved.push([userName, apiKey]);
    return this.refusal ? Promise.reject(this.refusal) : Promise.resolve();
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
  expect(screen.getAllByRole('meter').every((meter) => !meter.hasAttribute('aria-valuenow'))).toBe(true);
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

  it('is closed while locked', async () => {
    await show('locked', { page: 'setup', sheet: null });
    expect(await screen.findByLabelText('API key')).toBeDisabled();
  });
});

it('Ctrl and a number choose the page', async () => {
  await show('armed');
  await user().keyboard('{Control>}3{/Control}');
  expect(screen.getByText('Connection')).toBeInTheDocument();
  await user().keyboard('{Control>}1{/Control}');
  expect(screen.getByText('Positions and orders')).toBeInTheDocument();
});

const plain = (text: string) => text.replace(/\u00a0/g, ' ').trim();
