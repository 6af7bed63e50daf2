/** A table: Grafana's own, which sorts by a click on a column's head. Of several frames the first is shown, as there. */
import { TableNG } from '@grafana/ui/unstable';

import type { VizProps } from '../types';

export function TablePanel({ panel, frames, width, height, timeRange }: VizProps) {
  const { options } = panel;
  return (
    <TableNG
      data={frames[0]} width={width} height={height} noHeader={options.showHeader === false} showTypeIcons={options.showTypeIcons}
      sortBy={options.sortBy ?? []} sortByBehavior="initial" enablePagination={options.enablePagination}
      cellHeight={options.cellHeight ?? 'sm'} timeRange={timeRange} fieldConfig={panel.fieldConfig as never}
      noValue={panel.fieldConfig.defaults.noValue} structureRev={1}
    />
  );
}
