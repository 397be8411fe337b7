import { mount } from 'svelte';

import App from './App.svelte';
import './app.css';
import { program, type Backend } from './lib/backend';
import { Session } from './lib/session.svelte';
import { followTheme } from './lib/theme';

/** Inside the program its own back end; in a browser, for work on the pages alone, a made-up one. */
async function backend(): Promise<Backend> {
  if (!__FAKE__) return program;
  const { fake } = await import('./lib/fake/backend');
  return fake();
}

followTheme();
const session = new Session(await backend());
const target = document.getElementById('app');
const tray = __FAKE__ ? new URLSearchParams(location.search).get('tray') : null;
if (target && tray) {
  const { default: Tray } = await import('./lib/fake/Tray.svelte');
  mount(Tray, { target, props: { state: tray } });
} else if (target) {
  mount(App, { target, props: { session } });
  await session.start();
}
