// What changes and what waits, in words. Judges nothing itself.

import { ahead, ms, type Beside } from '../format';
import { LISTED_ONLY, LISTS, TOGETHER } from '../texts/settings';
import type { PendingView } from '../types/PendingView';
import type { SettingChange } from '../types/SettingChange';
import type { SettingKey } from '../types/SettingKey';
import type { SettingsView } from '../types/SettingsView';
import type { View } from '../types/View';
import { dateText, EARLY_CLOSES, earlyText } from './days';
import { windowsText, type Hours } from './hours';
import { isSwitch, LIMITS } from './rows';
import { earlyIn, listIn, shown, wire } from './values';

/** The key that a change is about, with its symbol. */
export function keyOf(settings: SettingsView, path: string): [SettingKey | undefined, string] {
  for (const key of settings.groups.flatMap((it) => it.keys)) {
    const [before = '', after] = key.key.split('<symbol>');
    if (after === undefined ? key.key === path : path.startsWith(before) && path.endsWith(after)) {
      return [key, after === undefined ? '' : path.slice(before.length, path.length - after.length)];
    }
  }
  return [undefined, ''];
}

type Told = Pick<SettingChange, 'key' | 'rule' | 'from' | 'to'>;

/** What a change was called before, and what it becomes, where several keys are judged as one. */
const SEVERAL: Record<string, (from: unknown[], to: unknown[]) => string> = {
  'rules.session_block_outside.sessions': hoursChange,
  'rules.symbol_blocks.mode': (from, to) => `Symbol Block ${symbolList(from)} → ${symbolList(to)}`,
  'rules.max_contracts_per_instrument.default_limit': (from, to) =>
    `Limit of other symbols ${wire(from[0])} → ${wire(to[0])}`,
};

const symbolList = ([mode, symbols]: unknown[]): string =>
  `${mode === 'whitelist' ? 'only ' : ''}${(symbols as string[]).join(', ') || 'none'}`;

/** Hours of the account, or of the symbols that have their own. */
function hoursChange(from: unknown[], to: unknown[]): string {
  const general = ([windows]: unknown[]) => windowsText(windows as Hours[]);
  const own = ([, , symbols]: unknown[], symbol: string) => (symbols as OwnHours | undefined)?.[symbol];
  const named = ([, , symbols]: unknown[]) => Object.keys((symbols ?? {}) as OwnHours);
  const parts = [...new Set([...named(from), ...named(to)])]
    .filter((symbol) => wire(own(from, symbol)) !== wire(own(to, symbol)))
    .map((symbol) => {
      const [before, after] = [own(from, symbol), own(to, symbol)];
      const text = (hours: Hours[] | undefined) => (hours ? windowsText(hours) : 'as the others');
      return `Hours of ${symbol} ${text(before)} → ${text(after)}`;
    });
  const same = general(from) === general(to) && wire(from[1]) === wire(to[1]);
  if (same && parts.length) return parts.join('; ');
  return [`Trading Hours ${general(from)} → ${general(to)}`, ...parts].join('; ');
}

type OwnHours = Record<string, Hours[]>;

/** `Daily Loss Limit −$500.00 → −$750.00`. */
export function changeText(settings: SettingsView, change: Told): string {
  const { from, to } = change;
  const several = SEVERAL[change.key];
  if (several && Array.isArray(from) && Array.isArray(to)) return several(from, to);
  const together = TOGETHER[change.key];
  if (change.key === 'accounts' && from === 'all') return LISTED_ONLY;
  if (together) return `${together} changed`;
  const listed = listChange(change);
  if (listed) return listed;
  const [key, symbol] = keyOf(settings, change.key);
  if (isSwitch(change.key)) {
    const group = settings.groups.find((it) => it.rule !== null && it.rule === change.rule);
    return `${group?.title ?? ''}: ${shown(key, from)} → ${shown(key, to)}`;
  }
  const name = symbol ? `${nameOf(key)} of ${symbol}` : (key?.title ?? change.key);
  return `${name} ${shown(key, from)} → ${shown(key, to)}`;
}

/** What a symbol has a value of its own for. */
function nameOf(key: SettingKey | undefined): string {
  if (key?.kind === 'windows') return 'Hours';
  return key?.key.startsWith(LIMITS) ? 'Limit' : (key?.title ?? '');
}

/** Of a long list only what comes and goes: `Holidays: + 2027-05-31`. */
function listChange({ key, from, to }: Told): string | null {
  const name = LISTS[key];
  if (!name) return null;
  const lines = (value: unknown) =>
    key === EARLY_CLOSES ? earlyIn(wire(value)).map(earlyText) : listIn(wire(value)).map(dateText);
  const [before, after] = [lines(from), lines(to)];
  const gone = before.filter((it) => !after.includes(it)).map((it) => `− ${it}`);
  const come = after.filter((it) => !before.includes(it)).map((it) => `+ ${it}`);
  return `${name}: ${[...gone, ...come].join(', ')}`;
}

export const waitingOf = (view: View | null, account: string | null): PendingView[] =>
  (view?.pending ?? []).filter((it) => account === null || it.account === null || it.account === account);

export function waitingText(settings: SettingsView, change: PendingView, now: number, zone: Beside): string {
  const what = changeText(settings, change);
  const at = change.applies_at === null ? null : ms(change.applies_at);
  switch (change.state) {
    case 'waits':
      return `${what} applies at ${at === null ? 'the next daily reset' : ahead(at, now, zone)}.`;
    case 'held':
      return `${what} applies when the lock has ended.`;
    case 'undated':
      return `${what} applies at the next daily reset; the time is not known yet.`;
    case 'refused':
      return `${what} was refused: it was made while locked. Save it again when the lock has ended.`;
  }
}
