// Drives WebKitGTK's own browser over the pages with their made-up back end and writes a PNG for each.
// node screenshots.js BUILT_PAGES OUTPUT [REGULAR EXPRESSION OF NAMES]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [pages, out, only = ''] = process.argv.slice(2);
const BROWSER = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
const COMPACT = [460, 720];
const WIDE = [980, 720];
const STATES = [
  'armed',
  'near',
  'locked',
  'not-protected',
  'observing',
  'starting',
  'empty',
  'no-credentials',
  'lost',
  'connecting',
];

/** Opens a rule's row. */
function open(rule) {
  return `(() => {
    const row = [...document.querySelectorAll('.rule > button')].find((it) => it.textContent.includes('${rule}'));
    if (row.getAttribute('aria-expanded') === 'false') row.click();
    setTimeout(() => {
      const body = document.querySelector('.body');
      body.scrollTop += row.getBoundingClientRect().top - body.getBoundingClientRect().top - 70;
    }, 50);
  })();`;
}

/** Looks at a part of the open row, above the verdict that stays in sight. */
const look = (part) =>
  `setTimeout(() => document.querySelector('${part}').scrollIntoView({ block: 'center' }), 600);`;

/** Writes into a field by its label, as one types. */
function write(label, text) {
  return `(() => {
    const field = document.querySelector('[aria-label="${label}"]') ??
      document.getElementById([...document.querySelectorAll('label')].find((it) => it.textContent === '${label}')?.htmlFor);
    field.value = '${text}';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.dispatchEvent(new Event('change', { bubbles: true }));
  })();`;
}

/** Presses Enter in a field. */
const enter = (label) =>
  `document.querySelector('[aria-label="${label}"]').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));`;

const soon = (act) => `setTimeout(() => { ${act} }, 150);`;

/** Types into the first field of the open row. */
function type(text) {
  return `(() => {
    const field = document.querySelector('.ed input');
    field.value = '${text}';
    field.dispatchEvent(new Event('input', { bubbles: true }));
  })();`;
}

/** Presses the button with this text, and shows what came of it. */
function press(text) {
  return `(() => {
    [...document.querySelectorAll('button')].find((it) => it.textContent.includes('${text}')).click();
    setTimeout(() => document.querySelector('form')?.scrollIntoView(), 50);
  })();`;
}

const shots = [
  ...STATES.map((state) => ({ name: `status-${state}`, query: { state }, size: COMPACT })),
  ...['armed', 'locked', 'not-protected'].map((state) => ({
    name: `status-wide-${state}`,
    query: { state },
    size: WIDE,
  })),
  ...['flatten', 'cancel', 'until', 'done'].map((sheet) => ({
    name: `sheet-${sheet}`,
    query: { state: 'armed', sheet },
    size: COMPACT,
  })),
  { name: 'sheet-wide-done', query: { state: 'armed', sheet: 'done' }, size: WIDE },
  ...[COMPACT, WIDE].map((size) => ({
    name: size === WIDE ? 'history-wide' : 'history',
    query: { state: 'armed', page: 'history' },
    size,
  })),
  {
    name: 'history-wide-receipt',
    query: { state: 'armed', page: 'history' },
    size: WIDE,
    click: 'Open Loss per Position',
  },
  {
    name: 'status-orders',
    query: { state: 'armed' },
    size: COMPACT,
    act: "document.querySelector('details > summary').click();",
  },
  { name: 'setup', query: { state: 'armed', page: 'setup' }, size: COMPACT },
  { name: 'setup-first', query: { state: 'no-credentials', page: 'setup' }, size: COMPACT },
  { name: 'setup-wide', query: { state: 'armed', page: 'setup' }, size: WIDE },
  ...['armed', 'near', 'locked', 'not-protected', 'observing'].map((state) => ({
    name: `settings-${state}`,
    query: { state, page: 'settings' },
    size: WIDE,
  })),
  ...Object.entries({
    looser: open('Daily Loss Limit') + type('-1500'),
    stricter: open('Daily Loss Limit') + type('-450'),
    wrong: open('Daily Loss Limit') + type('500'),
    limits: open('Contract Limits'),
    steps: open('Cooldown After Loss'),
    hours: open('Trading Hours'),
    'hours-symbol':
      open('Trading Hours') +
      soon(
        write('Give a symbol hours of its own', 'ES') +
          enter('Give a symbol hours of its own') +
          soon(write('ES: window 1 opens', '5:00 PM') + write('ES: window 1 closes', '4:00 PM')),
      ) +
      look('.own'),
    holidays: open('Holidays'),
    'early-close':
      open('Holidays') +
      soon(
        write('Date of an early close', '2025-11-28') +
          write('Time of the close', '12:15 PM') +
          `document.querySelector('[aria-label="Time of the close"]').form.requestSubmit();`,
      ) +
      look('.closes'),
    symbols: open('Symbol Block'),
    automation: open('Trade Management'),
    'automation-symbol':
      open('Trade Management') +
      soon(
        write('Give a symbol values of its own', 'NQ') +
          enter('Give a symbol values of its own') +
          soon(write('Distance of the stop of NQ', '8')),
      ) +
      look('.ed fieldset'),
    notifications: open('Desktop Notifications'),
    lock: "[...document.querySelectorAll('button')].find((it) => it.textContent.includes('Lock Risk')).click();",
  }).map(([name, act]) => ({
    name: `settings-${name}`,
    query: { state: 'armed', page: 'settings' },
    size: WIDE,
    act,
  })),
  {
    name: 'settings-account',
    query: { state: 'armed', page: 'settings' },
    size: WIDE,
    act: "(() => { const it = document.querySelector('.top select'); it.value = '93365101'; it.dispatchEvent(new Event('change', { bubbles: true })); })();",
  },
  { name: 'settings-compact', query: { state: 'armed', page: 'settings' }, size: COMPACT },
  ...Object.entries({ unset: press('Set guard password'), set: press('Change…') }).map(([name, act]) => ({
    name: `guard-${name}`,
    query: { state: 'armed', page: 'settings', ...(name === 'set' ? { guard: '' } : {}) },
    size: WIDE,
    act,
  })),
  ...[COMPACT, WIDE].map((size) => ({
    name: size === WIDE ? 'guard-unlock-wide' : 'guard-unlock',
    query: { state: 'locked', guard: '' },
    size,
    act: press('Unlock with guard password'),
  })),
  { name: 'guard-quit', query: { state: 'locked', sheet: 'quit', guard: '' }, size: COMPACT },
  ...['Accounts', 'Starting rulebook', 'Observe or enforce', 'Start at login', 'Proof'].map((click) => ({
    name: `setup-wide-${click.toLowerCase().replaceAll(' ', '-')}`,
    query: { state: 'armed', page: 'setup' },
    size: WIDE,
    click,
  })),
  ...['armed', 'near', 'locked', 'not-protected', 'observing', 'starting'].map((tray) => ({
    name: `tray-${tray}`,
    query: { tray },
    size: COMPACT,
  })),
  ...['armed', 'near'].map((state) => ({
    name: `scrolled-${state}`,
    query: { state },
    size: COMPACT,
    scroll: 2000,
  })),
];

