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
