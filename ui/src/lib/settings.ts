// What Risk Settings says, as plain values: rows, figures, verdicts. Draws nothing, asks nobody.

import { countdown, ms, plural, price, schedule, signed } from './format';
import { kindOf, valueOf } from './status';
import type { AccountView } from './types/AccountView';
import type { ContractView } from './types/ContractView';
import type { PendingView } from './types/PendingView';
import type { RuleKey } from './types/RuleKey';
import type { SettingChange } from './types/SettingChange';
import type { SettingEdit } from './types/SettingEdit';
import type { SettingKey } from './types/SettingKey';
import type { SettingsGroup } from './types/SettingsGroup';
import type { SettingsPreview } from './types/SettingsPreview';
import type { SettingsScope } from './types/SettingsScope';
import type { SettingsView } from './types/SettingsView';
import type { SettingValue } from './types/SettingValue';
import type { View } from './types/View';

/** One row of the page: a rule, or a few settings of the program that belong together. */
export interface Entry {
  id: string;
  title: string;
  help: string;
  rule: RuleKey | null;
  /** Shown at once; the rest is behind "More". */
  first: SettingKey[];
  rest: SettingKey[];
}

export interface Section {
  title: string;
  entries: Entry[];
}

/** An edit under way: as one would write it; null takes the account's own value away. */
export type Draft = string | null;

export type Values = Map<string, SettingValue>;

const ORDER: [string, (RuleKey | string)[]][] = [
  [
    'Money',
    ['daily_realized_loss', 'daily_realized_profit', 'daily_unrealized_loss', 'max_unrealized_profit'],
  ],
  ['Size', ['max_contracts', 'max_contracts_per_instrument']],
  ['Pace', ['trade_frequency_limit', 'cooldown_after_loss']],
  ['Discipline', ['no_stop_loss_grace', 'session_block_outside', 'symbol_blocks']],
  ['Automation and connection', ['trade_management', 'auth_loss_guard']],
  ['For every account', ['notifications', 'warnings', 'daily_reset', 'holidays']],
];

/** What the rule does, for someone who has to decide; the files' own words are the fallback. */
const HELP: Partial<Record<string, string>> = {
  daily_realized_loss:
    'When the day’s result reaches the limit, everything is closed, orders are cancelled and the account is locked until the daily reset. At the limit is a breach.',
  daily_realized_profit:
    'When the day’s result reaches the target, everything is closed and the account is locked until the daily reset: a good day stays one.',
  session_block_outside:
    'Outside these hours the account is locked: entry orders are cancelled at the end, positions are closed after the grace, and any new position is closed at once. Exits always work.',
  notifications: 'What the desktop is told. Everything is on the Status page and in the log, told or not.',
  warnings: 'When you are told that a limit comes near.',
};

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

const PROGRAM: Record<string, [string, string]> = {
  notifications: ['general.notifications.desktop.', 'Desktop Notifications'],
  warnings: ['general.warnings.told_at_percent', 'Warnings'],
  daily_reset: ['daily_reset.', 'Daily Reset'],
  holidays: ['holidays.', 'Holidays'],
};

const isSwitch = (key: string) => /^rules\.\w+\.(enabled|rule_mode)$/.test(key);

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
  return keys.length ? { id, title, help, rule: null, first: keys, rest: [] } : null;
}

function ruleEntry(group: SettingsGroup): Entry {
  const path = (key: SettingKey) => key.key.slice(group.prefix.length + 1);
  const keys = group.keys.filter(
    (it) => !it.alternative && !it.locked && !isSwitch(it.key) && !isHours(it.key),
  );
  const shown = keys.filter((it) => !path(it).startsWith('per_instrument'));
  const first = FIRST.flatMap((name) => shown.filter((it) => path(it) === name));
  return {
    id: group.rule ?? group.prefix,
    title: group.title,
    help: HELP[group.rule ?? ''] ?? group.help,
    rule: group.rule,
    first,
    rest: shown.filter((it) => !first.includes(it)),
  };
}

