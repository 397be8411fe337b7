import { expect, it } from 'vitest';

import { sightOf, states, views } from './fake/backend';
import { ms } from './format';
import { banner } from './banner';
import {
  biting,
  canSend,
  flattening,
  isBeyond,
  kindOf,
  left,
  leading,
  order,
  proof,
  standing,
  today,
} from './status';
import type { ReceiptView } from './types/ReceiptView';
import type { View } from './types/View';

const view = (state: string): View => {
  const found = views.get(state);
  if (!found) throw new Error(`no sample view ${state}`);
  return found;
};
const now = (state: string) => ms(view(state).at);

function said(state: string) {
  const sight = sightOf(state);
  const time = sight.sight === 'connecting' ? 0 : now(state === 'lost' ? 'armed' : state) + sight.age_ms;
  return banner(sight, time, sight.age_ms, 'America/New_York');
}

const text = (state: string) =>
  said(state).lines.map((line) => `${line.strong ?? ''} ${line.text ?? ''}`.trim());

it('gives every state its own word and picture', () => {
  expect(
    Object.fromEntries(states.map((state) => [state, `${said(state).kind}: ${said(state).word}`])),
  ).toEqual({
    armed: 'armed: Armed',
    near: 'near: Armed · near limit',
    locked: 'locked: Locked',
    'not-protected': 'danger: Not protected',
    observing: 'observing: Observing',
    starting: 'loading: Not protected yet',
    empty: 'armed: Armed',
    'no-credentials': 'danger: Not protected',
    lost: 'danger: Not protected',
    connecting: 'loading: Not protected yet',
  });
});

it('leads with one figure, always the same place', () => {
  const figure = (state: string) => `${said(state).figure}, ${said(state).caption}`;
  expect(figure('armed')).toBe('$187.50 left, Daily Loss Limit');
  expect(figure('near')).toBe('$87.50 left, Daily Loss Limit');
  expect(figure('locked')).toBe('2h 14m, until 5:00 PM CT');
  expect(figure('not-protected')).toBe('3m 41s, since 1:12:04 PM CT');
  expect(figure('observing')).toBe('3 times, would have acted today');
  expect(figure('lost')).toBe('12s, since 10:42:18 AM CT');
});

it('says why, what was done and until when while locked', () => {
  expect(text('locked')).toEqual([
    'Daily Loss Limit: −$512.50 of −$500.00.',
    'Closed 2 MNQ, cancelled 1 order. Flat since 2:24:31 PM CT.',
    'New trades blocked until 5:00 PM CT (6:00 PM local).',
  ]);
  expect(said('locked').who).toBe('50KTC-V2-…5101 only');
});

it('leads in a lock with the words of the trader and names what trades on', () => {
  const shown = structuredClone(view('locked'));
  const [lockout] = shown.accounts[0]?.lockouts ?? [];
  if (!lockout) throw new Error('no lockout');
  lockout.own_words = 'Walk the dog.';
  lockout.except = 'except ES, which has its own hours';
  const { lines } = banner({ sight: 'live', view: shown, age_ms: 0 }, now('locked'), 0, 'America/Chicago');
  expect(lines[0]?.strong).toBe('Walk the dog. Daily Loss Limit: −$512.50 of −$500.00.');
  expect(lines[2]?.text).toBe('New trades blocked until 5:00 PM CT, except ES, which has its own hours.');
});

it('says what no rule can do and what to watch while not protected', () => {
  expect(text('not-protected')).toEqual([
    'No connection to TopstepX. No rule can act.',
    'Watch it yourself: Long 2 MNQ was open. Check your network.',
  ]);
  expect(said('not-protected').action).toBe('retry');
  expect(said('no-credentials').action).toBe('setup');
});

it('does not claim that no rule can act when only the disk fails', () => {
  const failing: View = {
    ...view('armed'),
    protection: 'not_protected',
    doubts: [
      {
        kind: 'disk',
        text: 'Locks and records cannot be saved: disk full.',
        advice: 'Free some space.',
        since: view('armed').at,
        account: null,
      },
    ],
  };
  const lines = banner({ sight: 'live', view: failing, age_ms: 0 }, now('armed'), 0, 'UTC').lines;
  expect(lines.map((line) => line.text).join(' ')).not.toContain('No rule can act');
  expect(canSend({ sight: 'live', view: failing, age_ms: 0 })).toBe(true);
});

it('names a limit that is enforced as the near one', () => {
  const shown = structuredClone(view('near'));
  const [main] = shown.accounts;
  const [daily] = main?.gauges ?? [];
  if (!main || !daily) throw new Error('no gauge');
  main.gauges = [{ ...daily, mode: 'warn', used_percent: 99, title: 'Warned of' }, daily];
  expect(banner({ sight: 'live', view: shown, age_ms: 0 }, now('near'), 0, 'UTC').caption).toBe(
    'Daily Loss Limit',
  );
  main.gauges = [{ ...daily, mode: 'warn' }];
  const { lines } = banner({ sight: 'live', view: shown, age_ms: 0 }, now('near'), 0, 'UTC');
  expect(lines.map((line) => line.text).join(' ')).not.toContain('closes everything');
});

it('says that a stop lies beyond the limit', () => {
  expect(text('near')[0]).toBe('Limit acts before your ES stop: stop 6,706.50, $112.50 away, $87.50 left.');
});

it('names the limit that bites first, also when it belongs to one symbol', () => {
  const [account] = structuredClone(view('armed')).accounts;
  if (!account) throw new Error('no account');
  const [one] = account.gauges;
  if (!one) throw new Error('no limit');
  one.symbol = 'MNQ';
  account.headroom = { rule: one.rule, usd: one.left, contracts: null };
  expect(biting(account)?.title).toBe(one.title);
});

