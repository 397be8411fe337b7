// Values as the files write them and as people write and read them. Asks nobody and judges nothing: what is
// wrong, the engine's check says.

import { price, signed } from '../format';
import { NOTE, UNIT, WORDS } from '../texts/settings';
import type { ContractView } from '../types/ContractView';
import type { SettingKey } from '../types/SettingKey';
import type { SettingsScope } from '../types/SettingsScope';
import type { SettingValue } from '../types/SettingValue';
import { windowsIn, windowsText } from './hours';
import { spanText, time12, time24 } from './times';

export type Values = Map<string, SettingValue>;

export const valuesOf = (scope: SettingsScope | undefined): Values =>
  new Map(scope?.values.map((value) => [value.key, value]));

/** A value as it goes into an edit. */
export function wire(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What was typed, as the files write it: `−$1,250` is -1250, `5 min` is 5m, `8:30 AM` is 08:30. */
export function written(key: SettingKey, typed: string): string {
  const text = typed.trim().replace(/\u2212/g, '-');
  if (text === '' && key.nullable) return 'null';
  switch (key.kind) {
    case 'money':
      return text.replace(/[$,\s+]/g, '');
    case 'integer':
      return text.replace(/[,\s]/g, '');
    case 'duration':
      return text
        .replace(/\s*(seconds?|sec|s)$/i, 's')
        .replace(/\s*(minutes?|min|m)$/i, 'm')
        .replace(/\s*(hours?|h)$/i, 'h');
    case 'time':
      return time24(text);
    case 'percents':
    case 'dates':
      return JSON.stringify(listOf(text).map((part) => (key.kind === 'percents' ? Number(part) : part)));
    default:
      return text;
  }
}

const listOf = (text: string) => text.split(/[\s,;]+/).filter(Boolean);

/** A written value as it stands in a field. */
export function typed(key: SettingKey, value: string): string {
  if (value === 'null') return '';
  switch (key.kind) {
    case 'money':
      return isNumber(value) ? signed(value).replace('$', '') : value;
    case 'time':
      return time12(value);
    case 'duration':
      return spanText(value);
    case 'percents':
    case 'dates':
      return listIn(value).join(', ');
    default:
      return value;
  }
}

export const isNumber = (text: string) => /^-?\d+(\.\d+)?$/.test(text);

export function listIn(value: string): string[] {
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) ? list.map((it) => (typeof it === 'string' ? it : JSON.stringify(it))) : [];
  } catch {
    return [];
  }
}

export const wordOf = (value: string): string => WORDS[value] ?? value;

export const noteOf = (key: SettingKey): string =>
  NOTE[key.key.replace(/^(rules\.\w+|general)\./, '')] ?? key.help;

/** The range, as figures are written on this page. */
export function allowed(key: SettingKey): string {
  const [min, max] = [key.min ?? 0, key.max ?? 0];
  const grouped = (n: number) => price(String(n), 0);
  switch (key.kind) {
    case 'money':
      return max === 0
        ? `${signed(String(min))} to ${signed('-0.01')}`
        : `${signed('0.01')} to ${signed(String(max))}`;
    case 'integer':
      return `${grouped(min)} to ${grouped(max)}${key.unit === 'none' ? '' : ` ${key.unit}`}`;
    default:
      return key.expected;
  }
}

export const unitOf = (key: SettingKey): string => UNIT[key.unit] ?? key.unit;

/** A value for reading: in a row, in a sentence. */
export function shown(key: SettingKey | undefined, value: unknown): string {
  const text = wire(value);
  if (text === 'null') return 'none';
  switch (key?.kind) {
    case 'money':
      return isNumber(text) ? signed(text) : text;
    case 'duration':
      return spanText(text);
    case 'time':
      return time12(text);
    case 'integer':
      return key.unit === 'none' || key.unit === 'contracts' ? text : `${text} ${key.unit}`;
    case 'patterns':
    case 'symbols':
    case 'dates':
      return listIn(text).join(', ') || 'none';
    case 'early_closes':
      return (
        earlyIn(text)
          .map((it) => `${it.date} at ${time12(it.close_time)}`)
          .join(', ') || 'none'
      );
    case 'percents':
      return (
        listIn(text)
          .map((it) => `${it} %`)
          .join(', ') || 'never'
      );
    case 'tiers':
      return tiersIn(text)
        .map(
          (it) => `${signed(String(it.loss_amount)).replace('.00', '')} → ${spanText(it.cooldown_duration)}`,
        )
        .join(', ');
    case 'windows':
      return windowsText(windowsIn(text));
    case 'unlisted_symbols':
      return text.startsWith('allow_with_limit:') ? `Up to ${text.slice(17)}` : wordOf(text);
    default:
      return wordOf(text);
  }
}

export interface Tier {
  loss_amount: number | string;
  cooldown_duration: string;
}
export const tiersIn = (value: string): Tier[] => {
  try {
    const tiers: unknown = JSON.parse(value);
    return Array.isArray(tiers) ? (tiers as Tier[]) : [];
  } catch {
    return [];
  }
};

/** Where one value comes from, in full. */
export function originText(value: SettingValue | undefined): string {
  if (!value) return 'Not set';
  const place = value.file ? `, ${value.file}${value.line ? ` line ${value.line}` : ''}` : '';
  return (
    { default: 'Default', everyone: 'Everyone', own: 'This account', forced: 'Fixed by the program' }[
      value.origin
    ] + place
  );
}

/** The first of each symbol. */
export function bySymbol(contracts: ContractView[]): ContractView[] {
  const seen = new Set<string>();
  return contracts.filter((it) => !seen.has(it.symbol) && seen.add(it.symbol));
}

/** A day on which the exchange closes early. */
export interface EarlyClose {
  date: string;
  close_time: string;
}
export const earlyIn = (value: string): EarlyClose[] => {
  try {
    const days: unknown = JSON.parse(value);
    return Array.isArray(days) ? (days as EarlyClose[]) : [];
  } catch {
    return [];
  }
};
