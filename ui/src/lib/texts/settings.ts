// Every sentence of Risk Settings that the files' own words do not say. Decides nothing.

import type { RuleKey } from '../types/RuleKey';

/** Sections of the page with the rows in them, by id. */
export const ORDER: [string, (RuleKey | string)[]][] = [
  [
    'Money',
    ['daily_realized_loss', 'daily_realized_profit', 'daily_unrealized_loss', 'max_unrealized_profit'],
  ],
  ['Size', ['max_contracts', 'max_contracts_per_instrument']],
  ['Pace', ['trade_frequency_limit', 'cooldown_after_loss']],
  ['Discipline', ['no_stop_loss_grace', 'session_block_outside', 'symbol_blocks']],
  ['Automation and connection', ['trade_management', 'auth_loss_guard']],
  [
    'For every account',
    [
      'notifications',
      'lock_ends',
      'clock_changes',
      'warnings',
      'refusals',
      'instruments',
      'daily_reset',
      'holidays',
    ],
  ],
];

/** What the rule does, for someone who has to decide; the files' own words are the fallback. */
export const HELP: Partial<Record<string, string>> = {
  daily_realized_loss:
    'When the day’s result reaches the limit, everything is closed, orders are cancelled and the account is locked until the daily reset. At the limit is a breach.',
  daily_realized_profit:
    'When the day’s result reaches the target, everything is closed and the account is locked until the daily reset: a good day stays one.',
  session_block_outside:
    'Outside these hours the account is locked: entry orders are cancelled at the end, positions are closed after the grace, and any new position is closed at once. Exits always work.',
  notifications: 'What the desktop is told. Everything is on the Status page and in the log, told or not.',
  warnings: 'When you are told that a limit comes near.',
  lock_ends: 'Whether a message says that a lockout has ended.',
  clock_changes: 'Whether a message says that the clocks change, and what it means for your hours.',
  refusals:
    'Some accounts let no program close a part of a position. A rule that has to make one smaller can then only tell you, or close all of it.',
  instruments:
    'Their prices are asked for even while you hold nothing in them. What you trade is protected, listed or not.',
};

/** Settings of the program that make a row: the start of their keys, and its name. */
export const PROGRAM: Record<string, [string, string]> = {
  notifications: ['general.notifications.desktop.', 'Desktop Notifications'],
  warnings: ['general.warnings.told_at_percent', 'Warnings'],
  lock_ends: ['auto_unlock.notify', 'End of Lockouts'],
  clock_changes: ['dst.notify', 'Change of Clocks'],
  refusals: ['general.on_reduce_refused', 'Refused Part Closes'],
  instruments: ['general.instruments', 'Subscribed Symbols'],
  daily_reset: ['daily_reset.', 'Daily Reset'],
  holidays: ['holidays.', 'Holidays'],
};

/** The words of choices and switches. */
export const WORDS: Record<string, string> = {
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

/** What a key means, where the file's own words name the file's own choices. */
export const NOTE: Record<string, string> = {
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

/** Units that are written in another way than the files name them. */
export const UNIT: Record<string, string> = { none: '', dollars: 'USD' };

export type Mode = 'enforce' | 'warn' | 'observe' | 'off' | 'always';
export const MODE: Record<Mode, string> = {
  enforce: 'Enforce',
  warn: 'Warn',
  observe: 'Observe',
  off: 'Off',
  always: 'Always',
};

/** Changes that are judged as one although several keys say them. */
export const TOGETHER: Record<string, string> = {
  'rules.session_block_outside.sessions': 'Trading hours',
  'rules.symbol_blocks.mode': 'Symbol list',
  'rules.trade_management.auto_stop_loss': 'Automatic orders',
  daily_reset: 'Daily reset',
  'daily_reset.unlock': 'Locks at the daily reset',
  accounts: 'Watched accounts',
};

/** The first list of accounts, as long as no account is opened. */
export const LISTED_ONLY = 'Watched accounts: those of now, and later ones once ticked in Setup,';

/** Lists of which only what comes and goes is said. */
export const LISTS: Record<string, string> = {
  'holidays.dates': 'Holidays',
  'holidays.early_close': 'Early closes',
};

/** The windows of trading hours. */
export const HOURS_FORM = {
  window: (n: number, whose: string) => `${whose ? `${whose}: w` : 'W'}indow ${n}`,
  days: (window: string) => `Days of ${lower(window)}`,
  opens: (window: string) => `${window} opens`,
  closes: (window: string) => `${window} closes`,
  to: 'to',
  remove: 'Remove',
  add: 'Add a window',
  /** What a further window begins with. */
  another: { start: '17:00', end: '20:00', days: [0, 1, 2, 3] },
};

const lower = (text: string) => text.replace(/^W/, 'w');

/** Symbols with hours of their own. */
export const OWN_HOURS_FORM = {
  title: 'Symbols with hours of their own',
  none: 'None. Every symbol follows the hours above.',
  follow: 'Follow these hours instead of those above',
  gone: 'Will follow the hours above.',
  keep: 'Keep its hours',
  add: 'Add a window',
  of: (symbol: string) => `of ${symbol}`,
  remove: (symbol: string) => `Remove ${symbol}`,
  isNew: 'New',
  search: 'Give a symbol hours of its own',
  placeholder: 'Add a symbol…',
  another: HOURS_FORM.another,
};

/** Holidays and early closes. */
export const DAYS_FORM = {
  year: (list: string, year: string) => `${list} of ${year}`,
  past: (n: number) => `${n} ${n === 1 ? 'day' : 'days'} of past years`,
  remove: (date: string) => `Remove ${date}`,
  removeShort: 'Remove',
  noneListed: 'None listed.',
  addDay: 'Add a day',
  example: (today: string) => `${today.slice(0, 4) || '2026'}-12-24`,
  noDate: 'Write the date as 2026-12-24 or 12/24/2026.',
  listed: (date: string) => `${date} is listed already.`,
  closesAt: (date: string) => `Close on ${date}`,
  earlyDate: 'Date of an early close',
  earlyTime: 'Time of the close',
  exampleTime: '12:15 PM',
  noTime: 'Write the time of the close, such as 12:15 PM.',
};

/** What is said while something is in doubt. */
export const DOUBTED = {
  blind: 'Changes are saved, but no rule acts until protection is back.',
  blindRow: 'Saved, but no rule acts until protection is back.',
  doubted: (doubts: string) => `${doubts} Rules act as far as they can.`,
  row: 'In force, but not as surely as it should be.',
};

/** What a rule has before it at this moment. */
export const NOW = {
  unknown: 'not judged',
  locked: 'locked',
  flat: 'flat',
  none: '0',
  ready: 'ready',
  covered: 'covered',
  uncovered: 'not covered',
  coverUnknown: 'cover unknown',
  connected: 'connected',
  noPrices: 'no prices',
  barred: 'cannot trade',
  noFigure: 'unknown',
};

/** Whether something is told, and which symbols. */
export const TOLD = { yes: 'told', no: 'not told', none: 'none beside those you trade' };

/** Symbols with automatic orders of their own. */
export const BY_SYMBOL = {
  title: 'Symbols with values of their own',
  none: 'None. Every symbol follows the values above.',
  of: (what: string, symbol: string) => `${what} of ${symbol}`,
  follow: (others: string) => `As others: ${others}`,
  on: 'on',
  off: 'off',
  remove: (symbol: string) => `Remove the values of ${symbol}`,
  removeShort: 'Remove',
  add: 'Give a symbol values of its own',
  placeholder: 'Add a symbol…',
};
