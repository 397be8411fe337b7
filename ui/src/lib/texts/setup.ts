// Sentences of the set-up. Decides nothing.

/** Which accounts are watched. */
export const ACCOUNTS = {
  watch: (name: string) => `Watch ${name}`,
  watched: 'watched',
  notWatched: 'not watched',
  canTrade: 'can trade',
  cannotTrade: 'cannot trade now',
  none: 'The accounts of your login appear here as soon as it is signed in.',
  save: (accounts: string) => `Watch ${accounts}`,
  nothing: 'Nothing changed',
  atLeastOne: 'At least one must be watched.',
  everyone: 'All of them are watched, and those you open later.',
  listed:
    'An account that you open later is watched once you tick it here. What is not watched is not protected.',
  kind: 'The kind is what the broker’s name and flags tell.',
  saved: 'Saved. Another list counts from the next start of Risk Manager; until then these stay watched.',
};

/** That a rule was seen to act. */
export const PROOF = {
  seen: 'seen',
  none: 'not yet',
  on: (date: string) => `Proved on ${date}`,
  by: (version: string) => ` with version ${version}`,
  what: (rule: string) => `: ${rule} closed a position and it was seen at the broker.`,
  again: 'Another version runs now: prove it once more.',
};

/** Whether limits act. */
export const MODES = {
  label: 'What happens at a limit',
  names: { enforce: 'Enforce', observe: 'Observe' },
  help: {
    enforce: 'At a limit positions are closed, orders cancelled, and you are locked out as the rule says.',
    observe:
      'Nothing is closed or locked; you are told what would have been done. Only Stop-Loss Required acts.',
  },
  now: ' (now)',
  save: { enforce: 'Enforce all rules', observe: 'Observe only' },
  unknown: 'known when signed in',
  none: 'no rule is on',
  short: { enforce: 'all rules are enforced', observe: 'all rules only observe' },
  mixed: (enforced: number, on: number) => `${enforced} of ${on} rules enforced`,
  someEnforced: (enforced: number, on: number) => `${enforced} of ${on} rules are enforced everywhere.`,
  apart: (accounts: string) => `${accounts}: modes of their own in Risk Settings. The button sets those too.`,
  off: 'A rule that is off stays off.',
  later: 'Protects less: it waits for the next trading day.',
};