const HOURS = 'rules.session_block_outside.';
const HOUR_KEYS = [
  'session_hours.start',
  'session_hours.end',
  'pre_market.enabled',
  'pre_market.start',
  'after_hours.enabled',
  'after_hours.end',
].map((key) => HOURS + key);
const isHours = (key: string) =>
  HOUR_KEYS.includes(key) || [`${HOURS}allowed_days`, `${HOURS}sessions`].includes(key);

export const draftsFrom = (drafts: Iterable<[string, Draft]> = []): Map<string, Draft> => new Map(drafts);

/** The first of each symbol. */
export function bySymbol(contracts: ContractView[]): ContractView[] {
  const seen = new Set<string>();
  return contracts.filter((it) => !seen.has(it.symbol) && seen.add(it.symbol));
}

export const valuesOf = (scope: SettingsScope | undefined): Values =>
  new Map(scope?.values.map((value) => [value.key, value]));

/** A value as it goes into an edit. */
export function wire(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What was typed, as the files write it: `−$1,250` is -1250, `5 min` is 5m, `8:30 AM` is 08:30. */
export function written(key: SettingKey, typed: string): string {
  const text = typed.trim().replace(/\u2212/g, '-');
  if (text === '' && key.nullable) return 'null';
  switch (key.kind) {
    case 'money':
      return text.replace(/[$,\s+]/g, '');
    case 'integer':
      return text.replace(/[,\s]/g, '');
    case 'duration':
      return text
        .replace(/\s*(seconds?|sec|s)$/i, 's')
        .replace(/\s*(minutes?|min|m)$/i, 'm')
        .replace(/\s*(hours?|h)$/i, 'h');
    case 'time':
      return time24(text);
    case 'percents':
    case 'dates':
      return JSON.stringify(listOf(text).map((part) => (key.kind === 'percents' ? Number(part) : part)));
    default:
      return text;
  }
}

const listOf = (text: string) => text.split(/[\s,;]+/).filter(Boolean);

/** `8:30 AM`, `8 am`, `20:15` as `HH:MM`; anything else stays as it is, for the check to complain. */
export function time24(text: string): string {
  const [, hours, minutes = '00', half] = /^(\d{1,2})(?::(\d{2}))?\s*(am|pm)?$/i.exec(text.trim()) ?? [];
  if (hours === undefined || (half === undefined && !text.includes(':'))) return text;
  const pm = half?.toLowerCase();
  const hour = pm ? (Number(hours) % 12) + (pm === 'pm' ? 12 : 0) : Number(hours);
  return `${String(hour).padStart(2, '0')}:${minutes}`;
}

/** `08:30` as `8:30 AM`. */
export function time12(text: string): string {
  const [hour = NaN, minute = ''] = text.split(':').map((part, index) => (index ? part : Number(part))) as [
    number,
    string,
  ];
  if (!Number.isInteger(hour) || !/^\d{2}$/.test(minute)) return text;
  return `${hour % 12 || 12}:${minute} ${hour < 12 ? 'AM' : 'PM'}`;
}

/** A written value as it stands in a field. */
export function typed(key: SettingKey, value: string): string {
  if (value === 'null') return '';
  switch (key.kind) {
    case 'money':
      return isNumber(value) ? signed(value).replace('$', '') : value;
    case 'time':
      return time12(value);
    case 'duration':
      return spanText(value);
    case 'percents':
    case 'dates':
      return listIn(value).join(', ');
    default:
      return value;
  }
}

const isNumber = (text: string) => /^-?\d+(\.\d+)?$/.test(text);

function listIn(value: string): string[] {
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list.map((it) => (typeof it === 'string' ? it : JSON.stringify(it))) : [];
  } catch {
    return [];
  }
}

const SPAN = { s: 's', m: ' min', h: ' h' } as const;
/** `5m` as `5 min`. */
export const spanText = (text: string): string =>
  text.replace(
    /^(\d+)([smh])$/,
    (_, n: string, unit: 's' | 'm' | 'h') => n + (unit === 's' ? ' s' : SPAN[unit]),
  );

