// Starting rulebooks for work on the pages.

import type { PresetsView } from '../types/PresetsView';

const preset = (
  size: string,
  firm: string,
  loss: string,
  open: string,
  target: string,
  contracts: string,
) => ({
  size,
  firm,
  lines: [
    { title: 'Daily Loss Limit', value: `\u2212$${loss}.00` },
    { title: 'Open Loss per Position', value: `\u2212$${open}.00` },
    { title: 'Daily Profit Target', value: `+$${target}.00` },
    { title: 'Max Contracts', value: contracts },
  ],
  edits: [
    { account: null, key: 'rules.daily_realized_loss.limit', value: `-${loss.replace(',', '')}` },
    { account: null, key: 'rules.max_contracts.limit', value: contracts },
  ],
});

export const PRESETS: PresetsView = {
  source: 'TopstepX help pages and comparison pages of third parties. Check them against your own account.',
  date: '2025-11-18',
  presets: [
    preset('50K', 'Maximum Loss Limit $2,000, at most 5 minis or 50 micros', '500', '200', '1,000', '5'),
    preset(
      '100K',
      'Maximum Loss Limit $3,000, at most 10 minis or 100 micros',
      '1,000',
      '400',
      '2,000',
      '10',
    ),
    preset(
      '150K',
      'Maximum Loss Limit $4,500, at most 15 minis or 150 micros',
      '1,500',
      '600',
      '3,000',
      '15',
    ),
  ],
};
