import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// `npm run dev` and `--mode fake` show the pages without the program.
export default defineConfig(({ command, mode }) => ({
  define: {
    __FAKE__: JSON.stringify(mode === 'fake' || (command === 'serve' && !process.env.TAURI_ENV_PLATFORM)),
  },
  plugins: [svelte({ preprocess: vitePreprocess() })],
  // Tests run the pages as a browser would, not as a server.
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  build: { target: ['safari15', 'chrome105'], assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { port: 5173, strictPort: true },
  clearScreen: false,
  test: { environment: 'happy-dom', setupFiles: ['./src/test/setup.ts'], restoreMocks: true },
}));
