/** Field configuration and transformations: what Grafana does to frames before a panel draws them. */
import {
  applyFieldOverrides, cacheFieldDisplayNames, displayNameOverrideProcessor, FieldConfigOptionsRegistry, FieldType,
  identityOverrideProcessor, numberOverrideProcessor, standardFieldConfigEditorRegistry, standardTransformers,
  standardTransformersRegistry, stringOverrideProcessor, thresholdsOverrideProcessor, transformDataFrame, type DataFrame,
  type Field, type FieldConfigSource, type FieldConfigPropertyItem, type GrafanaTheme2,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

import type { Json, PanelModel, Replace } from './types';

const numeric = (f: Field) => f.type === FieldType.number;
const always = () => true;

function item(id: string, process: unknown, shouldApply = always as (f: Field) => boolean, settings: Json = {}) {
  return {
    id, path: id, name: id, process, shouldApply, settings, editor: () => null, override: () => null,
  } as unknown as FieldConfigPropertyItem;
}

const STANDARD = [
  item('displayName', displayNameOverrideProcessor, always, { expandTemplateVars: true }),
  item('unit', identityOverrideProcessor),
  item('min', numberOverrideProcessor, numeric),
  item('max', numberOverrideProcessor, numeric),
  item('fieldMinMax', identityOverrideProcessor, numeric),
  item('decimals', numberOverrideProcessor, numeric),
  item('noValue', stringOverrideProcessor),
  item('thresholds', thresholdsOverrideProcessor),
  item('mappings', identityOverrideProcessor),
  item('links', identityOverrideProcessor),
  item('color', identityOverrideProcessor),
];

standardFieldConfigEditorRegistry.setInit(() => STANDARD);
standardTransformersRegistry.setInit(() =>
  [...new Set(Object.values(standardTransformers))].map((t) => ({
    id: t.id, name: t.name, editor: () => null, transformation: async () => t, imageDark: '', imageLight: '',
  })) as never
);

/** A panel's own (`custom.`) settings differ by type, so whatever the page uses is taken as it is. */
function registryFor(panel: PanelModel, custom: Json): FieldConfigOptionsRegistry {
  const paths = new Set(Object.keys(custom));
  for (const override of panel.fieldConfig.overrides) {
    for (const property of override.properties ?? []) {
      if (property.id?.startsWith('custom.')) paths.add(property.id.slice('custom.'.length));
    }
  }
  const own = [...paths].map((path) => ({ ...item(`custom.${path}`, identityOverrideProcessor), path, isCustom: true }));
  return new FieldConfigOptionsRegistry(() => [...STANDARD, ...own] as FieldConfigPropertyItem[]);
}

/** What a type of panel assumes where the page says nothing. */
const CUSTOM: Record<string, Json> = {
  timeseries: {
    drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none', spanNulls: false,
    showPoints: 'auto', pointSize: 5, stacking: { mode: 'none', group: 'A' }, axisPlacement: 'auto', axisLabel: '',
    axisColorMode: 'text', axisBorderShow: false, axisCenteredZero: false, scaleDistribution: { type: 'linear' },
    barAlignment: 0, barWidthFactor: 0.6, insertNulls: false, thresholdsStyle: { mode: 'off' },
    hideFrom: { tooltip: false, viz: false, legend: false },
  },
  table: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
};

/** JSON has no -Infinity: the first step of thresholds is written as null. */
function withBase(thresholds: Json | undefined) {
  const steps = (thresholds?.steps ?? []).map((s: Json) => ({ ...s, value: s.value ?? -Infinity }));
  return { mode: 'absolute', ...thresholds, steps };
}

export function applyFields(panel: PanelModel, frames: DataFrame[], theme: GrafanaTheme2, timeZone: string, replace: Replace) {
  const given = panel.fieldConfig.defaults;
  const custom = { ...CUSTOM[panel.type], ...given.custom };
  const defaults = {
    ...given, custom, thresholds: withBase(given.thresholds), mappings: given.mappings ?? [],
    color: given.color ?? { mode: panel.type === 'timeseries' ? 'palette-classic' : 'thresholds' },
  };
  const overrides = panel.fieldConfig.overrides.map((o) => ({
    ...o,
    properties: (o.properties ?? []).map((p: Json) => (p.id === 'thresholds' && p.value ? { ...p, value: withBase(p.value) } : p)),
  }));
  const out = applyFieldOverrides({
    data: frames, fieldConfig: { defaults, overrides } as unknown as FieldConfigSource,
    fieldConfigRegistry: registryFor(panel, custom), theme, timeZone, replaceVariables: replace as never,
  });
  cacheFieldDisplayNames(out);
  return out;
}

/** Raises what is not among the transformations of `@grafana/data`. */
export async function transform(panel: PanelModel, frames: DataFrame[]): Promise<DataFrame[]> {
  const steps = ((panel.transformations ?? []) as Json[]).filter((t) => !t.disabled);
  const unknown = steps.map((t) => t.id).filter((id) => !standardTransformersRegistry.getIfExists(id));
  if (unknown.length) {
    throw new Error(`transformation ${unknown.join(', ')}`);
  }
  return lastValueFrom(transformDataFrame(steps as never, frames, { interpolate: (text: string) => text }));
}
