// A made-up past for work on the pages: three trading days of two accounts.

import type { AccountDay } from '../types/AccountDay';
import type { History } from '../types/History';
import type { HistoryQuery } from '../types/HistoryQuery';
import type { PastReceipt } from '../types/PastReceipt';
import type { ReceiptView } from '../types/ReceiptView';

const MAIN = '93365101';
const PRACTICE = '93367733';
const HASH = 'c01944ae02f7b3a85d10e6f4429c7be1a0d35f6688c2e97b11d04fa7236c9d63';

/** Milliseconds after an instant. */
const plus = (at: string, ms: number) => new Date(Date.parse(at) + ms).toISOString();

function receipt(
  seq: number,
  at: string,
  part: Partial<ReceiptView>,
  took?: number,
  error: string | null = null,
): PastReceipt {
  const times = took
    ? {
        sent_at: plus(at, 2),
        acknowledged_at: plus(at, took / 2),
        confirmed_at: plus(at, took),
        latency_us: took * 1000,
      }
    : { sent_at: null, acknowledged_at: null, confirmed_at: null, latency_us: null };
  const line: ReceiptView = {
    seq,
    at,
    account: MAIN,
    rule: 'daily_unrealized_loss',
    title: 'Open Loss per Position',
    action: 'close_position',
    reason: '',
    done: null,
    outcome: took ? 'confirmed' : 'recorded',
    detected_at: at,
    ...times,
    overshoot_usd: null,
    ...part,
  };
  return { receipt: line, hash: HASH, error };
}

function account(part: Partial<AccountDay>): AccountDay {
  return {
    account: MAIN,
    name: '50KTC-V2-…5101',
    is_open: false,
    realized: '0',
    fees: '0',
    net: '0',
    fees_estimated: false,
    trades: 0,
    wins: 0,
    losses: 0,
    lowest: null,
    highest: null,
    breaches: 0,
    lockouts: [],
    ...part,
  };
}

const practice = (part: Partial<AccountDay>) =>
  account({ account: PRACTICE, name: 'PRAC-V2-…7733', ...part });

const PAST: History = {
  cut: false,
  sessions: [
    {
      account: MAIN,
      name: '50KTC-V2-…5101',
      began: '2025-11-17T14:31:04Z',
      ended: '2025-11-17T20:58:40Z',
      trades: 9,
      net: '-341.50',
      breaches: 3,
    },
  ],
  days: [
    {
      day: '2025-11-18',
      accounts: [
        account({
          is_open: true,
          realized: '-333.10',
          fees: '14.40',
          net: '-347.50',
          trades: 3,
          wins: 1,
          losses: 3,
          lowest: '-402.00',
          highest: '61.50',
          breaches: 1,
        }),
        practice({
          is_open: true,
          realized: '188.20',
          fees: '4.20',
          net: '184.00',
          trades: 2,
          wins: 2,
          lowest: '-12.00',
          highest: '196.00',
        }),
      ],
      receipts: [
        receipt(
          1271,
          '2025-11-18T15:22:07.660Z',
          { reason: '−$202.00 of −$200.00', done: 'Closed 2 MNQ, cancelled 1 order.', overshoot_usd: '2.00' },
          131,
        ),
        receipt(1268, '2025-11-18T14:12:40Z', {
          account: null,
          action: 'settings',
          reason: 'Daily Loss Limit −$500.00 → −$750.00 waits for 5:00 PM CT',
          detected_at: null,
        }),
      ],
    },
    {
      day: '2025-11-17',
      accounts: [
        account({
          realized: '-297.10',
          fees: '44.40',
          net: '-341.50',
          fees_estimated: true,
          trades: 9,
          wins: 3,
          losses: 6,
          lowest: '-388.50',
          highest: '142.00',
          breaches: 3,
          lockouts: [
            {
              rule: 'cooldown_after_loss',
              title: 'Cooldown After Loss',
              kind: 'TIMER',
              symbol: null,
              reason: '−$118.00 on one trade',
              since: '2025-11-17T20:57:44Z',
              until: '2025-11-17T21:02:44Z',
              ended: '2025-11-17T21:02:44Z',
            },
          ],
        }),
        practice({}),
      ],
      receipts: [
        receipt(
          1240,
          '2025-11-17T20:57:44Z',
          {
            rule: 'cooldown_after_loss',
            title: 'Cooldown After Loss',
            action: 'flatten_account',
            reason: '−$118.00 on one trade',
            done: 'Closed 1 MNQ.',
          },
          139,
        ),
        receipt(
          1231,
          '2025-11-17T19:40:02Z',
          { reason: '−$212.50 of −$200.00', done: 'Closed 1 ES, cancelled 1 order.', overshoot_usd: '12.50' },
          152,
        ),
        receipt(
          1226,
          '2025-11-17T17:10:31Z',
          {
            rule: 'max_contracts',
            title: 'Max Contracts',
            action: 'reduce_position',
            reason: '6 of 5',
            done: 'Closed 1 MNQ.',
          },
          118,
        ),
        receipt(
          1214,
          '2025-11-17T14:50:15Z',
          {
            action: 'cancel_order',
            rule: 'symbol_blocks',
            title: 'Symbol Block',
            reason: 'CL is blocked',
            outcome: 'failed',
          },
          undefined,
          'order already filled',
        ),
      ],
    },
    {
      day: '2025-11-14',
      accounts: [
        account({
          realized: '262.80',
          fees: '12.80',
          net: '250.00',
          trades: 4,
          wins: 3,
          losses: 1,
          lowest: '-88.00',
          highest: '301.00',
        }),
        practice({}),
      ],
      receipts: [],
    },
  ],
};

const CHANGES = ['settings', 'reset', 'recovery', 'override', 'alert'];

function kind({ outcome, action }: ReceiptView): string {
  if (outcome === 'observed' || outcome === 'failed') return outcome;
  return outcome === 'recorded' && CHANGES.includes(action) ? 'changes' : 'enforced';
}

/** The past as a filter leaves it. */
export function historyOf(query: HistoryQuery, clockedIn: string | null): History {
  const wanted = ({ receipt: line }: PastReceipt) =>
    (query.account === null || line.account === query.account) &&
    (query.rule === null || line.rule === query.rule) &&
    (query.shown === 'all' || kind(line) === query.shown);
  const open = {
    account: MAIN,
    name: '50KTC-V2-…5101',
    ended: null,
    trades: null,
    net: null,
    breaches: null,
  };
  return {
    ...PAST,
    sessions: clockedIn ? [{ ...open, began: clockedIn }, ...PAST.sessions] : PAST.sessions,
    days: PAST.days.slice(0, query.days).map((day) => ({
      ...day,
      accounts: day.accounts.filter((one) => query.account === null || one.account === query.account),
      receipts: day.receipts.filter(wanted),
    })),
  };
}
