// The rows of Risk Settings: which there are, and what each says. Draws nothing, asks nobody.

import { plural, signed } from '../format';
import { valueOf } from '../status';
import { HELP, NOW, ORDER, PROGRAM, TOLD, type Mode } from '../texts/settings';
import type { AccountView } from '../types/AccountView';
import type { PendingView } from '../types/PendingView';
import type { PositionView } from '../types/PositionView';
import type { RuleKey } from '../types/RuleKey';
import type { SettingKey } from '../types/SettingKey';
import type { SettingsGroup } from '../types/SettingsGroup';
import type { SettingsView } from '../types/SettingsView';
import { apartText, HOURS, hoursText, isHours, OWN_HOURS, ownHoursKey, zoneText } from './hours';
import { symbolsIn } from './symbols';
import { spanText, time12 } from './times';
import { earlyIn, shown, tiersIn, wire, wordOf, type Tier, type Values } from './values';

/** One row of the page: a rule, or a few settings of the program that belong together. */
export interface Entry {
  id: string;
  title: string;
  help: string;
  rule: RuleKey | null;
  /** Shown at once; the rest is behind "More". */
  first: SettingKey[];
  rest: SettingKey[];
  /** What a symbol can have a value of its own for. */
  bySymbol: SettingKey[];
}

export interface Section {
  title: string;
  entries: Entry[];
}

/** Shown at once, in this order. */
const FIRST = [
  'limit',
  'target',
  'default_limit',
  'instrument_limits.<symbol>',
  'count_type',
  'basis',
  'limits.per_minute',
  'limits.per_hour',
  'limits.per_session',
  'loss_thresholds',
  'grace_period_seconds',
  'mode',
  'blocked_symbols',
  'allowed_symbols',
  'auto_stop_loss.enabled',
  'auto_stop_loss.ticks',
  'auto_take_profit.enabled',
  'auto_take_profit.ticks',
  'on_can_trade_false',
];

export const isSwitch = (key: string) => /^rules\.\w+\.(enabled|rule_mode)$/.test(key);

export function sections(settings: SettingsView, everyone: boolean): Section[] {
  const entries = ORDER.map(([title, ids]) => ({
    title,
    entries: ids.map((id) => entry(settings, id)).filter((it) => it !== null),
  }));
  return entries.filter((section) => everyone || section.entries.some((it) => it.rule));
}

function entry(settings: SettingsView, id: string): Entry | null {
  const group = settings.groups.find((it) => it.rule === id);
  if (group) return ruleEntry(group);
  const [prefix, title] = PROGRAM[id] ?? ['', ''];
  const keys = settings.groups
    .flatMap((it) => it.keys)
    .filter((it) => it.key.startsWith(prefix) && !it.alternative && !it.locked);
  const help = HELP[id] ?? settings.groups.find((it) => `${it.prefix}.` === prefix)?.help ?? '';
  return keys.length ? { id, title, help, rule: null, first: keys, rest: [], bySymbol: [] } : null;
}

function ruleEntry(group: SettingsGroup): Entry {
  const path = (key: SettingKey) => key.key.slice(group.prefix.length + 1);
  const keys = group.keys.filter(
    (it) => !it.alternative && !it.locked && !isSwitch(it.key) && !isHours(it.key),
  );
  const bySymbol = keys.filter((it) => path(it).startsWith('per_instrument.'));
  const shown = keys.filter((it) => !bySymbol.includes(it));
  const first = FIRST.flatMap((name) => shown.filter((it) => path(it) === name));
  return {
    id: group.rule ?? group.prefix,
    title: group.title,
    help: HELP[group.rule ?? ''] ?? group.help,
    rule: group.rule,
    first,
    rest: shown.filter((it) => !first.includes(it)),
    bySymbol,
  };
}

// ---- rows

/** The values in force: those of the files, except where a change of them waits or was refused. */
export function inForce(values: Values, pending: PendingView[], account: string | null): Values {
  const held = new Map(values);
  const put = (key: string, value: unknown) => {
    const known = held.get(key);
    if (known) held.set(key, { ...known, value });
  };
  const shared = pending.filter((it) => it.account === null && values.get(it.key)?.origin !== 'own');
  for (const { key, rule, from } of [
    ...shared,
    ...pending.filter((it) => it.account !== null && it.account === account),
  ]) {
    const parts: unknown[] = Array.isArray(from) ? from : [];
    const prefix = `rules.${rule ?? ''}.`;
    if (key === `${HOURS}sessions`) {
      const zone = held.get(`${HOURS}timezone`);
      held.set(key, { key, origin: 'everyone', file: null, line: null, value: parts[0] });
      if (zone) put(zone.key, parts[1]);
      const own = Object.entries((parts[2] ?? {}) as Record<string, unknown>);
      put(OWN_HOURS, own.length > 0);
      for (const [symbol, value] of own) {
        const key = ownHoursKey(symbol);
        held.set(key, { key, origin: 'everyone', file: null, line: null, value });
      }
    } else if (key === 'rules.symbol_blocks.mode') {
      put(key, parts[0]);
      put(`${prefix}${parts[0] === 'whitelist' ? 'allowed' : 'blocked'}_symbols`, parts[1]);
    } else if (key === 'rules.max_contracts_per_instrument.default_limit') {
      put(key, parts[0]);
      put(`${prefix}unknown_symbol_action`, parts[1]);
    } else {
      put(key, from);
    }
  }
  return held;
}

