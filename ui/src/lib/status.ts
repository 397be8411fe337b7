// What the status page says, as plain values: a function of sight, time and zone. Draws nothing.

import {
  countdown,
  elapsed,
  event,
  listed,
  ms,
  plural,
  price,
  schedule,
  scheduleWithLocal,
  signed,
  unsigned,
} from './format';
import type { AccountView } from './types/AccountView';
import type { Gauge } from './types/Gauge';
import type { LockoutView } from './types/LockoutView';
import type { PositionView } from './types/PositionView';
import type { ReceiptView } from './types/ReceiptView';
import type { Sight } from './types/Sight';
import type { View } from './types/View';

export type Kind = 'armed' | 'near' | 'locked' | 'danger' | 'observing' | 'loading';

export interface Line {
  strong?: string;
  text?: string;
  quiet?: boolean;
}

export interface Banner {
  kind: Kind;
  word: string;
  who: string;
  figure: string;
  caption: string;
  lines: Line[];
  action: 'retry' | 'setup' | null;
  /** What a screen reader says; changes with the state and at 10 min, 1 min and the end. */
  spoken: string;
}

/** Doubts under which no rule can act and no figure is fresh. */
const BLIND = ['starting', 'login', 'user_stream', 'reconcile', 'accounts', 'engine_lost'];

/** The figures on the page may be untrue by now. */
export function isStale(sight: Sight): boolean {
  if (sight.sight !== 'live') return true;
  const { health } = sight.view;
  return !health.logged_in || health.user_stream === 'down';
}

/** A command would reach the broker. */
export const canSend = (sight: Sight): boolean =>
  sight.sight === 'live' && !sight.view.starting && !isStale(sight);

export function kindOf(view: Pick<View, 'protection' | 'near_limit' | 'starting'>): Kind {
  switch (view.protection) {
    case 'not_protected':
      return view.starting ? 'loading' : 'danger';
    case 'locked':
      return 'locked';
    case 'armed':
      return view.near_limit ? 'near' : 'armed';
    case 'observing':
      return 'observing';
  }
}

/** A lost engine protects no account, whatever its last picture says. */
export const accountKind = (account: AccountView, sight: Sight): Kind =>
  sight.sight === 'live' ? kindOf({ ...account, starting: false }) : 'danger';

export const WORD: Record<Kind, string> = {
  armed: 'Armed',
  near: 'Armed · near limit',
  locked: 'Locked',
  danger: 'Not protected',
  observing: 'Observing',
  loading: 'Not protected yet',
};

export function banner(sight: Sight, now: number, age: number, zone: string): Banner {
  if (sight.sight === 'connecting') return connecting(age);
  if (sight.sight === 'lost') return lost(sight.view, now, age);
  const { view } = sight;
  switch (kindOf(view)) {
    case 'loading':
      return starting(view, now);
    case 'danger':
      return danger(view, now);
    case 'locked':
      return locked(view, now, zone);
    case 'near':
      return near(view, now);
    case 'armed':
      return armed(view, now);
    case 'observing':
      return observing(view, now);
  }
}

type Said = Omit<Banner, 'word' | 'spoken'> & Partial<Pick<Banner, 'word'>>;

/** The word of the state, and what is said aloud: never the running figure itself. */
function say(said: Said, aloud = ''): Banner {
  const word = said.word ?? WORD[said.kind];
  const lines = said.lines.filter((line) => !line.quiet).map((line) => [line.strong, line.text].join(' '));
  const spoken = [word, said.who, ...lines, aloud].map((part) => part.trim()).filter(Boolean);
  return { ...said, word, spoken: spoken.join('. ').replace(/\.\./g, '.') };
}

function connecting(age: number): Banner {
  return say({
    kind: 'loading',
    who: 'Looking for the engine',
    figure: elapsed(age),
    caption: 'since this window opened',
    lines: [{ strong: 'No answer from the engine yet.', text: 'Nothing is known until it answers.' }],
    action: null,
  });
}

function lost(view: View | null, now: number, age: number): Banner {
  const at = view ? `since ${event(now - age, now)}` : 'without the engine';
  const open = view ? holdings(view) : [];
  const watch = open.length
    ? `${listed(open)} was open. Look in ${view?.broker ?? 'the platform'}.`
    : `Look in ${view?.broker ?? 'the platform'}.`;
  return say({
    kind: 'danger',
    who: 'This window lost the engine',
    figure: elapsed(age),
    caption: at,
    lines: [
      { strong: 'The engine does not answer.', text: 'Whether a rule can act is unknown.' },
      { strong: 'Watch it yourself:', text: watch },
      { text: 'If it stays like this, quit Risk Manager in the tray and start it again.', quiet: true },
    ],
    action: null,
  });
}

