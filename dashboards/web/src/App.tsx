/** The page that the address names: its head, its panels, and what makes them ask again. */
import type { GrafanaTheme2 } from '@grafana/data';
import { IconButton, useTheme2 } from '@grafana/ui';
import { useCallback, useEffect, useMemo, useState } from 'react';

import { addressOf, go, parse, useHref, type Mode, type Place } from './address';
import { Header } from './Header';
import { gridHeight, layOut, pixels, type Placed } from './layout';
import { Panel } from './Panel';
import { askEvents, askPage, type Page, type Shown } from './server';
import { isRelative, makeRange, setDateFormats } from './time';
import type { PanelModel, ParkEvent } from './types';
import { loadVariables, replacer, valuesOf, type Variable } from './variables';
import { wordsOf } from './words';

const PADDING = 16;

interface Props {
  mode: Mode;
  onMode: (mode: Mode) => void;
}

interface Ready {
  page: Page;
  variables: Variable[];
  /** what of the address it was made for */
  wanted: string;
}

const wantedBy = (place: Place) => JSON.stringify([place.uid, place.variables]);

/** The page and its variables; the old ones stay until the new ones are there. */
function useReady(place: Place): { ready?: Ready; error?: string } {
  const [state, setState] = useState<{ ready?: Ready; error?: string }>({});
  const wanted = wantedBy(place);
  useEffect(() => {
    let current = true;
    (async () => {
      const page = await askPage(place.uid);
      const variables = await loadVariables(page.board, place.variables);
      if (!current) return;
      setDateFormats(page.language);
      document.documentElement.lang = page.language;
      document.title = page.board.title;
      setState({ ready: { page, variables, wanted } });
    })().catch((error: Error) => current && setState({ error: error.message }));
    return () => { current = false; };
  }, [wanted]);
  return state;
}

export function App({ mode, onMode }: Props) {
  const place = parse(useHref());
  const { ready, error } = useReady(place);
  const theme = useTheme2();
  if (error) return <Whole theme={theme}><p role="alert">{error} <a href="/">⌂</a></p></Whole>;
  if (!ready) return <Whole theme={theme}>{null}</Whole>;
  return <Shown key={ready.page.board.uid} ready={ready} place={place} mode={mode} onMode={onMode} />;
}

function Whole({ theme, children }: { theme: GrafanaTheme2; children: React.ReactNode }) {
  return (
    <main style={{ minHeight: '100vh', padding: PADDING, boxSizing: 'border-box', background: theme.colors.background.canvas, color: theme.colors.text.primary }}>
      {children}
    </main>
  );
}

/** Counts up each time that everything is to be asked again. */
function useTick(refresh: string): [number, () => void] {
  const [tick, setTick] = useState(0);
  const again = useCallback(() => setTick((n) => n + 1), []);
  const every = milliseconds(refresh);
  useEffect(() => {
    if (!every) return;
    const timer = setInterval(() => document.hidden || again(), every);
    return () => clearInterval(timer);
  }, [every, again]);
  return [tick, again];
}

function milliseconds(every: string): number {
  const found = /^(\d+)([smh])$/.exec(every);
  return found ? Number(found[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[found[2] as 's' | 'm' | 'h'] : 0;
}

function useEvents(shown: Shown, wanted: boolean, tick: number): ParkEvent[] {
  const [events, setEvents] = useState<ParkEvent[]>([]);
  const key = JSON.stringify(shown);
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    askEvents(shown).then((found) => current && setEvents(found), () => current && setEvents([]));
    return () => { current = false; };
  }, [key, wanted, tick]);
  return events;
}

function useSize() {
  const [size, setSize] = useState({ width: document.documentElement.clientWidth, height: window.innerHeight });
  useEffect(() => {
    const observer = new ResizeObserver(() => setSize({ width: document.documentElement.clientWidth, height: window.innerHeight }));
    observer.observe(document.documentElement);
    return () => observer.disconnect();
  }, []);
  return size;
}

