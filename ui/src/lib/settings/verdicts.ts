// What holds, and what an edit would lead to, in words. Judges nothing itself: the engine's preview does.

import { isIdle } from '../doubts';
import { ahead, ms, schedule, type Beside } from '../format';
import { DOUBTED, LISTS } from '../texts/settings';
import type { AccountView } from '../types/AccountView';
import type { DoubtView } from '../types/DoubtView';
import type { SettingChange } from '../types/SettingChange';
import type { SettingFault } from '../types/SettingFault';
import type { SettingsPreview } from '../types/SettingsPreview';
import type { SettingsView } from '../types/SettingsView';
import { changeText, keyOf } from './changes';
import { modeOf, summary, type Entry } from './rows';
import { shown, type Values } from './values';

export interface Verdict {
  icon: 'check' | 'now' | 'clock' | 'locked' | 'tri' | 'danger' | 'observing';
  tone: '' | 'ok' | 't2' | 'lockc' | 'warn' | 'dang';
  strong: string;
  text: string;
  /** One line for each further fault or change. */
  more: string[];
  /** The button that saves; none where nothing can be saved. */
  save: string | null;
}

const said = (verdict: Partial<Verdict> & Pick<Verdict, 'icon' | 'tone' | 'strong'>): Verdict => ({
  text: '',
  more: [],
  save: null,
  ...verdict,
});

/** What holds while nothing is being edited; `doubts` about the chosen accounts, null without an engine. */
export function standing(entry: Entry, values: Values, doubts: DoubtView[] | null): Verdict {
  const mode = modeOf(entry, values);
  if (!doubts) {
    return said({
      icon: 'danger',
      tone: 'dang',
      strong: 'Not in force.',
      text: 'No rule acts until the engine answers.',
    });
  }
  if (mode === null)
    return said({ icon: 'check', tone: 'ok', strong: 'In use.', text: 'It holds for every account.' });
  if (mode === 'off') {
    return said({
      icon: 'observing',
      tone: 't2',
      strong: 'Off.',
      text: 'Nothing is judged. Lockouts it already caused run on.',
    });
  }
  if (isIdle(doubts)) {
    return said({ icon: 'danger', tone: 'dang', strong: 'Not in force.', text: DOUBTED.blindRow });
  }
  if (mode === 'observe') {
    return said({
      icon: 'observing',
      tone: 't2',
      strong: 'Observed only.',
      text: 'A breach is recorded; nothing is closed or locked.',
    });
  }
  if (mode === 'warn') {
    return said({
      icon: 'observing',
      tone: 't2',
      strong: 'Warns only.',
      text: 'A breach is told; nothing is closed or locked.',
    });
  }
  if (doubts.length) {
    const text = `${summary(entry, values)} is enforced as far as it can be.`;
    return said({ icon: 'tri', tone: 'warn', strong: DOUBTED.row, text, more: doubts.map((it) => it.text) });
  }
  return said({
    icon: 'check',
    tone: 'ok',
    strong: 'In force.',
    text: `${summary(entry, values)} is enforced now.`,
  });
}

interface Context {
  now: number;
  zone: Beside;
  names: (account: string) => string;
  accounts: AccountView[];
}

/** What a preview says, sorted by when it applies. */
interface Sorted {
  settings: SettingsView;
  now: SettingChange[];
  later: SettingChange[];
  restart: SettingChange[];
  withdrawn: SettingChange[];
  line: (change: SettingChange) => string;
  warnings: string[];
}

/** What the edits would lead to. */
export function verdict(settings: SettingsView, preview: SettingsPreview, context: Context): Verdict {
  const faults = preview.faults.filter((it) => it.is_error);
  if (faults.length) return refusedBy(faults);
  if (preview.refused) {
    return said({
      icon: 'locked',
      tone: 'lockc',
      strong: 'Looser: refused while locked.',
      text: preview.refused,
    });
  }
  const of = (effect: SettingChange['effect']) => preview.changes.filter((it) => it.effect === effect);
  const sorted: Sorted = {
    settings,
    now: of('now'),
    later: of('later'),
    restart: of('restart'),
    withdrawn: of('withdrawn'),
    line: (change) =>
      `${change.account === null ? '' : `${context.names(change.account)}: `}${changeText(settings, change)}`,
    warnings: preview.faults.map((it) => it.problem),
  };
  if (!preview.changes.length) {
    return said({
      icon: 'check',
      tone: 't2',
      strong: 'No difference.',
      text: 'What applies stays the same.',
      save: 'Save',
      more: sorted.warnings,
    });
  }
  if (sorted.later.length) return looser(sorted, context);
  if (sorted.restart.length) {
    return said({
      icon: 'clock',
      tone: 't2',
      strong: 'Applies at the next start of Risk Manager.',
      more: sorted.restart.map(sorted.line).concat(sorted.warnings),
      save: 'Save',
    });
  }
  return sorted.now.length ? atOnce(sorted, context.accounts) : keeps(sorted);
}

