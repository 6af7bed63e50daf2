/** The choices at the head of a page: what each offers, what is chosen, and how links and titles name it. */
import { formattedValueToString, type DataFrame, type Field } from '@grafana/data';
import { VariableFormatID } from '@grafana/schema';

import { askOptions, type Option } from './server';
import type { Board, Json, Replace } from './types';

export const EVERYTHING = '$__all';

export interface Variable {
  name: string;
  label: string;
  many: boolean;
  options: Option[];
  /** of a variable that takes many, `EVERYTHING` alone stands for all */
  values: string[];
}

/** Reads the variables in their order: what one offers may depend on those before it. */
export async function loadVariables(board: Board, asked: Record<string, string[]>): Promise<Variable[]> {
  const found: Variable[] = [];
  for (const definition of (board.templating?.list ?? []) as Json[]) {
    const options: Option[] = definition.type === 'query'
      ? await askOptions({ page: board.uid, variables: valuesOf(found) }, definition.name)
      : definition.options.map((o: Json) => ({ value: o.value, text: o.text }));
    found.push({
      name: definition.name, label: definition.label || definition.name, many: Boolean(definition.multi), options,
      values: choose(definition, options, asked[definition.name]),
    });
  }
  return found;
}

function choose(definition: Json, options: Option[], asked: string[] = []): string[] {
  const offered = new Set(options.map((o) => o.value));
  const current = [definition.current?.value ?? []].flat().map(String);
  for (const wanted of [asked, current]) {
    if (definition.includeAll && wanted.some((v) => v === EVERYTHING || v === 'All')) return [EVERYTHING];
    const there = wanted.filter((v) => offered.has(v));
    if (there.length) return definition.multi ? there : there.slice(0, 1);
  }
  return definition.includeAll ? [EVERYTHING] : options.slice(0, 1).map((o) => o.value);
}

export const valuesOf = (variables: Variable[]): Record<string, string[]> =>
  Object.fromEntries(variables.map((v) => [v.name, v.values]));

export function textOf(v: Variable, all: string): string {
  if (v.values.includes(EVERYTHING)) return all;
  return v.values.map((value) => v.options.find((o) => o.value === value)?.text ?? value).join(' + ');
}

const encode = (text: string) => encodeURIComponent(text).replace(/'/g, '%27');

const REFERENCE = /\$\{(\w+)(?:\.([^:}]+))?(?::(\w+))?\}|\$(\w+)/g;

/** Fills in `$name`, `${name:queryparam}`, `${__url_time_range}`, `${__value.raw}` and their kind. */
export function replacer(variables: Variable[], from: string, to: string): Replace {
  return (text, scoped, use) =>
    text.replace(REFERENCE, (whole, name?: string, path?: string, format?: string, bare?: string) => {
      const variable = variables.find((v) => v.name === (name ?? bare));
      if (variable) {
        return format === 'queryparam'
          ? variable.values.map((value) => `var-${variable.name}=${encode(value)}`).join('&')
          : textOf(variable, EVERYTHING);
      }
      if (name === '__url_time_range') {
        return `from=${encode(from)}&to=${encode(to)}`;
      }
      const found = name && path && scoped?.__dataContext ? ofData(name, path, scoped.__dataContext.value) : undefined;
      return found === undefined ? whole : use === VariableFormatID.UriEncode ? encode(found) : found;
    });
}

interface Context {
  frame?: DataFrame;
  field?: Field;
  rowIndex?: number;
  calculatedValue?: { numeric: number };
}

/** What a link or a name knows of the value it belongs to; other fields of its row as they are shown. */
function ofData(name: string, path: string, { frame, field, rowIndex, calculatedValue }: Context): string | undefined {
  if (name === '__field' && path.startsWith('labels.')) {
    return field?.labels?.[path.slice('labels.'.length)];
  }
  if (name === '__value' && path === 'raw') {
    const raw = calculatedValue?.numeric ?? (rowIndex === undefined ? undefined : field?.values[rowIndex]);
    return raw == null ? undefined : String(raw);
  }
  if (name === '__data' && path.startsWith('fields.') && rowIndex !== undefined) {
    const wanted = frame?.fields.find((f) => f.name === path.slice('fields.'.length));
    const raw = wanted?.values[rowIndex];
    return raw == null ? undefined : wanted?.display ? formattedValueToString(wanted.display(raw)) : String(raw);
  }
  return undefined;
}
