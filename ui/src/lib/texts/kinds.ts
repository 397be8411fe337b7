// What kinds of accounts are called: in the words of the firm, and in short where there is little room.

import type { AccountKind } from '../types/AccountKind';

export const KIND: Record<AccountKind, { short: string; full: string }> = {
  practice: { short: 'Practice', full: 'Practice' },
  combine: { short: 'Combine', full: 'Trading Combine' },
  funded: { short: 'XFA', full: 'Express Funded (XFA)' },
  live: { short: 'Live', full: 'Live Funded' },
  unknown: { short: '', full: 'Kind not told by the broker' },
};