it('measures a stop by the loss limits that are enforced on its position', () => {
  const shown = structuredClone(view('near'));
  const [main] = shown.accounts;
  const [position] = main?.positions ?? [];
  const [daily] = main?.gauges ?? [];
  if (!main || !position || !daily) throw new Error('no position');
  const beyond = (change: Partial<typeof daily>) =>
    isBeyond(position, { ...main, gauges: [{ ...daily, left: '50.00', ...change }] });
  expect(beyond({})).toBe(true);
  expect(beyond({ mode: 'warn' })).toBe(false);
  expect(beyond({ limit: '1000', left: '50.00' })).toBe(false);
  expect(beyond({ symbol: 'MNQ' })).toBe(false);
  expect(beyond({ symbol: position.symbol })).toBe(true);
  expect(isBeyond({ ...position, stop_distance_usd: null }, main)).toBe(false);
});

it('never reads out the running figure, but says when a lock is nearly over', () => {
  const locked = view('locked');
  const end = ms(locked.accounts[0]?.lockouts[0]?.until ?? '');
  const spoken = (leftMs: number) =>
    banner({ sight: 'live', view: locked, age_ms: 0 }, end - leftMs, 0, 'UTC').spoken;
  expect(spoken(8_000_000)).toBe(spoken(7_000_000));
  expect(spoken(599_000)).toContain('Less than 10 minutes left');
  expect(spoken(59_000)).toContain('Less than 1 minute left');
  expect(spoken(59_000)).toBe(spoken(41_000));
});

it('sends nothing without a connection', () => {
  const able = (state: string) => canSend(sightOf(state));
  expect(states.filter(able)).toEqual(['armed', 'near', 'locked', 'observing', 'empty'].sort(byStates));
});

const byStates = (a: string, b: string) => states.indexOf(a) - states.indexOf(b);

it('names exactly what a flatten would do', () => {
  expect(flattening(view('armed').accounts)).toBe('close 2 MNQ, cancel 2 orders');
  expect(flattening(view('near').accounts)).toBe('close 1 ES and 1 MNQ, cancel 1 order');
  expect(flattening(view('locked').accounts)).toBe('');
});

it('says what is left of a limit', () => {
  const gauges = (state: string) => view(state).accounts[0]?.gauges.map(left);
  expect(gauges('near')).toEqual(['$87.50 left', 'full', '4 left', '3 left']);
  expect(gauges('locked')?.[0]).toBe('reached');
  expect(gauges('observing')?.[0]).toBe('$48.00 past');
  expect(gauges('not-protected')).toEqual(['not judged', 'not judged', 'not judged']);
});

it('proves an enforcement only with what was seen at the broker', () => {
  const line = view('locked').receipts[0] as ReceiptView;
  expect(proof(line)).toEqual({ text: 'detected → flat', took: '143 ms', past: '$12.50 past the limit' });
  const pending: ReceiptView = { ...line, outcome: 'pending', confirmed_at: null, latency_us: null };
  expect(proof(pending)?.text).toBe('acknowledged, not yet seen at the broker');
  expect(proof({ ...pending, acknowledged_at: null })?.text).toBe('sent, not yet seen at the broker');
  expect(proof({ ...pending, outcome: 'failed' })?.text).toContain('failed');
  expect(proof({ ...line, outcome: 'observed' })).toBeNull();
});

it('says in the banner what a lock closed, not that it was recorded', () => {
  const locked = view('locked');
  const [flatten] = locked.receipts as [ReceiptView];
  const noted = { ...flatten, seq: flatten.seq - 1, action: 'lockout', outcome: 'recorded' as const };
  const lock = { ...noted, done: 'Lock since 2:24:31 PM CT.', confirmed_at: null };
  const shown = { ...locked, receipts: [flatten, lock, ...locked.receipts.slice(1)] };
  const said = banner({ sight: 'live', view: shown, age_ms: 0 }, now('locked'), 0, 'America/Chicago');
  expect(said.lines[1]?.text).toMatch(/^Closed 2 MNQ, cancelled 1 order. Flat since/);
});

it('takes what would have been done for no deed of a lock', () => {
  const shown = structuredClone(view('locked'));
  shown.receipts = shown.receipts.map((line) => ({
    ...line,
    outcome: 'observed',
    done: 'Would have closed.',
  }));
  const said = banner({ sight: 'live', view: shown, age_ms: 0 }, now('locked'), 0, 'America/Chicago');
  expect(said.lines.map((line) => line.text).join(' ')).not.toContain('Would have');
});

it('shows the enforcements of this trading day only', () => {
  const locked = view('locked');
  const old = { ...(locked.receipts[0] as ReceiptView), seq: 1, at: '2025-11-17T22:59:59Z' };
  const setting = { ...old, seq: 2, at: locked.at, outcome: 'recorded' as const };
  const shown = today({ ...locked, receipts: [...locked.receipts, old, setting] });
  expect(shown.map((line) => line.seq)).toEqual([1284, 1271]);
});

it('opens the account that matters most, and puts what leads first', () => {
  expect(leading([...view('locked').accounts].reverse())?.short_name).toBe('50KTC-V2-…5101');
  expect(order(kindOf(view('locked')))[0]).toBe('lockouts');
  expect(order(kindOf(view('not-protected')))[0]).toBe('positions');
  const account = view('locked').accounts[0];
  expect(account && standing(account, 'locked', now('locked'))).toBe('Locked until 5:00 PM CT');
});
