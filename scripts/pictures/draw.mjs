// Draws all dashboards from a recording of the lab (`lab record`): node draw.mjs RECORDING PICTURES
import { build } from 'esbuild';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [recording, pictures] = process.argv.slice(2).map((it) => resolve(it));
const here = import.meta.dirname;
const WIDTH = 1366;
/** Grafana's grid: pixels per unit, and of the margin. */
const UNIT = 38;
const AROUND = 96;
const LARGEST = 300_000;

/** A child process that ends with this one. */
function start(command, options) {
  const child = spawn(command, options, { stdio: 'ignore' });
  process.on('exit', () => child.kill());
  return child;
}

async function until(ready, what) {
  for (let turn = 0; turn < 300; turn += 1) {
    if (await ready()) {
      return;
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${what} is not ready after 30 s`);
}

/** Serves the page, and Prometheus at the same address. */
function serve(files, prometheus) {
  const server = createServer((ask, answer) => {
    if (ask.url.startsWith('/api/')) {
      ask.pipe(
        request({ ...prometheus, path: ask.url, method: ask.method }, (from) => {
          answer.writeHead(from.statusCode, from.headers);
          from.pipe(answer);
        })
      );
      return;
    }
    const file = files[ask.url.split('?')[0]];
    answer.writeHead(file ? 200 : 404, { 'content-type': file?.[0] ?? 'text/plain' }).end(file?.[1]);
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

// Grafana has its own fork of react-data-grid, which is in no registry. The registry's version uses
// contexts in the style of React 19; Grafana has React 18.
const contexts = {
  name: 'contexts of React 19 for React 18',
  setup({ onLoad }) {
    onLoad({ filter: /react-data-grid\/lib\/index\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/(jsxs?\(\w+Context), \{/g, '$1.Provider, {'),
    }));
  },
};
const built = await build({
  entryPoints: [join(here, 'main.tsx')],
  bundle: true,
  write: false,
  outdir: 'out',
  jsx: 'automatic',
  minify: true,
  plugins: [contexts],
  loader: { '.svg': 'dataurl', '.ttf': 'dataurl' },
  define: { 'process.env.NODE_ENV': '"production"', global: 'window' },
  logLevel: 'error',
});
const output = (end) => built.outputFiles.find(({ path }) => path.endsWith(end)).text;
const page = '<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="main.css"><div id="root"></div><script src="main.js"></script>';

const phases = JSON.parse(readFileSync(join(recording, 'phases.json'), 'utf8'));
const port = await freePort();
start('prometheus', [
  `--config.file=${join(here, 'prometheus.yml')}`,
  `--storage.tsdb.path=${join(recording, 'data')}`,
  '--storage.tsdb.retention.time=10y',
  `--web.listen-address=127.0.0.1:${port}`,
]);
await until(() => fetch(`http://127.0.0.1:${port}/-/ready`).then(({ ok }) => ok, () => false), 'prometheus');
// Grafana's font, from Debian's fonts-inter, where Grafana's styles look for it.
const font = (name) => [`/public/fonts/inter/Inter-${name}.woff2`, ['font/otf', readFileSync(`/usr/share/fonts/opentype/inter/Inter-${name}.otf`)]];
const server = await serve(
  {
    '/': ['text/html', page],
    '/main.js': ['text/javascript', output('main.js')],
    '/main.css': ['text/css', output('main.css')],
    ...Object.fromEntries([font('Regular'), font('Medium')]),
  },
  { host: '127.0.0.1', port }
);

// Three states: healthy; two minutes after the hole began; after it was mended.
const moments = {
  healthy: [phases.begin, phases.broken - 5],
  incident: [phases.begin + 120, phases.mended - 2],
  mended: [phases.begin + 120, phases.end],
};

function draw(name, dashboard, [from, to], height) {
  const file = join(pictures, `${name}.png`);
  const profile = mkdtempSync(join(tmpdir(), 'pictures-'));
  const url = `http://127.0.0.1:${server.address().port}/?dashboard=${dashboard}&from=${from}&to=${to}`;
  const child = spawn('chromium', [
    '--headless', '--enable-logging=stderr', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--force-color-profile=srgb', `--window-size=${WIDTH},${height}`,
    '--virtual-time-budget=20000', `--user-data-dir=${profile}`, `--screenshot=${file}`, url,
  ], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  return new Promise((done, fail) => {
    child.on('exit', (code) => {
      rmSync(profile, { recursive: true, force: true });
      const errors = said.split('\n').filter((line) => line.includes('"picture: ') || line.includes('"Uncaught'));
      if (code !== 0 || errors.length > 0) {
        return fail(new Error(`chromium ended with ${code}\n${errors.join('\n') || said}`));
      }
      execFileSync('pngquant', ['--force', '--strip', '--speed=1', '--ext=.png', '128', file]);
      const { size } = statSync(file);
      console.log(`${file}: ${size} bytes`);
      return size > LARGEST ? fail(new Error(`${file} is larger than ${LARGEST} bytes`)) : done();
    });
  });
}

const pages = { overlay: 'vxlan-overlay', router: 'vxlan-router', health: 'exporter-health' };
for (const [name, dashboard] of Object.entries(pages)) {
  const { panels } = JSON.parse(readFileSync(join(here, '../../dashboards', `${dashboard}.json`), 'utf8'));
  const height = AROUND + UNIT * Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  for (const moment of ['healthy', 'incident']) {
    await draw(`${name}-${moment}`, dashboard, moments[moment], height);
  }
}
// The part that a laptop shows without scrolling.
await draw('laptop-incident', pages.overlay, moments.incident, 768);
await draw('laptop-mended', pages.overlay, moments.mended, 768);
process.exit(0);