const WORDS: Record<string, string> = {
  net: 'Longs and shorts offset',
  gross: 'Longs plus shorts',
  reduce_to_limit: 'Close the excess',
  close_all: 'Close everything',
  realized: 'Closed results',
  combined: 'Closed and open results',
  position: 'Each position',
  account_total: 'All positions together',
  last_else_mid: 'Last trade',
  mid: 'Middle of bid and ask',
  exit_side: 'The side you exit at',
  round_turns: 'Round turns',
  entries: 'Entries',
  orders: 'Orders',
  alert: 'Tell me',
  lockout: 'Close and lock',
  close: 'Close the position',
  blacklist: 'Block these',
  whitelist: 'Allow only these',
  INFO: 'Everything',
  WARNING: 'Warnings and worse',
  ERROR: 'Failures and worse',
  CRITICAL: 'Protection at stake',
  observe: 'Observe',
  warn: 'Warn',
  enforce: 'Enforce',
  use_default: 'Use the limit of other symbols',
  block: 'Block them',
  allow_unlimited: 'No limit',
  true: 'on',
  false: 'off',
};
export const wordOf = (value: string): string => WORDS[value] ?? value;

/** What a key means, where the file's own words name the file's own choices. */
const NOTE: Record<string, string> = {
  basis: 'Open results are those of the positions you still hold.',
  count_type: 'Offsetting works across symbols too: long MNQ and short ES count less.',
  enforcement: 'What is closed when there are too many contracts.',
  scope: 'Whether one position or their sum is measured.',
  price_basis: 'The price that open results are worked out with.',
  count: 'Round turns end flat; entries open or enlarge; orders are any of yours that fill.',
  mode: 'Whether the list forbids symbols or is all there is.',
  blocked_symbols: 'Root symbols. * stands for any letters, ? for one.',
  allowed_symbols: 'Root symbols; nothing else may be traded. * stands for any letters, ? for one.',
  default_limit: 'For every symbol without a limit of its own. Empty allows none of them.',
  unknown_symbol_action: 'What holds for a symbol without a limit of its own.',
  on_can_trade_false: 'When the broker bars the account from trading.',
  'limits.per_minute': 'Within 60 seconds. Empty: no such limit.',
  'limits.per_hour': 'Within an hour. Empty: no such limit.',
  'limits.per_session': 'Since the daily reset. Empty: no such limit.',
  max_stop_distance_ticks: 'A stop farther from the market does not count. Empty: any distance counts.',
  'notifications.desktop.min_severity':
    'The least that a message must weigh. Lost protection is told whatever it weighs.',
  log_level: 'How grave the message about a lost connection is.',
  confirm_block_all: 'Needed for a list that leaves no symbol to trade.',
};

export const noteOf = (key: SettingKey): string =>
  NOTE[key.key.replace(/^(rules\.\w+|general)\./, '')] ?? key.help;

/** The range, as figures are written on this page. */
export function allowed(key: SettingKey): string {
  const [min, max] = [key.min ?? 0, key.max ?? 0];
  const grouped = (n: number) => price(String(n), 0);
  switch (key.kind) {
    case 'money':
      return max === 0
        ? `${signed(String(min))} to ${signed('-0.01')}`
        : `${signed('0.01')} to ${signed(String(max))}`;
    case 'integer':
      return `${grouped(min)} to ${grouped(max)}${key.unit === 'none' ? '' : ` ${key.unit}`}`;
    default:
      return key.expected;
  }
}

const UNIT: Record<string, string> = { none: '', dollars: 'USD' };
export const unitOf = (key: SettingKey): string => UNIT[key.unit] ?? key.unit;

/** A value for reading: in a row, in a sentence. */
export function shown(key: SettingKey | undefined, value: unknown): string {
  const text = wire(value);
  if (text === 'null') return 'none';
  switch (key?.kind) {
    case 'money':
      return isNumber(text) ? signed(text) : text;
    case 'duration':
      return spanText(text);
    case 'time':
      return time12(text);
    case 'integer':
      return key.unit === 'none' || key.unit === 'contracts' ? text : `${text} ${key.unit}`;
    case 'patterns':
    case 'symbols':
    case 'dates':
      return listIn(text).join(', ') || 'none';
    case 'percents':
      return (
        listIn(text)
          .map((it) => `${it} %`)
          .join(', ') || 'never'
      );
    case 'tiers':
      return tiersIn(text)
        .map(
          (it) => `${signed(String(it.loss_amount)).replace('.00', '')} → ${spanText(it.cooldown_duration)}`,
        )
        .join(', ');
    case 'windows':
      return windowsText(windowsIn(text));
    case 'unlisted_symbols':
      return text.startsWith('allow_with_limit:') ? `Up to ${text.slice(17)}` : wordOf(text);
    default:
      return wordOf(text);
  }
}

