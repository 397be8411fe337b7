// What the tests of Risk Settings stand on: the page, and an engine that answers what a test wants.

import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, vi } from 'vitest';

import type { Backend } from '../lib/backend';
import { sightOf } from '../lib/fake/backend';
import sample from '../lib/fake/settings.json';
import { Session } from '../lib/session.svelte';
import type { Ask } from '../lib/types/Ask';
import type { Reply } from '../lib/types/Reply';
import type { SettingsPreview } from '../lib/types/SettingsPreview';
import type { SettingsView } from '../lib/types/SettingsView';
import type { Sight } from '../lib/types/Sight';
import Settings from './Settings.svelte';

export const NOTHING: SettingsPreview = { changes: [], faults: [], refused: null };

/** An engine that answers what a test wants. */
export class Engine {
  sent: Ask[] = [];
  settings = sample as unknown as SettingsView;
  preview: SettingsPreview = NOTHING;
  saved: Reply = { reply: 'accepted' };
  push: (sight: Sight) => void = () => undefined;

  of = (ask: Ask['ask']) => this.sent.filter((it) => it.ask === ask);

  backend(state: string): Backend {
    return {
      snapshot: () => Promise.resolve(sightOf(state)),
      opening: () => Promise.resolve({ page: 'settings', sheet: null }),
      send: (ask) => {
        this.sent.push(ask);
        return Promise.resolve(this.answer(ask));
      },
      credentials: () => Promise.reject(new Error('not asked')),
      widen: () => Promise.resolve(),
      saveCredentials: () => Promise.resolve(),
      onView: (take) => (this.push = take),
      onOpen: () => undefined,
    } as Partial<Backend> as Backend;
  }

  private answer(ask: Ask): Reply {
    switch (ask.ask) {
      case 'settings':
        return { reply: 'settings', settings: this.settings };
      case 'preview_settings':
        return { reply: 'preview', preview: this.preview };
      case 'save_settings':
        return this.saved;
      case 'search_contracts':
        return {
          reply: 'contracts',
          contracts: ['MNQ', 'MNQ', 'NQ'].map((symbol) => ({
            symbol,
            name: `${symbol}Z5`,
            tick_size: '0.25',
            tick_value: '0.5',
            active: true,
          })),
        };
      default:
        return { reply: 'accepted' };
    }
  }
}

let stop: () => void = () => undefined;
beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

export async function show(
  state = 'armed',
  prepare: (engine: Engine) => void = () => undefined,
): Promise<Engine> {
  const engine = new Engine();
  prepare(engine);
  const session = new Session(engine.backend(state), 'America/New_York', () => 0);
  stop = await session.start();
  render(Settings, { props: { session, wide: true } });
  await screen.findByRole('button', { name: /^Daily Loss Limit/ });
  return engine;
}

export const user = () =>
  userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTimeAsync(ms).then(() => undefined) });
const plain = (text: string) =>
  text
    .replace(/\u00a0/g, ' ')
    .replace(/\u2060/g, '')
    .trim();
export const row = (name: RegExp) => screen.getByRole('button', { name });
export const says = (text: string | RegExp) => screen.findByText(text, { normalizer: plain, exact: false });

export async function type(field: string, text: string): Promise<void> {
  const input = screen.getByLabelText(field);
  await user().clear(input);
  await user().type(input, text);
  await vi.advanceTimersByTimeAsync(400);
}

/** Names of buttons carry marks that keep amounts and times on one line. */
export function plainName(name: string): RegExp {
  return new RegExp(`^${name.replace(/ /g, '[ \\u00a0]')}$`);
}
