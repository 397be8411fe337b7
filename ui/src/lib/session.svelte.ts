// What the pages know at this moment: the sight, the engine's own time, the page and the open sheet.

import type { Backend, Opening, PageName, SheetName } from './backend';
import { ms, type Beside } from './format';
import type { Ask } from './types/Ask';
import type { Reply } from './types/Reply';
import type { History } from './types/History';
import type { HistoryQuery } from './types/HistoryQuery';
import type { PresetsView } from './types/PresetsView';
import type { Sight } from './types/Sight';
import type { View } from './types/View';

export const SETUP_STEPS = ['connection', 'accounts', 'rulebook', 'mode', 'autostart', 'proof'] as const;
export type SetupStep = (typeof SETUP_STEPS)[number];

/** Countdowns are computed anew this often; their text changes once a second. */
const TICK_MS = 250;

export class Session {
  sight = $state.raw<Sight>({ sight: 'connecting', age_ms: 0 });
  page = $state<PageName>('status');
  sheet = $state<SheetName | 'quit' | null>(null);
  /** Open step of the set-up: it outlives a window that is made wider or narrower. */
  step = $state<SetupStep>('connection');
  /** What became of the last command, until the next one. */
  answer = $state<{ refused: boolean; text: string } | null>(null);
  #arrived = $state.raw(0);
  #tick = $state.raw(0);
  #backend: Backend;
  #steady: () => number;
  #own: string;

  constructor(
    backend: Backend,
    own = Intl.DateTimeFormat().resolvedOptions().timeZone,
    steady: () => number = () => performance.now(),
  ) {
    this.#backend = backend;
    this.#steady = steady;
    this.#own = own;
    this.#arrived = this.#tick = steady();
  }

  /** Milliseconds since the engine answered last (or since this window began to ask). */
  get age(): number {
    return this.sight.age_ms + Math.max(0, this.#tick - this.#arrived);
  }

  /** Shown beside Central Time. */
  get zone(): Beside {
    const chosen = this.view?.zone;
    return chosen ? { chosen } : this.#own;
  }

  get view(): View | null {
    return this.sight.sight === 'connecting' ? null : this.sight.view;
  }

  /** The engine's time of now. No clock of this computer is read. */
  get now(): number {
    return this.view ? ms(this.view.at) + this.age : this.age;
  }

  async start(): Promise<() => void> {
    this.#backend.onView((sight) => this.#take(sight));
    this.#backend.onOpen((opening) => this.open(opening));
    const timer = setInterval(() => (this.#tick = this.#steady()), TICK_MS);
    this.open(await this.#backend.opening());
    this.#take(await this.#backend.snapshot());
    return () => clearInterval(timer);
  }

  open(opening: Opening): void {
    this.page = opening.page;
    this.sheet = opening.sheet;
  }

  async send(ask: Ask, accepted: string): Promise<void> {
    this.answer = null;
    try {
      const reply = await this.#backend.send(ask);
      this.answer =
        reply.reply === 'refused'
          ? { refused: true, text: reply.reason }
          : { refused: false, text: accepted };
    } catch (error) {
      this.answer = { refused: true, text: `Not sent: ${String(error)}` };
    }
  }

  /** Asks the engine; an engine that does not answer has refused. */
  async reply(ask: Ask): Promise<Reply> {
    try {
      return await this.#backend.send(ask);
    } catch (error) {
      return { reply: 'refused', reason: `The engine did not answer: ${String(error)}` };
    }
  }

  widen = () => this.#backend.widen();
  /** Asks; nothing if it was accepted, otherwise why not. */
  async ask(ask: Ask): Promise<string> {
    try {
      const reply = await this.#backend.send(ask);
      return reply.reply === 'refused' ? reply.reason : '';
    } catch (error) {
      return String(error);
    }
  }

  /** The last trading days; rejects with one sentence for people. */
  async history(query: HistoryQuery): Promise<History> {
    const reply = await this.#backend.send({ ask: 'history', query });
    if (reply.reply === 'history') return reply.history;
    throw new Error(reply.reply === 'refused' ? reply.reason : 'The engine gave another answer.');
  }

  /** Starting rulebooks; rejects with one sentence for people. */
  async presets(): Promise<PresetsView> {
    const reply = await this.#backend.send({ ask: 'presets' });
    if (reply.reply === 'presets') return reply.presets;
    throw new Error(reply.reply === 'refused' ? reply.reason : 'The engine gave another answer.');
  }

  autostart = () => this.#backend.autostart();
  setAutostart = (on: boolean) => this.#backend.setAutostart(on);
  startDemo = () => this.#backend.startDemo();
  exportHistory = (query: HistoryQuery) => this.#backend.exportHistory(query);
  credentials = () => this.#backend.credentials();
  saveCredentials = (userName: string, apiKey: string) => this.#backend.saveCredentials(userName, apiKey);

  #take(sight: Sight): void {
    this.sight = sight;
    this.#arrived = this.#tick = this.#steady();
  }
}