function starting(view: View, now: number): Banner {
  return say({
    kind: 'loading',
    who: 'Starting',
    figure: elapsed(now - ms(view.since)),
    caption: 'since start',
    lines: [
      {
        strong: view.doubts[0]?.text ?? view.reason ?? '',
        text: 'No rule acts until positions and orders are known.',
      },
    ],
    action: null,
  });
}

function danger(view: View, now: number): Banner {
  const [first, ...more] = view.doubts;
  const blind = view.doubts.some((doubt) => BLIND.includes(doubt.kind));
  const login = view.doubts.some((doubt) => doubt.kind === 'login');
  const open = holdings(view);
  const advice = first?.advice ?? '';
  const watch: Line =
    open.length && blind
      ? { strong: 'Watch it yourself:', text: `${listed(open)} was open. ${advice}` }
      : { text: advice };
  const lines: Line[] = [
    { strong: first?.text ?? view.reason ?? '', text: blind ? 'No rule can act.' : '' },
    watch,
    { text: more.map((doubt) => doubt.text).join(' '), quiet: true },
  ];
  return say({
    kind: 'danger',
    who: inPosition(view),
    figure: elapsed(now - ms(view.since)),
    caption: `since ${event(ms(view.since), now)}`,
    lines: lines.filter((line) => line.strong || line.text),
    action: login ? 'setup' : blind ? 'retry' : null,
  });
}

function locked(view: View, now: number, zone: string): Banner {
  const accounts = view.accounts.filter((account) => account.protection === 'locked');
  const [account, lockout] = strongest(accounts);
  if (!account || !lockout) {
    return say({
      kind: 'locked',
      who: '',
      figure: '',
      caption: '',
      lines: [{ text: view.reason ?? '' }],
      action: null,
    });
  }
  const until = lockout.until === null ? null : ms(lockout.until);
  // The oldest since the lock began is the one that set it; later ones closed what was opened in spite of it.
  const receipt = view.receipts.findLast(
    (line) =>
      isDeed(line) &&
      line.rule === lockout.rule &&
      line.account === account.id &&
      ms(line.at) >= ms(lockout.since),
  );
  const flat = account.positions.length === 0 && receipt?.confirmed_at;
  const done = [receipt?.done, flat ? `Flat since ${event(ms(flat), now)}.` : ''].filter(Boolean).join(' ');
  const lines: Line[] = [
    { strong: `${lockout.title}: ${lockout.reason.replace(/\.$/, '')}.` },
    { text: done },
    {
      text: until
        ? `New trades blocked until ${scheduleWithLocal(until, now, zone)}.`
        : 'New trades blocked without a time limit.',
    },
  ];
  return say(
    {
      kind: 'locked',
      who: whose(accounts, view.accounts),
      figure: until ? countdown(until - now) : 'no end',
      caption: until ? `until ${schedule(until, now)}` : 'without a time',
      lines: lines.filter((line) => line.strong || line.text),
      action: null,
    },
    until ? remainingAloud(until - now) : '',
  );
}

/** Announced at 10 minutes, 1 minute and the end, not each second. */
function remainingAloud(left: number): string {
  if (left <= 0) return 'The lock is ending';
  if (left <= 60_000) return 'Less than 1 minute left';
  return left <= 600_000 ? 'Less than 10 minutes left' : '';
}

function near(view: View, now: number): Banner {
  const account = [...view.accounts].filter((one) => one.near_limit).sort(byHeadroom)[0];
  const gauge = account?.gauges
    .filter((one) => one.state === 'near')
    .sort((a, b) => (b.used_percent ?? 0) - (a.used_percent ?? 0))[0];
  const beyond = account?.positions.find((position) => isBeyond(position, account));
  const lines: Line[] = [];
  if (account && beyond) lines.push(actsBeforeStop(beyond, account));
  if (account && gauge?.rule === 'daily_realized_loss') {
    const reset = schedule(ms(account.reset_at), now);
    lines.push({ text: `At ${signed(gauge.limit)}: closes everything, locks until ${reset}.`, quiet: true });
  }
  return say({
    kind: 'near',
    who: account ? `${account.short_name}, ${gauge?.used_percent ?? '?'} %` : '',
    figure: gauge ? left(gauge) : '',
    caption: gauge?.title ?? '',
    lines,
    action: null,
  });
}

/** The stop lies further away than the limit: it will not be the stop that closes the position. */
export const isBeyond = (position: PositionView, account: AccountView): boolean =>
  position.stop_distance_usd !== null &&
  account.headroom.usd !== null &&
  Number(position.stop_distance_usd) > Number(account.headroom.usd);

