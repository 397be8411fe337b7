// Every page in every state and both sizes, judged by axe. Contrast is judged in the real window, where there are colours.

import { render, screen } from '@testing-library/svelte';
import axe from 'axe-core';
import { tick } from 'svelte';
import { afterEach, expect, it } from 'vitest';

import App from './App.svelte';
import type { Opening } from './lib/backend';
import { fake, states } from './lib/fake/backend';
import { Session } from './lib/session.svelte';

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

async function faults(opening: Opening, state: string, width: number, row?: RegExp): Promise<string[]> {
  Object.defineProperty(window, 'innerWidth', { value: width, configurable: true });
  document.documentElement.lang = 'en';
  document.title = 'Risk Manager';
  const search = new URLSearchParams({ state, page: opening.page, bare: '' });
  if (opening.sheet) search.set('sheet', opening.sheet);
  const session = new Session(fake(search), 'America/New_York');
  render(App, { props: { session } });
  stops.push(await session.start());
  await tick();
  await new Promise((resolve) => setTimeout(resolve));
  if (row) screen.getByRole('button', { name: row }).click();
  await tick();
  const { violations } = await axe.run(document.body, { rules: { 'color-contrast': { enabled: false } } });
  return violations
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' ')}`);
}

const PAGES = ['status', 'settings', 'history', 'setup'] as const;

const compact = PAGES.flatMap((page) => states.map((state) => ({ page, state, width: 460 })));
const wide = PAGES.map((page) => ({ page, state: 'locked', width: 980 }));

it.each([...compact, ...wide])('$page, $state, $width wide', async ({ page, state, width }) => {
  expect(await faults({ page, sheet: null }, state, width)).toEqual([]);
});

it.each(['flatten', 'cancel', 'until', 'done', 'quit'] as const)('the question %s', async (sheet) => {
  expect(await faults({ page: 'status', sheet }, 'armed', 460)).toEqual([]);
});

it.each([/^Trading Hours/, /^Holidays/, /^Contract Limits/, /^Cooldown/, /^Symbol Block/, /^Desktop/])(
  'the form of %s',
  async (row) => {
    expect(await faults({ page: 'settings', sheet: null }, 'armed', 980, row)).toEqual([]);
  },
);
