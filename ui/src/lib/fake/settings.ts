// Settings for work on the pages alone: the engine's own sample, changed as one saves. What protects less is
// told by the sign of a number only; the real engine judges every key.

import { ms } from '../format';
import { splitId, draftId } from '../settings/drafts';
import { wire } from '../settings/values';
import type { Ask } from '../types/Ask';
import type { Reply } from '../types/Reply';
import type { SettingChange } from '../types/SettingChange';
import type { SettingEdit } from '../types/SettingEdit';
import type { SettingFault } from '../types/SettingFault';
import type { SettingKey } from '../types/SettingKey';
import type { SettingsView } from '../types/SettingsView';
import type { View } from '../types/View';
import sample from './settings.json';

const settings = sample as unknown as SettingsView;
const saved = new Map<string, string | null>();

const CONTRACTS = ['MNQ', 'NQ', 'MES', 'ES', 'M2K', 'RTY', 'MYM', 'YM', 'MCL', 'CL', 'MGC', 'GC'];

export function settingsReply(ask: Ask, view: View | null): Reply | null {
  switch (ask.ask) {
    case 'settings':
      return { reply: 'settings', settings: current() };
    case 'preview_settings':
      return { reply: 'preview', preview: preview(ask.edits, view) };
    case 'save_settings':
      for (const edit of ask.edits) saved.set(draftId(edit.account, edit.key), edit.value);
      return { reply: 'accepted' };
    case 'search_contracts':
      return {
        reply: 'contracts',
        contracts: CONTRACTS.filter((it) => it.includes(ask.text.toUpperCase())).map((symbol) => ({
          symbol,
          name: `${symbol}Z5`,
          tick_size: '0.25',
          tick_value: '0.5',
          active: true,
        })),
      };
    default:
      return null;
  }
}

function current(): SettingsView {
  const scopes = settings.scopes.map((scope) => {
    const values = new Map(scope.values.map((value) => [value.key, value]));
    for (const [id, text] of saved) {
      const [account, key] = splitId(id);
      if (account !== scope.account) continue;
      const everyone = settings.scopes[0]?.values.find((it) => it.key === key);
      if (text === null && everyone) values.set(key, everyone);
      else if (text === null) values.delete(key);
      else
        values.set(key, {
          key,
          value: parsed(text),
          origin: account === null ? 'everyone' : 'own',
          file: account === null ? 'risk.yaml' : 'accounts.yaml',
          line: 7,
        });
    }
    return { ...scope, values: [...values.values()] };
  });
  return { ...settings, scopes };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function preview(edits: SettingEdit[], view: View | null) {
  const faults: SettingFault[] = edits.flatMap((edit) => fault(edit) ?? []);
  if (faults.length) return { changes: [], faults, refused: null };
  const changes = edits.map((edit) => change(edit, view));
  const locked = view?.accounts.find((it) => it.lockouts.some((lock) => lock.symbol === null));
  const refused =
    locked && changes.some((it) => it.effect === 'later')
      ? `Account ${locked.id} is locked: nothing is loosened until the lock has ended.`
      : null;
  return { changes, faults, refused };
}

function keyed(path: string): SettingKey | undefined {
  return settings.groups
    .flatMap((it) => it.keys)
    .find((it) => new RegExp(`^${it.key.replace('<symbol>', '[^.]+')}$`).test(path));
}

function fault(edit: SettingEdit): SettingFault | null {
  const key = keyed(edit.key);
  const number = Number(edit.value);
  if (edit.value === null || !key || (key.kind !== 'money' && key.kind !== 'integer')) return null;
  const [min, max] = [key.min ?? -Infinity, key.max ?? Infinity];
  const excluded = key.kind === 'money' && number === 0;
  if (edit.value === 'null' && key.nullable) return null;
  if (Number.isFinite(number) && number >= min && number <= max && !excluded) return null;
  return {
    is_error: true,
    file: edit.account === null ? 'risk.yaml' : 'accounts.yaml',
    line: 5,
    key: edit.key,
    problem: `${edit.value} is not ${key.expected}.`,
    reason: '',
    fix: `Write ${key.expected}.`,
    example: null,
  };
}

function change(edit: SettingEdit, view: View | null): SettingChange {
  const scope = current().scopes.find((it) => it.account === edit.account);
  const from = scope?.values.find((it) => it.key === edit.key)?.value ?? null;
  const to = edit.value === null ? null : parsed(edit.value);
  const rule =
    settings.groups.find((it) => it.rule !== null && edit.key.startsWith(`${it.prefix}.`))?.rule ?? null;
  const weaker =
    typeof from === 'number' && typeof to === 'number'
      ? from < 0
        ? to < from
        : to > from
      : wire(to) === 'false' || wire(to) === 'observe' || wire(to) === 'warn';
  const at = view?.accounts[0]?.reset_at ?? null;
  const later = rule !== null && weaker;
  return {
    account: edit.account,
    rule,
    key: edit.key,
    from,
    to,
    effect: later ? 'later' : 'now',
    applies_at: later && at !== null && ms(at) > 0 ? at : null,
  };
}
