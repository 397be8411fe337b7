// Edits under way, each known by its account and key.

import type { SettingEdit } from '../types/SettingEdit';

/** An edit under way: as one would write it; null takes the account's own value away. */
export type Draft = string | null;

export const draftsFrom = (drafts: Iterable<[string, Draft]> = []): Map<string, Draft> => new Map(drafts);

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
