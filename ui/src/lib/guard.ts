// The guard password, as plain values: what can be done with it now, and every word about it. Keeps no password.

import { countdown, ms, schedule } from './format';
import type { GuardView } from './types/GuardView';
import type { LockoutView } from './types/LockoutView';
import type { PendingView } from './types/PendingView';
import type { View } from './types/View';

/** The engine takes no shorter one. */
export const SHORTEST = 8;
/** The engine takes no longer reason. */
export const LONGEST_REASON = 200;

/** What can be done about a guard password that is set. */
export type Deed = 'change' | 'remove' | 'forget' | 'approve';

/** With the guard password this lockout could be ended now. The trader's own cannot, by nobody. */
export function canOverride(guard: GuardView | null, lockout: LockoutView, now: number): boolean {
  return guard !== null && lockout.key.rule !== 'trader' && ms(guard.overrides_from) <= now;
}

/** Looser changes that the guard password would bring forward: they wait longer than for the next reset. */
export function approvable(view: View): PendingView[] {
  const resets = view.accounts.map((account) => ms(account.reset_at));
  if (!view.guard || !resets.length) return [];
  const next = Math.min(...resets);
  return view.pending.filter((it) => it.applies_at !== null && ms(it.applies_at) > next);
}

const when = (at: string, now: number) => `${schedule(ms(at), now)} (in ${countdown(ms(at) - now)})`;

/** Why no password is looked at now; empty if one is. */
export function waits(guard: GuardView, now: number): string {
  const at = guard.next_try_at;
  return at !== null && ms(at) > now
    ? `After wrong passwords none is looked at before ${when(at, now)}.`
    : '';
}

export const TEXT = {
  title: 'Guard password',
  none: 'None is set: no lockout can be overridden, and looser changes wait for the next trading day.',
  lead: 'Let a friend, a coach or your spouse type it in and keep it, not you. From then on:',
  points: [
    'A looser change waits seven days, unless they approve it for the next trading day. A stricter one applies at once, as ever.',
    'They can end a lockout before its time, from the next trading day on. A rule that is still broken locks again at once. Your own lock nobody can end.',
    'Quitting Risk Manager while locked or in a position asks for it.',
    'If it is lost, its removal can be asked for here. It goes after seven days, and until then anybody can see and stop that.',
  ],
  honest:
    'It holds in a bad hour, not against force: whoever can end processes and delete files on this computer can get around it.',
  set: 'Set guard password',
  password: 'Guard password',
  fresh: 'New guard password',
  again: 'The same again',
  short: `At least ${SHORTEST} characters.`,
  differ: 'The two are not the same.',
  isSet: (guard: GuardView, now: number) =>
    ms(guard.overrides_from) > now
      ? `Set. Lockouts can be overridden with it from ${when(guard.overrides_from, now)}.`
      : 'Set. It approves looser changes, ends lockouts before their time, and allows quitting.',
  goes: (at: string, now: number) => `It is removed ${when(at, now)}, without having been given.`,
  keep: 'Keep it',
  held: (pending: PendingView[], now: number) =>
    `${pending.length === 1 ? 'A looser change waits' : `${pending.length} looser changes wait`} for it, or until ${when(pending[0]?.applies_at ?? '', now)}.`,
  deeds: {
    change: { open: 'Change…', go: 'Change it', done: 'Changed.' },
    remove: { open: 'Remove…', go: 'Remove it', done: 'Removed.' },
    forget: { open: 'It is lost…', go: 'Remove it in seven days', done: 'It goes in seven days.' },
    approve: {
      open: 'Approve…',
      go: 'Approve for the next trading day',
      done: 'Approved for the next trading day.',
    },
  },
  lost: 'Without it, it goes at the first daily reset after seven days. The log and this page say so until then, and anybody can stop it. While locked this cannot be asked for.',
  cancel: 'Leave it',
  unlock: {
    open: 'Unlock with guard password…',
    title: (rule: string) => `End the lock by ${rule} before its time?`,
    what: 'Trading is allowed again at once, if no other lock stands. The log keeps when and why. If the rule is still broken, it locks again at once.',
    reason: 'Why (goes into the log)',
    go: 'End the lock',
    keep: 'Keep the lock',
    done: 'The lock is ended.',
  },
  quit: {
    title: 'Quit and stop protecting?',
    what: 'Nothing is watched or enforced until Risk Manager is started again.',
    open: 'You are in a position: its limits are no longer watched.',
    locked: 'A lock is active. It stays, and is enforced again at the next start.',
    go: 'Quit, not protected',
    keep: 'Keep running',
    done: 'Risk Manager ends.',
  },
};
