/** Ranges of time: from `now-24h` or milliseconds to instants, and to words. */
import { dateMath, dateTime, dateTimeForTimeZone, dateTimeFormat, systemDateFormats, type DateTime, type TimeRange } from '@grafana/data';

import type { PanelModel } from './types';
import type { Language, Words } from './words';

/** Days before months, in both languages: that is how they are written here. */
export function setDateFormats(language: Language) {
  systemDateFormats.update({
    fullDate: language === 'vi' ? 'DD/MM/YYYY HH:mm:ss' : 'YYYY-MM-DD HH:mm:ss',
    interval: {
      millisecond: 'HH:mm:ss.SSS', second: 'HH:mm:ss', minute: 'HH:mm', hour: 'DD/MM HH:mm', day: 'DD/MM', month: 'MM/YYYY', year: 'YYYY',
    },
    useBrowserLocale: false,
  });
}

export const isRelative = (text: string) => text.includes('now');

function point(text: string, roundUp: boolean, timeZone: string): DateTime {
  const found = /^\d{9,14}$/.test(text) ? dateTime(Number(text)) : dateMath.toDateTime(text, { roundUp, timezone: timeZone });
  if (!found?.isValid()) {
    throw new Error(`not a time: ${text}`);
  }
  return found;
}

/** `now-24h`, milliseconds, or an ISO date. */
export function makeRange(from: string, to: string, timeZone: string): TimeRange {
  const range = { from: point(from, false, timeZone), to: point(to, true, timeZone) };
  return { ...range, raw: { from: isRelative(from) ? from : range.from, to: isRelative(to) ? to : range.to } };
}

const MINUTE_FORMAT: Record<Language, string> = { en: 'YYYY-MM-DD HH:mm', vi: 'DD/MM/YYYY HH:mm' };

export const minute = (ms: number, language: Language, timeZone: string) =>
  dateTimeFormat(ms, { format: MINUTE_FORMAT[language], timeZone });

export function describe(from: string, to: string, range: TimeRange, timeZone: string, language: Language, words: Words) {
  if (to === 'now' || (from === to && from.includes('/'))) {
    const known = words.ranges[from];
    if (known) return known;
    const last = /^now-(\d+)([mhdwMy])$/.exec(from);
    if (last) return words.last(last[1], last[2]);
  }
  return `${minute(range.from.valueOf(), language, timeZone)} – ${minute(range.to.valueOf(), language, timeZone)}`;
}

/** A panel's own range in words, where it has one that counts. */
export function describeWindow(panel: PanelModel, relative: boolean, words: Words): string | undefined {
  if (panel.hideTimeOverride) return undefined;
  const notes: string[] = [];
  const window: string | undefined = panel.timeFrom;
  if (window && relative) {
    const last = /^(?:now-)?(\d+)([mhdwMy])(?:\/\w)?$/.exec(window);
    notes.push(words.ranges[window] ?? (last ? words.last(last[1], last[2]) : window));
  }
  const shift = /^(\d+)([mhdwMy])$/.exec(panel.timeShift ?? '');
  if (shift) notes.push(words.shifted(shift[1], shift[2]));
  return notes.join(', ') || undefined;
}

/** For fields of date and time, which know no zone: the park's wall clock. */
export const toField = (ms: number, timeZone: string) => dateTimeFormat(ms, { format: 'YYYY-MM-DDTHH:mm', timeZone });

export const fromField = (text: string, timeZone: string): number => dateTimeForTimeZone(timeZone, text).valueOf();
