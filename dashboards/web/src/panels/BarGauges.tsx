/** A ranking: Grafana's BarGauge, one bar a value, behind a link where the page gives it one. */
import { getDisplayValueAlignmentFactors, type FieldDisplay } from '@grafana/data';
import { BarGauge, DataLinksContextMenu, VizRepeater, type VizRepeaterRenderValueProps } from '@grafana/ui';

import type { VizProps } from '../types';
import { displayValues, orientation } from './Stats';

export function BarGauges(props: VizProps) {
  const { panel, width, height, theme } = props;
  const { options } = panel;
  const values = displayValues(props);
  const manual = options.sizing === 'manual';
  const draw = ({ value, width: w, height: h, alignmentFactors, orientation: o, count }: VizRepeaterRenderValueProps<FieldDisplay, any>) => {
    const bar = (openMenu?: (event: React.MouseEvent<HTMLElement>) => void, className?: string) => (
      <BarGauge
        value={value.display} width={w} height={h} orientation={o} field={value.field} theme={theme} text={options.text} className={className}
        display={value.view?.getFieldDisplayProcessor(value.colIndex!)} itemSpacing={10} displayMode={options.displayMode ?? 'gradient'}
        lcdCellWidth={12} showUnfilled={options.showUnfilled ?? true} valueDisplayMode={options.valueMode ?? 'color'}
        namePlacement={options.namePlacement ?? 'auto'} alignmentFactors={count > 1 ? alignmentFactors : undefined} onClick={openMenu}
      />
    );
    const links = value.hasLinks ? value.getLinks : undefined;
    if (!links) return bar();
    return <DataLinksContextMenu links={links as never}>{({ openMenu, targetClassName }) => bar(openMenu as never, targetClassName)}</DataLinksContextMenu>;
  };
  return (
    <VizRepeater
      getValues={() => values} getAlignmentFactors={getDisplayValueAlignmentFactors as never} source={props.frames} renderCounter={0}
      width={width} height={height} orientation={orientation(options.orientation)} itemSpacing={10}
      minVizWidth={(manual && options.minVizWidth) || 8} minVizHeight={(manual && options.minVizHeight) || 16}
      maxVizHeight={(manual && options.maxVizHeight) || 300} renderValue={draw as never}
    />
  );
}