type Say = (name: string) => string;
type Read = (name: string) => unknown;
type Figure = (read: Read, say: Say, values: Values) => string;

const day =
  (limit: string): Figure =>
  (read, say) =>
    `${say(limit)} ${read('include_fees') === true ? 'net' : 'gross'}${read('basis') === 'realized' ? ', closed only' : ''}`;

const AUTOMATIC = [
  ['auto_stop_loss', 'ticks', 'stop'],
  ['auto_take_profit', 'ticks', 'target'],
  ['auto_breakeven', 'profit_threshold_ticks', 'break even'],
  ['trailing_stop', 'trail_ticks', 'trail'],
] as const;

const PACE = [
  ['limits.per_minute', 'min'],
  ['limits.per_hour', 'hour'],
  ['limits.per_session', 'day'],
] as const;

/** What each row says in one line. */
const FIGURES: Record<string, Figure> = {
  daily_realized_loss: day('limit'),
  daily_realized_profit: day('target'),
  daily_unrealized_loss: (read, say) =>
    `${say('limit')}${read('scope') === 'account_total' ? ', all positions' : ''}`,
  max_unrealized_profit: (_, say) => say('target'),
  max_contracts: (read, say) =>
    `${say('limit')}, ${read('count_type') === 'gross' ? 'longs plus shorts' : 'longs less shorts'}`,
  max_contracts_per_instrument: (_read, _say, values) =>
    [...limitsOf(values).map(([symbol, limit]) => `${symbol} ${limit}`), unlisted(values)].join(' · '),
  trade_frequency_limit: (read) =>
    PACE.filter(([name]) => read(name) !== null)
      .map(([name, per]) => `${wire(read(name))}/${per}`)
      .join(' · '),
  cooldown_after_loss: (_read, _say, values) => cooldown(values),
  no_stop_loss_grace: (read) =>
    `within ${spanText(secondsText(Number(read('grace_period_seconds'))))}, ${read('require_full_coverage') === true ? 'full size' : 'any size'}`,
  session_block_outside: (_read, _say, values) => hoursText(values),
  symbol_blocks: (read, say) =>
    read('mode') === 'whitelist' ? `only ${say('allowed_symbols')}` : say('blocked_symbols'),
  trade_management: (read, _, values) => {
    const symbols = apartText(symbolsIn(values.keys()));
    const automatic = AUTOMATIC.filter(([name]) => read(`${name}.enabled`) === true).map(
      ([name, ticks, word]) => `${word} ${wire(read(`${name}.${ticks}`))}`,
    );
    return [symbols, ...(automatic.length ? automatic : ['nothing automatic'])].filter(Boolean).join(' · ');
  },
  auth_loss_guard: (read) => (read('on_can_trade_false') === 'lockout' ? 'tell, and lock if barred' : 'tell'),
  notifications: (read) =>
    read('general.notifications.desktop.enabled') === true
      ? wordOf(wire(read('general.notifications.desktop.min_severity')))
      : 'off',
  refusals: (_, say) => say('general.on_reduce_refused'),
  instruments: (read) =>
    ((read('general.instruments') as string[] | undefined) ?? []).join(', ') || TOLD.none,
  lock_ends: (read) => (read('auto_unlock.notify') === true ? TOLD.yes : TOLD.no),
  clock_changes: (read) => (read('dst.notify') === true ? TOLD.yes : TOLD.no),
  warnings: (_, say) => `at ${say('general.warnings.told_at_percent')}`,
  daily_reset: (read) =>
    `${time12(wire(read('daily_reset.time')))} ${zoneText(wire(read('daily_reset.timezone')))}`,
  holidays: (read) => {
    const closes = earlyIn(wire(read('holidays.early_close'))).length;
    const days = plural((read('holidays.dates') as string[] | undefined)?.length ?? 0, 'day');
    return closes ? `${days}, ${plural(closes, 'early close')}` : days;
  },
};

/** The row's figure. */
export function summary(entry: Entry, values: Values): string {
  const prefix = entry.rule ? `rules.${entry.rule}.` : '';
  const read = (name: string) => values.get(prefix + name)?.value;
  const say = (name: string) => {
    const key = [...entry.first, ...entry.rest].find((it) => it.key === prefix + name);
    return shown(key, read(name));
  };
  return FIGURES[entry.id]?.(read, say, values) ?? '';
}

const secondsText = (seconds: number) =>
  seconds % 60 === 0 && seconds >= 60 ? `${seconds / 60}m` : `${seconds}s`;

export const LIMITS = 'rules.max_contracts_per_instrument.instrument_limits.';
/** Symbols with a limit of their own. */
export const limitsOf = (values: Values): [string, string][] =>
  [...values.values()]
    .filter((it) => it.key.startsWith(LIMITS))
    .map((it) => [it.key.slice(LIMITS.length), wire(it.value)]);

