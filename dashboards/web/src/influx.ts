/** Series as InfluxDB writes them, as the data frames that Grafana's data source makes of them. */
import { FieldType, toDataFrame, type DataFrame } from '@grafana/data';

import type { Series } from './server';
import type { Target } from './types';

export function toFrames(series: Series[], target: Target): DataFrame[] {
  const filled = series.filter((s) => s.values?.length);
  if (!filled.length) {
    return [];
  }
  return target.resultFormat === 'table' ? [tableFrame(filled, target)] : filled.flatMap((s) => seriesFrames(s, target));
}

/** One frame for each series and column, with the series' tags as labels. */
function seriesFrames(series: Series, target: Target): DataFrame[] {
  const rows = series.values ?? [];
  return series.columns.slice(1).map((column, i) => {
    const name = seriesName(series, column, target);
    const values = rows.map((row) => row[i + 1]);
    return toDataFrame({
      refId: target.refId,
      name,
      fields: [
        { name: 'Time', type: FieldType.time, config: {}, values: rows.map((row) => row[0]) },
        { name: 'Value', type: typeOf(values), labels: { ...series.tags }, config: { displayNameFromDS: name }, values },
      ],
    });
  });
}

/** One frame for all series: time, a column for each tag, the values. */
function tableFrame(series: Series[], target: Target): DataFrame {
  const [first] = series;
  const rows = series.flatMap((s) => (s.values ?? []).map((row) => ({ row, tags: s.tags ?? {} })));
  const tags = Object.keys(first.tags ?? {}).map((tag) => ({
    name: tag, type: FieldType.string, config: { displayNameFromDS: tag }, values: rows.map((x) => x.tags[tag] ?? ''),
  }));
  const columns = first.columns.slice(1).map((name, i) => {
    const values = rows.map((x) => x.row[i + 1] ?? null);
    return { name, type: typeOf(values), config: { displayNameFromDS: name }, values };
  });
  const time = { name: 'Time', type: FieldType.time, config: {}, values: rows.map((x) => x.row[0]) };
  return toDataFrame({ refId: target.refId, name: first.name, fields: [time, ...tags, ...columns] });
}

function typeOf(values: unknown[]): FieldType {
  const found = values.find((v) => v != null);
  return typeof found === 'string' ? FieldType.string : typeof found === 'boolean' ? FieldType.boolean : FieldType.number;
}

/** The alias with `$tag_x`, `[[tag_x]]`, `$m` and `$col` filled in, else `measurement.column { tag: value }`. */
function seriesName(series: Series, column: string, target: Target): string {
  const tags = Object.entries(series.tags ?? {});
  if (!target.alias) {
    const labels = tags.map(([k, v]) => `${k}: ${v}`).join(', ');
    return `${series.name}.${column}${labels ? ` { ${labels} }` : ''}`;
  }
  const known = new Map(tags.map(([k, v]) => [`tag_${k}`, v]));
  known.set('m', series.name).set('measurement', series.name).set('col', column);
  return target.alias.replace(/\[\[([^\]\s]+)\]\]|\$([\w@-]+)/g, (whole, boxed?: string, bare?: string) =>
    known.get(boxed ?? bare ?? '') ?? whole
  );
}
