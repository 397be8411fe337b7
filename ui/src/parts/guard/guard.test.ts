import { render, screen } from '@testing-library/svelte';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { tick } from 'svelte';
import { afterEach, describe, expect, it } from 'vitest';

import type { Backend } from '../../lib/backend';
import { views } from '../../lib/fake/backend';
import { approvable, canOverride, TEXT } from '../../lib/guard';
import { Session } from '../../lib/session.svelte';
import type { Ask } from '../../lib/types/Ask';
import type { GuardView } from '../../lib/types/GuardView';
import type { Reply } from '../../lib/types/Reply';
import type { View } from '../../lib/types/View';
import Lockouts from '../Lockouts.svelte';
import Quit from './Quit.svelte';
import Section from './Section.svelte';

const view = views.get('locked') as View;
const now = Date.parse(view.at);
const at = (hours: number) => new Date(now + hours * 3_600_000).toISOString();
const GUARD: GuardView = { overrides_from: at(-100), removal_at: null, next_try_at: null };
const lockout = view.accounts.flatMap((account) => account.lockouts).find((it) => it.rule !== 'trader');

const stops: (() => void)[] = [];
afterEach(() => stops.splice(0).forEach((stop) => stop()));

/** A window on an engine that answers like this. */
async function open(guard: GuardView | null, reply: Reply = { reply: 'accepted' }, more: Partial<View> = {}) {
  const sent: Ask[] = [];
  const backend = {
    snapshot: () => Promise.resolve({ sight: 'live', view: { ...view, guard, ...more }, age_ms: 0 }),
    opening: () => Promise.resolve({ page: 'status', sheet: 'quit' }),
    send: (ask: Ask) => Promise.resolve((sent.push(ask), reply)),
    onView: () => undefined,
    onOpen: () => undefined,
  } as Partial<Backend> as Backend;
  const session = new Session(backend, 'America/Chicago', () => 0);
  stops.push(await session.start());
  await tick();
  return { session, sent, user: userEvent.setup() };
}

const press = (name: string | RegExp) => screen.getByRole<HTMLButtonElement>('button', { name });

const field = (name: string) => screen.getByLabelText(name, { selector: 'input' });

describe('Guard password', () => {
  it('is set only when it is long enough and typed twice alike, and says what it means', async () => {
    const { session, sent, user } = await open(null);
    render(Section, { props: { session } });
    expect(screen.getByText(TEXT.none)).toBeVisible();
    await user.click(press(`${TEXT.set}…`));
    for (const point of [...TEXT.points, TEXT.honest]) expect(screen.getByText(point)).toBeVisible();
    await user.type(field(TEXT.fresh), 'correct horse');
    await user.type(field(TEXT.again), 'correct');
    expect(screen.getByText(TEXT.differ)).toBeVisible();
    expect(press(TEXT.set)).toBeDisabled();
    await user.type(field(TEXT.again), ' horse');
    await user.click(press(TEXT.set));
    expect(sent).toEqual([{ ask: 'guard', act: { act: 'set', password: 'correct horse' } }]);
    expect(screen.queryByLabelText(TEXT.fresh)).toBeNull();
  });

  it('is not removed with a wrong one, and the field is empty again', async () => {
    const reason = 'That is not the guard password.';
    const { session, sent, user } = await open(GUARD, { reply: 'refused', reason });
    render(Section, { props: { session } });
    await user.click(press(TEXT.deeds.remove.open));
    expect(press(TEXT.deeds.remove.go)).toBeDisabled();
    await user.type(field(TEXT.password), 'a guess');
    await user.click(press(TEXT.deeds.remove.go));
    expect(sent).toEqual([{ ask: 'guard', act: { act: 'remove', password: 'a guess' } }]);
    expect(screen.getByRole('status')).toHaveTextContent(reason);
    expect(field(TEXT.password)).toHaveValue('');
  });

  it('that is lost is asked to go without a password, and anybody can keep it', async () => {
    const { session, sent, user } = await open(GUARD);
    const { unmount } = render(Section, { props: { session } });
    await user.click(press(TEXT.deeds.forget.open));
    expect(screen.getByText(TEXT.lost)).toBeVisible();
    await user.click(press(TEXT.deeds.forget.go));
    expect(sent).toEqual([{ ask: 'guard', act: { act: 'forget' } }]);
    unmount();

    const going = await open({ ...GUARD, removal_at: at(170) });
    render(Section, { props: { session: going.session } });
    expect(screen.queryByRole('button', { name: TEXT.deeds.forget.open })).toBeNull();
    await going.user.click(press(TEXT.keep));
    expect(going.sent).toEqual([{ ask: 'guard', act: { act: 'keep' } }]);
  });

  it('approves what waits for it, and nothing that comes with the next reset anyway', async () => {
    const reset = Date.parse(view.accounts[0]?.reset_at ?? '');
    const change = (applies_at: string) =>
      ({
        account: null,
        rule: null,
        key: applies_at,
        text: '',
        from: 1,
        to: 2,
        state: 'waits',
        applies_at,
      }) as const;
    const pending = [change(new Date(reset).toISOString()), change(at(190))];
    const more = { ...view, guard: GUARD, pending: [...pending] };
    expect(approvable(more).map((it) => it.key)).toEqual([pending[1]?.key]);
    expect(approvable({ ...more, guard: null })).toEqual([]);
    const { session, sent, user } = await open(GUARD, { reply: 'accepted' }, { pending: [...pending] });
    render(Section, { props: { session } });
    await user.click(press(TEXT.deeds.approve.open));
    await user.type(field(TEXT.password), 'correct horse');
    await user.click(press(TEXT.deeds.approve.go));
    expect(sent).toEqual([{ ask: 'guard', act: { act: 'approve', password: 'correct horse' } }]);
  });

  it('shows no serious fault to axe', async () => {
    const { session, user } = await open(GUARD);
    const { container } = render(Section, { props: { session } });
    await user.click(press(TEXT.deeds.change.open));
    const { violations } = await axe.run(container, { rules: { 'color-contrast': { enabled: false } } });
    expect(violations.filter((it) => it.impact === 'serious' || it.impact === 'critical')).toEqual([]);
  });
});

