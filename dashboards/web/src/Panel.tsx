/** One panel in Grafana's frame: it asks when time or choices change, and keeps what it shows until the answer is there. */
import { LoadingState, type GrafanaTheme2 } from '@grafana/data';
import { IconButton, PanelChrome, useTheme2 } from '@grafana/ui';
import { Component, useEffect, useState, type ComponentType, type ReactNode } from 'react';

import { loadPanel, type Loaded } from './load';
import { AlertList } from './panels/AlertList';
import { BarGauges } from './panels/BarGauges';
import { Stats } from './panels/Stats';
import { TablePanel } from './panels/TablePanel';
import { TimeSeriesPanel } from './panels/TimeSeriesPanel';
import type { Shown } from './server';
import { describeWindow } from './time';
import type { PanelModel, ParkEvent, Replace, VizProps } from './types';
import type { Language, Words } from './words';

const DRAWN: Record<string, ComponentType<VizProps>> = {
  timeseries: TimeSeriesPanel, stat: Stats, bargauge: BarGauges, table: TablePanel,
};

export interface PanelProps {
  panel: PanelModel;
  shown: Shown;
  tick: number;
  timeZone: string;
  language: Language;
  words: Words;
  replace: Replace;
  events: ParkEvent[];
  width: number;
  height: number;
  onZoom: (from: number, to: number) => void;
  onEnlarge: () => void;
}

interface State {
  loaded?: Loaded;
  error?: string;
  busy: boolean;
}

function useLoaded({ panel, shown, tick, timeZone, language, replace }: PanelProps, theme: GrafanaTheme2): State {
  const [state, setState] = useState<State>({ busy: true });
  const wanted = JSON.stringify(shown);
  useEffect(() => {
    if (!DRAWN[panel.type]) return;
    let current = true;
    setState((before) => ({ ...before, busy: true }));
    loadPanel(panel, shown, theme, timeZone, language, replace).then(
      (loaded) => current && setState({ loaded, busy: false }),
      (error: Error) => current && setState((before) => ({ ...before, error: error.message, busy: false }))
    );
    return () => { current = false; };
  }, [panel, wanted, tick, theme, timeZone, language]);
  return state;
}

export function Panel(props: PanelProps) {
  const { panel, width, height, words, shown } = props;
  const theme = useTheme2();
  const state = useLoaded(props, theme);
  const range = describeWindow(panel, shown.relative, words);
  const known = DRAWN[panel.type] || panel.type === 'alertlist';
  const done = panel.type === 'alertlist' || (!state.busy && Boolean(known));
  return (
    <section
      data-panel={panel.id} data-type={panel.type} data-done={done} data-empty={state.loaded?.empty} data-error={state.error}
      style={{ position: 'relative' }}
    >
      <PanelChrome
        width={width} height={height} title={panel.title} description={panel.description} hoverHeader={!panel.title}
        displayMode={panel.transparent ? 'transparent' : 'default'} statusMessage={state.error}
        loadingState={state.busy && state.loaded ? LoadingState.Loading : LoadingState.Done}
        titleItems={range && <span style={{ fontSize: 12, color: theme.colors.text.secondary, whiteSpace: 'nowrap', marginLeft: 6 }}>{range}</span>}
      >
        {(w, h) => <Body {...props} state={state} theme={theme} width={w} height={h} />}
      </PanelChrome>
      <span className="enlarge" style={{ background: theme.colors.background.primary }}>
        <IconButton name="eye" size="sm" tooltip={words.enlarge} onClick={props.onEnlarge} />
      </span>
    </section>
  );
}

function Body({ state, theme, ...props }: PanelProps & { state: State; theme: GrafanaTheme2 }) {
  const { panel, width, height, words, language, timeZone, tick } = props;
  if (panel.type === 'alertlist') {
    return <AlertList language={language} words={words} timeZone={timeZone} tick={tick} most={panel.options.maxItems ?? 20} />;
  }
  const Drawn = DRAWN[panel.type];
  const message = (text: string, color: string) => <Message width={width} height={height} text={text} color={color} />;
  if (!Drawn) return message(`${words.unsupported} ${panel.type}`, theme.colors.error.text);
  if (!state.loaded) return message(state.error ?? words.loading, state.error ? theme.colors.error.text : theme.colors.text.secondary);
  if (state.loaded.empty) return message(panel.fieldConfig.defaults.noValue ?? words.noData, theme.colors.text.secondary);
  return (
    <Boundary words={words}>
      <Drawn
        panel={panel} frames={state.loaded.frames} timeRange={state.loaded.range} timeZone={timeZone} theme={theme} width={width} height={height}
        replace={props.replace} events={props.events} language={language} words={words} onZoom={props.onZoom}
      />
    </Boundary>
  );
}

function Message({ width, height, text, color }: { width: number; height: number; text: string; color: string }) {
  return (
    <div style={{
      width, height, display: 'flex', alignItems: 'center', justifyContent: 'center', textAlign: 'center', color, overflow: 'hidden',
      overflowWrap: 'anywhere',
    }}>{text}</div>
  );
}

/** A panel that cannot be drawn does not take the page with it. */
class Boundary extends Component<{ children: ReactNode; words: Words }, { error?: Error }> {
  state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  render() {
    const { error } = this.state;
    return error ? <div data-failed>{this.props.words.failed}: {error.message}</div> : this.props.children;
  }
}
