import { screen, within } from '@testing-library/svelte';
import { tick } from 'svelte';
import { describe, expect, it } from 'vitest';

import { Stage, button, plain, show, showOn, user } from '../app.stage';
import type { Credentials } from '../lib/backend';
import { sightOf, views } from '../lib/fake/backend';
import { PRESETS } from '../lib/fake/presets';
import sample from '../lib/fake/settings.json';
import type { SettingsView } from '../lib/types/SettingsView';

describe('Setup', () => {
  const fill = async (key: string) => {
    await user().type(await screen.findByLabelText('User name'), 'j.marlow');
    await user().type(screen.getByLabelText('API key'), key);
    await user().click(button('Save & test'));
  };

  it('saves, tests, and says that the broker accepted', async () => {
    const stage = await show('no-credentials', { page: 'setup', sheet: null });
    await fill('a-secret');
    expect(stage.saved).toEqual([['j.marlow', 'a-secret']]);
    expect(stage.sent).toEqual([{ ask: 'credentials_changed' }]);
    expect(screen.getByText(/Signing in to TopstepX…/)).toBeInTheDocument();
    expect(screen.getByLabelText('API key')).toHaveValue('');
    stage.push(sightOf('armed'));
    await tick();
    expect(screen.getByText(/accepted them/)).toBeInTheDocument();
  });

  it('says what the broker refused', async () => {
    const stage = await show('no-credentials', { page: 'setup', sheet: null });
    await fill('wrong');
    const view = views.get('no-credentials');
    if (!view) throw new Error('no sample view');
    const doubt = {
      kind: 'login',
      text: 'TopstepX refused the login: wrong key.',
      advice: '',
      since: view.at,
      account: null,
    };
    stage.push({ sight: 'live', view: { ...view, doubts: [doubt] }, age_ms: 0 });
    await tick();
    expect(screen.getByText('Saved, but: TopstepX refused the login: wrong key.')).toBeInTheDocument();
  });

  it('says what to do when the keyring refuses', async () => {
    const stage = await show('no-credentials', { page: 'setup', sheet: null });
    stage.refusal = 'The keyring is locked. Unlock it, then save again.';
    await fill('a-secret');
    expect(screen.getByText('The keyring is locked. Unlock it, then save again.')).toBeInTheDocument();
    expect(stage.sent).toEqual([]);
  });

  it('reads what was saved once the keyring is unlocked, without asking for the key again', async () => {
    const stage = new Stage(sightOf('no-credentials'), { page: 'setup', sheet: null });
    stage.known = { source: 'none', user_name: null, problem: 'The keyring is locked.' };
    await showOn(stage);
    expect(screen.queryByText(/No user name and API key yet/)).not.toBeInTheDocument();
    expect(screen.getByText(/Nothing is protected without user name and API key/)).toBeInTheDocument();
    await user().click(button('Try again'));
    expect(screen.getByText('The keyring is locked.')).toBeInTheDocument();
    expect(stage.sent).toEqual([]);
    stage.known = { source: 'keyring', user_name: 'j.marlow', problem: null };
    await user().click(button('Try again'));
    expect(screen.queryByText('The keyring is locked.')).not.toBeInTheDocument();
    expect(screen.getByLabelText('User name')).toHaveValue('j.marlow');
    expect(stage.sent).toEqual([{ ask: 'credentials_changed' }]);
  });

  it('keeps what was typed while the keyring took its time', async () => {
    const stage = new Stage(sightOf('no-credentials'), { page: 'setup', sheet: null });
    let answer: (known: Credentials) => void = () => undefined;
    stage.credentials = () => new Promise((resolve) => (answer = resolve));
    await showOn(stage);
    await user().type(screen.getByLabelText('User name'), 'j.marlow');
    answer({ source: 'none', user_name: 'other', problem: null });
    await tick();
    expect(screen.getByLabelText('User name')).toHaveValue('j.marlow');
  });

  const step = (name: RegExp) => user().click(screen.getByRole('button', { name }));

  it('names the accounts of the broker with their kind', async () => {
    await show('armed', { page: 'setup', sheet: null });
    await step(/^Accounts/);
    const item = within(screen.getByRole('listitem', { name: 'Accounts' }));
    expect(item.getByText('Trading Combine 50K')).toBeInTheDocument();
    expect(item.getByText('Practice')).toBeInTheDocument();
  });

  it('proposes the rulebook of the smallest account and saves the one that is chosen', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Starting rulebook/);
    expect(await screen.findByRole('radio', { name: '50K' })).toBeChecked();
    await user().click(screen.getByRole('radio', { name: '100K' }));
    expect(screen.getByText('−$1,000.00', { normalizer: plain })).toBeInTheDocument();
    await user().click(button('Use the 100K rulebook'));
    expect(stage.sent.at(-1)).toEqual({ ask: 'save_settings', edits: PRESETS.presets[1]?.edits });
    expect(await screen.findByText(/^Saved\./)).toBeInTheDocument();
  });

  it('says when a looser value waits, and why a save was refused', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Starting rulebook/);
    stage.reply = { reply: 'refused', reason: 'Account 7 is locked.' };
    await user().click(await screen.findByRole('button', { name: 'Use the 50K rulebook' }));
    expect(await screen.findByText('Not saved: Account 7 is locked.')).toBeInTheDocument();
    const view = views.get('armed');
    if (!view) throw new Error('no sample view');
    const pending = {
      account: null,
      rule: 'daily_realized_loss',
      key: 'rules.daily_realized_loss.limit',
      text: 'Daily Loss Limit −$400.00 → −$500.00',
      from: -400,
      to: -500,
      state: 'waits',
      applies_at: '2025-11-18T23:00:00Z',
    } as const;
    stage.push({ sight: 'live', view: { ...view, pending: [pending] }, age_ms: 0 });
    await tick();
    const said = 'Daily Loss Limit −$400.00 → −$500.00: looser, applies at 5:00 PM CT (6:00 PM local)';
    expect(screen.getByText(said, { normalizer: plain })).toBeInTheDocument();
  });

  /** The sample in which these modes stand: for everyone, or as an account's own. */
  const withModes = (...modes: [string | null, string, string][]): SettingsView => {
    const settings = structuredClone(sample) as unknown as SettingsView;
    for (const [account, rule, mode] of modes) {
      for (const scope of settings.scopes.filter((it) => account === null || it.account === account)) {
        const value = scope.values.find((it) => it.key === `rules.${rule}.rule_mode`);
        if (!value) throw new Error('no such rule');
        value.value = mode;
        value.origin = account === null ? 'everyone' : 'own';
      }
    }
    return settings;
  };

  it('says that all is enforced only where every rule is, for every account', async () => {
    const stage = new Stage(sightOf('armed'), { page: 'setup', sheet: null });
    stage.settings = withModes([null, 'max_unrealized_profit', 'enforce']);
    await showOn(stage);
    expect(await screen.findByText('all rules are enforced')).toBeInTheDocument();
    await step(/Observe or enforce/);
    expect(button('Enforce all rules')).toBeDisabled();
    stage.settings = withModes(['61407733', 'session_block_outside', 'observe']);
    const view = views.get('armed');
    if (!view) throw new Error('no sample view');
    stage.push({ sight: 'live', view: { ...view, settings_revision: 'next' }, age_ms: 0 });
    // One rule warns for everyone, and one of another account observes.
    expect(await screen.findByText('8 of 10 rules enforced')).toBeInTheDocument();
    expect(screen.getByText(/^PRAC-V2-…7733: modes of their own/)).toBeInTheDocument();
    await user().click(button('Enforce all rules'));
    const sent = stage.sent.at(-1);
    const edits = sent?.ask === 'save_settings' ? sent.edits : [];
    expect(edits.filter((edit) => edit.account !== null)).toEqual([
      { account: '61407733', key: 'rules.session_block_outside.rule_mode', value: 'enforce' },
    ]);
    expect(edits).toHaveLength(13);
  });

  it('observes or enforces all rules but the one that always acts', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Observe or enforce/);
    expect(screen.getByRole('radio', { name: /^Enforce/ })).toBeChecked();
    await user().click(screen.getByRole('radio', { name: /^Observe/ }));
    expect(screen.getByText(/waits for the next trading day/)).toBeInTheDocument();
    await user().click(button('Observe only'));
    const sent = stage.sent.at(-1);
    const edits = sent?.ask === 'save_settings' ? sent.edits : [];
    expect(edits).toHaveLength(12);
    expect(edits.every((edit) => edit.key.endsWith('.rule_mode') && edit.value === 'observe')).toBe(true);
    expect(edits.some((edit) => edit.key.includes('no_stop_loss_grace'))).toBe(false);
  });

  it('starts at login only when asked', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Start at login/);
    const on = screen.getByRole('switch');
    expect(on).toHaveAttribute('aria-checked', 'false');
    await user().click(on);
    expect(stage.atLogin).toBe(true);
    expect(on).toHaveAttribute('aria-checked', 'true');
  });

  it('shows the proof as it happens: uncovered, closing, closed', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Proof/);
    const view = views.get('near');
    const main = view?.accounts[0];
    const bare = main?.positions.find((position) => position.closes_at !== null);
    const practice = view?.accounts.find((account) => account.kind === 'practice');
    const receipt = view?.receipts[0];
    if (!view || !bare || !practice || !receipt) throw new Error('no sample view');
    const unproved = { ...practice, proved: null };
    stage.push({ sight: 'live', view: { ...view, accounts: [unproved] }, age_ms: 0 });
    await tick();
    expect(screen.getByText(/Waiting for your trade on PRAC-V2-…7733/)).toBeInTheDocument();
    const trading = { ...view, accounts: [{ ...unproved, positions: [bare] }] };
    stage.push({ sight: 'live', view: trading, age_ms: 0 });
    await tick();
    expect(screen.getByText('1m 24s', { normalizer: plain })).toBeInTheDocument();
    const closed = {
      ...receipt,
      account: practice.id,
      rule: 'no_stop_loss_grace',
      title: 'Stop-Loss Required',
    } as const;
    stage.push({ sight: 'live', view: { ...view, accounts: [unproved], receipts: [closed] }, age_ms: 0 });
    await tick();
    expect(screen.getByText('Stop-Loss Required acted')).toBeInTheDocument();
    expect(screen.getByText('seen at the broker')).toBeInTheDocument();
  });

  it('keeps the date of the proof, and asks for another one of another version', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await step(/Proof/);
    const view = views.get('armed');
    if (!view) throw new Error('no sample view');
    const proof = () => screen.getByRole('button', { name: /^6?\s*Proof/ });
    expect(proof()).toHaveTextContent('Proved on Tue, Nov 18, 2025');
    expect(screen.getByText(/Stop-Loss Required closed a position/)).toBeInTheDocument();
    stage.push({ sight: 'live', view: { ...view, version: '9.9.9' }, age_ms: 0 });
    await tick();
    expect(proof()).toHaveTextContent(`Proved on Tue, Nov 18, 2025 with version ${view.version}`);
    expect(screen.getByText(/prove it once more/)).toBeInTheDocument();
  });

  it('offers the demo to who has no account', async () => {
    const stage = await show('no-credentials', { page: 'setup', sheet: null });
    await user().click(button('Watch the demo'));
    expect(stage.demos).toBe(1);
    expect(await screen.findByText(/Nothing of yours is touched/)).toBeInTheDocument();
  });

  it('switches which accounts are watched, and says from when', async () => {
    const stage = await show('armed', { page: 'setup', sheet: null });
    await user().click(button(/^Accounts/));
    const watch = (name: string) => screen.getByRole('checkbox', { name });
    expect(watch('Watch 50KTC-V2-…5101')).toBeChecked();
    expect(watch('Watch EXPRESS-V2-…0344')).not.toBeChecked();
    expect(button('Nothing changed')).toBeDisabled();
    await user().click(watch('Watch PRAC-V2-…7733'));
    await user().click(watch('Watch 50KTC-V2-…5101'));
    expect(screen.getByText('At least one must be watched.')).toBeInTheDocument();
    await user().click(watch('Watch EXPRESS-V2-…0344'));
    await user().click(button('Watch 1 account'));
    expect(stage.sent.at(-1)).toEqual({
      ask: 'save_settings',
      edits: [
        { account: '93365101', key: 'accounts[].enabled', value: 'false' },
        { account: '61407733', key: 'accounts[].enabled', value: 'false' },
        { account: '88120344', key: 'accounts[].enabled', value: 'true' },
      ],
    });
    expect(screen.getByText(/counts from the next start/)).toBeInTheDocument();
    stage.push(sightOf('lost'));
    await tick();
    expect(screen.getByText(/appear here as soon as it is signed in/)).toBeInTheDocument();
  });

  it('is closed while locked', async () => {
    await show('locked', { page: 'setup', sheet: null });
    expect(await screen.findByLabelText('API key')).toBeDisabled();
  });
});