function actsBeforeStop(position: PositionView, account: AccountView): Line {
  const stop = position.stop_price === null ? '' : `stop ${price(position.stop_price)}, `;
  return {
    strong: `Limit acts before your ${position.symbol} stop:`,
    text: `${stop}${unsigned(position.stop_distance_usd ?? '0')} away, ${unsigned(account.headroom.usd ?? '0')} left.`,
  };
}

function armed(view: View, now: number): Banner {
  const account = view.accounts.filter((one) => one.protection === 'armed').sort(byHeadroom)[0];
  const gauge = account && biting(account);
  const checked = account?.confirmed_at ? `Checked ${event(ms(account.confirmed_at), now)}.` : '';
  const locks =
    account && gauge?.rule === 'daily_realized_loss'
      ? ` Locks at ${signed(gauge.limit)} until ${schedule(ms(account.reset_at), now)}.`
      : '';
  const traded = view.accounts.some((one) => one.trades_today > 0) ? '' : ' No trade yet today.';
  return say({
    kind: 'armed',
    who: plural(view.accounts.length, 'account'),
    figure: account ? headroom(account) : '',
    caption: gauge?.title ?? '',
    lines: [{ text: checked + locks + traded, quiet: true }],
    action: null,
  });
}

function observing(view: View, now: number): Banner {
  const times = view.accounts.reduce((sum, account) => sum + account.observed_today, 0);
  return say({
    kind: 'observing',
    who: 'Your limits are not enforced',
    figure: plural(times, 'time'),
    caption: 'would have acted today',
    lines: [
      { strong: 'Nothing locks; no limit closes a position.' },
      { text: 'Only Stop-Loss Required acts (it is always on).' },
      { text: `Since ${schedule(ms(view.since), now)}.`, quiet: true },
    ],
    action: null,
  });
}

/** `$187.50 left`, `2 contracts left`, or nothing where it is not known. */
export function headroom(account: AccountView): string {
  const { usd, contracts } = account.headroom;
  if (usd !== null) return `${unsigned(usd)} left`;
  return contracts === null ? '' : `${plural(contracts, 'contract')} left`;
}

/** The limit that is reached first: the view lists the closest of a unit first. */
export function biting(account: AccountView): Gauge | undefined {
  return account.gauges.find((gauge) => gauge.rule === account.headroom.rule);
}

/** One line for an account that is not opened: `Armed · $684.00 left`, `Locked until 5:00 PM CT`. */
export function standing(account: AccountView, kind: Kind, now: number): string {
  const lock = account.lockouts.find((lockout) => lockout.symbol === null);
  if (kind === 'locked') return lock?.until ? `Locked until ${schedule(ms(lock.until), now)}` : 'Locked';
  return [WORD[kind], headroom(account)].filter(Boolean).join(' · ');
}

/** What is left of one limit. */
export function left(gauge: Gauge): string {
  if (gauge.state === 'unknown' || gauge.left === null) return 'not judged';
  if (gauge.unit === 'usd') {
    const past = Number(gauge.value) / Number(gauge.limit) > 1 && Number(gauge.left) <= 0;
    if (past && gauge.mode !== 'enforce') return `${unsigned(difference(gauge))} past`;
    return gauge.state === 'reached' ? 'reached' : `${unsigned(gauge.left)} left`;
  }
  if (gauge.state === 'reached') return 'reached';
  return Number(gauge.left) === 0 ? 'full' : `${Number(gauge.left)} left`;
}

/** How far past its limit a value is. */
export const difference = (gauge: Gauge): string =>
  (Math.abs(Number(gauge.value)) - Math.abs(Number(gauge.limit))).toFixed(2);

/** `−$312.50 of −$500.00`, `2 of 4`. */
export function valueOf(gauge: Gauge, stale = false): string {
  const figure = (amount: string) => (gauge.unit === 'usd' ? signed(amount) : String(Number(amount)));
  const value = gauge.value === null ? 'unknown' : figure(gauge.value);
  const last = (stale || gauge.state === 'unknown') && gauge.value !== null ? 'last ' : '';
  return `${last}${value} of ${figure(gauge.limit)}`;
}

/** Which account is open at first: the worst truth, then the least headroom. */
export function leading(accounts: AccountView[]): AccountView | undefined {
  const weight: Record<AccountView['protection'], number> = {
    not_protected: 3,
    locked: 2,
    armed: 1,
    observing: 0,
  };
  return [...accounts].sort(
    (a, b) =>
      weight[b.protection] - weight[a.protection] ||
      Number(b.near_limit) - Number(a.near_limit) ||
      b.positions.length - a.positions.length ||
      byHeadroom(a, b),
  )[0];
}

export type Block = 'account' | 'positions' | 'rules' | 'lockouts' | 'receipts' | 'others';

