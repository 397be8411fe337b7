// Values that a symbol has of its own in Trade Management: their keys. Draws nothing.

import type { SettingKey } from '../types/SettingKey';

const OWN = /^rules\.trade_management\.per_instrument\.([^.]+)\./;

/** The symbols among these keys. */
export const symbolsIn = (keys: Iterable<string>): string[] => [
  ...new Set([...keys].flatMap((key) => OWN.exec(key)?.[1] ?? [])),
];

/** The key of a symbol's own value, or of the one that the other symbols follow. */
export const ofSymbol = ({ key }: SettingKey, symbol: string | null): string =>
  symbol === null ? key.replace('per_instrument.<symbol>.', '') : key.replace('<symbol>', symbol);