export interface Tier {
  loss_amount: number | string;
  cooldown_duration: string;
}
export const tiersIn = (value: string): Tier[] => {
  try {
    const tiers: unknown = JSON.parse(value);
    return Array.isArray(tiers) ? (tiers as Tier[]) : [];
  } catch {
    return [];
  }
};

/** One stretch of trading hours; days as the files count them, 0 is Monday. */
export interface Hours {
  start: string;
  end: string;
  days: number[];
}

export const windowsIn = (value: string): Hours[] => {
  try {
    const windows: unknown = JSON.parse(value);
    return Array.isArray(windows) ? (windows as Hours[]) : [];
  } catch {
    return [];
  }
};

/** The hours of an account, in whichever form the files give them. */
export function hoursOf(read: (key: string) => unknown): Hours[] {
  const days = (read(`${HOURS}allowed_days`) ?? []) as number[];
  const several = read(`${HOURS}sessions`) as Hours[] | undefined;
  if (several) return several.map((it) => ({ ...it, days: it.days.length ? it.days : days }));
  const [start, end, early, from, late, until] = HOUR_KEYS_READ.map((key) => read(HOURS + key));
  return [{ start: String(early === true ? from : start), end: String(late === true ? until : end), days }];
}
const HOUR_KEYS_READ = [
  'session_hours.start',
  'session_hours.end',
  'pre_market.enabled',
  'pre_market.start',
  'after_hours.enabled',
  'after_hours.end',
];

/** Edits that write hours as windows, and take the other form out of the file where it stands. */
export function hoursDrafts(hours: Hours[], values: Values, own: boolean): [string, Draft][] {
  const here = own ? 'own' : 'everyone';
  const others = HOUR_KEYS.filter((key) => values.get(key)?.origin === here);
  return [[`${HOURS}sessions`, JSON.stringify(hours)], ...others.map((key): [string, Draft] => [key, null])];
}

export const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

export function daysText(days: number[]): string {
  const sorted = [...days].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const day of sorted) {
    const last = runs.at(-1);
    if (last && last[1] === day - 1) last[1] = day;
    else runs.push([day, day]);
  }
  const name = (day: number) => DAYS[day] ?? '';
  return runs.map(([a, b]) => (a === b ? name(a) : `${name(a)}–${name(b)}`)).join(', ');
}

const windowsText = (windows: Hours[]) =>
  windows.map((it) => `${daysText(it.days)} ${time12(it.start)}–${time12(it.end)}`.trim()).join(' · ');

export const zoneText = (zone: string): string =>
  ({ 'America/Chicago': 'CT', 'America/New_York': 'ET', UTC: 'UTC' })[zone] ?? zone.replace(/_/g, ' ');

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

