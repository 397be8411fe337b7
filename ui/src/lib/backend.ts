// The one way from the pages to the program: one picture, one command, one event.

import { invoke } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';

import type { Ask } from './types/Ask';
import type { HistoryQuery } from './types/HistoryQuery';
import type { Reply } from './types/Reply';
import type { Sight } from './types/Sight';

export type PageName = 'status' | 'settings' | 'history' | 'setup';
export type SheetName = 'flatten' | 'cancel' | 'until' | 'done';

/** Where the tray wants the window to be. */
export interface Opening {
  page: PageName;
  sheet: SheetName | 'quit' | null;
}

/** Where the credentials come from; the key itself never reaches a page. */
export interface Credentials {
  source: 'keyring' | 'environment' | 'none';
  user_name: string | null;
  /** Why the keyring cannot be used, and what to do instead. */
  problem: string | null;
}

export interface Backend {
  snapshot(): Promise<Sight>;
  opening(): Promise<Opening>;
  send(ask: Ask): Promise<Reply>;
  credentials(): Promise<Credentials>;
  /** Makes a small window as large as a wide page needs it. */
  widen(): Promise<void>;
  /** Rejects with one sentence for people. */
  saveCredentials(userName: string, apiKey: string): Promise<void>;
  /** Writes tables into the folder for downloads and says where; rejects with one sentence for people. */
  exportHistory(query: HistoryQuery): Promise<string>;
  /** Whether the program starts with the login to this computer. */
  autostart(): Promise<boolean>;
  /** Switches it; gives how it is afterwards. */
  setAutostart(on: boolean): Promise<boolean>;
  startDemo(): Promise<void>;
  onView(take: (sight: Sight) => void): void;
  onOpen(take: (opening: Opening) => void): void;
}

export const program: Backend = {
  snapshot: () => invoke('snapshot'),
  opening: () => invoke('opening'),
  send: (ask) => invoke('send', { ask }),
  credentials: () => invoke('credentials'),
  widen: () => invoke('widen'),
  saveCredentials: (userName, apiKey) => invoke('save_credentials', { userName, apiKey }),
  exportHistory: (query) => invoke('export_history', { query }),
  autostart: () => invoke('autostart'),
  setAutostart: (on) => invoke('set_autostart', { on }),
  startDemo: () => invoke('start_demo'),
  onView: (take) => void listen<Sight>('view', (event) => take(event.payload)),
  onOpen: (take) => void listen<Opening>('open', (event) => take(event.payload)),
};
