// The settings being edited: what the files say, the drafts, and what they would lead to. Asks the engine for
// everything and judges nothing itself.

import type { Session } from './session.svelte';
import { draftId, draftsFrom, editsOf, splitId, withEntries, type Draft } from './settings/drafts';
import { isOverruled, rivalsOf } from './settings/forms';
import { valuesOf, wire, type Values } from './settings/values';
import type { ContractView } from './types/ContractView';
import type { SettingEdit } from './types/SettingEdit';
import type { SettingsPreview } from './types/SettingsPreview';
import type { SettingsScope } from './types/SettingsScope';
import type { SettingsView } from './types/SettingsView';

/** So long after the last key stroke the engine is asked what it would lead to. */
const ASK_AFTER_MS = 250;

const desks = new WeakMap<Session, Desk>();

export class Desk {
  settings = $state.raw<SettingsView | null>(null);
  /** Why there is nothing to show. */
  problem = $state('');
  account = $state<string | null>(null);
  /** The row that is open; null before one was chosen. */
  open = $state<string | null>(null);
  drafts = $state.raw(draftsFrom());
  preview = $state.raw<SettingsPreview | null>(null);
  /** What became of the last save, until the next edit. */
  answer = $state<{ refused: boolean; text: string } | null>(null);
  saving = $state(false);

  #session: Session;
  /** The keys that are looked at: only their drafts are judged. */
  #belongs: (key: string) => boolean = () => true;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts questions: an answer to an older one is not shown. */
  #asked = 0;

  /** The desk of a window: drafts outlive another page and another width. */
  static of(session: Session): Desk {
    const desk = desks.get(session) ?? new Desk(session);
    desks.set(session, desk);
    return desk;
  }

  private constructor(session: Session) {
    this.#session = session;
  }

  /** Everyone's values, those of the listed accounts, and of the watched ones that follow everyone unlisted. */
  get scopes(): SettingsScope[] {
    const listed = this.settings?.scopes ?? [];
    const [everyone] = listed;
    const others = (this.#session.view?.accounts ?? []).filter(
      (it) => everyone && !listed.some((scope) => scope.account === it.id),
    );
    return [
      ...listed,
      ...others.map(({ id }) => ({ account: id, name: null, values: everyone?.values ?? [] })),
    ];
  }

  get scope(): SettingsScope | undefined {
    return this.#scopeOf(this.account);
  }

  get values(): Values {
    return valuesOf(this.scope);
  }

  async load(): Promise<void> {
    const reply = await this.#session.reply({ ask: 'settings' });
    if (reply.reply === 'settings') {
      this.settings = reply.settings;
      this.problem = '';
      if (this.account !== null && !this.scope) this.account = null;
      this.#settle();
    } else if (reply.reply === 'refused' && !this.settings) {
      this.problem = reply.reason;
    }
  }

  /** From now on the drafts of these keys are judged. */
  look(belongs: (key: string) => boolean): void {
    this.#belongs = belongs;
    this.#edited();
  }

  /** The value of a key as it is being edited. */
  value(key: string): string {
    const draft = this.drafts.get(draftId(this.account, key));
    // Without a value of its own an account has that of everyone.
    const values = draft === null ? valuesOf(this.#scopeOf(null)) : this.values;
    return draft ?? wire(values.get(key)?.value);
  }

  /** Whether the account's own value is being taken away. */
  isCleared(key: string): boolean {
    return this.drafts.get(draftId(this.account, key)) === null;
  }

  set(key: string, value: Draft, account = this.account): void {
    this.setAll([[key, value]], account);
  }

  setAll(changes: [string, Draft][], account = this.account): void {
    const drafts = draftsFrom(this.drafts);
    const known = valuesOf(this.#scopeOf(account));
    const here = account === null ? 'everyone' : 'own';
    for (const [key, value] of changes) {
      const id = draftId(account, key);
      const same = value !== null && !isOverruled(key, known) && value === wire(known.get(key)?.value);
      if (same) drafts.delete(id);
      else drafts.set(id, value);
      // What said the same in another way leaves the file.
      for (const rival of value === null ? [] : rivalsOf(key)) {
        if (known.get(rival)?.origin === here) drafts.set(draftId(account, rival), null);
        else drafts.delete(draftId(account, rival));
      }
    }
    this.drafts = drafts;
    this.#edited();
  }

  /** The drafts of some keys, of every account. */
  of(belongs: (key: string) => boolean): [string, Draft][] {
    return [...this.drafts].filter(([id]) => belongs(splitId(id)[1]));
  }

  discard(belongs: (key: string) => boolean): void {
    this.drafts = draftsFrom([...this.drafts].filter(([id]) => !belongs(splitId(id)[1])));
    this.#edited();
  }

  /** Copies values to other accounts, as drafts. */
  copy(keys: string[], accounts: string[]): void {
    const changes = keys
      .filter((key) => !isOverruled(key, this.values) && !this.isCleared(key))
      .map((key): [string, Draft] => [key, this.value(key)]);
    for (const account of accounts) this.setAll(changes, account);
  }

  async save(belongs: (key: string) => boolean): Promise<void> {
    this.saving = true;
    const drafts = this.of(belongs);
    const reply = await this.#session.reply({ ask: 'save_settings', edits: this.#edits(drafts) });
    this.saving = false;
    if (reply.reply === 'accepted') {
      this.discard(belongs);
      this.answer = { refused: false, text: 'Saved.' };
      await this.load();
    } else {
      this.answer = { refused: true, text: reply.reply === 'refused' ? reply.reason : 'Not saved.' };
    }
  }

  async search(text: string): Promise<ContractView[]> {
    const reply = await this.#session.reply({ ask: 'search_contracts', text });
    if (reply.reply === 'contracts') return reply.contracts;
    throw new Error(reply.reply === 'refused' ? reply.reason : 'The engine gave another answer.');
  }

  #scopeOf(account: string | null): SettingsScope | undefined {
    return this.scopes.find((it) => it.account === account);
  }

  #edits(drafts: [string, Draft][]): SettingEdit[] {
    const listed = (this.settings?.scopes ?? []).flatMap((it) => it.account ?? []);
    const { accounts = [], other_accounts = [] } = this.#session.view ?? {};
    return withEntries(
      editsOf(drafts),
      listed,
      [...accounts, ...other_accounts].map((it) => it.id),
    );
  }

  #edited(): void {
    this.answer = null;
    this.preview = null;
    this.#asked += 1;
    clearTimeout(this.#timer);
    if (this.of(this.#belongs).length) this.#timer = setTimeout(() => void this.#ask(), ASK_AFTER_MS);
  }

  async #ask(): Promise<void> {
    const asked = (this.#asked += 1);
    const reply = await this.#session.reply({
      ask: 'preview_settings',
      edits: this.#edits(this.of(this.#belongs)),
    });
    if (asked !== this.#asked) return;
    if (reply.reply === 'preview') this.preview = reply.preview;
    else if (reply.reply === 'refused') this.answer = { refused: true, text: reply.reason };
  }

  /** The files changed: a draft that they now say is none, and the others are judged anew. */
  #settle(): void {
    if (!this.drafts.size) return;
    const drafts = draftsFrom(this.drafts);
    for (const [id, value] of drafts) {
      const [account, key] = splitId(id);
      if (value !== null && value === wire(valuesOf(this.#scopeOf(account)).get(key)?.value))
        drafts.delete(id);
    }
    this.drafts = drafts;
    if (this.of(this.#belongs).length) void this.#ask();
    else this.preview = null;
  }
}
