/** Numbers as the page's language writes them, whatever the browser's is: 1,234.5 kW or 1.234,5 kW. */
import { FieldType, type DataFrame, type DisplayProcessor, type DisplayValue, type Field } from '@grafana/data';

import type { Language } from './words';

const LOCALE: Record<Language, string> = { en: 'en-GB', vi: 'vi-VN' };
const DECIMAL: Record<Language, string> = { en: '.', vi: ',' };

/** What most of Grafana's formats write: a point before the decimals, nothing between thousands. */
const PLAIN = /^-?\d+(\.\d+)?$/;
/** These ask the browser how numbers are written. */
const OF_THE_BROWSER = /^(locale$|currency:financial:)/;
const FROM_HERE_WHOLE = 100;

/** Grafana writes lengths of time in English only. */
const TIME_VI: Record<string, string> = {
  min: 'phút', mins: 'phút', hour: 'giờ', hours: 'giờ', day: 'ngày', days: 'ngày', week: 'tuần', weeks: 'tuần', year: 'năm', years: 'năm',
};

/** Changes the fields of the frames. */
export function inLanguage(frames: DataFrame[], language: Language): DataFrame[] {
  for (const field of frames.flatMap((frame) => frame.fields)) {
    if (field.type === FieldType.number && field.display) {
      field.display = told(field.display, field, language);
    }
  }
  return frames;
}

function told(display: DisplayProcessor, field: Field, language: Language): DisplayProcessor {
  const whole = new Intl.NumberFormat(LOCALE[language], { maximumFractionDigits: 0 });
  return (value, decimals) => {
    const shown = display(value, decimals);
    if (OF_THE_BROWSER.test(field.config.unit ?? '') && typeof value === 'number' && /\d/.test(shown.text)) {
      return { ...shown, text: written(value, decimals ?? field.config.decimals, language) };
    }
    return { ...shown, text: PLAIN.test(shown.text) ? separated(shown.text, whole, language) : shown.text, suffix: inWords(shown, language) };
  };
}

function written(value: number, decimals: number | null | undefined, language: Language): string {
  const digits = decimals ?? (Math.abs(value) < FROM_HERE_WHOLE ? undefined : 0);
  return new Intl.NumberFormat(LOCALE[language], { minimumFractionDigits: digits ?? 0, maximumFractionDigits: digits ?? 1 }).format(value);
}

function separated(text: string, whole: Intl.NumberFormat, language: Language): string {
  const [front, decimals] = text.replace('-', '').split('.');
  const sign = text.startsWith('-') ? '-' : '';
  return `${sign}${whole.format(Number(front))}${decimals ? DECIMAL[language] + decimals : ''}`;
}

function inWords({ suffix }: DisplayValue, language: Language): string | undefined {
  const word = language === 'vi' && suffix ? TIME_VI[suffix.trim()] : undefined;
  return word ? ` ${word}` : suffix;
}
