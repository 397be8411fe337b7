// Edits under way, each known by its account and key.

import type { SettingEdit } from '../types/SettingEdit';

/** An edit under way: as one would write it; null takes the account's own value away. */
export type Draft = string | null;

export const draftsFrom = (drafts: Iterable<[string, Draft]> = []): Map<string, Draft> => new Map(drafts);

/**
 * Edits with the entries that they need: values of an account's own stand in its entry in `accounts.yaml`. Where
 * none is listed all are watched, so the first entry brings those of all accounts: nobody drops out of watching.
 */
export function withEntries(edits: SettingEdit[], listed: string[], login: string[]): SettingEdit[] {
  const wanted = edits.flatMap(({ account }) => (account === null ? [] : [account]));
  const missing = [...new Set(wanted)].filter((account) => !listed.includes(account));
  if (!missing.length) return edits;
  return [
    ...watchEdits(listed.length ? missing : [...new Set([...login, ...missing])], () => true),
    ...edits,
  ];
}

/** Edits that list accounts, so that each says whether it is watched. */
export const watchEdits = (accounts: string[], isWatched: (account: string) => boolean): SettingEdit[] =>
  accounts.map((account) => ({ account, key: 'accounts[].enabled', value: String(isWatched(account)) }));

/** Edits of drafts that differ from what the files say. */
export const editsOf = (drafts: Iterable<[string, Draft]>): SettingEdit[] =>
  [...drafts].map(([id, value]) => {
    const [account, key] = splitId(id);
    return { account, key, value };
  });

export const draftId = (account: string | null, key: string): string => `${account ?? ''} ${key}`;
export function splitId(id: string): [string | null, string] {
  const at = id.indexOf(' ');
  return [id.slice(0, at) || null, id.slice(at + 1)];
}