const TYPES = { '.svg': 'image/svg+xml', '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const server = createServer(async (request, response) => {
  const path = new URL(request.url, 'http://x').pathname;
  const file = join(pages, path === '/' ? 'index.html' : path);
  try {
    response.writeHead(200, { 'content-type': TYPES[extname(file)] }).end(await readFile(file));
  } catch {
    response.writeHead(404).end();
  }
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const site = `http://127.0.0.1:${server.address().port}/`;

const port = 20_000 + (process.pid % 20_000);
const driver = spawn('WebKitWebDriver', [`--port=${port}`], { stdio: 'ignore' });

async function call(method, path, body) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
  });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(value)}`);
  return value;
}

async function session() {
  const capabilities = {
    alwaysMatch: { 'webkitgtk:browserOptions': { binary: BROWSER, args: ['--automation'] } },
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      return (await call('POST', '/session', { capabilities })).sessionId;
    } catch (error) {
      if (attempt === 50) throw error;
      await sleep(100);
    }
  }
}

/** Makes the page, not the window around it, as large as wanted. */
async function resize(id, [width, height]) {
  const inner = () =>
    call('POST', `/session/${id}/execute/sync`, { script: 'return [innerWidth, innerHeight]', args: [] });
  let rect = { width, height };
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await call('POST', `/session/${id}/window/rect`, { x: 0, y: 0, ...rect });
    await sleep(100);
    const [w, h] = await inner();
    if (w === width && h === height) return void (await sleep(300));
    rect = { width: rect.width + width - w, height: rect.height + height - h };
  }
}

/** Waits until the page shows something, and Risk Settings its rows. */
async function shows(id, page) {
  const what = page === 'settings' ? '.rule' : '#app *, body > *:not(script)';
  const script = `return document.querySelector(${JSON.stringify(what)}) !== null`;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await call('POST', `/session/${id}/execute/sync`, { script, args: [] })) break;
    await sleep(100);
  }
  await sleep(300);
}

try {
  const id = await session();
  // A browser that has just begun is slow with its first page and its first size.
  await call('POST', `/session/${id}/url`, { url: `${site}?state=armed&bare` });
  await sleep(1500);
  let size;
  for (const theme of ['dark', 'light']) {
    for (const shot of shots.filter(({ name }) => new RegExp(only).test(name))) {
      const query = new URLSearchParams({ ...shot.query, theme, bare: '' });
      await call('POST', `/session/${id}/url`, { url: `${site}?${query}` });
      if (size !== shot.size) {
        await resize(id, (size = shot.size));
        await sleep(1000);
        await call('POST', `/session/${id}/url`, { url: `${site}?${query}` });
      }
      await shows(id, shot.query.page);
      if (shot.click) {
        const script = `[...document.querySelectorAll('main button')]
          .find((one) => one.textContent.includes(${JSON.stringify(shot.click)})).click()`;
        await call('POST', `/session/${id}/execute/sync`, { script, args: [] });
        await sleep(150);
      }
      if (shot.scroll) {
        const script = `document.querySelector('.scroll').scrollTop = ${shot.scroll}`;
        await call('POST', `/session/${id}/execute/sync`, { script, args: [] });
        await sleep(100);
      }
      if (shot.act) {
        await call('POST', `/session/${id}/execute/sync`, { script: shot.act, args: [] });
        await sleep(900);
      }
      const png = await call('GET', `/session/${id}/screenshot`);
      await writeFile(join(out, `${shot.name}-${theme}.png`), Buffer.from(png, 'base64'));
    }
  }
  await call('DELETE', `/session/${id}`);
} finally {
  driver.kill();
  server.close();
}