/** What leads depends on the state. */
export function order(kind: Kind): Block[] {
  switch (kind) {
    case 'locked':
      return ['lockouts', 'receipts', 'account', 'rules', 'positions', 'others'];
    case 'danger':
      return ['positions', 'account', 'rules', 'lockouts', 'receipts', 'others'];
    case 'observing':
      return ['account', 'receipts', 'rules', 'positions', 'others', 'lockouts'];
    case 'near':
      return ['positions', 'account', 'rules', 'others', 'lockouts', 'receipts'];
    case 'armed':
    case 'loading':
      return ['account', 'positions', 'rules', 'others', 'lockouts', 'receipts'];
  }
}

/** Enforcements and observations of this trading day, newest first. */
export function today(view: View): ReceiptView[] {
  const starts = view.accounts.map((account) => ms(account.reset_at) - 24 * 3_600_000);
  const start = Math.min(...starts);
  return view.receipts.filter((line) => isDeed(line) && !(ms(line.at) < start));
}

/** Something that was done, or would have been; not the bare note that a lock or a setting began. */
const isDeed = (line: ReceiptView): boolean => line.outcome !== 'recorded' && line.outcome !== 'superseded';

/** `detected → flat 143 ms, $12.50 past the limit`; flat only when seen at the broker. */
export function proof(line: ReceiptView): { text: string; took: string; past: string } | null {
  if (line.outcome === 'observed') return null;
  const past = line.overshoot_usd === null ? '' : `${unsigned(line.overshoot_usd)} past the limit`;
  if (line.outcome === 'failed') return { text: 'failed, not seen at the broker', took: '', past };
  if (line.confirmed_at && line.latency_us !== null) {
    return {
      text: `detected → ${seen(line.action)}`,
      took: `${Math.round(line.latency_us / 1000)} ms`,
      past,
    };
  }
  const station = line.acknowledged_at ? 'acknowledged' : line.sent_at ? 'sent' : 'not sent yet';
  return { text: `${station}, not yet seen at the broker`, took: '', past };
}

function seen(action: string): string {
  if (action.startsWith('reduce')) return 'reduced';
  if (action.startsWith('cancel')) return 'cancelled';
  return /close|flatten/.test(action) ? 'flat' : 'done';
}

/** `Long 2 MNQ` for every open position. */
export const holdings = (view: View): string[] =>
  view.accounts.flatMap((account) =>
    account.positions.map(
      ({ side, size, symbol }) => `${side === 'long' ? 'Long' : 'Short'} ${size} ${symbol}`,
    ),
  );

/** What a flatten would do: `close 2 MNQ, cancel 2 orders`; nothing where there is nothing to do. */
export function flattening(accounts: AccountView[]): string {
  const sizes = accounts.flatMap((account) =>
    account.positions.map(({ size, symbol }) => `${size} ${symbol}`),
  );
  const orders = accounts.reduce((sum, account) => sum + account.orders.length, 0);
  const close = sizes.length ? `close ${listed(sizes)}` : '';
  const cancel = orders ? `cancel ${plural(orders, 'order')}` : '';
  return [close, cancel].filter(Boolean).join(', ');
}

export const isHardLocked = (account: AccountView): boolean =>
  account.lockouts.some((lockout) => lockout.symbol === null && lockout.kind === 'HARD');

function inPosition(view: View): string {
  const open = view.accounts.filter((account) => account.positions.length > 0).length;
  if (view.accounts.length === 0) return '';
  return `${plural(view.accounts.length, 'account')}, ${open === 0 ? 'none' : open} in a position`;
}

function whose(some: AccountView[], all: AccountView[]): string {
  if (all.length > 1 && some.length === all.length) return 'All accounts';
  const names = listed(some.map((account) => account.short_name));
  return all.length > 1 ? `${names} only` : names;
}

const byHeadroom = (a: AccountView, b: AccountView): number => room(a) - room(b);
const room = (account: AccountView) =>
  account.headroom.usd === null ? Infinity : Number(account.headroom.usd);

function strongest(accounts: AccountView[]): [AccountView | undefined, LockoutView | undefined] {
  const rank = { HARD: 2, TIMER: 1, SYMBOL: 0 };
  const end = (lockout: LockoutView) => (lockout.until === null ? Infinity : ms(lockout.until));
  const found = accounts
    .flatMap((account) => account.lockouts.map((lockout) => ({ account, lockout })))
    .filter(({ lockout }) => lockout.symbol === null)
    .sort((a, b) => rank[b.lockout.kind] - rank[a.lockout.kind] || end(b.lockout) - end(a.lockout))[0];
  return [found?.account, found?.lockout];
}