/** The check refuses it. */
function refusedBy([fault, ...others]: SettingFault[]): Verdict {
  const place = fault?.file ? `${fault.file}${fault.line ? ` line ${fault.line}` : ''}: ` : '';
  return said({
    icon: 'tri',
    tone: 'dang',
    strong: fault?.problem ?? '',
    text: [fault?.reason, fault?.fix, fault?.example ? `Example: ${fault.example}` : '']
      .filter(Boolean)
      .join(' '),
    more: others
      .map((it) => `${it.file}${it.line ? ` line ${it.line}` : ''}: ${it.problem}`)
      .concat(place ? [`${place}as it would stand in the file`] : []),
  });
}

/** Some of it, or all, waits for the next trading day. */
function looser({ settings, now, later, line, warnings }: Sorted, context: Context): Verdict {
  const at = later.find((it) => it.applies_at !== null)?.applies_at ?? null;
  const when = at === null ? 'the next daily reset' : schedule(ms(at), context.now);
  const whole = at === null ? when : ahead(ms(at), context.now, context.zone);
  if (now.length) {
    return said({
      icon: 'clock',
      tone: 't2',
      strong: `Part applies now, the looser part at ${whole}.`,
      more: [
        ...now.map((it) => `Now: ${line(it)}`),
        ...later.map((it) => `At ${when}: ${line(it)}`),
        ...warnings,
      ],
      save: 'Save both',
    });
  }
  const [first] = later;
  const figure = later.length === 1 && first ? figureBefore(settings, first) : null;
  return said({
    icon: 'clock',
    tone: 't2',
    strong: `Looser: applies at ${whole}.`,
    text: figure === null ? 'Until then nothing changes.' : `Until then ${figure} stays.`,
    more: (later.length > 1 || first?.account || figure === null ? later.map(line) : []).concat(warnings),
    save: at === null ? 'Queue for the daily reset' : `Queue for ${when}`,
  });
}

/** The value in force, where one figure says it. */
function figureBefore(settings: SettingsView, { key, from }: SettingChange): string | null {
  if (Array.isArray(from) && (from.length > 2 || LISTS[key])) return null;
  return shown(keyOf(settings, key)[0], Array.isArray(from) && from.length === 2 ? from[0] : from);
}

function atOnce({ settings, now, withdrawn, line, warnings }: Sorted, accounts: AccountView[]): Verdict {
  const breach = now.find((it) => breaches(it, accounts));
  if (breach) {
    return said({
      icon: 'tri',
      tone: 'warn',
      strong: 'Applies now and locks at once.',
      text: `The day’s result is past ${shown(keyOf(settings, breach.key)[0], breach.to)}: everything is closed and locked until the daily reset.`,
      more: warnings,
      save: 'Apply and lock',
    });
  }
  return said({
    icon: 'now',
    tone: 'ok',
    strong: 'Applies now.',
    text: now.length === 1 && now[0] ? `${line(now[0])}.` : '',
    more: (now.length > 1 ? now.map(line) : []).concat(
      withdrawn.map((it) => `No longer waits: ${line(it)}`),
      warnings,
    ),
    save: 'Apply now',
  });
}

const keeps = ({ withdrawn, line }: Sorted): Verdict =>
  said({
    icon: 'check',
    tone: 'ok',
    strong: 'Keeps what is in force.',
    text: `No longer waits: ${withdrawn.map(line).join('; ')}.`,
    save: 'Keep current',
  });

/** A new limit of the day that the day's result has reached already, in an account that would be locked. */
function breaches(change: SettingChange, accounts: AccountView[]): boolean {
  const loss = change.key === 'rules.daily_realized_loss.limit';
  if (!loss && change.key !== 'rules.daily_realized_profit.target') return false;
  const limit = Number(change.to);
  return accounts
    .filter(
      (it) =>
        (change.account === null || it.id === change.account) &&
        it.lockouts.every((lock) => lock.symbol !== null),
    )
    .some((it) => {
      const gauge = it.gauges.find((gauge) => gauge.rule === change.rule);
      if (!gauge || gauge.value === null || gauge.mode !== 'enforce') return false;
      return loss ? Number(gauge.value) <= limit : Number(gauge.value) >= limit;
    });
}
