/** What the server answers. Nothing here is a statement: the server has those. */
import type { Board, ParkEvent } from './types';
import type { Language } from './words';

export interface Page {
  board: Board;
  language: Language;
  pages: Array<{ uid: string; title: string; language: Language }>;
  /** whether somebody evaluates alert rules */
  alerts: boolean;
}

export interface Option {
  value: string;
  text: string;
}

export interface Series {
  name: string;
  tags?: Record<string, string>;
  columns: string[];
  values?: unknown[][];
}

export interface Answers {
  from: number;
  to: number;
  answers: Array<{ ref: string; series: Series[] }>;
}

export interface Alert {
  severity: string;
  name: string;
  text: string;
  first: string;
  since: string;
  url: string;
}

/** A page with the values of its variables, and the range that it shows in milliseconds. */
export interface Chosen {
  page: string;
  variables: Record<string, string[]>;
}

export interface Shown extends Chosen {
  from: number;
  to: number;
  relative: boolean;
}

export const askPage = (uid: string): Promise<Page> => ask(`/api/page/${encodeURIComponent(uid)}`);

export const askOptions = async (chosen: Chosen, name: string): Promise<Option[]> =>
  (await ask<{ values: Option[] }>('/api/variable', { ...chosen, name })).values;

export const askPanel = (shown: Shown, panel: number): Promise<Answers> => ask('/api/panel', { ...shown, panel });

export const askEvents = async (shown: Shown): Promise<ParkEvent[]> =>
  (await ask<{ events: ParkEvent[] }>('/api/events', shown)).events;

export const askAlerts = async (language: Language): Promise<Alert[]> =>
  (await ask<{ alerts: Alert[] }>(`/api/alerts/${language}`)).alerts;

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const answer = await fetch(path, body === undefined ? undefined : {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(reason(text) || `${answer.status} ${answer.statusText}`);
  }
  return JSON.parse(text) as T;
}

function reason(text: string): string {
  try {
    return String(JSON.parse(text).error);
  } catch {
    return text.slice(0, 300);
  }
}
