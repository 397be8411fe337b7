// What the set-up proposes and how far it has come. Saves nothing by itself.

import type { AccountKind } from './types/AccountKind';
import type { ReceiptView } from './types/ReceiptView';
import type { RuleKey } from './types/RuleKey';
import type { SettingEdit } from './types/SettingEdit';
import type { View } from './types/View';

export const KIND: Record<AccountKind, string> = {
  practice: 'Practice',
  combine: 'Trading Combine',
  funded: 'Express Funded',
  live: 'Live Funded',
  unknown: 'Kind not told by the broker',
};

/** Rules whose mode is the trader's choice. Stop-Loss Required always acts. */
const CHOSEN: RuleKey[] = [
  'max_contracts',
  'max_contracts_per_instrument',
  'daily_realized_loss',
  'daily_unrealized_loss',
  'max_unrealized_profit',
  'trade_frequency_limit',
  'cooldown_after_loss',
  'session_block_outside',
  'auth_loss_guard',
  'symbol_blocks',
  'trade_management',
  'daily_realized_profit',
];

export type Mode = 'enforce' | 'observe';

export const modeEdits = (mode: Mode): SettingEdit[] =>
  CHOSEN.map((rule) => ({ account: null, key: `rules.${rule}.rule_mode`, value: mode }));

/** Lists every account of the login, so that each says whether it is watched. */
export const watchEdits = (accounts: string[], isWatched: (account: string) => boolean): SettingEdit[] =>
  accounts.map((account) => ({ account, key: 'accounts[].enabled', value: String(isWatched(account)) }));

/** What is in force by the limits that are shown; null before there are any. */
export function modeOf(view: View | null): Mode | null {
  const gauges = view?.accounts.flatMap((account) => account.gauges) ?? [];
  if (gauges.length === 0) return null;
  return gauges.some((gauge) => gauge.mode === 'enforce') ? 'enforce' : 'observe';
}

/** The size that an account's name tells: `50K` of `50KTC-V2-…`. */
export const sizeOf = (name: string): string | null => /^(\d+K)/.exec(name)?.[1] ?? null;

/** The smallest size among the accounts: what it allows, all allow. */
export function smallestSize(view: View | null): string | null {
  const sizes = (view?.accounts ?? []).map((account) => sizeOf(account.name)).filter((size) => size !== null);
  return sizes.sort((a, b) => parseInt(a) - parseInt(b))[0] ?? null;
}

/** The account on which a rule may be broken to see it enforced. */
export const provingGround = (view: View | null) =>
  view?.accounts.find((account) => account.kind === 'practice') ??
  (view?.mode === 'demo' ? view.accounts[0] : undefined);

/** A close on that account that was seen at the broker: the newest. */
export const proofOf = (view: View | null): ReceiptView | undefined => {
  const ground = provingGround(view);
  return view?.receipts.find(
    (line) =>
      ground !== undefined &&
      line.account === ground.id &&
      line.outcome === 'confirmed' &&
      line.rule !== 'trader' &&
      /close|flatten|reduce/.test(line.action),
  );
};
