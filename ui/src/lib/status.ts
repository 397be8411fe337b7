// What the status page says, as plain values: a function of sight, time and zone. Draws nothing.

import { listed, ms, plural, schedule, signed, unsigned } from './format';
import type { AccountView } from './types/AccountView';
import type { Gauge } from './types/Gauge';
import type { PositionView } from './types/PositionView';
import type { ReceiptView } from './types/ReceiptView';
import type { Sight } from './types/Sight';
import type { View } from './types/View';

export type Kind = 'armed' | 'near' | 'locked' | 'danger' | 'observing' | 'loading';

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

/** What is left of the loss limits that act on a position. */
export function lossLeft(position: PositionView, account: AccountView): number | null {
  const left = account.gauges
    .filter((gauge) => gauge.unit === 'usd' && gauge.mode === 'enforce' && Number(gauge.limit) < 0)
    .filter((gauge) => gauge.symbol === null || gauge.symbol === position.symbol)
    .flatMap((gauge) => (gauge.left === null ? [] : [Number(gauge.left)]));
  return left.length ? Math.min(...left) : null;
}

/** A limit is reached before the last of its stops: not all of the position will end at them. */
export function isBeyond(position: PositionView, account: AccountView): boolean {
  const left = lossLeft(position, account);
  return position.stop_distance_usd !== null && left !== null && Number(position.stop_distance_usd) > left;
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
export const isDeed = (line: ReceiptView): boolean =>
  line.outcome !== 'recorded' && line.outcome !== 'superseded';

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

export const byHeadroom = (a: AccountView, b: AccountView): number => room(a) - room(b);
const room = (account: AccountView) =>
  account.headroom.usd === null ? Infinity : Number(account.headroom.usd);
