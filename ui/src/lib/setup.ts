// What the set-up proposes and how far it has come. Saves nothing by itself.

import { ms } from './format';
import { dateIn, dateText } from './settings/days';
import { inForce, ruleMode } from './settings/rows';
import { valuesOf, type Values } from './settings/values';
import { PROOF } from './texts/setup';
import type { ProofView } from './types/ProofView';
import type { ReceiptView } from './types/ReceiptView';
import type { RuleKey } from './types/RuleKey';
import type { SettingEdit } from './types/SettingEdit';
import type { SettingsView } from './types/SettingsView';
import type { View } from './types/View';

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

const modeKey = (rule: RuleKey): string => `rules.${rule}.rule_mode`;

/** One mode for all: everyone's, and that of every account that has one of its own. */
export const modeEdits = (mode: Mode, settings: SettingsView): SettingEdit[] =>
  settings.scopes.flatMap(({ account, values }) =>
    CHOSEN.map(modeKey)
      .filter((key) => account === null || values.some((it) => it.key === key && it.origin === 'own'))
      .map((key) => ({ account, key, value: mode })),
  );

export interface Modes {
  /** The mode of all rules that are on, everywhere; `mixed` where they differ. */
  all: Mode | 'mixed';
  /** Rules that enforce wherever they are on. */
  enforced: number;
  /** Rules that are on for somebody. */
  on: number;
  /** Accounts in which a rule is taken in another way than for everyone. */
  apart: string[];
}

/** The modes in force, of every rule, for everyone and for the accounts that are watched; null where none is on. */
export function modesOf(settings: SettingsView, view: View): Modes | null {
  const scopes = settings.scopes
    .filter(({ account }) => account === null || view.accounts.some((it) => it.id === account))
    .map((scope) => ({ ...scope, held: inForce(valuesOf(scope), view.pending, scope.account) }));
  const [everyone] = scopes;
  const rules = CHOSEN.map((rule) => scopes.map(({ held }) => ruleMode(rule, held)));
  const on = rules.map((modes) => modes.filter((mode) => mode !== 'off')).filter((modes) => modes.length);
  if (!everyone || !on.length) return null;
  const count = (mode: Mode) => on.filter((modes) => modes.every((it) => it === mode)).length;
  const all = (['enforce', 'observe'] as const).find((mode) => count(mode) === on.length) ?? 'mixed';
  const differs = ({ held }: { held: Values }) =>
    CHOSEN.some((rule) => ruleMode(rule, held) !== ruleMode(rule, everyone.held));
  const apart = scopes.filter(differs).map(({ account, name }) => nameIn(view, account) ?? name ?? '');
  return { all, enforced: count('enforce'), on: on.length, apart };
}

const nameIn = (view: View, account: string | null) =>
  view.accounts.find((it) => it.id === account)?.short_name;

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

/** `Proved on Tue, Nov 18, 2025`, with the version where it is not the one that runs. */
export const provedText = ({ at, version }: ProofView, running: string): string =>
  PROOF.on(dateText(dateIn(ms(at)))) + (version === running ? '' : PROOF.by(version));
