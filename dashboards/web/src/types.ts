/** Shapes that the whole program shares: a dashboard as far as it is read here, and what a panel draws. */
import type { DataFrame, GrafanaTheme2, TimeRange } from '@grafana/data';

import type { Language, Words } from './words';

/** Grafana's JSON, whose types are looser than they look. */
export type Json = Record<string, any>;

export interface Target {
  refId: string;
  alias?: string;
  resultFormat?: 'table' | 'time_series';
}

export interface PanelModel extends Json {
  id: number;
  type: string;
  title?: string;
  description?: string;
  gridPos: GridPos;
  targets: Target[];
  options: Json;
  fieldConfig: { defaults: Json; overrides: Json[] };
}

export interface GridPos {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Board extends Json {
  uid: string;
  title: string;
  timezone: string;
  panels: PanelModel[];
}

/** Writes variables and what a link knows of its value into a text. */
export type Replace = (text: string, scoped?: Json, format?: unknown) => string;

/** Something that happened, drawn across the charts. */
export interface ParkEvent {
  time: number;
  text: string;
  tags: string[];
}

export interface VizProps {
  panel: PanelModel;
  frames: DataFrame[];
  width: number;
  height: number;
  timeRange: TimeRange;
  timeZone: string;
  theme: GrafanaTheme2;
  replace: Replace;
  events: ParkEvent[];
  language: Language;
  words: Words;
  onZoom: (from: number, to: number) => void;
}
