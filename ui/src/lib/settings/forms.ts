// Two ways in which the files may say one thing. One file may use only one of them; a stronger file's way
// replaces the other below. The config crate's `layer` has the same table.

import { HOURS, ONE_WINDOW } from './hours';
import type { Values } from './values';

const RIVALS: [string[], string[]][] = [
  [
    ['rules.max_contracts.enforcement'],
    ['rules.max_contracts.reduce_to_limit', 'rules.max_contracts.close_all'],
  ],
  [
    ['rules.cooldown_after_loss.loss_thresholds'],
    ['rules.cooldown_after_loss.loss_threshold', 'rules.cooldown_after_loss.cooldown_duration'],
  ],
  [[`${HOURS}sessions`], ONE_WINDOW.map((name) => HOURS + name)],
];

/** The keys that may not stand in one file with this one. */
export const rivalsOf = (key: string): string[] =>
  RIVALS.flatMap(([one, other]) => (one.includes(key) ? other : other.includes(key) ? one : []));

/** Whether a key has no say because the files use the other way. */
export const isOverruled = (key: string, values: Values): boolean =>
  values.get(key)?.origin === 'default' &&
  rivalsOf(key).some((it) => values.has(it) && values.get(it)?.origin !== 'default');