function unlisted(values: Values): string {
  const action = wire(values.get('rules.max_contracts_per_instrument.unknown_symbol_action')?.value);
  const limit = wire(values.get('rules.max_contracts_per_instrument.default_limit')?.value);
  if (action === 'allow_unlimited') return 'others free';
  if (action === 'block' || (action === 'use_default' && limit === 'null')) return 'others blocked';
  return `others ${action.startsWith('allow_with_limit:') ? action.slice(17) : limit}`;
}

function cooldown(values: Values): string {
  const prefix = 'rules.cooldown_after_loss.';
  const single = values.get(`${prefix}loss_threshold`);
  const tiers: Tier[] = single
    ? [
        {
          loss_amount: wire(single.value),
          cooldown_duration: wire(values.get(`${prefix}cooldown_duration`)?.value ?? '15m'),
        },
      ]
    : tiersIn(wire(values.get(`${prefix}loss_thresholds`)?.value));
  const [tier] = tiers;
  if (!tier) return 'no step';
  const first = `${signed(String(tier.loss_amount)).replace('.00', '')} → ${spanText(tier.cooldown_duration)}`;
  return tiers.length > 1 ? `${first}, +${plural(tiers.length - 1, 'step')}` : first;
}

export const modeOf = (entry: Entry, values: Values): Mode | null =>
  entry.rule && ruleMode(entry.rule, values);

export function ruleMode(rule: RuleKey, values: Values): Mode {
  if (rule === 'no_stop_loss_grace') return 'always';
  if (values.get(`rules.${rule}.enabled`)?.value !== true) return 'off';
  return wire(values.get(`rules.${rule}.rule_mode`)?.value) as Mode;
}

/** Where the row's values come from: the account's own count first. */
export function setBy(entry: Entry, values: Values): string {
  const prefix = entry.rule ? [`rules.${entry.rule}.`] : entry.first.map((it) => it.key);
  const mine = [...values.values()].filter((it) => prefix.some((start) => it.key.startsWith(start)));
  if (mine.some((it) => it.origin === 'own')) return 'This account';
  return mine.some((it) => it.origin === 'everyone') ? 'Everyone' : 'Default';
}

/** What is known at this moment. */
export interface Moment {
  /** Positions and orders are, and rules can act on them. */
  known: boolean;
  /** Prices arrive. */
  prices: boolean;
}

/** What the rule has before it, of the account or of the one closest to its limit; nothing where nobody looked. */
export function nowOf(entry: Entry, mode: Mode | null, accounts: AccountView[], moment: Moment): string {
  const { rule } = entry;
  if (!rule || !accounts.length) return '';
  const locked = accounts.some((it) => it.lockouts.some((lock) => lock.key.rule === rule));
  if (mode === 'off' && !locked) return '';
  if (!moment.known) return NOW.unknown;
  const figure = figureNow(rule, accounts);
  if (locked) return [figure, NOW.locked].filter(Boolean).join(', ');
  return figure || stateNow(rule, mode, accounts, moment.prices);
}

/** The figure of the gauge that is closest to its limit. */
function figureNow(rule: RuleKey, accounts: AccountView[]): string {
  const gauges = accounts.flatMap((it) => it.gauges).filter((it) => it.rule === rule);
  const gauge = gauges.sort((a, b) => (b.used_percent ?? 0) - (a.used_percent ?? 0))[0];
  const value = gauge ? valueOf(gauge, false).split(' of ')[0]?.trim() : undefined;
  return gauge && value ? [gauge.symbol, value].filter(Boolean).join(' ') : '';
}

/** What a rule without a gauge has before it. */
function stateNow(rule: RuleKey, mode: Mode | null, accounts: AccountView[], prices: boolean): string {
  const positions = accounts.flatMap((it) => it.positions);
  const [first] = positions;
  switch (rule) {
    case 'no_stop_loss_grace':
      return first ? coverNow(positions) : NOW.flat;
    case 'daily_unrealized_loss':
    case 'max_unrealized_profit':
      if (!first) return NOW.flat;
      return `${first.symbol} ${first.unrealized === null ? NOW.noFigure : signed(first.unrealized)}`;
    case 'max_contracts':
    case 'max_contracts_per_instrument':
      return first ? '' : NOW.none;
    case 'cooldown_after_loss':
    case 'trade_frequency_limit':
      return mode === 'enforce' ? NOW.ready : '';
    case 'symbol_blocks':
      return first ? '' : NOW.flat;
    case 'auth_loss_guard':
      if (accounts.some((it) => !it.can_trade)) return NOW.barred;
      return prices ? NOW.connected : NOW.noPrices;
    // Whether it is open now, only the engine's calendar knows.
    case 'session_block_outside':
    case 'daily_realized_loss':
    case 'daily_realized_profit':
    case 'trade_management':
    case 'trader':
      return '';
  }
}

function coverNow(positions: PositionView[]): string {
  if (positions.some((it) => it.stop_covered === false)) return NOW.uncovered;
  return positions.some((it) => it.stop_covered === null) ? NOW.coverUnknown : NOW.covered;
}
