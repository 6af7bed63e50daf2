/** A number: Grafana's BigValue, behind a link where the page gives it one. */
import { getDisplayValueAlignmentFactors, getFieldDisplayValues, VizOrientation, type FieldDisplay } from '@grafana/data';
import { BigValue, DataLinksContextMenu, VizRepeater, type VizRepeaterRenderValueProps } from '@grafana/ui';

import type { Json, VizProps } from '../types';

export function displayValues({ panel, frames, replace, theme, timeZone }: VizProps, sparkline = false): FieldDisplay[] {
  const given = Object.fromEntries(Object.entries(panel.options.reduceOptions ?? {}).filter(([, v]) => v != null)) as Json;
  return getFieldDisplayValues({
    data: frames, reduceOptions: { values: false, fields: '', ...given, calcs: given.calcs?.length ? given.calcs : ['lastNotNull'] },
    fieldConfig: panel.fieldConfig as never, replaceVariables: replace as never, theme, timeZone, sparkline,
  });
}

export const orientation = (given?: string) =>
  given === 'horizontal' ? VizOrientation.Horizontal : given === 'vertical' ? VizOrientation.Vertical : VizOrientation.Auto;

export function Stats(props: VizProps) {
  const { panel, width, height, theme, timeRange } = props;
  const { options } = panel;
  const graphMode = options.graphMode ?? 'area';
  const values = displayValues(props, graphMode !== 'none');
  const textMode = options.textMode ?? 'auto';
  const named = textMode === 'auto' && (panel.fieldConfig.defaults.displayName || !panel.title);
  const draw = ({ value, width: w, height: h, alignmentFactors, count }: VizRepeaterRenderValueProps<FieldDisplay, any>) => {
    const links = value.hasLinks ? value.getLinks : undefined;
    const number = (openMenu?: (event: React.MouseEvent<HTMLElement>) => void, className?: string) => (
      <BigValue
        value={value.display} count={count} width={w} height={h} theme={theme} className={className} onClick={openMenu}
        sparkline={value.sparkline && { ...value.sparkline, timeRange }}
        colorMode={options.colorMode ?? 'value'} graphMode={graphMode} justifyMode={options.justifyMode ?? 'auto'}
        textMode={named ? 'value_and_name' as never : textMode} alignmentFactors={alignmentFactors}
        text={options.text} disableWideLayout={options.wideLayout === false}
      />
    );
    if (!links) return number();
    return <DataLinksContextMenu links={links as never}>{({ openMenu, targetClassName }) => number(openMenu as never, targetClassName)}</DataLinksContextMenu>;
  };
  return (
    <VizRepeater
      getValues={() => values} getAlignmentFactors={getDisplayValueAlignmentFactors as never} source={props.frames} renderCounter={0}
      width={width} height={height} orientation={orientation(options.orientation)} autoGrid itemSpacing={3} renderValue={draw as never}
    />
  );
}
