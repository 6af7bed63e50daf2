/** Builds the program into `built/`: packed, without what no page uses, and the same from the same sources. */
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';

const HERE = import.meta.dirname;
const OUT = path.resolve(HERE, process.env.OUT ?? 'built');
const PACKAGES = realpathSync(path.join(HERE, 'node_modules'));
const ICONS = path.join(PACKAGES, '@grafana/ui/dist/public/img/icons/unicons');
const ABSENT = path.join(HERE, 'src/absent.ts');

/** What the program and Grafana's components of these pages show. A browser test fails where one is missing. */
const USED = [
  'adjust-circle', 'angle-down', 'angle-left', 'angle-right', 'angle-up', 'apps', 'arrow-down', 'arrow-left', 'arrow-up', 'check-circle',
  'clock-nine', 'exclamation-triangle', 'external-link-alt', 'eye', 'info-circle', 'link', 'monitor', 'search-minus', 'sync', 'times',
];

const leaveOut = {
  name: 'leave-out',
  enforce: 'pre',
  resolveId(source) {
    return /(ReactMonacoEditor(Lazy)?|OpenLayersProvider|GlobalStyles\/fonts|^\.\/fonts)\.mjs$|^monaco-editor|^ol(\/|$)/.test(source) ? ABSENT : null;
  },
};

/** Lists whose work is in the bundle, each with its licence. */
const licences = {
  name: 'licences',
  generateBundle(_options, bundle) {
    const folders = new Set([path.join(PACKAGES, '@fontsource/inter'), path.join(PACKAGES, '@grafana/ui')]);
    for (const chunk of Object.values(bundle)) {
      for (const [id, module] of Object.entries(chunk.modules ?? {})) {
        const found = /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id);
        if (found && module.renderedLength) folders.add(found[1]);
      }
    }
    const listed = [...folders].map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).sort().find((f) => /^licen[cs]e/i.test(f));
      const text = file ? readFileSync(path.join(folder, file), 'utf8').replaceAll('\r', '').trim() : '';
      return { title: `${name} ${version}: ${license}`, text };
    });
    listed.sort((a, b) => (a.title < b.title ? -1 : 1));
    const texts = new Map(); // many share one text
    for (const { title, text } of listed) texts.set(text, [...(texts.get(text) ?? []), title]);
    const source = [...texts].map(([text, titles]) => `${titles.join('\n')}\n\n${text || 'The package holds no text of its licence.'}\n`);
    this.emitFile({ type: 'asset', fileName: 'licences.txt', source: source.join(`\n${'-'.repeat(80)}\n\n`) });
  },
};

const pack = {
  name: 'pack',
  closeBundle() {
    for (const name of USED) cpSync(path.join(ICONS, `${name}.svg`), path.join(OUT, 'icons', `${name}.svg`));
    const assets = path.join(OUT, 'assets');
    for (const file of readdirSync(assets).filter((f) => f.endsWith('.js'))) {
      const whole = path.join(assets, file);
      writeFileSync(`${whole}.gz`, gzipSync(readFileSync(whole), { level: 9 }));
      rmSync(whole);
    }
    writeFileSync(path.join(OUT, 'sources.sha256'), `${sources()}\n`);
  },
};

/** A digest of what the bundle is made of, so that a test without Node.js can tell whether it is the newest. */
function sources() {
  const digest = createHash('sha256');
  const files = ['index.html', 'package-lock.json', 'package.json', 'vite.config.mjs', ...below('src')].sort();
  for (const file of files) digest.update(`${file}\0`).update(readFileSync(path.join(HERE, file))).update('\0');
  return digest.digest('hex');
}

function below(folder) {
  return readdirSync(path.join(HERE, folder), { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? below(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]
  );
}

if (!existsSync(ICONS)) throw new Error('the packages are missing: npm ci');

export default defineConfig({
  base: '/',
  plugins: [leaveOut, licences, pack],
  esbuild: { jsx: 'automatic', legalComments: 'none' },
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
  build: {
    outDir: OUT, emptyOutDir: true, target: 'es2022', sourcemap: false, minify: 'esbuild', reportCompressedSize: false,
    chunkSizeWarningLimit: 100000, assetsInlineLimit: 0, modulePreload: { polyfill: false },
  },
  logLevel: 'error',
});