/** The row's figure. */
export function summary(entry: Entry, values: Values): string {
  const prefix = entry.rule ? `rules.${entry.rule}.` : '';
  const read = (name: string) => values.get(prefix + name)?.value;
  const say = (name: string) => {
    const key = [...entry.first, ...entry.rest].find((it) => it.key === prefix + name);
    return shown(key, read(name));
  };
  switch (entry.id) {
    case 'daily_realized_loss':
    case 'daily_realized_profit': {
      const limit = say(entry.id === 'daily_realized_loss' ? 'limit' : 'target');
      return `${limit} ${read('include_fees') === true ? 'net' : 'gross'}${read('basis') === 'realized' ? ', closed only' : ''}`;
    }
    case 'daily_unrealized_loss':
      return `${say('limit')}${read('scope') === 'account_total' ? ', all positions' : ''}`;
    case 'max_unrealized_profit':
      return say('target');
    case 'max_contracts':
      return `${say('limit')}, ${read('count_type') === 'gross' ? 'longs plus shorts' : 'longs less shorts'}`;
    case 'max_contracts_per_instrument':
      return [...limitsOf(values).map(([symbol, limit]) => `${symbol} ${limit}`), unlisted(values)].join(
        ' · ',
      );
    case 'trade_frequency_limit':
      return (
        [
          ['limits.per_minute', 'min'],
          ['limits.per_hour', 'hour'],
          ['limits.per_session', 'day'],
        ] as const
      )
        .filter(([name]) => read(name) !== null)
        .map(([name, per]) => `${wire(read(name))}/${per}`)
        .join(' · ');
    case 'cooldown_after_loss':
      return cooldown(values);
    case 'no_stop_loss_grace':
      return `within ${spanText(secondsText(Number(read('grace_period_seconds'))))}, ${read('require_full_coverage') === true ? 'full size' : 'any size'}`;
    case 'session_block_outside':
      return `${windowsText(hoursOf((key) => values.get(key)?.value))} ${zoneText(wire(read('timezone')))}`;
    case 'symbol_blocks':
      return read('mode') === 'whitelist' ? `only ${say('allowed_symbols')}` : say('blocked_symbols');
    case 'trade_management':
      return (
        (
          [
            ['auto_stop_loss', 'ticks', 'stop'],
            ['auto_take_profit', 'ticks', 'target'],
            ['auto_breakeven', 'profit_threshold_ticks', 'break even'],
            ['trailing_stop', 'trail_ticks', 'trail'],
          ] as const
        )
          .filter(([name]) => read(`${name}.enabled`) === true)
          .map(([name, ticks, word]) => `${word} ${wire(read(`${name}.${ticks}`))}`)
          .join(' · ') || 'nothing automatic'
      );
    case 'auth_loss_guard':
      return read('on_can_trade_false') === 'lockout' ? 'tell, and lock if barred' : 'tell';
    case 'notifications':
      return values.get('general.notifications.desktop.enabled')?.value === true
        ? wordOf(wire(values.get('general.notifications.desktop.min_severity')?.value))
        : 'off';
    case 'warnings':
      return `at ${shown(entry.first[0], values.get('general.warnings.told_at_percent')?.value)}`;
    case 'daily_reset':
      return `${time12(wire(values.get('daily_reset.time')?.value))} ${zoneText(wire(values.get('daily_reset.timezone')?.value))}`;
    case 'holidays':
      return plural((values.get('holidays.dates')?.value as string[] | undefined)?.length ?? 0, 'day');
    default:
      return '';
  }
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

export type Mode = 'enforce' | 'warn' | 'observe' | 'off' | 'always';
export const MODE: Record<Mode, string> = {
  enforce: 'Enforce',
  warn: 'Warn',
  observe: 'Observe',
  off: 'Off',
  always: 'Always',
};

export function modeOf(entry: Entry, values: Values): Mode | null {
  if (!entry.rule) return null;
  if (entry.rule === 'no_stop_loss_grace') return 'always';
  if (values.get(`rules.${entry.rule}.enabled`)?.value !== true) return 'off';
  return wire(values.get(`rules.${entry.rule}.rule_mode`)?.value) as Mode;
}

/** Where the row's values come from: the account's own count first. */
export function setBy(entry: Entry, values: Values): string {
  const prefix = entry.rule ? [`rules.${entry.rule}.`] : entry.first.map((it) => it.key);
  const mine = [...values.values()].filter((it) => prefix.some((start) => it.key.startsWith(start)));
  if (mine.some((it) => it.origin === 'own')) return 'This account';
  return mine.some((it) => it.origin === 'everyone') ? 'Everyone' : 'Default';
}

/** Where one value comes from, in full. */
export function originText(value: SettingValue | undefined): string {
  if (!value) return 'Not set';
  const place = value.file ? `, ${value.file}${value.line ? ` line ${value.line}` : ''}` : '';
  return (
    { default: 'Default', everyone: 'Everyone', own: 'This account', forced: 'Fixed by the program' }[
      value.origin
    ] + place
  );
}

/** What the rule judges at this moment, of the account or of the one closest to its limit. */
export function nowOf(entry: Entry, accounts: AccountView[], stale: boolean): string {
  if (!entry.rule || !accounts.length) return '';
  if (stale) return 'not judged';
  const { rule } = entry;
  const locked = accounts.some((it) => it.lockouts.some((lock) => lock.key.rule === rule));
  const gauges = accounts.flatMap((it) => it.gauges).filter((it) => it.rule === rule);
  const gauge = gauges.sort((a, b) => (b.used_percent ?? 0) - (a.used_percent ?? 0))[0];
  const value = gauge ? valueOf(gauge, false).split(' of ')[0]?.trim() : undefined;
  const figure = gauge && value ? [gauge.symbol, value].filter(Boolean).join(' ') : '';
  if (locked) return figure ? `${figure}, locked` : 'locked';
  if (figure) return figure;
  const positions = accounts.flatMap((it) => it.positions);
  switch (rule) {
    case 'no_stop_loss_grace':
      if (!positions.length) return 'flat';
      return positions.every((it) => it.stop_covered) ? 'covered' : 'not covered';
    case 'daily_unrealized_loss':
    case 'max_unrealized_profit': {
      const [first] = positions;
      return first
        ? `${first.symbol} ${first.unrealized === null ? 'unknown' : signed(first.unrealized)}`
        : 'flat';
    }
    case 'max_contracts':
    case 'max_contracts_per_instrument':
      return positions.length ? '' : '0';
    case 'session_block_outside':
      return 'open';
    case 'cooldown_after_loss':
    case 'trade_frequency_limit':
      return 'ready';
    case 'symbol_blocks':
      return 'none held';
    case 'auth_loss_guard':
      return 'connected';
    default:
      return '';
  }
}

// ---- what waits, what an edit leads to

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

/** Changes that are judged as one although several keys say them. */
const TOGETHER: Record<string, string> = {
  'rules.session_block_outside.sessions': 'Trading hours',
  'rules.symbol_blocks.mode': 'Symbol list',
  'rules.trade_management.auto_stop_loss': 'Automatic orders',
  daily_reset: 'Daily reset',
  'daily_reset.unlock': 'Locks at the daily reset',
  accounts: 'Watched accounts',
};

type Told = Pick<SettingChange, 'key' | 'rule' | 'from' | 'to'>;

/** `Daily Loss Limit −$500.00 → −$750.00`. */
export function changeText(settings: SettingsView, change: Told): string {
  const group = settings.groups.find((it) => it.rule !== null && it.rule === change.rule);
  const together = TOGETHER[change.key];
  const [from, to] = [change.from, change.to];
  if (change.key === 'rules.session_block_outside.sessions' && Array.isArray(from) && Array.isArray(to)) {
    return `Trading Hours ${windowsText(from[0] as Hours[])} → ${windowsText(to[0] as Hours[])}`;
  }
  if (change.key === 'rules.symbol_blocks.mode' && Array.isArray(from) && Array.isArray(to)) {
    const list = ([mode, symbols]: unknown[]) =>
      `${mode === 'whitelist' ? 'only ' : ''}${(symbols as string[]).join(', ') || 'none'}`;
    return `Symbol Block ${list(from)} → ${list(to)}`;
  }
  if (change.key.endsWith('.default_limit') && Array.isArray(from) && Array.isArray(to)) {
    return `Limit of other symbols ${wire(from[0])} → ${wire(to[0])}`;
  }
  if (together) return `${together} changed`;
  const [key, symbol] = keyOf(settings, change.key);
  if (isSwitch(change.key)) {
    return `${group?.title ?? ''}: ${shown(key, from)} → ${shown(key, to)}`;
  }
  const name = symbol ? `Limit of ${symbol}` : (key?.title ?? change.key);
  return `${name} ${shown(key, from)} → ${shown(key, to)}`;
}

export const waitingOf = (view: View | null, account: string | null): PendingView[] =>
  (view?.pending ?? []).filter((it) => account === null || it.account === null || it.account === account);

export function waitingText(settings: SettingsView, change: PendingView, now: number): string {
  const what = changeText(settings, change);
  const at = change.applies_at === null ? null : ms(change.applies_at);
  switch (change.state) {
    case 'waits':
      return `${what} applies at ${at === null ? 'the next daily reset' : `${schedule(at, now)} (in ${countdown(at - now)})`}.`;
    case 'held':
      return `${what} applies when the lock has ended.`;
    case 'undated':
      return `${what} applies at the next daily reset; the time is not known yet.`;
    case 'refused':
      return `${what} was refused: it was made while locked. Save it again when the lock has ended.`;
  }
}

export interface Verdict {
  icon: 'check' | 'now' | 'clock' | 'locked' | 'tri' | 'danger' | 'observing';
  tone: '' | 'ok' | 't2' | 'lockc' | 'warn' | 'dang';
  strong: string;
  text: string;
  /** One line for each further fault or change. */
  more: string[];
  /** The button that saves; none where nothing can be saved. */
  save: string | null;
}

const said = (verdict: Partial<Verdict> & Pick<Verdict, 'icon' | 'tone' | 'strong'>): Verdict => ({
  text: '',
  more: [],
  save: null,
  ...verdict,
});

/** What holds while nothing is being edited. */
export function standing(entry: Entry, values: Values, view: View | null, connected: boolean): Verdict {
  const mode = modeOf(entry, values);
  if (!connected || !view) {
    return said({
      icon: 'danger',
      tone: 'dang',
      strong: 'Not in force.',
      text: 'No rule acts until the engine answers.',
    });
  }
  if (mode === null)
    return said({ icon: 'check', tone: 'ok', strong: 'In use.', text: 'It holds for every account.' });
  if (mode === 'off') {
    return said({
      icon: 'observing',
      tone: 't2',
      strong: 'Off.',
      text: 'Nothing is judged. Lockouts it already caused run on.',
    });
  }
  if (kindOf(view) === 'danger') {
    return said({
      icon: 'danger',
      tone: 'dang',
      strong: 'Not in force.',
      text: 'Saved, but no rule acts until protection is back.',
    });
  }
  if (mode === 'observe') {
    return said({
      icon: 'observing',
      tone: 't2',
      strong: 'Observed only.',
      text: 'A breach is recorded; nothing is closed or locked.',
    });
  }
  if (mode === 'warn') {
    return said({
      icon: 'observing',
      tone: 't2',
      strong: 'Warns only.',
      text: 'A breach is told; nothing is closed or locked.',
    });
  }
  return said({
    icon: 'check',
    tone: 'ok',
    strong: 'In force.',
    text: `${summary(entry, values)} is enforced now.`,
  });
}

/** What the edits would lead to. */
export function verdict(
  settings: SettingsView,
  preview: SettingsPreview,
  context: { now: number; names: (account: string) => string; accounts: AccountView[] },
): Verdict {
  const faults = preview.faults.filter((it) => it.is_error);
  const [fault, ...others] = faults;
  if (fault) {
    const place = fault.file ? `${fault.file}${fault.line ? ` line ${fault.line}` : ''}: ` : '';
    return said({
      icon: 'tri',
      tone: 'dang',
      strong: fault.problem,
      text: [fault.reason, fault.fix, fault.example ? `Example: ${fault.example}` : '']
        .filter(Boolean)
        .join(' '),
      more: others
        .map((it) => `${it.file}${it.line ? ` line ${it.line}` : ''}: ${it.problem}`)
        .concat(place ? [`${place}as it would stand in the file`] : []),
    });
  }
  if (preview.refused) {
    return said({
      icon: 'locked',
      tone: 'lockc',
      strong: 'Looser: refused while locked.',
      text: preview.refused,
    });
  }
  const of = (effect: SettingChange['effect']) => preview.changes.filter((it) => it.effect === effect);
  const [now, later, restart, withdrawn] = [of('now'), of('later'), of('restart'), of('withdrawn')];
  const line = (change: SettingChange) =>
    `${change.account === null ? '' : `${context.names(change.account)}: `}${changeText(settings, change)}`;
  const warnings = preview.faults.map((it) => it.problem);
  const at = later.find((it) => it.applies_at !== null)?.applies_at ?? null;
  const when = at === null ? 'the next daily reset' : schedule(ms(at), context.now);
  const left = at === null ? '' : ` (in ${countdown(ms(at) - context.now)})`;
  if (!preview.changes.length) {
    return said({
      icon: 'check',
      tone: 't2',
      strong: 'No difference.',
      text: 'What applies stays the same.',
      save: 'Save',
      more: warnings,
    });
  }
  if (later.length && !now.length) {
    const [first] = later;
    const until =
      later.length === 1 && first
        ? ` Until then ${shown(keyOf(settings, first.key)[0], scalar(first.from))} stays.`
        : ' Until then nothing changes.';
    return said({
      icon: 'clock',
      tone: 't2',
      strong: `Looser: applies at ${when}${left}.`,
      text: until.trim(),
      more: (later.length > 1 || later[0]?.account ? later.map(line) : []).concat(warnings),
      save: at === null ? 'Queue for the daily reset' : `Queue for ${when}`,
    });
  }
  if (later.length) {
    return said({
      icon: 'clock',
      tone: 't2',
      strong: `Part applies now, the looser part at ${when}${left}.`,
      more: [
        ...now.map((it) => `Now: ${line(it)}`),
        ...later.map((it) => `At ${when}: ${line(it)}`),
        ...warnings,
      ],
      save: 'Save both',
    });
  }
  if (restart.length) {
    return said({
      icon: 'clock',
      tone: 't2',
      strong: 'Applies at the next start of Risk Manager.',
      more: restart.map(line).concat(warnings),
      save: 'Save',
    });
  }
  if (now.length) {
    const breach = now.find((it) => breaches(it, context.accounts));
    if (breach) {
      return said({
        icon: 'tri',
        tone: 'warn',
        strong: 'Applies now and locks at once.',
        text: `The day’s result is past ${shown(keyOf(settings, breach.key)[0], breach.to)}: everything is closed and locked until the daily reset.`,
        more: warnings,
        save: 'Apply and lock',
      });
    }
    return said({
      icon: 'now',
      tone: 'ok',
      strong: 'Applies now.',
      text: now.length === 1 && now[0] ? `${line(now[0])}.` : '',
      more: (now.length > 1 ? now.map(line) : []).concat(
        withdrawn.map((it) => `No longer waits: ${line(it)}`),
        warnings,
      ),
      save: 'Apply now',
    });
  }
  return said({
    icon: 'check',
    tone: 'ok',
    strong: 'Keeps what is in force.',
    text: `No longer waits: ${withdrawn.map(line).join('; ')}.`,
    save: 'Keep current',
  });
}

const scalar = (value: unknown) => (Array.isArray(value) && value.length === 2 ? value[0] : value);

/** A new limit of the day that the day's result has reached already, in an account that would be locked. */
function breaches(change: SettingChange, accounts: AccountView[]): boolean {
  const loss = change.key === 'rules.daily_realized_loss.limit';
  if (!loss && change.key !== 'rules.daily_realized_profit.target') return false;
  const limit = Number(change.to);
  return accounts
    .filter(
      (it) =>
        (change.account === null || it.id === change.account) &&
        it.lockouts.every((lock) => lock.symbol !== null),
    )
    .some((it) => {
      const gauge = it.gauges.find((gauge) => gauge.rule === change.rule);
      if (!gauge || gauge.value === null || gauge.mode !== 'enforce') return false;
      return loss ? Number(gauge.value) <= limit : Number(gauge.value) >= limit;
    });
}

/** Edits of drafts that differ from what the files say. */
export const editsOf = (drafts: Iterable<[string, Draft]>): SettingEdit[] =>
  [...drafts].map(([id, value]) => {
    const [account, key] = splitId(id);
    return { account, key, value };
  });

export const draftId = (account: string | null, key: string): string => `${account ?? ''} ${key}`;
export function splitId(id: string): [string | null, string] {
  const at = id.indexOf(' ');
  return [id.slice(0, at) || null, id.slice(at + 1)];
}
