// What the banner says, as a plain value: state, reason, one figure, until when. Draws nothing.

import { isBlind } from './doubts';
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
  type Beside,
} from './format';
import {
  biting,
  headroom,
  isDeed,
  holdings,
  left,
  byHeadroom,
  isBeyond,
  lossLeft,
  kindOf,
  WORD,
  type Kind,
} from './status';
import type { AccountView } from './types/AccountView';
import type { LockoutView } from './types/LockoutView';
import type { PositionView } from './types/PositionView';
import type { Sight } from './types/Sight';
import type { View } from './types/View';

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

export function banner(sight: Sight, now: number, age: number, zone: Beside): Banner {
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
  const blind = isBlind(view.doubts);
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

function locked(view: View, now: number, zone: Beside): Banner {
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
      line.outcome !== 'observed' &&
      line.rule === lockout.rule &&
      line.account === account.id &&
      ms(line.at) >= ms(lockout.since),
  );
  const flat = account.positions.length === 0 && receipt?.confirmed_at;
  const done = [receipt?.done, flat ? `Flat since ${event(ms(flat), now)}.` : ''].filter(Boolean).join(' ');
  const reason = `${lockout.title}: ${lockout.reason.replace(/\.$/, '')}.`;
  const except = lockout.except ? `, ${lockout.except}` : '';
  const lines: Line[] = [
    { strong: [lockout.own_words, reason].filter(Boolean).join(' ') },
    { text: done },
    {
      text: until
        ? `New trades blocked until ${scheduleWithLocal(until, now, zone)}${except}.`
        : `New trades blocked without a time limit${except}.`,
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
    .filter((one) => one.state === 'near' && one.mode === 'enforce')
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

function actsBeforeStop(position: PositionView, account: AccountView): Line {
  const stop = position.last_stop_price === null ? '' : `stop ${price(position.last_stop_price)}, `;
  return {
    strong: `Limit acts before your ${position.symbol} stop:`,
    text: `${stop}${unsigned(position.stop_distance_usd ?? '0')} away, ${unsigned(String(lossLeft(position, account) ?? 0))} left.`,
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

function strongest(accounts: AccountView[]): [AccountView | undefined, LockoutView | undefined] {
  const rank = { HARD: 2, TIMER: 1, SYMBOL: 0 };
  const end = (lockout: LockoutView) => (lockout.until === null ? Infinity : ms(lockout.until));
  const found = accounts
    .flatMap((account) => account.lockouts.map((lockout) => ({ account, lockout })))
    .filter(({ lockout }) => lockout.symbol === null)
    .sort((a, b) => rank[b.lockout.kind] - rank[a.lockout.kind] || end(b.lockout) - end(a.lockout))[0];
  return [found?.account, found?.lockout];
}