function Shown({ ready: { page, variables, wanted }, place, mode, onMode }: Props & { ready: Ready; place: Place }) {
  const theme = useTheme2();
  const size = useSize();
  const { board, language } = page;
  const words = wordsOf(language);
  const from = place.from ?? board.time?.from ?? 'now-24h';
  const to = place.to ?? board.time?.to ?? 'now';
  const refresh = place.refresh ?? board.refresh ?? '';
  const [tick, again] = useTick(refresh);
  const range = useMemo(() => makeRange(from, to, board.timezone), [from, to, board.timezone, tick]);
  const values = useMemo(() => valuesOf(variables), [variables]);
  const shown: Shown = { page: board.uid, variables: values, from: range.from.valueOf(), to: range.to.valueOf(), relative: isRelative(from) };
  const replace = useMemo(() => replacer(variables, from, to), [variables, from, to]);
  // the next choice adds to what was chosen last, also while that is still being read
  const chosen = wanted === wantedBy(place) ? variables : variables.map((v) => ({ ...v, values: place.variables[v.name] ?? v.values }));
  const events = useEvents(shown, Boolean(board.annotations?.list?.length), tick);
  const panels = page.alerts ? board.panels : board.panels.filter((p) => p.type !== 'alertlist');
  const alone = panels.find((p) => p.id === place.viewPanel);
  const leave = useCallback(() => go(addressOf({ ...place, kiosk: false, viewPanel: undefined })), [place]);
  useLeaving(place.kiosk || Boolean(alone), leave);
  const common = {
    shown, tick, timeZone: board.timezone, language, words, replace, events,
    onZoom: (start: number, end: number) => go(addressOf({ ...place, from: String(start), to: String(end) })),
  };
  const draw = (panel: PanelModel, width: number, height: number) => (
    <Panel {...common} panel={panel} width={width} height={height}
      onEnlarge={() => (alone ? leave() : go(addressOf({ ...place, viewPanel: panel.id })))} />
  );
  const width = size.width - 2 * PADDING;
  return (
    <Whole theme={theme}>
      {place.kiosk ? null : (
        <Header page={page} place={place} from={from} to={to} range={range} refresh={refresh} variables={chosen} words={words}
          mode={mode} onMode={onMode} onRefresh={again} />
      )}
      {alone
        ? <div><IconButton name="arrow-left" tooltip={words.back} onClick={leave} />{draw(alone, width, Math.max(size.height - 140, 300))}</div>
        : <Grid placed={layOut(panels, width)} width={width} draw={draw} />}
    </Whole>
  );
}

/** Escape leads back to the whole page; so does the browser's own way out of full screen. */
function useLeaving(wanted: boolean, leave: () => void) {
  useEffect(() => {
    if (!wanted) return;
    const escaped = (event: KeyboardEvent) => event.key === 'Escape' && leave();
    const left = () => document.fullscreenElement || leave();
    document.addEventListener('keydown', escaped);
    document.addEventListener('fullscreenchange', left);
    return () => {
      document.removeEventListener('keydown', escaped);
      document.removeEventListener('fullscreenchange', left);
    };
  }, [wanted, leave]);
}

function Grid({ placed, width, draw }: { placed: Placed[]; width: number; draw: (p: PanelModel, w: number, h: number) => React.ReactNode }) {
  const theme = useTheme2();
  return (
    <div data-grid style={{ position: 'relative', width, height: gridHeight(placed) }}>
      {placed.map(({ panel, place }) => {
        const box = pixels(place, width);
        return (
          <div key={panel.id} style={{ position: 'absolute', ...box }}>
            {panel.type === 'row' ? <h2 style={{ ...theme.typography.h6, margin: 0, lineHeight: '30px' }}>{panel.title}</h2> : draw(panel, box.width, box.height)}
          </div>
        );
      })}
    </div>
  );
}

