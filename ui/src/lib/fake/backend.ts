// A made-up back end with a view for every state, for work on the pages and for pictures of them.
// `?state=near&page=status&sheet=flatten&theme=light&guard&bare` chooses; without `bare` a switcher is shown.

import type { Backend, Opening } from '../backend';
import { settingsReply } from './settings';
import type { Ask } from '../types/Ask';
import type { Reply } from '../types/Reply';
import type { Sight } from '../types/Sight';
import type { View } from '../types/View';
import { historyOf } from './history';
import { PRESETS } from './presets';

const files = import.meta.glob<View>('./views/*.json', { eager: true, import: 'default' });

/** Every state by name; `lost` and `connecting` are states of the viewer, not of the engine. */
export const views = new Map(
  Object.entries(files).map(([path, view]) => [path.replace(/^.*\/|\.json$/g, ''), view]),
);
export const states = [...views.keys(), 'lost', 'connecting'];

export function sightOf(state: string): Sight {
  const view = views.get(state === 'lost' ? 'armed' : state);
  if (state === 'lost') return { sight: 'lost', view: view ?? null, age_ms: 12_000 };
  return view ? { sight: 'live', view, age_ms: 0 } : { sight: 'connecting', age_ms: 1_000 };
}

/** With a guard password set some days ago. */
function guarded(sight: Sight): Sight {
  if (sight.sight === 'connecting' || !sight.view) return sight;
  const guard = { overrides_from: '2025-11-10T23:00:00Z', removal_at: null, next_try_at: null };
  return { ...sight, view: { ...sight.view, guard } } as Sight;
}

export function fake(search = new URLSearchParams(location.search)): Backend {
  const takers: ((sight: Sight) => void)[] = [];
  let state = search.get('state') ?? 'armed';
  const seen = (name: string) => (search.has('guard') ? guarded(sightOf(name)) : sightOf(name));
  const show = (name: string) => {
    state = name;
    takers.forEach((take) => take(seen(name)));
  };
  if (!search.has('bare')) queueMicrotask(() => document.body.append(switcher(state, show)));
  return {
    snapshot: () => Promise.resolve(seen(state)),
    opening: () =>
      Promise.resolve({ page: search.get('page') ?? 'status', sheet: search.get('sheet') } as Opening),
    send: (ask: Ask) => Promise.resolve(settingsReply(ask, views.get(state) ?? null) ?? answer(ask)),
    exportHistory: () =>
      Promise.resolve(
        'Saved risk-manager-days-2025-11-18.csv and risk-manager-receipts-2025-11-18.csv in /home/marlow/Downloads.',
      ),
    credentials: () =>
      Promise.resolve(
        state === 'no-credentials'
          ? { source: 'none', user_name: null, problem: null }
          : { source: 'keyring', user_name: 'j.marlow', problem: null },
      ),
    widen: () => Promise.resolve(),
    saveCredentials: (_, apiKey) =>
      apiKey === 'locked'
        ? Promise.reject('The keyring is locked. Unlock it, then save again.')
        : Promise.resolve(setTimeout(() => show('armed'), 800)).then(() => undefined),
    autostart: () => Promise.resolve(atLogin),
    setAutostart: (on) => Promise.resolve((atLogin = on)),
    startDemo: () => Promise.resolve(),
    onView: (take) => takers.push(take),
    onOpen: () => undefined,
  };
}

let clockedIn: string | null = null;
let atLogin = false;

function answer(ask: Ask): Reply {
  if (ask.ask === 'history') return { reply: 'history', history: historyOf(ask.query, clockedIn) };
  if (ask.ask === 'presets') return { reply: 'presets', presets: PRESETS };
  if (ask.ask === 'guard' && 'password' in ask.act && ask.act.password !== 'correct horse') {
    return { reply: 'refused', reason: 'That is not the guard password.' };
  }
  if (ask.ask === 'clock_in') clockedIn = '2025-11-18T14:31:00Z';
  if (ask.ask === 'clock_out') clockedIn = null;
  if (ask.ask === 'command' && ask.command.command === 'cancel_all') {
    return { reply: 'refused', reason: 'The market is closed: the broker takes no cancels now.' };
  }
  return { reply: 'accepted' };
}

function switcher(chosen: string, show: (state: string) => void): HTMLElement {
  const select = document.createElement('select');
  select.setAttribute('aria-label', 'State');
  Object.assign(select.style, { position: 'fixed', right: '8px', bottom: '8px', opacity: '0.7' });
  select.append(...states.map((state) => new Option(state, state, false, state === chosen)));
  select.addEventListener('change', () => show(select.value));
  return select;
}
