// What is in doubt, and whom it concerns. Draws nothing.

import type { AccountView } from './types/AccountView';
import type { DoubtView } from './types/DoubtView';
import type { View } from './types/View';

/** Doubts under which no rule can act and no figure is fresh. */
const BLIND = ['starting', 'login', 'user_stream', 'reconcile', 'accounts', 'engine_lost'];

export const isBlind = (doubts: DoubtView[]): boolean => doubts.some(({ kind }) => BLIND.includes(kind));

/** Whether no rule acts: none can, or none is to. */
export const isIdle = (doubts: DoubtView[]): boolean =>
  isBlind(doubts) || doubts.some(({ kind }) => kind === 'dry_run');

/** The doubts about everything, and those about one of these accounts. */
export const doubtsAbout = (view: View, accounts: AccountView[]): DoubtView[] =>
  view.doubts.filter(({ account }) => account === null || accounts.some(({ id }) => id === account));
