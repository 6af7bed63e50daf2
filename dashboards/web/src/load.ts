/** One panel from the server's answers to the frames that are drawn. */
import { FieldType, type DataFrame, type GrafanaTheme2, type TimeRange, dateTime } from '@grafana/data';

import { applyFields, transform } from './fields';
import { toFrames } from './influx';
import { inLanguage } from './numbers';
import { askPanel, type Shown } from './server';
import type { PanelModel, Replace } from './types';
import type { Language } from './words';

export interface Loaded {
  frames: DataFrame[];
  range: TimeRange;
  /** whether there is any value in them */
  empty: boolean;
}

export async function loadPanel(
  panel: PanelModel, shown: Shown, theme: GrafanaTheme2, timeZone: string, language: Language, replace: Replace
): Promise<Loaded> {
  const { from, to, answers } = await askPanel(shown, panel.id);
  const frames = answers.flatMap(({ ref, series }) => {
    const target = panel.targets.find((t) => t.refId === ref);
    return target ? toFrames(series, target) : [];
  });
  const range = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
  if (!frames.some(hasValues)) {
    return { frames: [], range, empty: true };
  }
  const drawn = inLanguage(applyFields(panel, await transform(panel, frames), theme, timeZone, replace), language);
  return { frames: drawn, range, empty: !drawn.some((f) => f.length > 0 && f.fields.length > 0) };
}

const hasValues = (frame: DataFrame) =>
  frame.fields.some((f) => f.type !== FieldType.time && f.values.some((v) => v != null && v !== ''));
