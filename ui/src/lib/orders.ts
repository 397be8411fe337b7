// What is said of a working order. Draws nothing.

import { price } from './format';
import type { OrderKind } from './types/OrderKind';
import type { OrderRole } from './types/OrderRole';
import type { OrderStatus } from './types/OrderStatus';
import type { OrderView } from './types/OrderView';

const KIND: Record<OrderKind, string> = {
  limit: 'limit',
  market: 'market',
  stop_limit: 'stop limit',
  stop: 'stop',
  trailing_stop: 'trailing stop',
  join_bid: 'join bid',
  join_ask: 'join ask',
};

export const ROLE: Record<OrderRole, string> = {
  entry: 'entry order',
  stop: 'protective stop',
  exit: 'target',
};

/** What is said where an order does not simply work. */
const STATUS: Record<OrderStatus, string> = {
  open: '',
  pending: 'not accepted yet',
  suspended: 'suspended',
  cancel_pending: 'being cancelled',
  filled: 'filled',
  cancelled: 'cancelled',
  expired: 'expired',
  rejected: 'rejected',
};

export const OWN = 'by Risk Manager';

/** `2 MNQ stop limit at 25,092.25, limit 25,090.00`. */
export function orderText({ remaining, symbol, kind, limit_price, stop_price }: OrderView): string {
  const at = [stop_price === null ? '' : price(stop_price), limit_price === null ? '' : price(limit_price)];
  const [stop, limit] = at;
  const where = stop && limit ? ` at ${stop}, limit ${limit}` : stop || limit ? ` at ${stop || limit}` : '';
  return `${remaining} ${symbol} ${KIND[kind]}${where}`;
}

/** `protective stop, being cancelled`. */
export const orderState = ({ role, status }: OrderView): string =>
  [ROLE[role], STATUS[status]].filter(Boolean).join(', ');
