// What the tests of the pages stand on: the pages over a back end that can be pushed from state to state.

import { render, screen, within } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { tick } from 'svelte';
import { afterEach, beforeEach, vi } from 'vitest';

import App from './App.svelte';
import type { Backend, Credentials, Opening } from './lib/backend';
import { sightOf, views } from './lib/fake/backend';
import { historyOf } from './lib/fake/history';
import { PRESETS } from './lib/fake/presets';
import sample from './lib/fake/settings.json';
import { Session } from './lib/session.svelte';
import type { Ask } from './lib/types/Ask';
import type { HistoryQuery } from './lib/types/HistoryQuery';
import type { Reply } from './lib/types/Reply';
import type { SettingsView } from './lib/types/SettingsView';
import type { Sight } from './lib/types/Sight';

export class Stage implements Backend {
  sent: Ask[] = [];
  saved: [string, string][] = [];
  reply: Reply = { reply: 'accepted' };
  settings = sample as unknown as SettingsView;
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
    // Pages read the settings by themselves: no test asks whether.
    if (ask.ask === 'settings') return Promise.resolve({ reply: 'settings', settings: this.settings });
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
export async function wait(ms: number): Promise<void> {
  clock += ms;
  await vi.advanceTimersByTimeAsync(ms);
}

export function show(state: string, where?: Opening, width = 460): Promise<Stage> {
  return showOn(new Stage(sightOf(state), where), width);
}

export async function showOn(stage: Stage, width = 460): Promise<Stage> {
  Object.defineProperty(window, 'innerWidth', { value: width, configurable: true });
  const session = new Session(stage, 'America/New_York', () => clock);
  render(App, { props: { session } });
  stops.push(await session.start());
  await tick();
  return stage;
}

export const user = () =>
  userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms).then(() => undefined) });
export const button = (name: string | RegExp) => screen.getByRole('button', { name });
export const banner = () => within(screen.getByRole('region', { name: 'Protection' }));

export const plain = (text: string) =>
  text
    .replace(/\u00a0/g, ' ')
    .replace(/\u2060/g, '')
    .replace(/\s+/g, ' ')
    .trim();
