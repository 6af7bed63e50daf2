/** What is shown stands in the address, in Grafana's words, so that links, bookmarks and the back button keep it. */
import { useSyncExternalStore } from 'react';

export type Mode = 'light' | 'dark';

export interface Place {
  uid: string;
  /** as asked for; the page's own where the address says nothing */
  from?: string;
  to?: string;
  refresh?: string;
  variables: Record<string, string[]>;
  viewPanel?: number;
  kiosk: boolean;
}

const CHANGED = 'placechanged';

export function parse(href: string): Place {
  const url = new URL(href, window.location.origin);
  const ask = url.searchParams;
  const variables: Record<string, string[]> = {};
  for (const key of new Set(ask.keys())) {
    if (key.startsWith('var-')) {
      variables[key.slice(4)] = ask.getAll(key);
    }
  }
  const panel = Number(ask.get('viewPanel'));
  return {
    uid: decodeURIComponent(url.pathname.split('/')[2] ?? ''),
    from: ask.get('from') ?? undefined,
    to: ask.get('to') ?? undefined,
    refresh: ask.get('refresh') ?? undefined,
    variables,
    viewPanel: Number.isInteger(panel) && panel > 0 ? panel : undefined,
    kiosk: ask.has('kiosk'),
  };
}

export function addressOf(place: Place): string {
  const ask = new URLSearchParams();
  if (place.from) ask.set('from', place.from);
  if (place.to) ask.set('to', place.to);
  if (place.refresh != null) ask.set('refresh', place.refresh);
  for (const [name, values] of Object.entries(place.variables)) {
    values.forEach((value) => ask.append(`var-${name}`, value));
  }
  if (place.viewPanel) ask.set('viewPanel', String(place.viewPanel));
  const query = ask.toString() + (place.kiosk ? `${ask.size ? '&' : ''}kiosk` : '');
  return `/d/${place.uid}${query ? `?${query}` : ''}`;
}

export function go(href: string, replace = false) {
  if (replace) {
    window.history.replaceState(null, '', href);
  } else {
    window.history.pushState(null, '', href);
  }
  window.dispatchEvent(new Event(CHANGED));
}

function subscribe(changed: () => void) {
  window.addEventListener(CHANGED, changed);
  window.addEventListener('popstate', changed);
  return () => {
    window.removeEventListener(CHANGED, changed);
    window.removeEventListener('popstate', changed);
  };
}

/** The address, which draws its reader anew when it changes. */
export const useHref = () => useSyncExternalStore(subscribe, () => window.location.href);

/** Clicks on links between pages change the address without loading the program again. */
export function followLinks() {
  document.addEventListener('click', (event) => {
    const link = (event.target as Element).closest?.('a[href]');
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!link || !plain || event.defaultPrevented || (link as HTMLAnchorElement).target === '_blank') return;
    const url = new URL((link as HTMLAnchorElement).href);
    if (url.origin === window.location.origin && url.pathname.startsWith('/d/')) {
      event.preventDefault();
      go(url.pathname + url.search);
      window.scrollTo(0, 0);
    }
  });
}

/** The theme is the reader's, not the page's: an address may name one, else the last choice counts, else the system's. */
export function startMode(): Mode {
  const asked = new URLSearchParams(window.location.search).get('theme') ?? window.localStorage.getItem('theme');
  if (asked === 'light' || asked === 'dark') return asked;
  return window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export const rememberMode = (mode: Mode) => window.localStorage.setItem('theme', mode);