describe('A lockout', () => {
  it('can be overridden only with a password that is set and old enough, and never the own one', () => {
    if (!lockout) throw new Error('the sample has no lockout by a rule');
    const own = { ...lockout, key: { ...lockout.key, rule: 'trader' as const } };
    expect(canOverride(GUARD, lockout, now)).toBe(true);
    expect(canOverride(null, lockout, now)).toBe(false);
    expect(canOverride({ ...GUARD, overrides_from: at(1) }, lockout, now)).toBe(false);
    expect(canOverride(GUARD, own, now)).toBe(false);
  });

  it('is ended with a reason and the password', async () => {
    const { session, sent, user } = await open(GUARD);
    const accounts = view.accounts.map((it) => ({ ...it, lockouts: lockout ? [lockout] : [] })).slice(0, 1);
    render(Lockouts, { props: { accounts, session, stale: false } });
    await user.click(press(TEXT.unlock.open));
    expect(screen.getByRole('alertdialog')).toHaveTextContent(TEXT.unlock.what);
    expect(screen.getByRole('alertdialog')).toHaveTextContent('End the lock by Daily Loss Limit');
    await user.type(field(TEXT.password), 'correct horse');
    expect(press(TEXT.unlock.go)).toBeDisabled();
    await user.type(field(TEXT.unlock.reason), 'platform error');
    await user.click(press(TEXT.unlock.go));
    const act = { act: 'override', password: 'correct horse', key: lockout?.key, reason: 'platform error' };
    expect(sent).toEqual([{ ask: 'guard', act }]);
    expect(screen.queryByRole('alertdialog')).toBeNull();
  });

  it('offers nothing without a guard password', async () => {
    const { session } = await open(null);
    render(Lockouts, { props: { accounts: view.accounts, session, stale: false } });
    expect(screen.queryByRole('button', { name: TEXT.unlock.open })).toBeNull();
  });
});

describe('Quitting', () => {
  it('says what stops being protected and takes a wrong password for none', async () => {
    const reason = 'That is not the guard password.';
    const { session, sent, user } = await open(GUARD, { reply: 'refused', reason });
    render(Quit, { props: { session } });
    expect(screen.getByRole('alertdialog')).toHaveTextContent(TEXT.quit.locked);
    expect(press(TEXT.quit.keep)).toHaveFocus();
    await user.type(field(TEXT.password), 'a guess');
    await user.click(press(TEXT.quit.go));
    expect(sent).toEqual([{ ask: 'guard', act: { act: 'quit', password: 'a guess' } }]);
    expect(screen.getByRole('status')).toHaveTextContent(reason);
    await user.click(press(TEXT.quit.keep));
    expect(session.sheet).toBeNull();
  });
});
